//! The demo's files, embedded from `assets/demo/`, and the words in them that are filled in when it is made.
//!
//! `@-90m@` (also `h`, `d`) becomes the instant that long ago as planfile writes it, `@day@` yesterday's date, and
//! `@server@` the address of the demo's loopback server.

use jiff::{SignedDuration, Timestamp};

/// One file: path in the project, text, whether it is a script to run.
pub(super) struct Asset {
    /// Path relative to the project; may hold words to fill in.
    pub(super) path: &'static str,
    /// Text; may hold words to fill in.
    pub(super) text: &'static str,
    /// Executable.
    pub(super) script: bool,
}

macro_rules! assets {
    ($($path:literal <- $from:literal $(, $script:ident)?;)*) => {
        &[$(Asset {
            path: $path,
            text: include_str!(concat!("../../../assets/demo/", $from)),
            script: false $(|| assets!(@ $script))?,
        }),*]
    };
    (@ script) => { true };
}

/// Every file of the demo.
pub(super) const ASSETS: &[Asset] = assets! {
    "README.md" <- "project/README.md";
    "CHANGELOG.md" <- "project/CHANGELOG.md";
    ".gitignore" <- "project/gitignore";
    "Makefile" <- "project/Makefile";
    "docs/refunds.md" <- "project/docs/refunds.md";
    "src/price.sh" <- "project/src/price.sh", script;
    "src/receipt.sh" <- "project/src/receipt.sh", script;
    "workers/apprentice.sh" <- "project/workers/apprentice.sh", script;
    "workers/critic.sh" <- "project/workers/critic.sh", script;
    "workers/check.sh" <- "project/workers/check.sh", script;
    "workers/bundle.sh" <- "project/workers/bundle.sh", script;
    "workers/deploy.sh" <- "project/workers/deploy.sh", script;
    "workers/migrate.sh" <- "project/workers/migrate.sh", script;
    "workers/smoke.sh" <- "project/workers/smoke.sh", script;
    "workers/test.sh" <- "project/workers/test.sh", script;
    "workers/vat.sh" <- "project/workers/vat.sh", script;
    ".planfile/config.yaml" <- "planfile/config.yaml";
    ".planfile/index/history-locations.yaml" <- "planfile/locations.yaml";
    ".planfile/sprints/backlog.yaml" <- "planfile/backlog.yaml";
    ".planfile/sprints/current.yaml" <- "planfile/current.yaml";
    ".planfile/sprints/history-@day@.yaml" <- "planfile/history.yaml";
    ".planfile/.koru/config.yaml" <- "planfile/koru-config.yaml";
    ".planfile/.koru/policy.yaml" <- "planfile/policy.yaml";
};

/// Fills the words in.
pub(super) fn fill(text: &str, server: &str, now: Timestamp) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('@') {
        filled.push_str(&rest[..open]);
        let after = &rest[open + 1..];
        let word = after.find('@').and_then(|close| Some((value(&after[..close], server, now)?, close)));
        match word {
            Some((value, close)) => {
                filled.push_str(&value);
                rest = &after[close + 1..];
            }
            None => {
                filled.push('@');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

fn value(word: &str, server: &str, now: Timestamp) -> Option<String> {
    match word {
        "server" => return Some(server.to_owned()),
        "day" => return Some(ago(now, 24 * 60)?.strftime("%Y-%m-%d").to_string()),
        _ => {}
    }
    let unit = match word.as_bytes().last()? {
        b'm' => 1,
        b'h' => 60,
        b'd' => 24 * 60,
        _ => return None,
    };
    let number: i64 = word.strip_prefix('-')?.get(..word.len() - 2)?.parse().ok()?;
    Some(ago(now, number * unit)?.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
}

fn ago(now: Timestamp, minutes: i64) -> Option<Timestamp> {
    now.checked_sub(SignedDuration::from_mins(minutes)).ok()
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn words_are_filled_in_and_other_signs_stay() {
        let now = "2026-03-01T00:30:00Z".parse().unwrap();
        assert_eq!(
            fill("a@b \"@-90m@\" @-2h@ @-1d@ @day@ @server@/x @nothing@ @", "http://127.0.0.1:9", now),
            "a@b \"2026-02-28T23:00:00.000000Z\" 2026-02-28T22:30:00.000000Z 2026-02-28T00:30:00.000000Z \
             2026-02-28 http://127.0.0.1:9/x @nothing@ @"
        );
    }
}

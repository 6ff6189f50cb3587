//! The shapes: one set with Unicode glyphs, one in ASCII for terminals and locales that have no more.
//!
//! Owns no data. Every state has a shape of its own in both sets, and a word stands beside it wherever it matters.

/// One set of shapes. All are one column wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Glyphs {
    pub(crate) running: &'static str,
    pub(crate) needs_you: &'static str,
    pub(crate) stalled: &'static str,
    pub(crate) stopping: &'static str,
    pub(crate) failed: &'static str,
    pub(crate) refused: &'static str,
    pub(crate) interrupted: &'static str,
    pub(crate) done: &'static str,
    pub(crate) ready: &'static str,
    pub(crate) no_runner: &'static str,
    pub(crate) waiting: &'static str,
    pub(crate) blocked: &'static str,
    pub(crate) review: &'static str,
    pub(crate) invalid: &'static str,
    pub(crate) canceled: &'static str,
    pub(crate) lifted: &'static str,
    pub(crate) into: &'static str,
    pub(crate) folded: &'static str,
    pub(crate) unfolded: &'static str,
    pub(crate) ellipsis: &'static str,
    pub(crate) vertical: &'static str,
    pub(crate) horizontal: &'static str,
    pub(crate) corners: [&'static str; 4],
    pub(crate) note: &'static str,
    pub(crate) operator: &'static str,
    pub(crate) retry: &'static str,
    pub(crate) sleeping: &'static str,
    pub(crate) violation: &'static str,
    pub(crate) lands: &'static str,
    pub(crate) spinner: &'static [&'static str],
}

/// The usual set.
pub(crate) const UNICODE: Glyphs = Glyphs {
    running: "●",
    needs_you: "◆",
    stalled: "◌",
    stopping: "◐",
    failed: "✕",
    refused: "⊗",
    interrupted: "↯",
    done: "✓",
    ready: "▹",
    no_runner: "∅",
    waiting: "·",
    blocked: "■",
    review: "◇",
    invalid: "?",
    canceled: "−",
    lifted: "↑",
    into: "▸",
    folded: "▸",
    unfolded: "▾",
    ellipsis: "…",
    vertical: "│",
    horizontal: "─",
    corners: ["╭", "╮", "╰", "╯"],
    note: "»",
    operator: "❯",
    retry: "↻",
    sleeping: "☾",
    violation: "⊘",
    lands: "⇡",
    spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
};

/// The plain set.
pub(crate) const ASCII: Glyphs = Glyphs {
    running: "*",
    needs_you: "!",
    stalled: "z",
    stopping: "%",
    failed: "x",
    refused: "=",
    interrupted: "~",
    done: "v",
    ready: ">",
    no_runner: "/",
    waiting: ".",
    blocked: "#",
    review: "o",
    invalid: "?",
    canceled: "-",
    lifted: "^",
    into: ">",
    folded: "+",
    unfolded: "-",
    ellipsis: "~",
    vertical: "|",
    horizontal: "-",
    corners: ["+", "+", "+", "+"],
    note: "*",
    operator: ">",
    retry: "@",
    sleeping: "_",
    violation: "X",
    lands: "&",
    spinner: &["|", "/", "-", "\\"],
};

/// Whether the locale can show more than ASCII; `get` reads one variable of the environment.
pub(crate) fn locale_is_utf8(get: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| get(name).filter(|value| !value.is_empty());
    // An unset locale says nothing; nearly every terminal of today shows UTF-8 then, so only a named one decides.
    match set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")) {
        None => true,
        Some(locale) => {
            let lower = locale.to_ascii_lowercase();
            lower.contains("utf-8") || lower.contains("utf8")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_state_has_a_shape_of_its_own() {
        for set in [UNICODE, ASCII] {
            let shapes = [
                set.running,
                set.needs_you,
                set.stalled,
                set.stopping,
                set.failed,
                set.refused,
                set.interrupted,
                set.done,
                set.ready,
                set.no_runner,
                set.waiting,
                set.blocked,
                set.review,
                set.invalid,
                set.canceled,
                set.sleeping,
                set.violation,
                set.lands,
            ];
            assert_eq!(shapes.iter().collect::<HashSet<_>>().len(), shapes.len());
        }
    }

    #[test]
    fn the_locale_decides() {
        let with =
            |value: &'static str| locale_is_utf8(move |name| (name == "LANG").then(|| value.to_owned()));
        assert!(with("de_DE.UTF-8") && with("C.utf8") && with(""));
        assert!(!with("C") && !with("POSIX") && !with("de_DE.ISO-8859-1"));
    }
}

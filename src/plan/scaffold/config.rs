//! planfile's `config.yaml`: written in planfile 0.1.126's own shape when it is missing, and its `next_id` raised when
//! imported ids would collide with the next created one.
//!
//! The `archive` and `storage` blocks are spelt out because a config without `storage` marks a planfile release that
//! takes no lock (`planfile.md` §5.2): with them, both programs know that they may write side by side.

use serde_yaml::Value;

use crate::base::yaml;

/// What an existing config says about ids.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// Ids look like `<prefix>-<number>`.
    pub(super) prefix: String,
    /// Number of the next id.
    pub(super) next_id: u64,
    /// There is a `storage` block.
    pub(super) locks: bool,
}

/// Prefix and next number for imported `ids` (koru §1): the text before the first `-` of the first id, else `PLF`.
pub(super) fn numbering(ids: &[&str]) -> (String, u64) {
    let prefix = ids.first().and_then(|id| id.split_once('-')).map_or("PLF", |(prefix, _)| prefix);
    let highest = ids.iter().filter_map(|id| number_of(id)).max().unwrap_or(0);
    (prefix.to_owned(), highest.saturating_add(1))
}

/// The number at the end of an id.
pub(super) fn number_of(id: &str) -> Option<u64> {
    let digits = id.len() - id.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    id[id.len() - digits..].parse().ok()
}

/// A new config.
pub(super) fn text(project: &str, prefix: &str, next_id: u64) -> String {
    let (project, prefix) = (scalar(project), scalar(prefix));
    format!(
        "archive:\n  enabled: true\n  max_current_bytes: 1000000\n  max_current_tickets: 100\n  \
         retain_terminal_days: 0\n  retain_terminal_tickets: 20\n  terminal_statuses:\n  - done\n  - canceled\n  \
         - failed\n  - blocked\nnext_id: {next_id}\nprefix: {prefix}\nproject: {project}\nstorage:\n  \
         backend: single-yaml\n  custom_shards: 16\n  index: none\n  shard_size: 100\n"
    )
}

/// Reads an existing config.
///
/// # Errors
/// What is wrong, as the end of a sentence.
pub(super) fn read(text: &str) -> Result<Known, String> {
    let root: Value = yaml::from_str(text).map_err(|error| format!("is not readable YAML ({error})"))?;
    if !root.is_mapping() {
        return Err("is not a mapping".to_owned());
    }
    let backend = root.get("storage").and_then(|storage| storage.get("backend")).and_then(Value::as_str);
    if let Some(backend) = backend.filter(|backend| *backend != "single-yaml") {
        return Err(format!("uses storage.backend={backend}, which koru-tui does not edit"));
    }
    let prefix = root.get("prefix").and_then(Value::as_str).unwrap_or("PLF").to_owned();
    let next_id = root.get("next_id").and_then(Value::as_u64).unwrap_or(1);
    Ok(Known { prefix, next_id, locks: root.get("storage").is_some() })
}

/// The same text with `next_id` raised; `None` when its line is not of the plain shape that planfile writes.
pub(super) fn with_next_id(text: &str, next_id: u64) -> Option<String> {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut found =
        lines.iter().enumerate().filter(|(_, line)| line.starts_with("next_id:")).map(|(index, _)| index);
    let (index, None) = (found.next()?, found.next()) else { return None };
    let rest = lines[index].strip_prefix("next_id:")?;
    let digits = rest.trim();
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let replaced = format!("next_id:{}", rest.replacen(digits, &next_id.to_string(), 1));
    lines[index] = &replaced;
    Some(lines.concat())
}

/// A scalar that YAML 1.1 reads back as this very text: bare where it plainly is a word, else double-quoted ASCII.
fn scalar(text: &str) -> String {
    const SPECIAL: [&str; 11] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"];
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
        && !SPECIAL.contains(&text.to_ascii_lowercase().as_str());
    if word {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            ' '..='~' => quoted.push(c),
            _ => {
                let code = u32::from(c);
                let escape = if code > 0xffff { format!("\\U{code:08X}") } else { format!("\\u{code:04X}") };
                quoted.push_str(&escape);
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbering_follows_the_first_id_and_the_highest_number() {
        assert_eq!(numbering(&["STARTER-001", "STARTER-002"]), ("STARTER".to_owned(), 3));
        assert_eq!(numbering(&["A-7", "B-30", "plain"]), ("A".to_owned(), 31));
        assert_eq!(numbering(&["setup", "deploy"]), ("PLF".to_owned(), 1));
        assert_eq!(numbering(&[]), ("PLF".to_owned(), 1));
    }

    #[test]
    fn a_new_config_reads_back_whatever_the_folder_is_called() {
        for project in ["demo", "my project", "no", "42", "1e3", "zażółć", "a\"b\\c", "🚀", "x: y", "- a", ""]
        {
            let text = text(project, "PLF", 3);
            let value: Value = serde_yaml::from_str(&text).unwrap();
            assert_eq!(value.get("project"), Some(&Value::String(project.to_owned())), "{text}");
            let known = Known { prefix: "PLF".to_owned(), next_id: 3, locks: true };
            assert_eq!(read(&text), Ok(known));
        }
    }

    #[test]
    fn raising_next_id_changes_one_number_and_nothing_else() {
        let before = "# mine\nnext_id:  7   \r\nprefix: X\n";
        assert_eq!(with_next_id(before, 12).as_deref(), Some("# mine\nnext_id:  12   \r\nprefix: X\n"));
        for odd in
            ["prefix: X\n", "next_id: '7'\n", "next_id: 7 # x\n", "next_id: 7\nnext_id: 8\n", "{next_id: 7}"]
        {
            assert_eq!(with_next_id(odd, 12), None, "{odd}");
        }
    }

    #[test]
    fn a_config_that_cannot_be_worked_with_says_why() {
        assert!(read("a: [").unwrap_err().starts_with("is not readable YAML"));
        assert_eq!(read("- a"), Err("is not a mapping".to_owned()));
        let sharded = read("storage: {backend: sharded-yaml}").unwrap_err();
        assert_eq!(sharded, "uses storage.backend=sharded-yaml, which koru-tui does not edit");
        let old = read("project: x\nprefix: A\nnext_id: 4\n");
        assert_eq!(old, Ok(Known { prefix: "A".to_owned(), next_id: 4, locks: false }));
    }
}

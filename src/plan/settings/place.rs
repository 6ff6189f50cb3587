//! Where a key stands in the file: the parser's values know no lines, so the key is looked for in the text.

/// Line and column, both from 1, of a dotted key; `None` when it is not found or stands there more than once in its
/// block, as in a comment: no line is better than a wrong one.
pub(super) fn position(text: &str, key: &str) -> Option<(usize, usize)> {
    let (block, name) = key.rsplit_once('.').map_or((None, key), |(block, name)| (Some(block), name));
    let mut inside = block.is_none();
    let mut found = None;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with('#') {
            continue;
        }
        if let Some(block) = block
            && line.starts_with(|c: char| !c.is_whitespace() && c != '}')
        {
            inside = key_columns(line, block).next() == Some(0);
        }
        if !inside {
            continue;
        }
        for column in key_columns(line, name).filter(|column| block.is_some() || *column == 0) {
            if found.is_some() {
                return None;
            }
            found = Some((number + 1, line[..column].chars().count() + 1));
        }
    }
    found
}

/// Bytes at which `name` stands as a key: whole, perhaps in quotes, and a colon after it.
fn key_columns<'a>(line: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    line.match_indices(name).filter_map(|(at, _)| {
        let before = line[..at].trim_end_matches(['"', '\'']);
        let after = line[at + name.len()..].trim_start_matches(['"', '\'']).trim_start();
        let begins = before.is_empty() || before.ends_with([' ', '\t', '{', ',']);
        (!name.is_empty() && begins && after.starts_with(':')).then_some(before.len())
    })
}

#[cfg(test)]
mod tests {
    use super::position;

    #[test]
    fn keys_are_found_where_they_stand_and_nowhere_else() {
        let text = "# day_uds: 1\nagents:\n  pi: {day_uds: x}\nbudgets:\n  # day_uds: 2\n  run_usd: 5\n  'day_uds': 5\n";
        assert_eq!(position(text, "budgets.day_uds"), Some((7, 3)));
        assert_eq!(position(text, "budgets"), Some((4, 1)));
        assert_eq!(position("budgets: {run_usd: 5, day_uds : 5}\n", "budgets.day_uds"), Some((1, 23)));
        assert_eq!(position("budget:\n  run_usd: 5\n", "budget"), Some((1, 1)));
        assert_eq!(position("budgets: {a: 1} # a: 2\n", "budgets.a"), None);
        for missing in ["budgets.day_usd", "llm", "budgets.", ""] {
            assert_eq!(position(text, missing), None, "{missing}");
        }
    }
}

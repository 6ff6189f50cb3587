//! Who may know whom. Every path that begins at the crate's root counts, in a `use` or in an expression, also when it is
//! spelt through `super`.

use super::source::{Flat, SourceFile};
use proc_macro2::Delimiter;

const FLOORS: [&str; 10] =
    ["base", "plan", "detect", "execute", "verify", "promote", "learn", "runtime", "verbs", "console"];

/// The plain data of `plan` that the console may name: whole modules, and single types of the store.
const CONSOLE_MODULES: [&str; 3] = ["ticket", "queue", "lifecycle"];
const CONSOLE_STORE_TYPES: [&str; 3] = ["Plan", "FileFault", "FileWarning"];

/// The floors that `floor` may know, itself included.
fn allowed(floor: &str) -> Option<&'static [&'static str]> {
    Some(match floor {
        "base" => &["base"],
        "plan" => &["base", "plan"],
        "detect" => &["base", "plan", "detect"],
        "execute" => &["base", "plan", "execute"],
        "verify" => &["base", "plan", "execute", "verify"],
        "promote" => &["base", "plan", "execute", "verify", "promote"],
        "learn" => &["base", "plan", "learn"],
        "runtime" => &["base", "plan", "detect", "execute", "verify", "promote", "learn", "runtime"],
        "verbs" => &["base", "plan", "detect", "execute", "verify", "promote", "learn", "runtime", "verbs"],
        "console" => &["base", "plan", "runtime", "console"],
        // main joins the console that it opens to the runtime that it hosts.
        "main" => &["base", "verbs", "console", "runtime"],
        // lib.rs is the map of the house: it names every floor and uses none.
        "lib" => &FLOORS,
        _ => return None,
    })
}

/// What this file names against the rules, one line each.
pub fn offences(file: &SourceFile) -> Vec<String> {
    let module = module_path(&file.path);
    let floor = module.first().cloned().unwrap_or_else(|| "lib".to_owned());
    let Some(allowed) = allowed(&floor) else {
        return vec![format!("{}: `{floor}` is no floor of the house", file.path)];
    };
    let mut found = Vec::new();
    for (path, line) in paths_from_root(file, &module) {
        let Some(target) = path.first().filter(|target| FLOORS.contains(&target.as_str())) else { continue };
        if !allowed.contains(&target.as_str()) {
            found.push(format!("{}:{line}: {floor} must not know {target} ({})", file.path, path.join("::")));
        } else if floor == "console" && target == "plan" && !is_plain_plan_data(&path) {
            found.push(format!(
                "{}:{line}: console must not know {} (only plain data of plan)",
                file.path,
                path.join("::")
            ));
        }
    }
    found
}

fn is_plain_plan_data(path: &[String]) -> bool {
    match path.get(1).map(String::as_str) {
        Some("store") => path.get(2).is_some_and(|name| CONSOLE_STORE_TYPES.contains(&name.as_str())),
        Some(module) => CONSOLE_MODULES.contains(&module),
        None => false,
    }
}

/// `src/plan/store/mod.rs` → `plan, store`; the crate's roots are `main` and nothing.
fn module_path(path: &str) -> Vec<String> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    if inner == "lib" {
        return Vec::new();
    }
    inner.split('/').filter(|part| *part != "mod").map(str::to_owned).collect()
}

/// Every path of the file that starts at the crate's root, absolute, with its line. Groups (`a::{b, c::d}`) are spread.
fn paths_from_root(file: &SourceFile, module: &[String]) -> Vec<(Vec<String>, usize)> {
    let flat = file.flat();
    let mut found = Vec::new();
    // Inline modules deepen what `super` means: the depth at which each one opened.
    let mut inline: Vec<(String, usize)> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while at < flat.len() {
        match &flat[at].0 {
            Flat::Open(_) => depth += 1,
            Flat::Close(_) => {
                depth -= 1;
                inline.retain(|(_, opened)| *opened <= depth);
            }
            Flat::Word(word) if word == "mod" => {
                if let (Some(Flat::Word(name)), Some(Flat::Open(Delimiter::Brace))) =
                    (flat.get(at + 1).map(|t| &t.0), flat.get(at + 2).map(|t| &t.0))
                {
                    inline.push((name.clone(), depth + 1));
                }
            }
            Flat::Word(word)
                if matches!(word.as_str(), "crate" | "super" | "koru_tui") && starts_path(&flat, at) =>
            {
                let here: Vec<String> =
                    module.iter().cloned().chain(inline.iter().map(|(name, _)| name.clone())).collect();
                let base = if word == "super" { here } else { Vec::new() };
                let pops = usize::from(word == "super");
                at = spread(&flat, at + 1, parent(&base, pops), &mut found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Whether the word at `at` begins a path (it is not the tail of one), and one goes on from it.
fn starts_path(flat: &[(Flat, usize)], at: usize) -> bool {
    let after = matches!(flat.get(at + 1), Some((Flat::Mark(':'), _)));
    let before = at > 0 && matches!(flat.get(at - 1), Some((Flat::Mark(':'), _)));
    after && !before
}

fn parent(path: &[String], levels: usize) -> Vec<String> {
    path[..path.len().saturating_sub(levels)].to_vec()
}

/// Follows a path from the token at `at`, with `prefix` said already, into `found`. Returns where reading goes on.
fn spread(
    flat: &[(Flat, usize)],
    mut at: usize,
    mut prefix: Vec<String>,
    found: &mut Vec<(Vec<String>, usize)>,
) -> usize {
    let mut line = flat.get(at.saturating_sub(1)).map_or(0, |token| token.1);
    while let (Some((Flat::Mark(':'), _)), Some((Flat::Mark(':'), _))) = (flat.get(at), flat.get(at + 1)) {
        match flat.get(at + 2) {
            Some((Flat::Word(word), here)) => {
                line = *here;
                at += 3;
                match word.as_str() {
                    "super" => prefix = parent(&prefix, 1),
                    "self" => {}
                    word => prefix.push(word.to_owned()),
                }
            }
            Some((Flat::Open(Delimiter::Brace), _)) => return spread_group(flat, at + 3, &prefix, found),
            _ => break,
        }
    }
    found.push((prefix, line));
    at
}

/// Follows each member of a `{…}` group of a `use`.
fn spread_group(
    flat: &[(Flat, usize)],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<(Vec<String>, usize)>,
) -> usize {
    while let Some((token, line)) = flat.get(at) {
        match token {
            Flat::Close(_) => return at + 1,
            Flat::Word(word) if word == "as" => at += 2,
            Flat::Word(word) => {
                let mut path = prefix.to_vec();
                if word != "self" {
                    path.push(word.clone());
                }
                let before = found.len();
                at = spread(flat, at + 1, path, found);
                if let Some(first) = found.get_mut(before) {
                    first.1 = (*line).max(1);
                }
            }
            _ => at += 1,
        }
    }
    at
}

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The house rules that a compiler does not check, read from our own sources: who may know whom (`DESIGN.md` §3), how
//! long a file and a function may be, and where `unsafe` may stand.
//!
//! Sources are read as Rust tokens, so comments and strings never count and paths inside macros do. Each rule comes with
//! tests that feed it an offender: a rule that cannot fail proves nothing.

#[path = "architecture/arrows.rs"]
mod arrows;
#[path = "architecture/sizes.rs"]
mod sizes;
#[path = "architecture/source.rs"]
mod source;

use source::SourceFile;

fn assert_none(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{rule}:\n  {}\n", offences.join("\n  "));
}

#[test]
fn every_arrow_is_one_of_the_design() {
    let offences: Vec<String> = source::crate_sources().iter().flat_map(arrows::offences).collect();
    assert_none("forbidden dependency arrows (DESIGN §3)", &offences);
}

#[test]
fn files_and_functions_are_short_or_say_why() {
    let offences: Vec<String> = source::all_sources().iter().flat_map(sizes::offences).collect();
    assert_none("too long, and no reason at the top of the file", &offences);
}

#[test]
fn unsafe_stands_in_one_module() {
    let offences: Vec<String> = source::crate_sources()
        .iter()
        .filter(|file| file.path != "src/base/sys.rs")
        .flat_map(|file| {
            file.words().filter(|(word, _)| word == "unsafe").map(|(_, line)| format!("{}:{line}", file.path))
        })
        .collect();
    assert_none("`unsafe` outside src/base/sys.rs", &offences);
}

#[test]
fn every_module_opens_with_its_purpose() {
    let offences: Vec<String> = source::all_sources()
        .iter()
        .filter(|file| file.top_comment().trim().is_empty())
        .map(|file| file.path.clone())
        .collect();
    assert_none("files without a `//!` comment at the top", &offences);
}

/// Paths in back quotes that the text names and that are not there, and how many it names.
fn named_and_missing(text: &str) -> (usize, Vec<String>) {
    let roots = ["src/", "tests/", "themes/", "assets/", "benches/"];
    let named: Vec<&str> =
        text.split('`').filter(|word| roots.iter().any(|root| word.starts_with(root))).collect();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let missing = named.iter().filter(|path| !root.join(path).exists());
    (named.len(), missing.map(|path| (*path).to_owned()).collect())
}

#[test]
fn the_map_names_files_that_are_there() {
    let sources = source::crate_sources();
    let map = sources.iter().find(|file| file.path == "src/lib.rs").unwrap().top_comment();
    let (named, missing) = named_and_missing(&map);
    assert_none("files that the map in src/lib.rs names and that are not there", &missing);
    assert!(named > 30, "only {named} files are named");
    let (_, missing) = named_and_missing("see `src/nowhere.rs`, `src/lib.rs` and `plan::store`");
    assert_eq!(missing, ["src/nowhere.rs"]);
}

#[test]
fn the_sources_are_really_found() {
    let paths: Vec<String> = source::crate_sources().into_iter().map(|file| file.path).collect();
    for expected in ["src/main.rs", "src/lib.rs", "src/base/mod.rs", "src/runtime/mod.rs"] {
        assert!(paths.iter().any(|path| path == expected), "{expected} was not read, only {paths:?}");
    }
}

/// What the arrow rule says about one made-up file.
fn arrows_of(path: &str, text: &str) -> Vec<String> {
    arrows::offences(&SourceFile::new(path, text))
}

#[test]
fn an_arrow_upwards_is_found_however_it_is_written() {
    let ways = [
        "use crate::runtime::Handle;",
        "use crate::{base::clock::Clock, runtime::{protocol::Event}};",
        "pub(crate) use crate::runtime as engine;",
        "fn f() { crate::runtime::start(x()) }",
        "fn f() { tracing::info!(\"{}\", crate::runtime::NAME) }",
        "use super::super::runtime::Handle;",
        "mod inner { use super::super::super::runtime::Handle; }",
        "use koru_tui::runtime::Handle;",
    ];
    for way in ways {
        let found = arrows_of("src/plan/queue.rs", way);
        assert_eq!(found.len(), 1, "{way}: {found:?}");
        assert!(found[0].contains("plan must not know runtime"), "{way}: {found:?}");
    }
}

#[test]
fn arrows_of_the_design_are_not_offences() {
    let allowed = [
        (
            "src/plan/queue.rs",
            "use crate::base::clock::Clock; use super::ticket::Ticket; use crate::plan::yaml;",
        ),
        ("src/execute/mod.rs", "use crate::{base::process, plan::ticket::Ticket};"),
        ("src/runtime/mod.rs", "use crate::execute::Run; use crate::plan::store::Store; use crate::detect;"),
        (
            "src/verbs/queue.rs",
            "use crate::runtime::start; use crate::plan::store::Store; use crate::detect::doctor;",
        ),
        (
            "src/console/board.rs",
            "use crate::plan::store::{Plan, FileFault}; use crate::plan::queue::Standing;",
        ),
        ("src/main.rs", "use koru_tui::{base, console, runtime, verbs};"),
        (
            "src/plan/doc.rs",
            "//! Says `use crate::runtime` in a comment.\nconst A: &str = \"use crate::runtime;\";",
        ),
    ];
    for (path, text) in allowed {
        assert_eq!(arrows_of(path, text), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn each_floor_has_its_own_limits() {
    let forbidden = [
        ("src/base/text.rs", "use crate::plan::ticket::Ticket;"),
        ("src/detect/mod.rs", "use crate::execute::Run;"),
        ("src/execute/mod.rs", "use crate::verify::Verdict;"),
        ("src/learn/mod.rs", "use crate::execute::Run;"),
        ("src/runtime/mod.rs", "use crate::console::App;"),
        ("src/verbs/mod.rs", "use crate::console::App;"),
        ("src/console/mod.rs", "use crate::verbs::Cli;"),
        ("src/console/mod.rs", "use crate::execute::Run;"),
        ("src/console/mod.rs", "use crate::plan::store::Store;"),
        ("src/console/mod.rs", "use crate::plan::{ticket::Ticket, store::{Plan, Store}};"),
        ("src/console/mod.rs", "use crate::plan::yaml::SprintDoc;"),
        ("src/console/mod.rs", "use crate::plan::store;"),
        ("src/main.rs", "use koru_tui::plan::store::Store;"),
        ("src/cellar/mod.rs", "use crate::base::text;"),
    ];
    for (path, text) in forbidden {
        assert_eq!(arrows_of(path, text).len(), 1, "{path}: {text}");
    }
}

#[test]
fn long_files_and_functions_are_found_and_reasons_are_heard() {
    let function =
        |lines: usize| format!("fn long() {{\n{}}}\n", "    work();\n".repeat(lines.saturating_sub(2)));
    let offences = |text: &str| sizes::offences(&SourceFile::new("src/base/x.rs", text));
    assert_eq!(offences(&format!("//! X.\n{}", function(60))), Vec::<String>::new());
    assert_eq!(
        offences(&format!("//! X.\n{}", function(61))),
        [
            "src/base/x.rs:2: fn long has 61 lines (60 at most, or say why in the top comment, naming \"60 lines\")"
        ]
    );
    let excused = format!("//! X. One function is above 60 lines because it is one table.\n{}", function(80));
    assert_eq!(offences(&excused), Vec::<String>::new());
    let behind_attributes =
        format!("#![allow(\n    a,\n    b\n)]\n//! Above 60 lines: a table.\n{}", function(80));
    assert_eq!(offences(&behind_attributes), Vec::<String>::new());
    let long_file = format!("//! X.\n{}", "// line\n".repeat(400));
    assert_eq!(
        offences(&long_file),
        ["src/base/x.rs: 401 lines (400 at most, or say why in the top comment, naming \"400 lines\")"]
    );
    let excused = format!("//! X. Over 400 lines: one table.\n{}", "// line\n".repeat(400));
    assert_eq!(offences(&excused), Vec::<String>::new());
}

#[test]
fn functions_inside_impls_macros_and_functions_are_measured() {
    let body = "        work();\n".repeat(70);
    let texts = [
        format!("impl A {{\n    async fn f() {{\n{body}    }}\n}}"),
        format!("make! {{\n    fn f() {{\n{body}    }}\n}}"),
        format!("mod tests {{\n    #[test]\n    fn f() where X: Fn() -> Y {{\n{body}    }}\n}}"),
    ];
    for text in texts {
        assert_eq!(sizes::offences(&SourceFile::new("src/base/x.rs", &text)).len(), 1, "{text}");
    }
    let declared_only =
        "trait A { fn f(&self, g: fn() -> u8); }\nconst B: fn() = other;\nstruct C { f: fn(u8) }";
    assert_eq!(sizes::offences(&SourceFile::new("src/base/x.rs", declared_only)), Vec::<String>::new());
}

//! File names of an agent's work with line ends, controls, options, other alphabets and bytes that are no text: each is
//! committed under its own name, and shown so that nobody is misled.

use super::agents::bench::SCRIPTED;
use super::agents::stage::ID;
use super::hostile::harmless;
use super::scene::Scene;

/// As `printf` makes them.
const NAMES: [&str; 14] = [
    "line\\nend",
    "\\033[31mred",
    "\\033]0;title\\007",
    "bell\\007back\\010\\015return",
    "\\302\\233eight-bit",
    "\\377\\376no-text",
    "\\342\\200\\256evil.txt",
    "zero\\342\\200\\213width",
    "tag\\363\\240\\201\\201",
    "-rf",
    "--output=x",
    " blank ",
    "quote\\042\\047\\134",
    "a -> b",
];

#[test]
fn names_are_committed_as_they_are_and_shown_harmlessly() {
    let mut scene = Scene::new();
    let made: String = NAMES
        .iter()
        .map(|name| format!("n=\"$(printf -- '{name}x')\"; n=\"${{n%x}}\"; echo one >./\"$n\"; mkdir ./\"d$n\" && echo two >./\"d$n/$n\"\n"))
        .collect();
    scene.agent(&format!("printf 'Hello, world!\\n' >hello.txt\n{made}"), &[]);
    let ran = scene.run();
    harmless("the run", &format!("{}{}", ran.out, ran.err));
    scene.look();
    let tree = scene.tree();
    let committed = tree.lines().count();
    // Two for each name, and the two files that were there.
    assert_eq!(committed, NAMES.len() * 2 + 2, "{tree:?}\n{ran:?}");
    for format in ["text", "json"] {
        for args in [
            &["diff", ID][..],
            &["diff", ID, "--stat"],
            &["diff", ID, "--working-tree"],
            &["ticket", "log", ID],
            &["ticket", "runs", ID],
            &["worktree", "list"],
            &["review", ID],
        ] {
            let ran = scene.bench.koru(&[args, &["--format", format]].concat());
            harmless(&format!("{args:?} as {format}"), &format!("{}{}", ran.out, ran.err));
        }
    }
}

/// A name as long as the system allows, a path far longer, and ten thousand files.
#[test]
fn very_long_and_very_many_names_are_within_bounds() {
    let mut scene = Scene::new();
    let deeds = "printf 'Hello, world!\\n' >hello.txt\n\
        long=$(printf 'x%.0s' $(seq 250)); echo x >\"$long\"\n\
        i=0; while [ $i -lt 12 ]; do mkdir \"$long.d\" 2>/dev/null && cd \"$long.d\" || break; i=$((i + 1)); done; echo deep >deep; cd \"$OLDPWD\"\n\
        cd \"$(git rev-parse --show-toplevel)\"; mkdir many; (cd many; seq 3000 | xargs touch)\n";
    scene.agent(deeds, &[]);
    let ran = scene.bench.koru(&["ticket", "run", ID, "--agent", SCRIPTED]);
    assert!(matches!(ran.code, Some(0..=1)), "{ran:?}");
    let said = scene.look();
    harmless("what looks at it", &said);
    assert!(said.len() < 64 << 20, "{} bytes", said.len());
}

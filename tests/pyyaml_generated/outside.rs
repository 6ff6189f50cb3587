//! Directives, document markers, byte order marks, and what follows the document.

use super::super::dice::Dice;

const BEFORE: &[&str] = &[
    "\u{feff}",
    "# c\n",
    "\n",
    "%YAML 1.1\n",
    "%YAML 1.2\n",
    "%YAML 1.3\n",
    "%YAML 2.0\n",
    "%TAG ! tag:x,2026:\n",
    "%TAG !! tag:yaml.org,2002:\n",
    "%TAG !e! tag:yaml.org,2002:\n",
    "%YAML 1.1 # c\n",
    "%FOO bar\n",
    "---\n",
    "---\n",
    "--- # c\n",
    "...\n",
    " ",
    "\t",
    "---",
    "%YAML 1.1#\n",
    "%YAML\t1.1\n",
    "%TAG !e! !\n",
    "%YAML 1.1 x\n",
    "% YAML 1.1\n",
    "%TAG !e tag:x\n",
    "%YAML 01.1\n",
    "--- ",
    "---\t",
    "%TAG !e!  tag:yaml.org,2002:str%21 \n",
    "\r\n",
    "\u{85}",
    "  # c\n",
];

const TAGS: &[&str] = &[
    "",
    "",
    "!e!str ",
    "!!str ",
    "!e!x ",
    "!x ",
    "! ",
    "!<tag:yaml.org,2002:str> ",
    "!<!> ",
    "!e! ",
    "!!st%72 ",
    "!<x ",
    "!a,b ",
    "!!int,",
    "!!str\t",
];

const AFTER: &[&str] = &[
    "...\n",
    "---\n",
    "# c\n",
    "\n",
    "...",
    "---",
    "... # c\n",
    "\u{feff}",
    "%YAML 1.1\n",
    "a: b\n",
    "x\n",
    " \n",
    "\t\n",
    "...x\n",
    "}\n",
    "]\n",
    "'\n",
    "    C-1: {}\n",
    "  - a\n",
    "- a\n",
    "....\n",
    "...\t\n",
    " ...\n",
    "\u{feff}# c\n",
    "\r",
    "  status: x\n",
    "other:\n",
    "- \n",
    "? x\n",
    ": y\n",
];

/// What stands around the one document.
pub(super) fn outside(dice: &mut Dice) -> String {
    let mut out = dice.string(BEFORE, 4);
    let tag = dice.pick(TAGS);
    let body = format!("sprint:\n  tickets:\n    A-1:\n      v: {tag}5\n      id: A-1\n");
    match dice.roll(8) {
        0 => out.push_str(&body.lines().map(|line| format!("  {line}\n")).collect::<String>()),
        1 => out.push_str(&format!("{{sprint: {{tickets: {{A-1: {{v: {tag}5}}}}}}}}\n")),
        _ => out.push_str(&body),
    }
    if dice.once_in(2) {
        out.push_str(&dice.string(AFTER, 3));
    }
    out
}

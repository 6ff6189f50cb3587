//! What a `git` call does to commits, branches, tags and remotes.
//!
//! Only the subcommand and its options decide; where git itself would have to look at the repository (is this word a
//! branch or a file?), the reading that touches a gate is taken, and the reason says how to write it unmistakably.

use super::Findings;
use super::walk::Call;
use super::words::is_opaque;
use crate::plan::policy::Gate;

/// Options before the subcommand whose value is the next argument.
const VALUED: [&str; 9] = [
    "-C",
    "-c",
    "--git-dir",
    "--work-tree",
    "--namespace",
    "--exec-path",
    "--config-env",
    "--super-prefix",
    "--attr-source",
];

/// Looks at one call; returns shell texts that git would run in turn.
pub(super) fn inspect(name: &str, call: &Call<'_>, findings: &mut Findings<'_>) -> Vec<String> {
    if let Some(dashed) = name.strip_prefix("git-") {
        return subcommand(dashed, &call.argv[1..], findings);
    }
    let mut scripts = Vec::new();
    let mut aliases: Vec<(String, String)> = Vec::new();
    for (key, value) in call.environment {
        if key.starts_with("GIT_CONFIG_KEY_") && value.to_ascii_lowercase().starts_with("alias.") {
            let number = key.trim_start_matches("GIT_CONFIG_KEY_");
            let wanted = format!("GIT_CONFIG_VALUE_{number}");
            let expansion = call.environment.iter().find(|(name, _)| *name == wanted);
            aliases.push((value[6..].to_owned(), expansion.map_or(String::new(), |(_, text)| text.clone())));
        } else if key == "GIT_CONFIG_PARAMETERS" && value.to_ascii_lowercase().contains("alias.") {
            findings.add(Gate::AllowCommit, "an alias from GIT_CONFIG_PARAMETERS cannot be seen through");
        }
    }
    let mut index = 1;
    while let Some(argument) = call.argv.get(index).filter(|argument| argument.starts_with('-')) {
        let value = call.argv.get(index + 1).map(String::as_str).unwrap_or_default();
        if argument == "-c" || argument == "--config-env" {
            aliases.extend(alias(value));
        } else if let Some(attached) = argument.strip_prefix("--config-env=") {
            aliases.extend(alias(attached));
        }
        index += if VALUED.contains(&argument.as_str()) { 2 } else { 1 };
    }
    let Some(word) = call.argv.get(index) else { return scripts };
    let arguments = &call.argv[index + 1..];
    if is_opaque(word) {
        findings.add(Gate::AllowCommit, "which git command runs is only known at run time; write it out");
        return scripts;
    }
    if let Some((_, expansion)) = aliases.iter().find(|(name, _)| name == word) {
        if expansion.is_empty() || is_opaque(expansion) {
            findings.add(Gate::AllowCommit, "a git alias from the command line cannot be seen through");
        } else if let Some(script) = expansion.strip_prefix('!') {
            scripts.push(format!("{script} {}", arguments.join(" ")));
        } else {
            scripts.push(format!("git {expansion} {}", arguments.join(" ")));
        }
    }
    scripts.extend(subcommand(word, arguments, findings));
    scripts
}

/// `alias.name=expansion`.
fn alias(setting: &str) -> Option<(String, String)> {
    let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
    let prefix = key.get(..6)?;
    prefix.eq_ignore_ascii_case("alias.").then(|| (key[6..].to_owned(), value.to_owned()))
}

fn subcommand(name: &str, arguments: &[String], findings: &mut Findings<'_>) -> Vec<String> {
    let arguments = Arguments::new(arguments);
    // Asking for help changes nothing.
    if arguments.first_is(&["--help", "-h"]) {
        return Vec::new();
    }
    match name {
        "commit" | "ci" => findings.add(Gate::AllowCommit, "`git commit` is left to the operator"),
        "cherry-pick" | "revert" if !arguments.any(&["-n", "--no-commit", "--abort", "--quit", "--skip"]) => {
            findings.add(Gate::AllowCommit, format!("`git {name}` makes commits"));
        }
        "merge" | "am" | "rebase" | "pull"
            if !arguments.any(&["--abort", "--quit", "--no-commit", "--show-current-patch"]) =>
        {
            findings.add(Gate::AllowCommit, format!("`git {name}` changes the commits of the branch"));
        }
        "commit-tree" | "fast-import" | "filter-branch" | "filter-repo" | "citool" | "gui" => {
            findings.add(Gate::AllowCommit, format!("`git {name}` makes commits"));
        }
        "push" | "send-pack" | "http-push" => push(name, &arguments, findings),
        "svn" | "p4" if arguments.any(&["dcommit", "submit"]) => {
            findings.add(Gate::AllowPush, format!("`git {name}` publishes commits"));
        }
        "subtree" if arguments.first_is(&["push"]) => {
            findings.add(Gate::AllowPush, "`git subtree push` publishes commits");
        }
        "tag" => tag(&arguments, findings),
        "branch" | "br" => branch(&arguments, findings),
        "checkout" | "co" => checkout(&arguments, findings),
        "switch" | "sw" => switch(&arguments, findings),
        "worktree" if arguments.first_is(&["add"]) => {
            findings.add(Gate::AllowBranchCreate, "`git worktree add` makes a branch");
        }
        "stash" if arguments.first_is(&["branch"]) => {
            findings.add(Gate::AllowBranchCreate, "`git stash branch` makes a branch and switches to it");
            findings.add(Gate::AllowBranchSwitch, "`git stash branch` makes a branch and switches to it");
        }
        "bisect" if arguments.first_is(&["start", "good", "bad", "old", "new", "skip", "reset", "run"]) => {
            findings.add(Gate::AllowBranchSwitch, "`git bisect` checks out other commits");
        }
        "symbolic-ref" if arguments.plain.len() > 1 => {
            findings.add(Gate::AllowBranchSwitch, "`git symbolic-ref` moves HEAD to another branch");
        }
        "update-ref" => update_ref(&arguments, findings),
        "fetch" if arguments.plain.iter().any(|word| has_target(word)) => {
            findings.add(Gate::AllowBranchCreate, "`git fetch` with `source:target` writes a local branch");
        }
        "reset" if arguments.any(&["--hard"]) && arguments.plain.iter().any(|word| *word != "HEAD") => {
            findings
                .add(Gate::AllowDestructiveShell, "`git reset --hard` to another commit throws commits away");
        }
        _ => {}
    }
    nested(name, &arguments)
}

/// Shell texts in the arguments of a subcommand.
fn nested(name: &str, arguments: &Arguments<'_>) -> Vec<String> {
    let rest = |from: usize| arguments.all.get(from..).unwrap_or_default().join(" ");
    match name {
        "submodule" => match arguments.all.iter().position(|word| word == "foreach") {
            Some(at) => vec![rest(at + 1).trim_start_matches("--recursive ").to_owned()],
            None => Vec::new(),
        },
        "bisect" if arguments.first_is(&["run"]) => vec![rest(1)],
        "rebase" => arguments.values_of(&["-x", "--exec"]),
        "config" => {
            let words: Vec<&str> = arguments.plain.iter().copied().filter(|word| *word != "set").collect();
            let is_alias = words.first().is_some_and(|key| key.to_ascii_lowercase().starts_with("alias."));
            match words.get(1).filter(|_| is_alias) {
                Some(value) => match value.strip_prefix('!') {
                    Some(script) => vec![script.to_owned()],
                    None => vec![format!("git {value}")],
                },
                None => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

fn push(name: &str, arguments: &Arguments<'_>, findings: &mut Findings<'_>) {
    findings.add(Gate::AllowPush, format!("`git {name}` publishes commits"));
    let forced = arguments.letter('f')
        || arguments.letter('d')
        || arguments.any(&["--force", "--mirror", "--delete", "--prune"])
        || arguments.all.iter().any(|word| word.starts_with("--force-with-lease"))
        || arguments
            .plain
            .iter()
            .any(|word| word.starts_with('+') || (word.starts_with(':') && word.len() > 1));
    if forced {
        findings.add(Gate::AllowDestructiveShell, "a forced or deleting `git push` rewrites the remote");
    }
}

fn tag(arguments: &Arguments<'_>, findings: &mut Findings<'_>) {
    let listing =
        arguments.any(&["-l", "--list", "-v", "--verify"]) || arguments.starts_with_any(&LISTING) || {
            let lines = |word: &&String| word.strip_prefix("-n").is_some_and(all_digits);
            arguments.all.iter().any(|word| lines(&word))
        };
    let changing = arguments.any(&["-d", "--delete", "-f", "--force"]);
    if changing || (!listing && !arguments.plain.is_empty()) {
        findings.add(Gate::AllowTag, "`git tag` makes or removes a tag");
    }
}

/// Options with which `branch` and `tag` only list.
const LISTING: [&str; 6] =
    ["--contains", "--no-contains", "--merged", "--no-merged", "--points-at", "--column"];

fn branch(arguments: &Arguments<'_>, findings: &mut Findings<'_>) {
    const CHANGING: [&str; 10] = [
        "--copy",
        "--move",
        "--delete",
        "--force",
        "--set-upstream-to",
        "--unset-upstream",
        "--edit-description",
        "--create-reflog",
        "--recurse-submodules",
        "--set-upstream",
    ];
    // A value such as `-committerdate` is no cluster of options.
    let valued = ["--sort", "--format", "--abbrev"];
    let mut kept = Vec::new();
    let mut words = arguments.all.iter();
    while let Some(word) = words.next() {
        if valued.contains(&word.as_str()) {
            words.next();
        } else {
            kept.push(word.clone());
        }
    }
    let arguments = Arguments::new(&kept);
    let changing =
        "cCmMdDfu".chars().any(|letter| arguments.letter(letter)) || arguments.starts_with_any(&CHANGING);
    let listing = arguments.letter('l')
        || arguments.letter('a')
        || arguments.letter('r')
        || arguments.any(&["--list", "--all", "--remotes", "--show-current"])
        || arguments.starts_with_any(&LISTING);
    if changing || (!listing && !arguments.plain.is_empty()) {
        findings.add(Gate::AllowBranchCreate, "`git branch` makes, moves or removes a branch");
    }
}

fn checkout(arguments: &Arguments<'_>, findings: &mut Findings<'_>) {
    let creates = arguments.letter('b') || arguments.letter('B') || arguments.letter('t') || {
        arguments.starts_with_any(&["--orphan", "--track"])
    };
    if creates {
        findings.add(Gate::AllowBranchCreate, "`git checkout` with -b, -B, -t or --orphan makes a branch");
        return;
    }
    let of_paths = arguments.letter('p')
        || arguments.any(&["--ours", "--theirs", "--patch", "-2", "-3", "--"])
        || arguments.starts_with_any(&["--pathspec-from-file", "--conflict"]);
    let detach = arguments.any(&["--detach"]) || arguments.letter('d');
    // Two words are a commit and a path; a word that cannot be the name of a branch is a path.
    let names_branch = match arguments.plain.as_slice() {
        [word] => !is_path(word),
        _ => false,
    };
    if detach || (names_branch && !of_paths) {
        let reason = "`git checkout` of one name switches branches (for files, put `--` before them)";
        findings.add(Gate::AllowBranchSwitch, reason);
    }
}

fn switch(arguments: &Arguments<'_>, findings: &mut Findings<'_>) {
    let creates = ["--create", "--force-create", "--orphan", "--track"];
    if "cCt".chars().any(|letter| arguments.letter(letter)) || arguments.starts_with_any(&creates) {
        findings.add(Gate::AllowBranchCreate, "`git switch` with -c, -C, -t or --orphan makes a branch");
    } else if !arguments.plain.is_empty() || arguments.any(&["--detach", "-d", "-"]) {
        findings.add(Gate::AllowBranchSwitch, "`git switch` switches branches");
    }
}

fn update_ref(arguments: &Arguments<'_>, findings: &mut Findings<'_>) {
    let target = arguments.plain.first().copied().unwrap_or_default();
    let (gate, what) = if target.starts_with("refs/tags/") {
        (Gate::AllowTag, "a tag")
    } else if target.starts_with("refs/heads/") {
        (Gate::AllowBranchCreate, "a branch")
    } else {
        (Gate::AllowCommit, "a reference")
    };
    findings.add(gate, format!("`git update-ref` writes {what} directly"));
}

/// `source:target` with a local target.
fn has_target(refspec: &str) -> bool {
    let spec = refspec.trim_start_matches('+');
    !spec.contains("://")
        && !spec.contains('@')
        && spec.split_once(':').is_some_and(|(_, target)| {
            !target.is_empty() && !target.starts_with("refs/remotes/") && !target.starts_with('/')
        })
}

/// A word that git cannot take for a branch.
fn is_path(word: &str) -> bool {
    word == "."
        || word == ".."
        || word.starts_with("./")
        || word.starts_with("../")
        || word.starts_with('/')
        || word.starts_with(':')
        || word.ends_with('/')
        || word.contains(['*', '?', '[', ' '])
}

fn all_digits(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit())
}

/// Arguments of a subcommand, sorted into options and plain words.
struct Arguments<'a> {
    all: &'a [String],
    plain: Vec<&'a str>,
    options: Vec<&'a str>,
}

impl<'a> Arguments<'a> {
    fn new(all: &'a [String]) -> Self {
        let mut plain = Vec::new();
        let mut options = Vec::new();
        let mut only_plain = false;
        for argument in all {
            if only_plain {
                plain.push(argument.as_str());
            } else if argument == "--" {
                only_plain = true;
                options.push(argument.as_str());
            } else if argument.len() > 1 && argument.starts_with('-') {
                options.push(argument.as_str());
            } else {
                plain.push(argument.as_str());
            }
        }
        Self { all, plain, options }
    }

    fn first_is(&self, words: &[&str]) -> bool {
        self.all.first().is_some_and(|first| words.contains(&first.as_str()))
    }

    fn any(&self, options: &[&str]) -> bool {
        self.options.iter().any(|option| options.contains(option))
            || { options.contains(&"-") && self.plain.contains(&"-") }
            || options.iter().any(|wanted| !wanted.starts_with('-') && self.plain.contains(wanted))
    }

    /// Long options, with or without `=value`.
    fn starts_with_any(&self, options: &[&str]) -> bool {
        self.options.iter().any(|option| options.contains(&option.split('=').next().unwrap_or(option)))
    }

    /// A short option, also inside a cluster such as `-fu`.
    fn letter(&self, letter: char) -> bool {
        self.options.iter().any(|option| {
            option.strip_prefix('-').is_some_and(|rest| !rest.starts_with('-') && rest.contains(letter))
        })
    }

    /// Values of options, attached with `=` or as the next argument.
    fn values_of(&self, options: &[&str]) -> Vec<String> {
        let mut values = Vec::new();
        for (index, argument) in self.all.iter().enumerate() {
            if options.contains(&argument.as_str()) {
                values.extend(self.all.get(index + 1).cloned());
            } else if let Some((option, value)) = argument.split_once('=')
                && options.contains(&option)
            {
                values.push(value.to_owned());
            }
        }
        values
    }
}

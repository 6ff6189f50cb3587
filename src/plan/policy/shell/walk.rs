//! The walk over every command of a text, through wrappers and nested shells, to the programs that matter.

use std::collections::HashMap;

use super::Findings;
use super::destructive;
use super::git;
use super::lexer::{self, Simple, Word, plain};
use super::words::{MARK, Variables, assignment, is_opaque, without_unknown};
use super::wrappers::{Inner, inner};
use crate::plan::policy::Gate;

/// Shells inside shells that are followed.
const MAX_NESTING: usize = 12;

/// Wrappers around one command that are followed.
const MAX_WRAPPERS: usize = 64;

/// Characters that one check may look at in all, nested texts included.
const MAX_WORK: usize = 4 * 1024 * 1024;

/// Words that stand before a command without being one.
const RESERVED: [&str; 13] =
    ["{", "}", "!", "if", "then", "else", "elif", "while", "until", "do", "done", "fi", "coproc"];

/// Looks at everything that `text` would run.
pub(super) fn walk(text: &str, findings: &mut Findings<'_>) {
    let mut walk =
        Walk { findings, variables: Variables::default(), folder: None, work: 0, aliases: HashMap::new() };
    walk.script(&sanitised(text), 0);
}

/// Every simple command of the text as one line each, quotes taken out.
pub(super) fn plain_commands(text: &str) -> Vec<String> {
    let variables = Variables::default();
    let script = lexer::lex(&sanitised(text));
    let line = |command: &Simple| {
        command.words.iter().flat_map(|word| variables.fields(word, 0)).collect::<Vec<_>>().join(" ")
    };
    script.commands.iter().map(line).collect()
}

/// The mark that the words use cannot come from outside.
fn sanitised(text: &str) -> String {
    text.replace(MARK, "\u{2}")
}

/// One command on its way through the checks.
pub(super) struct Call<'a> {
    /// Program and arguments.
    pub(super) argv: &'a [String],
    /// Assignments in front of it.
    pub(super) environment: &'a [(String, String)],
    /// Standing in this dangerous folder, because of a `cd` before.
    pub(super) folder: Option<&'a str>,
}

struct Walk<'a, 'p> {
    findings: &'a mut Findings<'p>,
    variables: Variables,
    /// A dangerous folder that the text went into, and the subshell depth where it did.
    folder: Option<(String, usize)>,
    work: usize,
    /// Aliases that the text defines: the shell of a script expands them too.
    aliases: HashMap<String, String>,
}

impl Walk<'_, '_> {
    fn script(&mut self, text: &str, nesting: usize) {
        self.work += text.len() + 1;
        if nesting > MAX_NESTING || self.work > MAX_WORK {
            self.findings.unreadable();
            return;
        }
        let script = lexer::lex(text);
        if script.overflow {
            self.findings.unreadable();
        }
        if script.fork_bomb {
            self.findings.add(Gate::AllowDestructiveShell, "this is a fork bomb");
        }
        let mut printed = None;
        for command in &script.commands {
            let input = if command.piped { printed.take() } else { None };
            printed = self.command(command, input, nesting);
        }
    }

    /// Looks at one command in all its readings; returns what it prints, if that is known.
    fn command(&mut self, command: &Simple, piped: Option<String>, nesting: usize) -> Option<String> {
        if self.folder.as_ref().is_some_and(|(_, depth)| command.depth < *depth) {
            self.folder = None;
        }
        let words = self.without_reserved(&command.words);
        let readings = words.iter().map(|word| self.variables.readings(word)).max().unwrap_or(1);
        let mut printed = None;
        for nth in 0..readings {
            for target in &command.writes {
                for field in self.variables.fields(target, nth) {
                    destructive::write_to(&field, self.findings);
                }
            }
            let (environment, rest) = self.assignments(words, nth);
            let argv: Vec<String> = rest.iter().flat_map(|word| self.variables.fields(word, nth)).collect();
            let assigned = environment.iter().map(|(_, value)| value.len());
            self.work += argv.iter().map(String::len).chain(assigned).sum::<usize>() + 1;
            if self.work > MAX_WORK {
                self.findings.unreadable();
                return None;
            }
            if argv.is_empty() {
                for (name, value) in environment {
                    self.variables.set(&name, value);
                }
                continue;
            }
            let input: Vec<&str> = command.input.iter().map(String::as_str).chain(piped.as_deref()).collect();
            self.run(&argv, &environment, &input, command.depth, nesting);
            if matches!(argv[0].as_str(), "echo" | "printf") {
                printed = Some(argv[1..].join(" "));
            } else if argv[0] == "cat" && argv.len() == 1 && !input.is_empty() {
                printed = Some(input.join("\n"));
            }
        }
        printed
    }

    /// Takes reserved words and loop heads off the front. A loop's list becomes the values of its variable.
    fn without_reserved<'w>(&mut self, words: &'w [Word]) -> &'w [Word] {
        let mut words = words;
        while let Some(first) = words.first().and_then(plain) {
            if RESERVED.contains(&first.as_str()) {
                words = &words[1..];
            } else if first == "function" {
                words = words.get(2..).unwrap_or_default();
            } else if first == "for" || first == "select" {
                if let Some(name) = words.get(1).and_then(plain) {
                    for word in words.iter().skip(3) {
                        for value in self.variables.fields(word, 0) {
                            self.variables.set(&name, value);
                        }
                    }
                }
                return &[];
            } else {
                break;
            }
        }
        words
    }

    fn assignments<'w>(&self, words: &'w [Word], nth: usize) -> (Vec<(String, String)>, &'w [Word]) {
        let mut environment = Vec::new();
        let mut rest = words;
        while let Some((name, length)) = rest.first().and_then(assignment) {
            let value = self.variables.text(&rest[0][length..].to_vec(), nth);
            environment.push((name, value));
            rest = &rest[1..];
        }
        (environment, rest)
    }

    /// Takes note of builtins that change what later commands mean: assignments and the current folder.
    fn remembers(&mut self, name: &str, argv: &[String], depth: usize) -> bool {
        match name {
            "export" | "local" | "readonly" | "declare" | "typeset" => {
                for (name, value) in argv[1..].iter().filter_map(|argument| argument.split_once('=')) {
                    self.variables.set(name, value.to_owned());
                }
                true
            }
            "alias" => {
                for (name, text) in argv[1..].iter().filter_map(|argument| argument.split_once('=')) {
                    self.aliases.insert(name.to_owned(), text.to_owned());
                }
                // What it stands for is looked at as well: it may be used where we do not see it.
                false
            }
            "cd" | "pushd" => {
                let target = argv[1..].iter().find(|argument| !argument.starts_with('-'));
                let target = target.map_or(super::words::HOME, String::as_str);
                self.folder = destructive::dangerous_folder(target).map(|folder| (folder, depth));
                true
            }
            _ => false,
        }
    }

    /// Looks at one program call, and at what it runs in turn.
    fn run(
        &mut self,
        argv: &[String],
        environment: &[(String, String)],
        input: &[&str],
        depth: usize,
        nesting: usize,
    ) {
        let mut argv = argv.to_vec();
        let mut environment = environment.to_vec();
        let mut wrappers = 0;
        while let Some(first) = argv.first() {
            wrappers += 1;
            if wrappers > MAX_WRAPPERS {
                return self.findings.unreadable();
            }
            if let Some((name, text)) = self.aliases.remove_entry(first) {
                // Out of the table meanwhile: an alias does not expand inside itself.
                self.script(&format!("{text} {}", argv[1..].join(" ")), nesting + 1);
                self.aliases.insert(name, text);
                return;
            }
            let name = program_name(first);
            if self.remembers(&name, &argv, depth) {
                return;
            }
            if name == "env" || name == "sudo" {
                environment.extend(argv[1..].iter().filter_map(|argument| pair(argument)));
            }
            let folder = self.folder.as_ref().map(|(folder, _)| folder.clone());
            let call = Call { argv: &argv, environment: &environment, folder: folder.as_deref() };
            destructive::inspect(&name, &call, self.findings);
            if name == "git" || name == "hub" || name.starts_with("git-") {
                for script in git::inspect(&name, &call, self.findings) {
                    self.script(&script, nesting + 1);
                }
            }
            match inner(&name, &argv) {
                Some(Inner::Arguments(start)) => {
                    let mut next = argv.split_off(start.min(argv.len()));
                    if name == "xargs" {
                        next.extend(input.iter().flat_map(|text| text.split_whitespace()).map(str::to_owned));
                    }
                    argv = next;
                }
                Some(Inner::Script(script)) => return self.script(&script, nesting + 1),
                Some(Inner::Input) => {
                    for text in input {
                        self.script(text, nesting + 1);
                    }
                    return;
                }
                None => return,
            }
        }
    }
}

/// `name=value` among the arguments of a program that sets its child's environment.
fn pair(argument: &str) -> Option<(String, String)> {
    let (name, value) = argument.split_once('=')?;
    Some((name.trim_start_matches('-').to_owned(), value.to_owned()))
}

/// The file name of a program. What is unknown in it counts as empty (`gi$x""t`); a program that is unknown as a whole
/// but says "git" in its source counts as git.
fn program_name(word: &str) -> String {
    let known = without_unknown(word);
    let name = known.rsplit('/').next().unwrap_or(&known);
    if is_opaque(word) && name.is_empty() {
        let source = word.to_ascii_lowercase();
        let says_git = source.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == "git");
        return if says_git { "git".to_owned() } else { String::new() };
    }
    name.strip_suffix(".exe").unwrap_or(name).to_owned()
}

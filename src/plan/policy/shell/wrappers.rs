//! Programs that run another program named in their arguments, and shells that run text.

/// What a command runs besides itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inner {
    /// The arguments from this index on are a command.
    Arguments(usize),
    /// A text is run by a shell.
    Script(String),
    /// A shell reads what it runs from standard input.
    Input,
}

/// A program that runs the command in its arguments.
struct Wrapper {
    names: &'static [&'static str],
    /// Short options that take a value.
    valued: &'static str,
    /// Long options whose value is the next argument.
    long_valued: &'static [&'static str],
    /// Plain arguments before the command.
    skip: usize,
}

const fn wrapper(names: &'static [&'static str], valued: &'static str, skip: usize) -> Wrapper {
    Wrapper { names, valued, long_valued: &[], skip }
}

const WRAPPERS: &[Wrapper] = &[
    wrapper(
        &["builtin", "nohup", "busybox", "toybox", "caffeinate", "unbuffer", "eatmydata", "fakeroot"],
        "",
        0,
    ),
    wrapper(&["noglob", "nocorrect", "setsid", "command", "linux32", "linux64", "catchsegv"], "", 0),
    wrapper(&["exec"], "a", 0),
    Wrapper {
        names: &["sudo", "doas"],
        valued: "ugpCrtTUDRha",
        long_valued: &[
            "--user",
            "--group",
            "--prompt",
            "--chdir",
            "--role",
            "--type",
            "--host",
            "--other-user",
        ],
        skip: 0,
    },
    Wrapper { names: &["env"], valued: "uC", long_valued: &["--unset", "--chdir"], skip: 0 },
    Wrapper {
        names: &["xargs"],
        valued: "ILnPsdEaJR",
        long_valued: &["--max-args", "--max-procs", "--max-chars", "--delimiter", "--arg-file"],
        skip: 0,
    },
    Wrapper { names: &["time", "gtime"], valued: "fo", long_valued: &["--format", "--output"], skip: 0 },
    Wrapper { names: &["nice", "ionice"], valued: "ncp", long_valued: &["--adjustment", "--class"], skip: 0 },
    Wrapper {
        names: &["timeout", "gtimeout"],
        valued: "ks",
        long_valued: &["--signal", "--kill-after"],
        skip: 1,
    },
    Wrapper { names: &["stdbuf"], valued: "ioe", long_valued: &["--input", "--output", "--error"], skip: 0 },
    wrapper(&["chroot", "taskset", "gosu", "su-exec"], "", 1),
    wrapper(&["chrt"], "TPD", 1),
    wrapper(&["unshare", "nsenter"], "tSG", 0),
    wrapper(&["strace", "ltrace"], "opeEsuPaSbI", 0),
    wrapper(&["xvfb-run"], "nsefpw", 0),
    wrapper(&["systemd-run", "systemd-inhibit"], "puEdM", 0),
    wrapper(&["parallel"], "jaSN", 0),
];

/// Shells, by the name of their program.
const SHELLS: [&str; 10] = ["sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "fish", "rbash", "yash"];

/// What `argv` runs besides itself. `name` is the program's file name.
pub(super) fn inner(name: &str, argv: &[String]) -> Option<Inner> {
    if SHELLS.contains(&name) {
        return shell(argv);
    }
    match name {
        "eval" => return Some(Inner::Script(argv[1..].join(" "))),
        "trap" => return argv.get(1).map(|script| Inner::Script(script.clone())),
        "alias" => {
            let values = argv[1..].iter().filter_map(|argument| Some(argument.split_once('=')?.1));
            return Some(Inner::Script(values.collect::<Vec<_>>().join("\n")));
        }
        "su" | "runuser" | "script" | "flock" if let Some(script) = after_option(argv, 'c', "--command") => {
            return Some(Inner::Script(script));
        }
        "flock" => return Some(Inner::Arguments(operand(argv, "wE", &[], 1)?)),
        "watch" => return Some(Inner::Script(argv[operand(argv, "nq", &["--interval"], 0)?..].join(" "))),
        "ssh" => {
            let start = operand(argv, "bcDEeFIiJLlmOopQRSWwB", &[], 1)?;
            return Some(Inner::Script(argv[start..].join(" ")));
        }
        "find" | "fd" | "fdfind" => return find(argv),
        "command" if argv.get(1).is_some_and(|option| option == "-v" || option == "-V") => return None,
        "env" if let Some(script) = after_option(argv, 'S', "--split-string") => {
            return Some(Inner::Script(script));
        }
        _ => {}
    }
    let wrapper = WRAPPERS.iter().find(|wrapper| wrapper.names.contains(&name))?;
    let start = operand(argv, wrapper.valued, wrapper.long_valued, wrapper.skip)?;
    let assignments = argv[start..].iter().take_while(|argument| is_assignment(argument)).count();
    (start + assignments < argv.len()).then_some(Inner::Arguments(start + assignments))
}

fn is_assignment(argument: &str) -> bool {
    argument.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// The index of the first plain argument after `skip` others.
fn operand(argv: &[String], valued: &str, long_valued: &[&str], skip: usize) -> Option<usize> {
    let mut index = 1;
    let mut left = skip;
    while let Some(argument) = argv.get(index) {
        if argument == "--" {
            index += 1;
            break;
        }
        if argument.starts_with("--") {
            index += if long_valued.contains(&argument.as_str()) { 2 } else { 1 };
        } else if argument.len() > 1 && argument.starts_with('-') {
            // The value is the next argument when the option letter stands last.
            let takes_next = argument.chars().next_back().is_some_and(|last| valued.contains(last))
                && !argument[1..argument.len() - argument.chars().next_back().map_or(0, char::len_utf8)]
                    .chars()
                    .any(|c| valued.contains(c));
            index += if takes_next { 2 } else { 1 };
        } else if is_assignment(argument) && left == 0 {
            break;
        } else if left > 0 {
            left -= 1;
            index += 1;
        } else {
            break;
        }
    }
    let index = index + left;
    (index < argv.len()).then_some(index)
}

/// The value of `-c`, also at the end of a cluster, or of the long option.
fn after_option(argv: &[String], short: char, long: &str) -> Option<String> {
    for (index, argument) in argv.iter().enumerate().skip(1) {
        if let Some(value) = argument.strip_prefix(long).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value.to_owned());
        }
        let cluster = argument.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        if argument == long || cluster.is_some_and(|letters| letters.ends_with(short)) {
            return argv.get(index + 1).cloned();
        }
        if let Some(attached) = cluster.and_then(|letters| letters.strip_prefix(short)) {
            return Some(attached.to_owned());
        }
    }
    None
}

/// `sh -c text`, `bash -lc text`, `sh < text`.
fn shell(argv: &[String]) -> Option<Inner> {
    let mut command = false;
    let mut index = 1;
    while let Some(argument) = argv.get(index) {
        if argument == "--" || argument == "-" {
            index += 1;
            break;
        }
        if argument == "--rcfile" || argument == "--init-file" {
            index += 2;
        } else if argument == "--command" {
            command = true;
            index += 1;
        } else if argument.starts_with("--") {
            index += 1;
        } else if let Some(letters) = argument.strip_prefix(['-', '+']) {
            command |= argument.starts_with('-') && letters.contains('c');
            index += if letters.ends_with(['o', 'O']) { 2 } else { 1 };
        } else {
            break;
        }
    }
    match argv.get(index) {
        Some(script) if command => Some(Inner::Script(script.clone())),
        // A script file: its content is not ours to read here.
        Some(_) if !argv.iter().any(|argument| argument == "-s") => None,
        _ => Some(Inner::Input),
    }
}

/// `find … -exec command … ;`
fn find(argv: &[String]) -> Option<Inner> {
    let verbs = ["-exec", "-execdir", "-ok", "-okdir", "-x", "--exec", "-X", "--exec-batch"];
    let at = argv.iter().position(|argument| verbs.contains(&argument.as_str()))?;
    (at + 1 < argv.len()).then_some(Inner::Arguments(at + 1))
}

//! Commands that destroy what no undo brings back: file systems, home folders, devices, the running machine.

use super::Findings;
use super::walk::Call;
use super::words::{HOME, MARK};
use crate::plan::policy::Gate;

/// Folders of the system; emptying one of them is as bad as emptying the root.
const SYSTEM: [&str; 18] = [
    "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib32", "/lib64", "/mnt", "/opt", "/proc", "/root",
    "/run", "/sbin", "/srv", "/sys", "/usr", "/var",
];

/// Looks at one program call.
pub(super) fn inspect(name: &str, call: &Call<'_>, findings: &mut Findings<'_>) {
    let arguments = &call.argv[1..];
    match name {
        "rm" | "srm" => remove(call, findings),
        "chmod" | "chown" | "chgrp"
            if recursive(arguments)
                && operands(arguments).skip(1).any(|path| is_ruinous(path, call.folder)) =>
        {
            destructive(findings, format!("a recursive {name} over the system or a home folder"));
        }
        "find" => find(arguments, call.folder, findings),
        "gh" | "glab" => forge(arguments, findings),
        "dd" => {
            if arguments.iter().any(|word| word.starts_with("if=")) {
                destructive(findings, "`dd if=` copies raw data");
            }
            for target in arguments.iter().filter_map(|word| word.strip_prefix("of=")) {
                write_to(target, findings);
            }
        }
        "mke2fs" | "mkswap" | "wipefs" | "blkdiscard" | "sgdisk" | "sfdisk" | "fdisk" | "parted" => {
            destructive(findings, format!("`{name}` changes a disk"));
        }
        "shred" | "tee" | "cp" | "mv" | "truncate" | "install" => {
            for path in operands(arguments) {
                write_to(path, findings);
            }
        }
        "shutdown" | "reboot" | "halt" | "poweroff" => {
            destructive(findings, format!("`{name}` stops the machine"));
        }
        "init" | "telinit" if arguments.iter().any(|word| word == "0" || word == "6") => {
            destructive(findings, format!("`{name}` to level 0 or 6 stops the machine"));
        }
        "systemctl" | "loginctl" => {
            let stops = ["reboot", "poweroff", "halt", "kexec", "soft-reboot", "emergency", "rescue"];
            if operands(arguments).any(|word| stops.contains(&word)) {
                destructive(findings, format!("`{name}` stops the machine"));
            }
        }
        "kill" if arguments.len() > 1 && arguments.iter().skip(1).any(|word| word == "-1") => {
            destructive(findings, "`kill` of -1 ends every process");
        }
        _ if name == "mkfs" || name.starts_with("mkfs.") => destructive(findings, "`mkfs` erases a disk"),
        _ => {}
    }
}

fn destructive(findings: &mut Findings<'_>, reason: impl Into<String>) {
    findings.add(Gate::AllowDestructiveShell, reason);
}

/// Writing to a disk or to memory.
pub(super) fn write_to(target: &str, findings: &mut Findings<'_>) {
    const DEVICES: [&str; 17] = [
        "sd", "hd", "vd", "xvd", "nvme", "mmcblk", "disk", "mapper/", "dm-", "md", "loop", "nbd", "mem",
        "kmem", "port", "sr", "rdisk",
    ];
    let normal = normal(target);
    let Some(device) = normal.strip_prefix("/dev/") else { return };
    let device = device.strip_prefix("block/").unwrap_or(device);
    if DEVICES.iter().any(|prefix| device.starts_with(prefix)) {
        destructive(findings, "writing to a device erases it");
    }
}

fn remove(call: &Call<'_>, findings: &mut Findings<'_>) {
    let arguments = &call.argv[1..];
    if arguments.iter().any(|word| word == "--no-preserve-root") {
        destructive(findings, "`rm --no-preserve-root` removes the whole system");
    } else if recursive(arguments) && operands(arguments).any(|path| is_ruinous(path, call.folder)) {
        destructive(findings, "a recursive `rm` of the system or a home folder");
    } else if recursive(arguments) && operands(arguments).any(empties_root) {
        let reason =
            "a recursive `rm` that removes the whole system when its variable is empty (use `${name:?}`)";
        destructive(findings, reason);
    }
}

/// `find / -delete`, `find ~ -exec rm …`: only without any condition that narrows it down.
fn find(arguments: &[String], folder: Option<&str>, findings: &mut Findings<'_>) {
    let option = |word: &&String| word.starts_with('-');
    let Some(action) = arguments.iter().position(|word| option(&word)) else { return };
    let removes = match arguments[action].as_str() {
        "-delete" => true,
        "-exec" | "-execdir" => {
            matches!(arguments.get(action + 1).map(String::as_str), Some("rm" | "/bin/rm" | "shred"))
        }
        _ => false,
    };
    if removes && arguments[..action].iter().any(|path| is_ruinous(path, folder)) {
        destructive(findings, "an unfiltered removing `find` over the system or a home folder");
    }
}

/// Programs of code forges that change the remote.
fn forge(arguments: &[String], findings: &mut Findings<'_>) {
    let words: Vec<&str> = operands(arguments).collect();
    // Options with a value may stand before the command.
    let publishes = words.windows(2).any(|pair| match pair {
        ["pr" | "mr", verb] => ["create", "merge"].contains(verb),
        ["release", verb] => ["create", "delete", "upload"].contains(verb),
        ["repo", verb] => ["create", "delete", "sync"].contains(verb),
        _ => false,
    });
    if publishes {
        findings.add(Gate::AllowPush, "it publishes through the code forge");
    }
}

fn recursive(arguments: &[String]) -> bool {
    arguments.iter().take_while(|word| *word != "--").any(|word| {
        // GNU accepts unambiguous beginnings of long options.
        let long = word.starts_with("--") && word.len() > 3 && "--recursive".starts_with(word.as_str());
        let short =
            word.strip_prefix('-').is_some_and(|rest| !rest.starts_with('-') && rest.contains(['r', 'R']));
        long || short
    })
}

/// Arguments that are no options.
fn operands(arguments: &[String]) -> impl Iterator<Item = &str> {
    let end = arguments.iter().position(|word| word == "--").unwrap_or(arguments.len());
    let before = arguments[..end].iter().filter(|word| !(word.len() > 1 && word.starts_with('-')));
    before.chain(arguments.get(end + 1..).unwrap_or_default()).map(String::as_str)
}

/// The folder, in its plainest spelling, if removing everything in it would be ruinous.
pub(super) fn dangerous_folder(path: &str) -> Option<String> {
    let plain = normal(path);
    let ruinous =
        plain == "/" || plain == HOME || plain == "\u{1}HOME\u{1}/." || SYSTEM.contains(&plain.as_str());
    let other_home = plain.starts_with("/home/") && plain.matches('/').count() == 2;
    (ruinous || other_home).then_some(plain)
}

/// Whether a path names a ruinous folder or everything in it.
fn is_ruinous(path: &str, folder: Option<&str>) -> bool {
    let everything = |tail: &str| matches!(tail, "*" | ".*" | "**" | ".[!.]*" | "?*" | "." | "..");
    if dangerous_folder(path).is_some() {
        return true;
    }
    match path.rsplit_once('/') {
        // `/b*`
        Some((head, tail)) if normal(head).trim_matches('/').is_empty() && tail.contains(['*', '?', '[']) => {
            path.starts_with('/') || folder.is_some()
        }
        Some((head, tail)) if everything(tail) => {
            dangerous_folder(if head.is_empty() { "/" } else { head }).is_some()
                || (folder.is_some() && matches!(head, "." | "./"))
        }
        None => folder.is_some() && everything(path),
        Some(_) => false,
    }
}

/// `$X/` or `$X/*`, where nothing but the value of `X` keeps it from being `/`.
fn empties_root(path: &str) -> bool {
    let mut rest = String::new();
    let mut unguarded = false;
    let mut parts = path.split(MARK);
    loop {
        rest.push_str(parts.next().unwrap_or_default());
        match parts.next() {
            Some("?") => return false,
            Some(name) if name.starts_with('(') => return false,
            Some(_) => unguarded = true,
            None => break,
        }
    }
    unguarded && rest.starts_with('/') && is_ruinous(&rest, None)
}

/// The path without `.`, `..`, doubled and trailing slashes. A leading mark stays what it is.
fn normal(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if absolute => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if absolute { format!("/{joined}") } else { joined }
}

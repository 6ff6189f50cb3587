//! The check as a table: what each text runs into. Only strings, never run.

use super::super::{Gate, Policy, Violation};
use proptest::prelude::*;

use Gate::{
    AllowBranchCreate as Create, AllowBranchSwitch as Switch, AllowCommit as Commit,
    AllowDestructiveShell as Destructive, AllowPush as Push, AllowTag as Tag,
};

fn gates(text: &str) -> Vec<Gate> {
    let mut gates: Vec<Gate> =
        Policy::default().check_command(text).into_iter().map(|violation| violation.gate).collect();
    gates.dedup();
    gates
}

#[track_caller]
fn table(rows: &[(&str, &[Gate])]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter(|(text, expected)| gates(text) != *expected)
        .map(|(text, expected)| format!("{text:?}: expected {expected:?}, got {:?}", gates(text)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every text of the list runs into exactly this gate.
#[track_caller]
fn all(gate: Gate, texts: &[&str]) {
    let rows: Vec<(&str, &[Gate])> = texts.iter().map(|text| (*text, std::slice::from_ref(&gate))).collect();
    table(&rows);
}

#[track_caller]
fn harmless(texts: &[&str]) {
    let rows: Vec<(&str, &[Gate])> = texts.iter().map(|text| (*text, &[] as &[Gate])).collect();
    table(&rows);
}

#[test]
fn a23_of_koru() {
    let policy = Policy::default();
    assert_eq!(
        policy.check_command("git commit -m x"),
        [Violation { gate: Commit, reason: "`git commit` is left to the operator".to_owned() }]
    );
    assert_eq!(
        policy.check_command("git commit -m x")[0].to_string(),
        "policy.allow_commit=false: `git commit` is left to the operator"
    );
    assert!(policy.check_command("git push --force").len() >= 2);
    assert_eq!(gates("git push --force"), [Push, Destructive]);
    assert_eq!(gates("git checkout -b f"), [Create]);
    assert_eq!(gates("rm -rf /"), [Destructive]);
    harmless(&["pytest -q", "", "   \n\t", "cargo test && cargo clippy"]);
}

#[test]
fn a_commit_is_seen_through_options_quotes_wrappers_and_nested_shells() {
    all(
        Commit,
        &[
            "git commit",
            "git  commit -am x",
            "git\tcommit",
            "git \\\n commit",
            "git -C sub commit -m x",
            "git -c user.name=x -C d --no-pager commit",
            "git --git-dir ../.git commit",
            "git --git-dir=../.git --work-tree .. commit",
            "/usr/bin/git commit",
            "'git' \"commit\"",
            "g\"i\"t com'mit'",
            "\\git commit",
            "$'\\x67it' commit",
            "{git,commit,-m,x}",
            "true; git commit",
            "true && git commit",
            "false || git commit",
            "true & git commit",
            "true | git commit",
            "true\ngit commit",
            "(git commit)",
            "{ git commit; }",
            "if true; then git commit; fi",
            "! git commit",
            "while read x; do git commit -m $x; done",
            "case x in a) true;; b|c) git commit;; esac",
            "f() { git commit; }; f",
            "function f { git commit; }",
            "echo $(git commit -m x)",
            "echo \"now: $(git commit -m x)\"",
            "echo `git commit`",
            "echo \"`git commit`\"",
            "echo $(case x in x) git commit;; esac)",
            "cat <(git commit)",
            "echo ${X:-$(git commit)}",
            "X=$(git commit) true",
            "echo $((1 + $(git commit)))",
            "sh -c 'git commit'",
            "bash -lc \"cd x && git commit\"",
            "bash -o pipefail -ec 'git commit'",
            "sh -c \"bash -c 'git commit'\"",
            "eval git commit",
            "eval \"git commit\"",
            "A=1 B=2 git commit",
            "env A=1 git commit",
            "env -i -u HOME git commit",
            "env -S 'git commit'",
            "command git commit",
            "exec git commit",
            "exec -a name git commit",
            "sudo git commit",
            "sudo -u me -E git commit",
            "time git commit",
            "time -p git commit",
            "nice -n 5 git commit",
            "nohup git commit &",
            "timeout 10 git commit",
            "timeout -k 5 10s git commit",
            "echo x | xargs git commit -m",
            "xargs -n 1 -I {} git commit -m {}",
            "find . -name x -exec git commit {} \\;",
            "flock .lock git commit",
            "flock .lock -c 'git commit'",
            "ssh host git commit",
            "trap 'git commit' EXIT",
            "alias gc='git commit'",
            "echo 'git commit' | sh",
            "bash <<< 'git commit'",
            "sh <<EOF\ngit commit\nEOF",
            "cat <<EOF\n$(git commit)\nEOF",
            "cat <<EOF | sh\ngit commit\nEOF",
            "x << 2\ngit commit",
            "C=commit; git $C -m x",
            "G=git\n$G commit",
            "CMD=\"git commit -m x\"; $CMD",
            "for c in status commit; do git $c; done",
            "export C=commit; git $C",
            "$GIT commit",
            "$(which git) commit",
            "git $UNKNOWN",
            "git -c alias.x=commit x -m y",
            "git -c alias.x='!git commit' x",
            "git -c \"alias.x=$UNKNOWN\" x",
            "git -c ALIAS.x=commit x",
            "git config alias.c commit",
            "git config --global alias.c '!git commit'",
            "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=alias.x GIT_CONFIG_VALUE_0=commit git x",
            "git ci -m x",
            "git-commit -m x",
            "/usr/lib/git-core/git-commit -m x",
            "git merge topic",
            "git cherry-pick abc",
            "git revert HEAD",
            "git rebase main",
            "git pull",
            "git am < x.patch",
            "git submodule foreach 'git commit -m x'",
            "git update-ref HEAD abc",
        ],
    );
}

#[test]
fn harmless_text_about_git_is_not_flagged() {
    harmless(&[
        "echo \"git commit\"",
        "echo 'run git push --force later'",
        "grep -r 'git commit' docs",
        "# git commit",
        "true # git commit",
        "cat <<EOF\ngit commit\nEOF",
        "cat <<'EOF'\n$(git commit)\nEOF",
        "printf '%s\\n' git commit",
        "git status",
        "git diff --stat",
        "git log --oneline -5",
        "git log --grep commit",
        "git add -A",
        "git stash",
        "git fetch origin",
        "git fetch https://example.org/x.git main",
        "git show commit",
        "git commit --help",
        "git merge --abort",
        "git rebase --abort",
        "git cherry-pick --no-commit abc",
        "git -c core.pager=cat log",
        "git -c alias.s=status s",
        "git config user.name x",
        "git config --get alias.c",
        "git update-index --refresh",
        "git help commit",
        "mygit commit",
        "command -v git commit",
        "ls git commit",
        "./push.sh tag commit",
        "npm run commit",
        "docker push image",
        "x=commit",
    ]);
}

#[test]
fn pushes_and_forced_pushes() {
    all(
        Push,
        &[
            "git push",
            "git push origin main",
            "git -C d push",
            "git subtree push -P x origin y",
            "git svn dcommit",
        ],
    );
    for text in [
        "git push -f",
        "git push --force",
        "git push -uf origin x",
        "git push --force-with-lease",
        "git push --force-with-lease=main origin main",
        "git push origin +main",
        "git push --mirror",
        "git push origin :old",
        "git push origin --delete old",
        "git push -d origin old",
    ] {
        assert_eq!(gates(text), [Push, Destructive], "{text}");
    }
}

#[test]
fn branches_listing_making_and_switching() {
    all(
        Create,
        &[
            "git branch topic",
            "git branch topic main",
            "git branch -d topic",
            "git branch -D topic",
            "git branch -m old new",
            "git branch --move old new",
            "git branch -f topic abc",
            "git branch -v topic",
            "git branch -u origin/main",
            "git branch --set-upstream-to=origin/main",
            "git checkout -b topic",
            "git checkout -B topic",
            "git checkout -qb topic",
            "git checkout --orphan topic",
            "git checkout -t origin/topic",
            "git switch -c topic",
            "git switch --create topic",
            "git switch --create=topic",
            "git switch -C topic",
            "git worktree add ../x",
            "git update-ref refs/heads/x abc",
            "git fetch origin main:topic",
            "git br topic",
        ],
    );
    all(
        Switch,
        &[
            "git checkout main",
            "git checkout my-branch",
            "git checkout feature/x",
            "git checkout -",
            "git checkout --detach",
            "git checkout -q main",
            "git checkout -f main",
            "git switch main",
            "git switch -",
            "git switch --detach v1",
            "git symbolic-ref HEAD refs/heads/x",
            "git bisect start",
            "git co main",
        ],
    );
    harmless(&[
        "git branch",
        "git branch --list",
        "git branch --list 'feature/*'",
        "git branch -a",
        "git branch -r",
        "git branch -vv",
        "git branch -av",
        "git branch --show-current",
        "git branch --contains abc",
        "git branch --merged main",
        "git branch --no-merged=main",
        "git branch --sort -committerdate",
        "git branch --format '%(refname)'",
        "git checkout -- file",
        "git checkout HEAD -- file",
        "git checkout HEAD file",
        "git checkout .",
        "git checkout ./file",
        "git checkout src/",
        "git checkout --ours file",
        "git checkout -p",
        "git checkout",
        "git symbolic-ref HEAD",
        "git worktree list",
        "git stash list",
    ]);
    assert_eq!(gates("git stash branch x"), [Create, Switch]);
}

#[test]
fn tags_listing_and_making() {
    all(
        Tag,
        &[
            "git tag v1",
            "git tag -a v1 -m x",
            "git tag -d v1",
            "git tag -s v1",
            "git update-ref refs/tags/x abc",
        ],
    );
    harmless(&[
        "git tag",
        "git tag -l",
        "git tag --list 'v*'",
        "git tag -n3",
        "git tag --contains abc",
        "git tag --merged",
    ]);
}

#[test]
fn an_open_gate_lets_its_own_commands_through_and_no_others() {
    let policy = Policy { allow_branch_switch: true, ..Policy::default() };
    assert_eq!(policy.check_command("git switch main"), []);
    assert_eq!(policy.check_command("git checkout main"), []);
    assert_eq!(policy.check_command("git switch -c x").len(), 1);
    let policy = Policy { allow_push: true, ..Policy::default() };
    assert_eq!(policy.check_command("git push"), []);
    assert_eq!(policy.check_command("git push -f").len(), 1);
    let policy = Policy { allow_destructive_shell: true, ..Policy::default() };
    assert_eq!(policy.check_command("rm -rf /"), []);
}

#[test]
fn wiping_the_root_or_a_home_in_any_spelling() {
    all(
        Destructive,
        &[
            "rm -rf /",
            "rm -fr /",
            "rm -r -f /",
            "rm -f -r /",
            "rm -Rf /",
            "rm -r /",
            "rm --recursive --force /",
            "rm --rec --for /",
            "rm -rfv --one-file-system /",
            "rm -rf --no-preserve-root /",
            "rm -rf -- /",
            "rm / -rf",
            "rm -rf //",
            "rm -rf /.",
            "rm -rf /*",
            "rm -rf /.*",
            "rm -rf '/'",
            "rm -rf \"/\"",
            "rm -rf /{bin,etc}",
            "rm -rf /tmp/..",
            "rm -rf build /",
            "rm -rf ~",
            "rm -rf ~/",
            "rm -rf ~/*",
            "rm -rf ~root",
            "rm -rf $HOME",
            "rm -rf \"$HOME\"",
            "rm -rf \"${HOME}\"/",
            "rm -rf ${HOME:?}/*",
            "rm -rf $HOME/.",
            "rm -rf /home",
            "rm -rf /home/*",
            "rm -rf /home/me",
            "rm -rf /etc/",
            "rm -rf /usr/*",
            "/bin/rm -rf /",
            "sudo rm -rf /",
            "sh -c 'rm -rf /'",
            "D=/; rm -rf $D",
            "for d in build /; do rm -rf \"$d\"; done",
            "rm -rf ${X:-/}",
            "rm -rf $X/",
            "rm -rf \"$X\"/*",
            "cd / && rm -rf *",
            "cd ~; rm -rf .",
            "cd && rm -rf ./*",
            "echo / | xargs rm -rf",
            "find . -exec rm -rf / \\;",
            "find / -delete",
            "chmod -R 777 /",
            "chown -R me ~",
        ],
    );
    harmless(&[
        "rm -rf /var/cache/x",
        "rm -rf /tmp/build",
        "rm -rf /tmp/*",
        "rm -rf ./build target dist/*",
        "rm -rf *",
        "rm -rf node_modules/.cache",
        "rm -rf ~/.cache/x",
        "rm -rf $HOME/.cache/x",
        "rm -rf \"$BUILD\"",
        "rm -rf \"${BUILD:?}\"/*",
        "rm -rf \"$BUILD/out\"",
        "rm -rf \"$(mktemp -d)\"/",
        "rm -f /",
        "rm /tmp/x -f",
        "rm -rf '~'",
        "rm -rf '$HOME'",
        "echo rm -rf /",
        "(cd / && ls); rm -rf *",
        "cd /; cd build; rm -rf *",
        "find . -name '*.o' -delete",
        "find ~ -name '*.tmp' -delete",
        "chmod -R u+w build",
        "chmod 700 ~",
    ]);
}

#[test]
fn other_ways_to_destroy() {
    all(
        Destructive,
        &[
            "dd if=/dev/zero of=x",
            "dd of=/dev/sda",
            "mkfs /dev/sdb1",
            "mkfs.ext4 /dev/sdb1",
            "echo x > /dev/sda",
            "cat x >/dev/nvme0n1",
            "cat x >| /dev/sda1",
            "cat x &> /dev/sda",
            "cat x 1>/dev/sda",
            "tee /dev/sda < x",
            "cp x /dev/vda",
            "shutdown -h now",
            "reboot",
            "sudo reboot",
            "/sbin/reboot",
            "systemctl reboot",
            "init 0",
            "kill -9 -1",
            ":(){ :|:& };:",
            "b() { b | b & }; b",
            "git reset --hard HEAD~",
            "git reset --hard HEAD~3",
            "git reset --hard HEAD^",
            "git reset --hard origin/main",
        ],
    );
    harmless(&[
        "add if=x",
        "add if=/dev/zero",
        "echo dd if=/dev/zero",
        "echo x > /dev/null 2>&1",
        "cat x > /dev/stdout",
        "cat < /dev/sda",
        "echo x >&2",
        "./reboot-test.sh",
        "pytest -k reboot",
        "echo shutdown",
        "case $1 in start) true;; shutdown|reboot) false;; esac",
        "reboot() { true; }",
        "f() { g | h & }; f",
        "git reset --hard",
        "git reset --hard HEAD",
        "git reset HEAD~",
        "kill -9 123",
        "systemctl status x",
        "mkdir mkfs",
    ]);
}

#[test]
fn the_operators_own_patterns_are_matched_anywhere_but_not_inside_words() {
    let mut policy = Policy::default();
    policy.forbidden_shell_patterns.extend(["terraform  destroy".to_owned(), "DROP TABLE".to_owned()]);
    let reason = "the policy forbids the pattern `terraform destroy`".to_owned();
    assert_eq!(
        policy.check_command("cd x && terraform \"destroy\" -auto-approve"),
        [Violation { gate: Destructive, reason }]
    );
    assert_eq!(policy.check_command("psql -c 'DROP TABLE users'").len(), 1);
    assert_eq!(policy.check_command("psql -c 'DROP TABLESPACE x'"), []);
    assert_eq!(policy.check_command("terraform plan"), []);
    policy.allow_destructive_shell = true;
    assert_eq!(policy.check_command("terraform destroy"), []);
}

#[test]
fn several_gates_are_all_named() {
    assert_eq!(
        gates("git add -A && git commit -m x && git tag v1 && git push && git switch main"),
        [Commit, Push, Switch, Tag]
    );
}

#[test]
fn what_is_too_deep_or_too_long_is_refused_and_answered_quickly() {
    let deep = [
        "$(".repeat(20_000),
        "((((".repeat(20_000),
        "`".repeat(50_000),
        "\"$(".repeat(20_000),
        "${a:-".repeat(20_000),
        "$((".repeat(20_000),
        "<<A ".repeat(20_000),
        "x <<A\n".repeat(20_000),
        "eval ".repeat(20_000),
        "sudo ".repeat(20_000),
        "{a,".repeat(20_000),
        "{a,b}".repeat(20_000),
        "X=$X$X\n".repeat(5_000),
        "for a in 1 2 3 4 5 6 7 8; do ".repeat(2_000),
    ];
    for text in &deep {
        let started = std::time::Instant::now();
        let _ = Policy::default().check_command(text);
        let took = started.elapsed();
        assert!(took.as_secs() < 5, "{:?}… took {took:?}", &text[..12]);
    }
    assert_eq!(gates(&"$(".repeat(100)), [Destructive]);
    assert_eq!(gates(&"x".repeat(300 * 1024)), [Destructive]);
    let nested = (0..40).fold("true".to_owned(), |inner, _| format!("eval {inner}"));
    assert_eq!(gates(&nested), [Destructive]);
}

proptest! {
    #[test]
    fn any_text_gets_an_answer(text in "\\PC{0,200}") {
        let _ = Policy::default().check_command(&text);
    }

    #[test]
    fn any_mix_of_shell_signs_gets_an_answer(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "$(", ")", "`", "\"", "'", "\\", "\n", ";", "|", "&", "<<E", "E\n", "{", "}", "${x:-", "$((", "))",
                "case x in", "esac", ";;", "for i in", "do", "done", "a", " ", "git", "commit", "rm -rf", "/", "sh -c",
                "eval", "X=", "$X", ">", "<(", "#", "~", ",", "é", "\u{1}", "\0",
            ]),
            0..60,
        )
    ) {
        let _ = Policy::default().check_command(&parts.concat());
    }

    #[test]
    fn a_commit_after_any_harmless_command_is_found(before in "[a-z]{1,8}( [a-z0-9./-]{1,8}){0,3}") {
        let text = format!("{before}; git commit -m x");
        prop_assert!(Policy::default().check_command(&text).iter().any(|found| found.gate == Commit));
    }
}

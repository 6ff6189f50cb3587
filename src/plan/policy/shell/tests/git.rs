//! The check as a table: what each text does to a repository. Only strings, never run.

use super::{Commit, Create, Destructive, Push, Switch, Tag, all, gates, harmless};

/// Spellings of a commit and of what makes one.
const COMMITS: &[&str] = &[
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
    "git${IFS}commit",
    "gi$x''t commit",
    "$HOME/bin/git commit",
    "alias g=git; g commit",
    "alias g='git -C d'\ng commit -m x",
    "g() { git \"$@\"; }; g commit",
    "hub commit",
];

/// Text that only looks like one, and git commands that change nothing that a gate guards.
const NO_COMMITS: &[&str] = &[
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
    "gh pr list",
    "alias ll='ls -l'; ll commit",
    "alias ls='ls -l'; ls",
    "x=commit",
];

/// Commands that make, move or remove branches.
const CREATES: &[&str] = &[
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
];

/// Commands that switch branches.
const SWITCHES: &[&str] = &[
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
];

/// Commands that list branches or check files out.
const NO_BRANCHES: &[&str] = &[
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
];

#[test]
fn a_commit_is_seen_through_options_quotes_wrappers_and_nested_shells() {
    all(Commit, COMMITS);
}

#[test]
fn harmless_text_about_git_is_not_flagged() {
    harmless(NO_COMMITS);
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
            "gh pr merge 3",
            "gh -R a/b release create v1",
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
    all(Create, CREATES);
    all(Switch, SWITCHES);
    harmless(NO_BRANCHES);
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

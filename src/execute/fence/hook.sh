#!/bin/sh
# A git hook of koru-tui for one run of an agent: refuses what the project's policy does not allow, and then lets the
# project's own hook of the same name have its say. What git is told to do without hooks is found after the run.
hook=${0##*/}
# @SETTINGS@

project_hook() {
    [ -f "$hooks/$hook" ] && [ -x "$hooks/$hook" ]
}

# The run's variables reach every repository that it uses; only this one is fenced.
if [ "${GIT_DIR-}" != "$git_dir" ]; then
    here=$(git rev-parse --git-common-dir 2>/dev/null) && here=$(cd -P -- "$here" 2>/dev/null && pwd)
    # A repository that is just being made is none yet.
    [ -n "$here" ] || here=$(cd -P -- "${GIT_DIR:-.git}" 2>/dev/null && pwd)
    case $here/ in
    "$common"/* | /) ;;
    *)
        hooks=$here/hooks
        if project_hook; then exec "$hooks/$hook" "$@"; fi
        exit 0
        ;;
    esac
fi

refuse() {
    printf '%s\t%s: %s\n' "$1" "$hook" "$2" >>"$log" 2>/dev/null
    printf 'koru-tui: refused, policy.%s=false: %s\n' "$1" "$3" >&2
    exit 1
}

commit_refused="the work is committed for you after the run; leave your changes in the files"
switch_refused="stay on the branch $branch, all work of this ticket belongs there"

# HEAD is written last: by now the files are those of the other commit. Back to what HEAD still says.
refuse_switch() {
    case $1 in
    ref:*) left=${1#ref:} ;;
    *) left=$1 ;;
    esac
    git read-tree -m -u "$left" HEAD >/dev/null 2>&1
    refuse allow_branch_switch "HEAD to $1" "$switch_refused"
}

is_zero() {
    case $1 in
    *[!0]*) return 1 ;;
    esac
}

was_there() {
    grep -qxF -- "$1" "$known" 2>/dev/null
}

judge_head() {
    case $1 in
    "ref:$own") return ;;
    ref:*) [ "$allow_branch_switch" = yes ] || refuse_switch "$1" ;;
    *)
        case $moved in
        *" $1 "*) return ;; # HEAD follows its branch, which is judged by itself.
        esac
        if git symbolic-ref -q HEAD >/dev/null 2>&1 || [ "$GIT_DIR" != "$git_dir" ]; then
            [ "$allow_branch_switch" = yes ] || refuse_switch "$1"
        else
            [ "$allow_commit" = yes ] || refuse allow_commit "HEAD to $1" "$commit_refused"
        fi
        ;;
    esac
}

judge() {
    old=$1 new=$2 ref=$3
    [ "$ref" = HEAD ] && { judge_head "$new"; return; }
    # Asked for as it is: `git stash` and `git reset` do that.
    if ! is_zero "$new" && [ "$(git rev-parse -q --verify "$ref" 2>/dev/null)" = "$new" ]; then return; fi
    case $ref in
    "$own")
        is_zero "$new" && refuse allow_branch_create "$ref deleted" "the ticket's branch stays"
        [ "$allow_commit" = yes ] || refuse allow_commit "$ref to $new" "$commit_refused"
        ;;
    refs/heads/*)
        [ "$allow_branch_create" = yes ] ||
            refuse allow_branch_create "$ref from $old to $new" "$switch_refused"
        if was_there "$ref"; then
            is_zero "$new" && refuse allow_branch_create "$ref deleted" "the branch was there before this run"
            [ "$allow_commit" = yes ] || refuse allow_commit "$ref to $new" "$commit_refused"
        fi
        ;;
    refs/tags/*)
        [ "$allow_tag" = yes ] || refuse allow_tag "$ref from $old to $new" "leave tags to the operator"
        ;;
    refs/stash | refs/notes/*)
        [ "$allow_commit" = yes ] || refuse allow_commit "$ref from $old to $new" \
            "it is shared with the operator's checkout; leave your changes in the files"
        ;;
    refs/remotes/* | refs/bisect/* | refs/rewritten/* | refs/worktree/*) ;;
    refs/*)
        [ "$allow_branch_create" = yes ] || refuse allow_branch_create "$ref from $old to $new" "$switch_refused"
        ;;
    esac
}

case $hook in
pre-commit | pre-merge-commit | pre-rebase | pre-applypatch)
    [ "$allow_commit" = yes ] || refuse allow_commit "$hook" "$commit_refused"
    ;;
pre-push)
    [ "$allow_push" = yes ] || refuse allow_push "${2-}" "pushing is the operator's decision"
    ;;
reference-transaction)
    lines=$(cat)
    if [ "$1" = prepared ]; then
        moved=' '
        while read -r old new ref; do
            case $ref in
            refs/heads/*) moved="$moved$new " ;;
            esac
        done <<EOF
$lines
EOF
        while read -r old new ref; do
            [ -z "$ref" ] || judge "$old" "$new" "$ref"
        done <<EOF
$lines
EOF
    fi
    if project_hook; then
        printf '%s\n' "$lines" | "$hooks/$hook" "$@"
        exit
    fi
    exit 0
    ;;
esac
if project_hook; then exec "$hooks/$hook" "$@"; fi
exit 0

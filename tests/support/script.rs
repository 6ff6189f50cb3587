#![allow(dead_code, unreachable_pub)]
//! Parts of shell scripts that wait, and stop by themselves: whoever waits for them may be killed.

/// Waits, in a project's folder, until `file` is there. Gives up after 2,000 turns of 20 ms or when the project was
/// removed: a removed working folder has no entries any more.
pub fn until_exists(file: &str) -> String {
    format!(
        "n=0; until [ -e {file} ]; do n=$((n+1)); [ -e .planfile ] && [ $n -lt 2000 ] || exit 75; sleep 0.02; done"
    )
}

//! Moving one reference, only from the value that was seen, with a reflog entry in a given name.

use git2::{Oid, Repository, Signature};

/// Sets `name` to `to` (or removes it) if it still is at `from` (or is still not there). The reference is locked from the
/// comparison to the write, so a git that moves it at the same time is never overwritten.
///
/// # Errors
/// libgit2's; a reference that is somewhere else by now is one.
pub fn move_reference(
    repo: &Repository,
    name: &str,
    from: Option<Oid>,
    to: Option<Oid>,
    who: &Signature<'_>,
    message: &str,
) -> Result<(), git2::Error> {
    let mut transaction = repo.transaction()?;
    transaction.lock_ref(name)?;
    let now = match repo.find_reference(name) {
        Ok(reference) => Some(reference.target().ok_or_else(|| other(name, "is symbolic by now"))?),
        Err(error) if error.code() == git2::ErrorCode::NotFound => None,
        Err(error) => return Err(error),
    };
    if now != from {
        return Err(other(name, "is somewhere else by now"));
    }
    match to {
        Some(to) => transaction.set_target(name, to, Some(who), message)?,
        None => transaction.remove(name)?,
    }
    transaction.commit()
}

fn other(name: &str, what: &str) -> git2::Error {
    git2::Error::from_str(&format!("{name} {what}"))
}

//! Whether an action of the review has something to act on, and if not why.

use super::super::super::actions::Action;
use super::super::super::review::notes;
use super::super::super::state::Console;

/// `Err` is the reason as a sentence without its end; it is safe to show.
pub(in crate::console::update) fn possible(console: &Console, action: Action) -> Result<(), String> {
    let no = |reason: &str| Err(reason.to_owned());
    let screen = console.review().ok_or("no review is open")?;
    let Some(listing) = &screen.listing else { return no("it is still being compared") };
    let last = listing.files.len().saturating_sub(1);
    match action {
        _ if listing.files.is_empty() => no("nothing differs here"),
        Action::ReviewFileNext if screen.file >= last => no("this is the last file"),
        Action::ReviewFilePrevious if screen.file == 0 => no("this is the first file"),
        Action::ReviewFinding | Action::ReviewFindingPrevious => {
            let found = notes::findings(screen, console.snapshot.reviews.get(&screen.ticket));
            match found.iter().any(|listed| listed.finding.file.is_some()) {
                true => Ok(()),
                false => no("no findings name a file here"),
            }
        }
        Action::ReviewComment => super::comments::commentable(screen),
        _ => Ok(()),
    }
}

//! The live output pane of one run, whole in itself: the console embeds an [`OutputView`] for each run it shows.
//!
//! The view owns the lines it holds (at most [`view::BYTES`], the rest is fetched again from the transcript when the
//! operator scrolls there), the place it shows, and the search. It is plain state: [`OutputView::prepare`] does all the
//! parsing, wrapping and searching that a frame needs, bounded per call, and [`OutputView::draw`] only copies what was
//! prepared. Lines are foreign text: they pass `base::text` and the redactor here, before anything else looks at them.
//!
//! An agent's lines come in blocks, which fold to their head; a filter shows lines of some kinds only. What a line is and
//! where blocks begin is known of every line that was ever read (one byte each), so that neither needs the text.
//!
//! Invariants: line numbers are those of the transcript, whatever is held; the view moves only on the operator's word
//! (at the tail it follows, and only there); a line is sanitised once for as long as it is on screen.

mod cursor;
mod hunt;
mod index;
mod layout;
mod pattern;
mod render;
mod rows;
mod scroll;
mod search;
mod shown;
mod store;
mod view;
mod walk;

pub(crate) use render::{Marks, OutputStyle};
pub(crate) use shown::Filter;
pub(crate) use view::OutputView;

#[cfg(test)]
mod tests;

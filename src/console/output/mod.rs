//! The live output pane of one run, whole in itself: the console embeds an [`OutputView`] for each run it shows.
//!
//! The view owns the lines it holds (at most [`view::BYTES`], the rest is fetched again from the transcript when the
//! operator scrolls there), the place it shows, and the search. It is plain state: [`OutputView::prepare`] does all the
//! parsing, wrapping and searching that a frame needs, bounded per call, and [`OutputView::draw`] only copies what was
//! prepared. Lines are foreign text: they pass `base::text` and the redactor here, before anything else looks at them.
//!
//! Invariants: line numbers are those of the transcript, whatever is held; the view moves only on the operator's word
//! (at the tail it follows, and only there); a line is sanitised once for as long as it is on screen.

mod fold;
mod layout;
mod render;
mod scroll;
mod search;
mod store;
mod view;

pub(crate) use render::OutputStyle;
pub(crate) use view::OutputView;

#[cfg(test)]
mod tests;

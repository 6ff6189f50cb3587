//! Where Esc leads from here: one answer for the key and for the footer, so that no place is a dead end and no hint
//! leads nowhere.

use super::super::layers::Layer;
use super::super::output::{Filter, OutputView};
use super::super::review::ReviewScreen;
use super::super::state::{Console, Leaving, NoticeKind, Pane};

/// What Esc does on the board, on a page and in a review, in the order in which it is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Closes the ticket's page.
    Page,
    /// One step out of the review.
    Review(&'static str),
    /// Drops the search of the promotions, or closes them.
    Promotions(&'static str),
    /// The console stays after all.
    Stay,
    /// Drops the filter of the queue.
    Filter,
    /// Drops the search of the output.
    Search,
    /// Shows every kind of output again.
    Kinds,
    /// From the raw stream to the transcript.
    Raw,
    /// From an earlier run back to the list of them.
    Earlier,
    /// From the grid to one run.
    Grid,
    /// All panes again.
    Zoom,
    /// Back to the queue.
    Queue,
}

impl Way {
    /// In a few words, for the footer.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Way::Page => "close",
            Way::Review(title) | Way::Promotions(title) => title,
            Way::Stay => "stay",
            Way::Filter => "drop the filter",
            Way::Search => "drop the search",
            Way::Kinds => "show everything",
            Way::Raw => "transcript",
            Way::Earlier => "earlier runs",
            Way::Grid => "one run",
            Way::Zoom => "all panes",
            Way::Queue => "queue",
        }
    }
}

/// One step out of a review.
fn out_of(screen: &ReviewScreen) -> &'static str {
    if screen.anchor.is_some() {
        "drop the selection"
    } else if screen.search.is_some() {
        "drop the search"
    } else if screen.files_shown {
        "to the text"
    } else {
        "close"
    }
}

impl Console {
    /// Where Esc leads; `None` where there is nothing to leave.
    pub(crate) fn way_back(&self) -> Option<Way> {
        let in_output = self.focus == Pane::Run;
        match self.layers.last() {
            Some(Layer::Page(_)) => Some(Way::Page),
            Some(Layer::Review(screen)) => Some(Way::Review(out_of(screen))),
            Some(Layer::Promotions(screen)) => {
                Some(Way::Promotions(if screen.query.is_empty() { "close" } else { "drop the search" }))
            }
            _ if self.leaving == Some(Leaving::Waiting) => Some(Way::Stay),
            _ if !self.queue.view.filter.is_empty() => Some(Way::Filter),
            _ if self.runs.is_searched() => Some(Way::Search),
            _ if in_output
                && self
                    .runs
                    .shown_view()
                    .map(OutputView::filter)
                    .is_some_and(|kinds| kinds != Filter::All) =>
            {
                Some(Way::Kinds)
            }
            _ if in_output && self.runs.is_raw_shown() => Some(Way::Raw),
            _ if in_output && self.runs.opened.is_some() => Some(Way::Earlier),
            _ if self.shows_grid() => Some(Way::Grid),
            // Where one pane fills the screen anyway, there is nothing to go back to.
            _ if self.zoom && super::super::view::has_all_panes(self.size) => Some(Way::Zoom),
            _ if self.focus != Pane::Queue => Some(Way::Queue),
            _ => None,
        }
    }

    /// Esc.
    pub(super) fn back(&mut self) {
        match self.way_back() {
            // Source stands over nothing: one Esc is enough, whichever side of the page is shown.
            Some(Way::Page) => drop(self.layers.pop()),
            Some(Way::Review(_)) => self.review_back(),
            Some(Way::Promotions(_)) => self.promotions_back(),
            Some(Way::Stay) => {
                self.leaving = None;
                self.say(NoticeKind::Info, "staying");
            }
            Some(Way::Filter) => {
                self.queue.view.filter.clear();
                self.refresh_rows();
            }
            Some(Way::Search) => {
                if let Some(view) = self.runs.shown_view_mut() {
                    view.search_clear();
                }
            }
            Some(Way::Kinds) => {
                if let Some(view) = self.runs.shown_view_mut() {
                    view.set_filter(Filter::All);
                }
            }
            Some(Way::Raw) => self.toggle_raw(),
            Some(Way::Earlier) => self.leave_opened(),
            Some(Way::Grid) => self.runs.grid = false,
            Some(Way::Zoom) => self.zoom = false,
            Some(Way::Queue) => self.focus = Pane::Queue,
            None => {}
        }
    }

    /// `q` over the board: closes what lies there, whatever is selected or searched in it.
    pub(super) fn close(&mut self) {
        match self.layers.last() {
            Some(Layer::Review(_)) => self.close_review(),
            Some(Layer::Page(_) | Layer::Promotions(_)) => drop(self.layers.pop()),
            _ => {}
        }
    }
}

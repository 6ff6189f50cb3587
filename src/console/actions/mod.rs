//! The one table of named actions. Keys, `?` help, footer and palette are all made from it, so they cannot disagree.
//!
//! Owns no data: [`table::SPECS`] is a constant. Whether an action works at the moment, and if not why, is answered by
//! [`super::update::available`], which reads the state.

#[cfg(test)]
mod readme;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;

pub(crate) use table::SPECS;

/// Where a key is pressed. The innermost scope wins: a pane before the board, a form before everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// The queue pane has the focus.
    Queue,
    /// The output pane has the focus.
    Run,
    /// The verdict pane has the focus.
    Verdict,
    /// The detail pane has the focus, or a ticket's page is open.
    Detail,
    /// Any pane of the board has the focus.
    Board,
    /// Text is being typed into a form: only keys that no text needs work here.
    Form,
    /// A list over the board: palette, menu, help, history.
    List,
    /// The list of worktrees.
    Worktrees,
    /// What a ticket's work changed.
    Review,
    /// Work that waits to land.
    Promotions,
    /// The page of a folder without a planfile.
    Init,
}

impl Scope {
    /// What stands over its keys in the help.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Scope::Queue => "IN THE QUEUE",
            Scope::Run => "IN THE OUTPUT",
            Scope::Verdict => "IN THE VERDICT",
            Scope::Detail => "ON THE TICKET",
            Scope::Board => "ON THE BOARD",
            Scope::Form => "IN FORMS",
            Scope::List => "IN LISTS",
            Scope::Worktrees => "IN THE WORKTREES",
            Scope::Review => "IN THE REVIEW",
            Scope::Promotions => "WORK THAT LANDS",
            Scope::Init => "ON THE START PAGE",
        }
    }

    /// The word used in messages.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Scope::Queue => "queue",
            Scope::Run => "output",
            Scope::Verdict => "verdict",
            Scope::Detail => "detail",
            Scope::Board => "everywhere on the board",
            Scope::Form => "forms",
            Scope::List => "lists",
            Scope::Worktrees => "worktrees",
            Scope::Review => "review",
            Scope::Promotions => "promotions",
            Scope::Init => "start page",
        }
    }
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Spec {
    /// Which action.
    pub(crate) action: Action,
    /// Its name in keymap files and in documentation, `area.verb`.
    pub(crate) name: &'static str,
    /// A few words for the footer and the palette.
    pub(crate) title: &'static str,
    /// One line for the help.
    pub(crate) explain: &'static str,
    /// Keys unless the user says otherwise.
    pub(crate) keys: &'static [&'static str],
    /// Where it works.
    pub(crate) scopes: &'static [Scope],
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Everything that a key or the palette can do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Action { $($(#[$doc])* $name,)* }

        #[cfg(test)]
        pub(crate) const ALL: &[Action] = &[$(Action::$name,)*];
    };
}

actions! {
    /// Leave; asks while runs are active.
    Quit,
    /// The keys that work here.
    Help,
    /// Search every action.
    Palette,
    /// Messages so far.
    History,
    /// Stop the program, keep the terminal.
    Suspend,
    /// Paint everything again.
    Repaint,
    /// Read the disk again.
    Reload,
    /// Make a planfile here.
    Init,
    /// Choose a theme.
    Theme,
    /// Next pane.
    FocusNext,
    /// Previous pane.
    FocusPrevious,
    /// Show one pane at full size.
    Zoom,
    /// One up.
    Up,
    /// One down.
    Down,
    /// One screen up.
    PageUp,
    /// One screen down.
    PageDown,
    /// To the first.
    Top,
    /// To the last, and follow it.
    Bottom,
    /// Open the selected ticket's page.
    Open,
    /// Show the ticket as source, or as text again.
    Source,
    /// Close, or step back.
    Back,
    /// Close what lies over the board.
    Close,
    /// Accept.
    Accept,
    /// Filter the queue.
    Filter,
    /// Next sprint file.
    Sprint,
    /// Show or fold finished tickets.
    Finished,
    /// Answer a human ticket.
    Answer,
    /// Make a ticket.
    Create,
    /// Change a ticket.
    Edit,
    /// Ready again, and run.
    Retry,
    /// Ready again.
    Release,
    /// Call an interrupted ticket failed.
    Fail,
    /// Block with a reason.
    Block,
    /// Priority one step up.
    Raise,
    /// Priority one step down.
    Lower,
    /// Choose a priority.
    Priority,
    /// Run now.
    Start,
    /// Give a ticket to an agent.
    Delegate,
    /// Ready again, and run, with words for the agent.
    RetryNote,
    /// Say something to a running agent.
    Say,
    /// Let the agent end after its turn, or not any more.
    Pause,
    /// Take the last change back.
    Undo,
    /// What people did.
    Audit,
    /// The runs of a ticket, those of earlier sessions too.
    Earlier,
    /// A shell in the worktree of a run.
    Attach,
    /// The worktrees of agents.
    Worktrees,
    /// What a ticket's work changed.
    Diff,
    /// Next change.
    ReviewHunkNext,
    /// Previous change.
    ReviewHunkPrevious,
    /// Next file.
    ReviewFileNext,
    /// Previous file.
    ReviewFilePrevious,
    /// Next finding.
    ReviewFinding,
    /// Previous finding.
    ReviewFindingPrevious,
    /// Open what is folded.
    ReviewFold,
    /// The whole file, or its changes.
    ReviewWhole,
    /// Old and new beside each other.
    ReviewSplit,
    /// Count white space, or not.
    ReviewWhitespace,
    /// Choose what is compared.
    ReviewRange,
    /// Next round.
    ReviewRoundNext,
    /// Previous round.
    ReviewRoundPrevious,
    /// Search the file.
    ReviewSearch,
    /// Next hit in the file.
    ReviewSearchNext,
    /// Previous hit in the file.
    ReviewSearchPrevious,
    /// Mark a file as viewed.
    ReviewViewed,
    /// Select lines.
    ReviewSelect,
    /// Comment on lines.
    ReviewComment,
    /// Drop a comment.
    ReviewDrop,
    /// Put a stale comment here.
    ReviewPlace,
    /// Send the comments.
    ReviewSend,
    /// Let the work pass.
    ReviewApprove,
    /// Reject the work with a reason.
    ReviewReject,
    /// Show or hide the files.
    ReviewFiles,
    /// From the files to the text and back.
    ReviewPart,
    /// Text to the left.
    ReviewLeft,
    /// Text to the right.
    ReviewRight,
    /// What waits to land.
    Promotions,
    /// What a promotion would land.
    PromotionDiff,
    /// Land it, or those that are marked.
    PromotionApprove,
    /// Reject it with a reason.
    PromotionReject,
    /// Take it back.
    PromotionUndo,
    /// Mark it to be approved with others.
    PromotionMark,
    /// Stop the checks of the one that lands.
    PromotionStop,
    /// Show those of the next state.
    PromotionFilter,
    /// Search them.
    PromotionSearch,
    /// The card further down.
    PromotionCardDown,
    /// The card further up.
    PromotionCardUp,
    /// Remove the selected worktree.
    Prune,
    /// Remove every worktree that holds nothing of its own.
    PruneAll,
    /// Stop the run; again kills.
    Stop,
    /// Start or pause the queue.
    Queue,
    /// One more parallel run.
    JobsMore,
    /// One parallel run less.
    JobsFewer,
    /// To the verdict pane.
    VerdictShow,
    /// Let reviewed work pass as it is.
    VerdictApprove,
    /// Reject it with a reason.
    VerdictReject,
    /// One more round, with a fix list.
    VerdictAnother,
    /// The finding with the cursor, at its line.
    VerdictFinding,
    /// Let it be judged again.
    VerdictAgain,
    /// Copy to the clipboard.
    Copy,
    /// Previous run in the output pane.
    RunPrevious,
    /// Next run in the output pane.
    RunNext,
    /// All running ones beside each other.
    Grid,
    /// Search the output.
    Search,
    /// Next hit.
    SearchNext,
    /// Previous hit.
    SearchPrevious,
    /// Fold or open the block at the cursor.
    Fold,
    /// Fold every block.
    FoldAll,
    /// Open every block.
    OpenAll,
    /// Choose the kinds of lines that are shown.
    Kinds,
    /// To the next error.
    ErrorNext,
    /// To the error before.
    ErrorPrevious,
    /// The agent's stream as it came, or the transcript again.
    Raw,
    /// Times beside the output.
    Times,
    /// Long lines wrapped, or cut.
    Wrap,
    /// Cut lines to the left.
    Left,
    /// Cut lines to the right.
    Right,
    /// Send the form.
    Submit,
    /// Hand the text to `$EDITOR`.
    Editor,
    /// Next field.
    FieldNext,
    /// Previous field.
    FieldPrevious,
    /// Throw the draft away.
    Discard,
    /// Take the other draft of the form.
    OtherDraft,
}

impl Action {
    /// Its row.
    pub(crate) fn spec(self) -> &'static Spec {
        // A test holds that every action stands in the table; the first row is never reached as a fallback.
        SPECS.iter().find(|spec| spec.action == self).unwrap_or(&SPECS[0])
    }

    /// Whether it works in a review only.
    pub(crate) fn is_of_review(self) -> bool {
        self.spec().scopes == [Scope::Review]
    }

    /// Whether it works on the promotions only.
    pub(crate) fn is_of_promotions(self) -> bool {
        self.spec().scopes == [Scope::Promotions]
    }

    /// The action with this name.
    pub(crate) fn named(name: &str) -> Option<Action> {
        SPECS.iter().find(|spec| spec.name == name).map(|spec| spec.action)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec().name)
    }
}

//! The rows. Order is the order of the help page; names are `area.verb` and end up in keymap files, so they are kept.
//! Over 400 lines: one table is easier to hold free of clashes than parts of one.

use super::Scope::{Board, Detail, Form, Init, List, Promotions, Queue, Review, Run, Verdict, Worktrees};
use super::{Action, Scope, Spec};

const EVERYWHERE: &[Scope] = &[Board, Form, List, Init];
const MOVING: &[Scope] = &[Board, List];
const BOARD: &[Scope] = &[Board];
const PAGES: &[Scope] = &[Board, Init];
const SCREENS: &[Scope] = &[Board, Init, Review, Promotions];
const LANDING: &[Scope] = &[Promotions];

macro_rules! row {
    ($action:ident, $name:literal, $title:literal, $keys:expr, $scopes:expr, $explain:literal) => {
        Spec {
            action: Action::$action,
            name: $name,
            title: $title,
            explain: $explain,
            keys: &$keys,
            scopes: $scopes,
        }
    };
}

/// Every action.
pub(crate) const SPECS: &[Spec] = &[
    // Tickets.
    row!(Answer, "ticket.answer", "answer", ["a"], BOARD, "Answer the selected human ticket, right here"),
    row!(
        Open,
        "ticket.open",
        "open",
        ["enter"],
        &[Queue, Run, Detail],
        "Open the selected ticket at full size; on a block of output: fold or open it"
    ),
    row!(Source, "ticket.source", "source", ["Y"], BOARD, "Show the ticket as YAML, or as text again"),
    row!(Create, "ticket.create", "new", ["n"], &[Queue, Detail], "Make a new ticket"),
    row!(Edit, "ticket.edit", "edit", ["e"], BOARD, "Change the selected ticket's fields"),
    row!(
        Start,
        "ticket.start",
        "run now",
        ["s"],
        BOARD,
        "Run the selected ticket now, whatever the queue does"
    ),
    row!(
        Stop,
        "run.stop",
        "stop",
        ["x"],
        BOARD,
        "Stop the selected ticket's run (asks); again while it stops: kill"
    ),
    row!(
        Retry,
        "ticket.retry",
        "retry",
        ["r"],
        BOARD,
        "Make a failed, blocked or interrupted ticket ready and run it"
    ),
    row!(
        RetryNote,
        "ticket.retry-note",
        "retry with a note",
        ["I"],
        BOARD,
        "As retry, with words that the agent is told after its brief"
    ),
    row!(
        Delegate,
        "ticket.delegate",
        "delegate",
        ["D"],
        BOARD,
        "Let a coding agent work the ticket, with a note if you like"
    ),
    row!(Release, "ticket.ready", "release", ["U"], BOARD, "Make it ready again without running it"),
    row!(Fail, "ticket.fail", "mark failed", ["F"], BOARD, "Call an interrupted ticket failed (asks)"),
    row!(Block, "ticket.block", "block", ["b"], BOARD, "Block the selected ticket with a reason"),
    row!(Raise, "ticket.raise", "raise", ["+"], BOARD, "Raise the selected ticket's priority by one step"),
    row!(Lower, "ticket.lower", "lower", ["-"], BOARD, "Lower the selected ticket's priority by one step"),
    row!(
        Priority,
        "ticket.priority",
        "priority",
        ["p"],
        BOARD,
        "Choose the selected ticket's priority from a list"
    ),
    row!(
        Undo,
        "undo",
        "undo",
        ["u"],
        BOARD,
        "Take back the last change of a ticket that was made here (asks); again: the one before"
    ),
    row!(
        Copy,
        "copy",
        "copy",
        ["y"],
        BOARD,
        "Copy the ticket's id, or the visible output, through the terminal (OSC 52)"
    ),
    // Rounds of worker and reviewer.
    row!(
        VerdictShow,
        "verdict.show",
        "verdict",
        ["V"],
        BOARD,
        "Go to the rounds of the ticket and their verdict"
    ),
    row!(
        VerdictFinding,
        "verdict.finding",
        "at its line",
        ["enter"],
        &[Verdict],
        "Show the finding at its line in the diff; without findings: the diff"
    ),
    row!(
        VerdictApprove,
        "verdict.approve",
        "approve",
        ["A"],
        &[Verdict],
        "Let the work pass as it is on the screen (asks)"
    ),
    row!(
        VerdictReject,
        "verdict.reject",
        "reject",
        ["R"],
        &[Verdict],
        "Reject the work with a reason; the branch stays"
    ),
    row!(
        VerdictAnother,
        "verdict.another",
        "another round",
        ["n"],
        &[Verdict],
        "Send the work back with a fix list that you can edit first"
    ),
    row!(
        VerdictAgain,
        "verdict.again",
        "review again",
        ["v"],
        &[Verdict],
        "Let the reviewer judge again; the worker is not paid again"
    ),
    // The queue.
    row!(
        Queue,
        "queue.toggle",
        "work the queue",
        ["w"],
        BOARD,
        "Start working the queue, or pause it (what runs goes on)"
    ),
    row!(JobsMore, "queue.jobs-more", "more jobs", [">"], BOARD, "Allow one more run at a time"),
    row!(JobsFewer, "queue.jobs-fewer", "fewer jobs", ["<"], BOARD, "Allow one run less at a time"),
    row!(
        Filter,
        "queue.filter",
        "filter",
        ["/"],
        &[Queue, Detail, Verdict],
        "Show only tickets that hold all these words"
    ),
    row!(
        Sprint,
        "queue.sprint",
        "sprint",
        ["S"],
        BOARD,
        "Show the next sprint file's tickets, then those of all"
    ),
    row!(Finished, "queue.finished", "finished", ["f"], &[Queue, Detail], "Show or fold finished tickets"),
    // Output.
    row!(RunPrevious, "run.previous", "previous run", ["["], BOARD, "Show the previous run's output"),
    row!(RunNext, "run.next", "next run", ["]"], BOARD, "Show the next run's output"),
    row!(
        Earlier,
        "run.earlier",
        "earlier runs",
        ["E"],
        BOARD,
        "Every kept run of the selected ticket; open one to read and search its output"
    ),
    row!(Grid, "run.grid", "grid", ["g"], BOARD, "Show all running ones beside each other"),
    row!(
        Say,
        "run.say",
        "message",
        ["m"],
        BOARD,
        "Say something to the agent: now where it hears, else in its next round"
    ),
    row!(
        Pause,
        "run.pause",
        "pause after turn",
        ["P"],
        BOARD,
        "Let the agent end after this turn; again: let it go on"
    ),
    row!(
        Attach,
        "worktree.shell",
        "shell",
        ["!"],
        &[Board, Worktrees],
        "Open $SHELL in the worktree; leave it to come back here"
    ),
    row!(
        Worktrees,
        "worktree.list",
        "worktrees",
        ["ctrl-w"],
        BOARD,
        "Where agents work: size, what is not merged; remove what may go"
    ),
    row!(
        Prune,
        "worktree.prune",
        "remove",
        ["d"],
        &[Worktrees],
        "Remove this worktree (asks); one that holds work of its own stays"
    ),
    row!(
        PruneAll,
        "worktree.prune-all",
        "remove all",
        ["D"],
        &[Worktrees],
        "Remove every worktree that holds no work of its own (asks)"
    ),
    row!(Search, "output.search", "search", ["/"], &[Run], "Search this output while you type"),
    row!(SearchNext, "output.next", "next hit", ["n", "."], &[Run], "Go to the next hit"),
    row!(SearchPrevious, "output.previous", "previous hit", ["N", ","], &[Run], "Go to the previous hit"),
    row!(Fold, "output.fold", "fold", ["space"], &[Run], "Fold the block at the cursor, or open it"),
    row!(FoldAll, "output.fold-all", "fold all", ["C"], &[Run], "Fold every block to its head"),
    row!(
        OpenAll,
        "output.open-all",
        "open all",
        ["O"],
        &[Run],
        "Open every block; again: back to what is usual"
    ),
    row!(Kinds, "output.kinds", "kinds", ["f"], &[Run], "Show only text, tools, edits or errors"),
    row!(ErrorNext, "output.next-error", "next error", ["J"], &[Run], "Go to the next error or failed call"),
    row!(
        ErrorPrevious,
        "output.previous-error",
        "previous error",
        ["K"],
        &[Run],
        "Go to the error or failed call before"
    ),
    row!(
        Raw,
        "output.raw",
        "raw stream",
        ["v"],
        &[Run],
        "Show the agent's stream as it came, or the transcript"
    ),
    row!(Times, "output.times", "times", ["t"], &[Run], "Show the time of each line, or hide it"),
    row!(Wrap, "output.wrap", "wrap", ["W"], &[Run], "Wrap long lines, or cut them"),
    row!(Left, "output.left", "left", ["h", "left"], &[Run], "Cut lines: to the left"),
    row!(Right, "output.right", "right", ["l", "right"], &[Run], "Cut lines: to the right"),
    // The review.
    row!(
        Diff,
        "ticket.diff",
        "diff",
        ["d"],
        BOARD,
        "What the ticket's work changed, with findings and comments at its lines"
    ),
    row!(
        ReviewHunkNext,
        "review.next-change",
        "next change",
        ["n"],
        &[Review],
        "To the next change, over the files"
    ),
    row!(
        ReviewHunkPrevious,
        "review.previous-change",
        "previous change",
        ["p"],
        &[Review],
        "To the change before, over the files"
    ),
    row!(ReviewFileNext, "review.next-file", "next file", ["N"], &[Review], "To the next file"),
    row!(ReviewFilePrevious, "review.previous-file", "previous file", ["P"], &[Review], "To the file before"),
    row!(
        ReviewFinding,
        "review.next-finding",
        "next finding",
        ["f"],
        &[Review],
        "To the next finding, wherever it is"
    ),
    row!(
        ReviewFindingPrevious,
        "review.previous-finding",
        "previous finding",
        ["F"],
        &[Review],
        "To the finding before"
    ),
    row!(
        ReviewComment,
        "review.comment",
        "comment",
        ["c"],
        &[Review],
        "Comment on the selected lines; on a comment that was not sent: change it"
    ),
    row!(
        ReviewSelect,
        "review.select",
        "select lines",
        ["v"],
        &[Review],
        "Begin to select lines here, or stop"
    ),
    row!(
        ReviewSend,
        "review.send",
        "send comments",
        ["S"],
        &[Review],
        "Send the comments of all files, once, as what the next round has to mend"
    ),
    row!(
        ReviewApprove,
        "review.approve",
        "approve",
        ["A"],
        &[Review],
        "Let the work pass at the commit that is shown (asks)"
    ),
    row!(
        ReviewReject,
        "review.reject",
        "reject",
        ["R"],
        &[Review],
        "Reject the work at the commit that is shown, with a reason"
    ),
    row!(
        ReviewDrop,
        "review.drop",
        "drop comment",
        ["x"],
        &[Review],
        "Drop the comment under the cursor, else one that is stale (asks)"
    ),
    row!(
        ReviewPlace,
        "review.place",
        "place comment",
        ["m"],
        &[Review],
        "Put a stale comment on the selected lines"
    ),
    row!(
        ReviewViewed,
        "review.viewed",
        "viewed",
        ["space"],
        &[Review],
        "Mark the file as viewed and go to the next; again: take the mark away"
    ),
    row!(
        ReviewFold,
        "review.fold",
        "open fold",
        ["enter"],
        &[Review],
        "Show more of the lines that are folded; in the files: go to the text"
    ),
    row!(
        ReviewWhole,
        "review.whole",
        "whole file",
        ["e"],
        &[Review],
        "Show the whole file, or only what is near its changes"
    ),
    row!(
        ReviewSplit,
        "review.split",
        "side by side",
        ["s", "u"],
        &[Review],
        "Old and new text beside each other, or under each other"
    ),
    row!(
        ReviewWhitespace,
        "review.whitespace",
        "white space",
        ["w"],
        &[Review],
        "Leave out what differs in white space alone, or show it again"
    ),
    row!(
        ReviewRange,
        "review.range",
        "range",
        ["r"],
        &[Review],
        "Choose what is compared: a round, two rounds, the whole, the working tree"
    ),
    row!(ReviewRoundNext, "review.next-round", "next round", ["]"], &[Review], "What the next round did"),
    row!(
        ReviewRoundPrevious,
        "review.previous-round",
        "previous round",
        ["["],
        &[Review],
        "What the round before did; before the first: the whole"
    ),
    row!(ReviewSearch, "review.search", "search", ["/"], &[Review], "Search the file while you type"),
    row!(
        ReviewSearchNext,
        "review.next-hit",
        "next hit",
        ["."],
        &[Review],
        "To the next hit, in the files that follow too"
    ),
    row!(
        ReviewSearchPrevious,
        "review.previous-hit",
        "previous hit",
        [","],
        &[Review],
        "To the hit before, in the files before too"
    ),
    row!(
        ReviewPart,
        "review.pane",
        "files or text",
        ["tab", "shift-tab"],
        &[Review],
        "From the files to the text and back"
    ),
    row!(ReviewFiles, "review.files", "files", ["t"], &[Review], "Show the files, or hide them"),
    row!(ReviewLeft, "review.left", "left", ["h", "left"], &[Review], "Long lines: to the left"),
    row!(ReviewRight, "review.right", "right", ["l", "right"], &[Review], "Long lines: to the right"),
    // Work that lands.
    row!(
        Promotions,
        "promotion.list",
        "promotions",
        ["L"],
        BOARD,
        "Finished work that waits to land: approve it, reject it, take it back"
    ),
    row!(
        PromotionDiff,
        "promotion.diff",
        "diff",
        ["enter", "d"],
        LANDING,
        "All that would land, with findings and comments at its lines"
    ),
    row!(
        PromotionApprove,
        "promotion.approve",
        "approve",
        ["A"],
        LANDING,
        "Land it as it is on the screen (asks; high risk: for the ticket's id), or all that are marked"
    ),
    row!(
        PromotionReject,
        "promotion.reject",
        "reject",
        ["R"],
        LANDING,
        "Reject it with a reason: back to a worker, or over"
    ),
    row!(
        PromotionUndo,
        "promotion.undo",
        "take back",
        ["u"],
        LANDING,
        "Take what landed off its base again (asks)"
    ),
    row!(
        PromotionMark,
        "promotion.mark",
        "mark",
        ["space"],
        LANDING,
        "Mark low-risk work, to approve all that is marked at once"
    ),
    row!(
        PromotionStop,
        "promotion.stop",
        "stop checks",
        ["x"],
        LANDING,
        "Stop the checks of the one that lands right now; nothing lands then"
    ),
    row!(
        PromotionFilter,
        "promotion.filter",
        "other state",
        ["f"],
        LANDING,
        "Show those that wait, landed, were rejected, have expired, or all"
    ),
    row!(
        PromotionSearch,
        "promotion.search",
        "search",
        ["/"],
        LANDING,
        "Show only those that hold all these words"
    ),
    row!(PromotionCardDown, "promotion.card-down", "card down", ["J"], LANDING, "Read on in the card"),
    row!(PromotionCardUp, "promotion.card-up", "card up", ["K"], LANDING, "Read back in the card"),
    // Moving.
    row!(Up, "move.up", "up", ["k", "up"], MOVING, "One line up"),
    row!(Down, "move.down", "down", ["j", "down"], MOVING, "One line down"),
    row!(PageUp, "move.page-up", "page up", ["pageup", "ctrl-u"], MOVING, "One screen up"),
    row!(PageDown, "move.page-down", "page down", ["pagedown", "ctrl-d"], MOVING, "One screen down"),
    row!(Top, "move.top", "top", ["home"], MOVING, "To the first line"),
    row!(
        Bottom,
        "move.bottom",
        "bottom",
        ["end", "G"],
        MOVING,
        "To the last line; output follows from there"
    ),
    row!(FocusNext, "pane.next", "next pane", ["tab"], BOARD, "Go to the next pane"),
    row!(FocusPrevious, "pane.previous", "previous pane", ["shift-tab"], BOARD, "Go to the previous pane"),
    row!(Zoom, "pane.zoom", "zoom", ["z"], BOARD, "Show this pane at full size, or all of them again"),
    // Forms.
    row!(
        Submit,
        "form.submit",
        "submit",
        ["ctrl-s"],
        &[Form],
        "Send the form (also: Tab to its button, then Enter)"
    ),
    row!(Editor, "form.editor", "editor", ["ctrl-e"], &[Form], "Write this field in $VISUAL or $EDITOR"),
    row!(FieldNext, "form.next", "next field", ["tab"], &[Form], "Go to the next field"),
    row!(
        FieldPrevious,
        "form.previous",
        "previous field",
        ["shift-tab"],
        &[Form],
        "Go to the previous field"
    ),
    row!(Discard, "form.discard", "discard", ["ctrl-x"], &[Form], "Empty the form and drop its draft (asks)"),
    row!(
        OtherDraft,
        "form.other-draft",
        "other draft",
        ["ctrl-o"],
        &[Form],
        "Take the draft that was there before you typed; again: back to what you typed"
    ),
    // The console.
    row!(
        Init,
        "init",
        "make a planfile",
        ["i"],
        &[Init],
        "Make a planfile with the starter tickets in this folder"
    ),
    row!(
        Reload,
        "reload",
        "reload",
        ["ctrl-r"],
        SCREENS,
        "Read the planfile again; in a diff: compare again; of promotions: look again"
    ),
    row!(Help, "help", "keys", ["?"], SCREENS, "The keys that work here"),
    row!(Palette, "palette", "palette", [":", "ctrl-p"], SCREENS, "Search every action by name"),
    row!(
        History,
        "messages",
        "messages",
        ["M"],
        &[Board, Review, Promotions],
        "Everything that was said, newest first"
    ),
    row!(
        Audit,
        "audit",
        "audit",
        ["H"],
        BOARD,
        "What people did here and what broke the policy: who, when, about which state"
    ),
    row!(Theme, "theme", "theme", ["T"], SCREENS, "Choose the colours"),
    row!(Repaint, "repaint", "repaint", ["ctrl-l"], EVERYWHERE, "Paint every cell again"),
    row!(Suspend, "suspend", "suspend", ["ctrl-z"], EVERYWHERE, "Back to the shell; `fg` returns"),
    row!(Back, "back", "back", ["esc"], EVERYWHERE, "Close this, or step back; a form keeps its draft"),
    row!(Close, "close", "close", ["q"], &[List], "Close what lies over the board"),
    row!(Accept, "accept", "accept", ["enter"], &[List], "Take the selected line"),
    row!(Quit, "quit", "quit", ["q", "ctrl-c"], PAGES, "Leave; asks while runs are active"),
];

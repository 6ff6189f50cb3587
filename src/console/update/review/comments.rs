//! Comments on lines: written, changed, dropped, put elsewhere, sent once.

use super::super::super::actions::Action;
use super::super::super::layers::confirm::Confirmed;
use super::super::super::layers::menu::{Choice, Menu};
use super::super::super::layers::message::{CommentPlace, Purpose};
use super::super::super::layers::{Confirm, Layer};
use super::super::super::review::layout::Row;
use super::super::super::review::notes::{self, Stands, What};
use super::super::super::review::{Part, ReviewScreen};
use super::super::super::state::{Console, NoticeKind, Pending, Then};
use super::super::super::words;
use super::super::decide::is_resolvable;
use crate::base::text::safe_text;
use crate::plan::ticket::TicketId;
use crate::runtime::fixlist;
use crate::runtime::protocol::diff::{Anchor, Comment, MOST_LINES, NotebookChange, TextSide};
use crate::runtime::protocol::review::Finding;
use crate::runtime::protocol::{Command, Resolution, ReviewCommand, RunCommand};

impl Console {
    pub(super) fn comment_action(&mut self, action: Action) {
        let done = match action {
            Action::ReviewComment => self.open_comment(),
            Action::ReviewDrop => self.ask_drop(),
            Action::ReviewPlace => self.open_place_menu(),
            _ => self.send_comments(),
        };
        if let Err(reason) = done {
            self.say(NoticeKind::Refused, reason);
        }
    }

    /// Opens the form for the selected lines, or for the comment under the cursor.
    fn open_comment(&mut self) -> Result<(), String> {
        let screen = self.review().ok_or("no review is open")?;
        let (place, text) = match own_comment(screen) {
            Some(comment) if screen.anchor.is_none() => (CommentPlace::of(comment), comment.text.clone()),
            _ => (selected(screen)?, String::new()),
        };
        let ticket = screen.ticket.clone();
        self.open_message(ticket, Purpose::Comment(Box::new(place)));
        if let Some(Layer::Message(form)) = self.layers.last_mut()
            && !text.is_empty()
        {
            form.begin_with(text);
        }
        if let Some(screen) = self.review_mut() {
            screen.anchor = None;
        }
        Ok(())
    }

    /// Keeps what was written; the form comes back when it is empty.
    pub(in crate::console::update) fn keep_comment(
        &mut self,
        ticket: &TicketId,
        place: CommentPlace,
        text: String,
        key: String,
    ) {
        let at = self.now;
        let named = (place.file.clone(), place.first);
        let id = place.id.clone().unwrap_or_else(|| {
            let seed = format!("{}\0{}\0{}\0{at}", place.file, place.first, place.last);
            format!("c-{}", Finding::key(Some(&seed), &text))
        });
        let comment = Comment {
            id,
            file: place.file,
            side: place.side,
            first: place.first,
            last: place.last,
            anchor: place.anchor,
            near: place.near,
            text,
            actor: self.snapshot.actor.clone(),
            at,
            sent: None,
        };
        let done = format!("the comment on {}:{} is kept", safe_text(&named.0), named.1);
        let pending = Pending { done, then: Then::FormSent(key) };
        self.note(ticket.clone(), NotebookChange::Keep { comment }, pending);
    }

    fn ask_drop(&mut self) -> Result<(), String> {
        let screen = self.review().ok_or("no review is open")?;
        let stale = stale_comments(screen).next();
        let comment = any_comment(screen).or(stale).ok_or("put the cursor on a comment")?;
        let detail = safe_text(&comment.text).truncate_end(60).to_string();
        let then = Confirmed::DropComment(screen.ticket.clone(), comment.id.clone());
        let question = format!("drop the comment on {}:{}?", safe_text(&comment.file), comment.first);
        self.layers.push(Layer::Confirm(Confirm { question, detail, yes: "drop", then }));
        Ok(())
    }

    /// Offers the stale comments for the selected lines.
    fn open_place_menu(&mut self) -> Result<(), String> {
        let screen = self.review().ok_or("no review is open")?;
        let place = selected(screen)?;
        let stale: Vec<&Comment> = stale_comments(screen).collect();
        if stale.is_empty() {
            return Err("no comment is stale".to_owned());
        }
        let items = stale
            .into_iter()
            .map(|comment| {
                let text =
                    format!("{}:{}  {}", safe_text(&comment.file), comment.first, safe_text(&comment.text));
                let moved = Comment {
                    file: place.file.clone(),
                    side: place.side,
                    first: place.first,
                    last: place.last,
                    anchor: place.anchor.clone(),
                    near: place.near,
                    ..comment.clone()
                };
                (text, Choice::PlaceComment(screen.ticket.clone(), Box::new(moved)))
            })
            .collect();
        let title = format!("which comment belongs to {}:{}?", safe_text(&place.file), place.first);
        self.layers.push(Layer::Menu(Menu::new(title, items, 0)));
        Ok(())
    }

    /// Sends every comment that stands, once.
    fn send_comments(&mut self) -> Result<(), String> {
        let screen = self.review().ok_or("no review is open")?;
        let seen = screen.drawn.clone().ok_or(
            "comments are sent about a commit; look at a round or at the whole ticket (they are kept until then)",
        )?;
        let waiting = screen.notebook.comments.iter().filter(|comment| comment.sent.is_none());
        let (mut ready, mut stale, mut unsure, mut elsewhere) = (Vec::new(), 0, 0, 0);
        for comment in waiting.filter(|comment| !self.sending.contains(&comment.id)) {
            match notes::standing(screen, comment).1 {
                Stands::Here => ready.push(comment),
                Stands::Stale => stale += 1,
                Stands::Unknown => unsure += 1,
                Stands::Elsewhere => elsewhere += 1,
            }
        }
        if unsure > 0 {
            return Err(
                "it is still being looked whether the code under the comments moved; press again".to_owned()
            );
        }
        if ready.is_empty() {
            return Err(match (stale, elsewhere) {
                (0, 0) => {
                    format!("there is no comment to send; {} writes one", self.key_of(Action::ReviewComment))
                }
                (0, _) => format!(
                    "{} not about what is shown; look at the whole ticket to send ({} chooses what is compared)",
                    words::count(elsewhere, "comment is", "comments are"),
                    self.key_of(Action::ReviewRange)
                ),
                _ => format!(
                    "the code under {} moved; {} puts one elsewhere, {} drops one",
                    words::count(stale, "comment", "comments"),
                    self.key_of(Action::ReviewPlace),
                    self.key_of(Action::ReviewDrop)
                ),
            });
        }
        let findings: Vec<Finding> = ready.iter().map(|comment| comment.finding(&seen)).collect();
        let ids: Vec<String> = ready.iter().map(|comment| comment.id.clone()).collect();
        let ticket = screen.ticket.clone();
        if !self.snapshot.reviews.contains_key(&ticket) {
            return self.send_as_note(ticket, ids, &findings);
        }
        let mut rest = if stale > 0 { format!("; {stale} stale stay here") } else { String::new() };
        if elsewhere > 0 {
            rest += &format!("; look at the whole ticket to send {elsewhere} more");
        }
        let done = format!("{} sent to the next round{rest}", words::count(ids.len(), "comment", "comments"));
        self.sending.extend(ids.iter().cloned());
        let command = ReviewCommand::SendFindings { ticket: ticket.clone(), seen, findings };
        self.send(Command::Review(command), Pending { done, then: Then::CommentsSent { ticket, ids } });
        Ok(())
    }

    /// Work that is in no rounds is worked on once more, with the comments as what its agent is told after the brief.
    fn send_as_note(
        &mut self,
        ticket: TicketId,
        ids: Vec<String>,
        findings: &[Finding],
    ) -> Result<(), String> {
        let run = self.run_of(&ticket).filter(|run| is_resolvable(run)).map(|run| run.id.clone());
        let run =
            run.ok_or("nobody would be told: it is under no review, and no run of this session waits")?;
        let note =
            format!("The operator looked at the work and asks for this:\n\n{}", fixlist::write(findings));
        let done = format!("{} sent to the next run", words::count(ids.len(), "comment", "comments"));
        self.sending.extend(ids.iter().cloned());
        let command = RunCommand::Resolve { run, how: Resolution::Retry, note: Some(note) };
        self.send(Command::Run(command), Pending { done, then: Then::CommentsSent { ticket, ids } });
        Ok(())
    }

    /// The comments were sent, or not.
    pub(in crate::console::update) fn comments_sent(
        &mut self,
        ticket: TicketId,
        ids: Vec<String>,
        sent: bool,
    ) {
        if !sent {
            return self.sending.retain(|id| !ids.contains(id));
        }
        // Only the notebook says that they were sent; until it does, they stay among those that are on their way.
        let pending = Pending { done: String::new(), then: Then::CommentsMarked };
        self.note(ticket, NotebookChange::Sent { ids, at: self.now }, pending);
    }
}

/// The comment under the cursor: that of its note, or that of its line.
fn any_comment(screen: &ReviewScreen) -> Option<&Comment> {
    let row = screen.row()?;
    if let Row::Note { note, .. } = row {
        let What::Comment(id) = &screen.notes.get(note)?.what else { return None };
        return screen.notebook.comments.iter().find(|comment| comment.id == *id);
    }
    let file = screen.entry()?.path.as_str();
    screen.notebook.comments.iter().find(|comment| {
        let line = row.line(comment.side).map(|line| line + 1);
        comment.file == file
            && line.is_some_and(|line| (comment.first..=comment.last).contains(&line))
            && notes::standing(screen, comment).1 == Stands::Here
    })
}

/// The comments that wait for a hand, since the code under them moved.
fn stale_comments(screen: &ReviewScreen) -> impl Iterator<Item = &Comment> {
    let waiting = screen.notebook.comments.iter().filter(|comment| comment.sent.is_none());
    waiting.filter(|comment| notes::standing(screen, comment).1 == Stands::Stale)
}

fn own_comment(screen: &ReviewScreen) -> Option<&Comment> {
    any_comment(screen).filter(|comment| comment.sent.is_none())
}

/// Whether a comment can be written, or changed, where the cursor stands.
pub(super) fn commentable(screen: &ReviewScreen) -> Result<(), String> {
    match own_comment(screen).is_some() && screen.anchor.is_none() {
        true => Ok(()),
        false => selected(screen).map(drop),
    }
}

/// The selected lines as a place for a comment.
fn selected(screen: &ReviewScreen) -> Result<CommentPlace, String> {
    let body = screen.body().ok_or("the text is not there yet")?;
    let entry =
        screen.entry().filter(|_| screen.part == Part::Text).ok_or("put the cursor on a line of the text")?;
    let (from, to) = screen.selection();
    let lines = |side: TextSide| {
        let mut all = (from..=to).filter_map(|row| screen.layout.row(row)?.line(side));
        let first = all.next()?;
        Some((first + 1, all.next_back().unwrap_or(first) + 1))
    };
    let (side, (first, last)) = match (lines(TextSide::New), lines(TextSide::Old), noted_line(screen)) {
        (Some(lines), ..) => (TextSide::New, lines),
        (None, Some(lines), _) => (TextSide::Old, lines),
        (None, None, Some((side, line))) => (side, (line + 1, line + 1)),
        (None, None, None) => return Err("put the cursor on a line of the text".to_owned()),
    };
    if last - first >= MOST_LINES {
        return Err(format!("a comment is about {MOST_LINES} lines at most"));
    }
    let blob = screen.blob_of(screen.file, side).ok_or("the file is still being read; press again")?;
    let text = if side == TextSide::Old { &body.old } else { &body.new };
    let near = (side == TextSide::Old).then(|| {
        let block =
            body.blocks.iter().find(|block| (block.old..block.old + block.old_len).contains(&(first - 1)));
        block.map_or(first, |block| (block.new + 1).min(body.new.len()).max(1))
    });
    let anchor = Anchor::of(text, blob, first, last);
    Ok(CommentPlace { id: None, file: entry.path.clone(), side, first, last, anchor, near })
}

/// The line of the finding or comment under the cursor: whoever comments there means that line.
fn noted_line(screen: &ReviewScreen) -> Option<(TextSide, u32)> {
    match screen.row()? {
        Row::Note { note, .. } => screen.notes.get(note)?.at,
        _ => None,
    }
}

//! What the operator wrote about lines of a diff, until it is sent as findings.
//!
//! Owned by the notebook of the ticket, `.koru/loop/<ticket>/comments.json` ([`store`]), which also keeps which files
//! were viewed. Invariant: a comment stands where it was written and nowhere else. Whether it still does is asked of the
//! content it was written on ([`Comment::standing`]); when the code moved it is [`Standing::Stale`], and only the
//! operator puts it elsewhere.

pub mod store;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::verify::diff::Lines;
use crate::verify::finding::{Finding, Severity, Source};
use crate::verify::rounds::{Review, Stage};

/// Lines around a comment that have to be the same where the file is another one.
const AROUND: u32 = 3;

/// Most lines that a comment may be about.
pub const MOST_LINES: u32 = 200;

/// Sent comments that a notebook keeps; of more the ones that were sent first go.
const SENT: usize = 100;

/// Most lines that a finding quotes.
const QUOTED: usize = 20;

/// Which text of a diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextSide {
    /// Before: a comment on lines that were removed.
    Old,
    /// Now.
    New,
}

/// A comment on lines of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Its name within the notebook; also the id of the finding that it becomes.
    pub id: String,
    /// Path from the project's folder, as the diff names it.
    pub file: String,
    /// Which text.
    pub side: TextSide,
    /// First line, from 1.
    pub first: u32,
    /// Last line.
    pub last: u32,
    /// What stood there and in up to three lines before and after, for telling whether it still does.
    pub anchor: Anchor,
    /// For lines that were removed: the line of the present text at which they were.
    #[serde(default)]
    pub near: Option<u32>,
    /// What the operator says.
    pub text: String,
    /// Who.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// When it was sent.
    #[serde(default)]
    pub sent: Option<Timestamp>,
}

/// The content that a comment was written on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// Id of the file's content, 40 hexadecimal digits.
    pub blob: String,
    /// Lines before, the lines themselves, lines after.
    pub lines: Vec<String>,
    /// How many of them stand before.
    pub before: u32,
}

/// Whether a comment stands where it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The same lines are at the same place.
    Here,
    /// The code moved, or the file is gone.
    Stale,
    /// The file is another one and was not looked into yet.
    Unknown,
}

impl Anchor {
    /// Of the lines `first..=last` (from 1) of `text`, whose id is `blob`.
    pub fn of(text: &Lines, blob: &str, first: u32, last: u32) -> Anchor {
        let begin = first.saturating_sub(1 + AROUND);
        let end = last.saturating_add(AROUND).min(text.len());
        let lines = (begin..end).filter_map(|number| text.get(number)).map(str::to_owned).collect();
        Anchor { blob: blob.to_owned(), lines, before: first.saturating_sub(1) - begin }
    }

    /// Whether `text` has the same lines at the same numbers. Asked with every frame, so nothing is copied.
    fn stands_in(&self, text: &Lines, first: u32, last: u32) -> bool {
        let begin = first.saturating_sub(1 + AROUND);
        let end = last.saturating_add(AROUND).min(text.len());
        let now = (begin..end).filter_map(|number| text.get(number));
        self.before == first.saturating_sub(1) - begin && now.eq(self.lines.iter().map(String::as_str))
    }
}

impl Comment {
    /// Whether it stands in a file whose content is `blob` (`None`: the file is not there) and, when that is known,
    /// `text`. Where the content is another one it stands only when its lines and those around them are the same ones at
    /// the same numbers.
    pub fn standing(&self, blob: Option<&str>, text: Option<&Lines>) -> Standing {
        match (blob, text) {
            (None, _) => Standing::Stale,
            (Some(blob), _) if blob == self.anchor.blob => Standing::Here,
            (Some(_), None) => Standing::Unknown,
            (Some(_), Some(text)) if self.anchor.stands_in(text, self.first, self.last) => Standing::Here,
            (Some(_), Some(_)) => Standing::Stale,
        }
    }

    /// The lines that it is about.
    pub fn lines(&self) -> &[String] {
        let first = (self.anchor.before as usize).min(self.anchor.lines.len());
        let count = (self.last.saturating_sub(self.first) + 1) as usize;
        &self.anchor.lines[first..(first + count).min(self.anchor.lines.len())]
    }

    /// As what it is sent by somebody who looked at `commit`: a finding that must be mended. It quotes its lines, as a
    /// later round may have them under other numbers, or no more; one on removed lines names the line where they were.
    pub fn finding(&self, commit: &str) -> Finding {
        let commit: String = commit.chars().take(12).collect();
        let (line, end_line, about) = match self.side {
            TextSide::New => {
                let end_line = (self.last > self.first).then_some(self.last);
                (Some(self.first), end_line, format!("About these lines of {commit}:"))
            }
            TextSide::Old => (self.near, None, format!("About lines that {commit} has no more:")),
        };
        let reason = format!("{}\n{about}\n{}", self.text, self.quoted());
        Finding {
            id: self.id.clone(),
            severity: Severity::High,
            blocking: true,
            file: Some(self.file.clone()),
            line,
            end_line,
            reason,
            required_change: None,
            source: Source::Operator { actor: self.actor.clone() },
            dimension: None,
            confidence: None,
        }
    }
}

impl Comment {
    /// The lines that it is about, as a quote; of many the first.
    fn quoted(&self) -> String {
        let lines = self.lines();
        let mut quoted: Vec<String> = lines.iter().take(QUOTED).map(|line| format!("> {line}")).collect();
        if lines.len() > QUOTED {
            quoted.push(format!("> … {} lines more", lines.len() - QUOTED));
        }
        quoted.join("\n")
    }
}

/// All that the operator noted about one ticket's diffs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notebook {
    /// Version of the file.
    pub format: u32,
    /// Comments in the order they were written.
    #[serde(default)]
    pub comments: Vec<Comment>,
    /// Files that were viewed, with the id of the content that was.
    #[serde(default)]
    pub viewed: BTreeMap<String, String>,
}

/// One change of a notebook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum NotebookChange {
    /// Nothing: it is only read.
    Read,
    /// A comment is kept; one with the same id is replaced.
    Keep {
        /// The comment.
        comment: Comment,
    },
    /// A comment is dropped.
    Drop {
        /// Its id.
        id: String,
    },
    /// Comments were sent.
    Sent {
        /// Their ids.
        ids: Vec<String>,
        /// When.
        at: Timestamp,
    },
    /// A file was viewed, or is not any more.
    Viewed {
        /// Its path.
        file: String,
        /// The content that was; `None` takes the mark away.
        blob: Option<String>,
    },
}

impl Notebook {
    /// Makes the change.
    pub fn apply(&mut self, change: NotebookChange) {
        match change {
            NotebookChange::Read => {}
            NotebookChange::Keep { comment } => {
                match self.comments.iter_mut().find(|held| held.id == comment.id) {
                    Some(held) => *held = comment,
                    None => self.comments.push(comment),
                }
            }
            NotebookChange::Drop { id } => self.comments.retain(|held| held.id != id),
            NotebookChange::Sent { ids, at } => {
                for held in self.comments.iter_mut().filter(|held| ids.contains(&held.id)) {
                    held.sent = Some(at);
                }
            }
            NotebookChange::Viewed { file, blob: Some(blob) } => drop(self.viewed.insert(file, blob)),
            NotebookChange::Viewed { file, blob: None } => drop(self.viewed.remove(&file)),
        }
    }
}

impl Notebook {
    /// Drops sent comments that are answered: the round that was given them was judged, and another one follows or the
    /// work is decided. Of those that were sent and are not answered so many are kept as [`SENT`] says; what was not sent
    /// stays.
    fn prune(&mut self, review: Option<&Review>) {
        let answered = |id: &String| review.is_some_and(|review| is_answered(review, id));
        self.comments.retain(|held| held.sent.is_none() || !answered(&held.id));
        let mut sent: Vec<Timestamp> = self.comments.iter().filter_map(|held| held.sent).collect();
        sent.sort_unstable();
        let Some(over) = sent.len().checked_sub(SENT).filter(|over| *over > 0) else { return };
        let mut over = over;
        let oldest = sent[over - 1];
        self.comments.retain(|held| {
            let goes = over > 0 && held.sent.is_some_and(|sent| sent <= oldest);
            over -= usize::from(goes);
            !goes
        });
    }
}

/// Whether the round that was to mend the finding `id` is over and judged.
fn is_answered(review: &Review, id: &str) -> bool {
    let decided = matches!(review.stage, Stage::Approved | Stage::Ended { .. });
    let newest = review.rounds.last().map(|round| round.number);
    review.rounds.iter().any(|round| {
        let given = round.fixes.iter().any(|finding| finding.id == id);
        given && (decided || round.verdict.is_some() && newest > Some(round.number))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ticket::TicketId;
    use crate::verify::rounds::Round;
    use crate::verify::verdict::{Decision, Verdict};

    #[test]
    fn sent_comments_go_when_their_round_was_judged_and_are_never_more_than_a_few() {
        let text = lines("a\nb\nc\n");
        let sent = |id: usize| Comment {
            id: format!("c{id}"),
            sent: Timestamp::from_second(i64::try_from(id).unwrap()).ok(),
            ..comment(&text, 2, 2)
        };
        let kept = |book: &Notebook| book.comments.iter().map(|held| held.id.clone()).collect::<Vec<_>>();
        let round = |number, fixes: &[usize], judged: bool| Round {
            number,
            from: String::new(),
            head: None,
            fixes: fixes.iter().map(|id| sent(*id).finding("1")).collect(),
            worker: None,
            gates: Vec::new(),
            reviewer: None,
            verdict: judged.then(|| Verdict {
                decision: Decision::ChangesRequired,
                summary: String::new(),
                findings: Vec::new(),
                by: Source::Operator { actor: "ada".to_owned() },
                head: None,
            }),
        };
        let review = |stage, rounds| Review {
            ticket: TicketId::new("PLF-1"),
            max_rounds: 9,
            base: String::new(),
            rounds,
            stage,
            reviewer: None,
            gated: None,
        };
        let unsent = Comment { sent: None, ..sent(3) };
        let book = Notebook { comments: vec![sent(1), sent(2), unsent], ..Notebook::default() };
        let after = |review: Option<&Review>| {
            let mut book = book.clone();
            book.prune(review);
            kept(&book)
        };
        assert_eq!(after(None), ["c1", "c2", "c3"]);
        let judged = review(Stage::Reviewing, vec![round(1, &[1, 3], true)]);
        assert_eq!(after(Some(&judged)), ["c1", "c2", "c3"], "nobody has looked at the verdict yet");
        let next = review(Stage::Working, vec![round(1, &[1, 3], true), round(2, &[2], false)]);
        assert_eq!(after(Some(&next)), ["c2", "c3"], "what was not sent stays");
        let over = review(Stage::Approved, next.rounds.clone());
        assert_eq!(after(Some(&over)), ["c3"]);
        let mut many = Notebook { comments: (1..=SENT + 2).map(sent).collect(), ..Notebook::default() };
        many.prune(None);
        assert_eq!((many.comments.len(), many.comments[0].id.as_str()), (SENT, "c3"));
    }

    fn lines(text: &str) -> Lines {
        Lines::of(text.to_owned())
    }

    fn comment(text: &Lines, first: u32, last: u32) -> Comment {
        Comment {
            id: "c1".to_owned(),
            file: "a.rs".to_owned(),
            side: TextSide::New,
            first,
            last,
            anchor: Anchor::of(text, "one", first, last),
            near: None,
            text: "why?".to_owned(),
            actor: "ada".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            sent: None,
        }
    }

    #[test]
    fn a_comment_stands_only_where_the_code_has_not_moved() {
        let text = lines("a\nb\n}\nd\ne\nf\ng\nh\ni\n}\nk\n");
        let note = comment(&text, 3, 3);
        let standing = |blob, text: Option<&str>| note.standing(blob, text.map(lines).as_ref());
        assert_eq!(standing(Some("one"), None), Standing::Here);
        assert_eq!(standing(Some("two"), None), Standing::Unknown);
        assert_eq!(standing(None, None), Standing::Stale);
        let far = "a\nb\n}\nd\ne\nf\ng\nh\nother\n}\nk\n";
        assert_eq!(standing(Some("two"), Some(far)), Standing::Here, "what changed is far away");
        let moved = "new\na\nb\n}\nd\ne\nf\ng\nh\ni\n}\nk\n";
        assert_eq!(standing(Some("two"), Some(moved)), Standing::Stale, "its lines are elsewhere now");
        let like = "x\ny\n}\nz\ne\nf\ng\n";
        assert_eq!(standing(Some("two"), Some(like)), Standing::Stale, "a brace alone is no place");
    }

    #[test]
    fn it_becomes_a_finding_that_blocks() {
        let text = lines("a\nb\nc\n");
        let found = comment(&text, 2, 3).finding("0123456789abcdef");
        assert_eq!((found.line, found.end_line, found.blocking), (Some(2), Some(3), true));
        assert_eq!(
            (found.id.as_str(), found.reason.as_str()),
            ("c1", "why?\nAbout these lines of 0123456789ab:\n> b\n> c")
        );
        let gone = Comment { side: TextSide::Old, near: Some(7), ..comment(&text, 2, 3) };
        let gone = gone.finding("0123456789abcdef");
        assert_eq!((gone.line, gone.end_line), (Some(7), None));
        assert_eq!(gone.reason, "why?\nAbout lines that 0123456789ab has no more:\n> b\n> c");
        let long = lines(&"x\n".repeat(30));
        let reason = comment(&long, 1, 30).finding("0123456789abcdef").reason;
        assert!(reason.ends_with("> x\n> … 10 lines more"), "{reason}");
    }
}

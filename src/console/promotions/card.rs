//! The card of one promotion: what would land and where, why that is safe, what it costs, what undoing it would do, and
//! what was done with it.
//!
//! Wrapped once for a promotion, what lands at the moment and a width, and kept; drawing copies lines. Times are exact
//! here, so nothing in it ages.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::super::glyphs::Glyphs;
use super::super::source::Line;
use super::super::theme::Role;
use super::super::view::text::wrap;
use super::super::words;
use super::{risk, shape};
use crate::base::text::safe_text;
use crate::runtime::protocol::promotion::{
    Landed, LandingView, Onto, Promotion, PromotionView, PromotionsView, State, Way,
};
use crate::runtime::protocol::review::Decision;
use crate::runtime::protocol::{GateResult, GateState};

/// Columns of the names of facts.
const NAMES: usize = 9;

/// Paths that are named.
const PATHS: usize = 40;

/// Digits of a commit.
const DIGITS: usize = 12;

/// What a card says beside its promotion.
pub(crate) struct Around<'a> {
    pub(crate) view: &'a PromotionsView,
    pub(crate) glyphs: &'static Glyphs,
    pub(crate) zone: &'a TimeZone,
    /// The key that stops the checks.
    pub(crate) stop: String,
}

/// The wrapped text of one promotion.
#[derive(Debug, Default)]
pub(crate) struct Card {
    key: Option<(Arc<PromotionView>, Option<LandingView>, Onto, usize)>,
    pub(crate) lines: Vec<Line>,
}

impl Card {
    /// Wraps again where anything in it changed.
    pub(crate) fn refresh(&mut self, one: Option<&Arc<PromotionView>>, around: &Around<'_>, width: usize) {
        let Some(one) = one else {
            *self = Card::default();
            return;
        };
        let landing = around.view.landing.clone().filter(|landing| landing.id == one.promotion.id);
        let same = self.key.as_ref().is_some_and(|(of, lands, onto, at)| {
            Arc::ptr_eq(of, one) && *lands == landing && *onto == around.view.onto && *at == width
        });
        if !same {
            let mut text = Text { around, width, lines: Vec::new() };
            text.card(one, landing.as_ref());
            self.lines = text.lines;
            self.key = Some((Arc::clone(one), landing, around.view.onto, width));
        }
    }
}

struct Text<'a> {
    around: &'a Around<'a>,
    width: usize,
    lines: Vec<Line>,
}

impl Text<'_> {
    fn card(&mut self, one: &PromotionView, landing: Option<&LandingView>) {
        let promotion = &one.promotion;
        self.head(promotion);
        self.now(promotion, landing);
        self.fact("lands", &self.lands(one), Role::Text);
        let from = format!("{}, of {}", short(&promotion.base), safe_text(&promotion.branch));
        self.fact("from", &from, Role::Text);
        let diff = &promotion.diff;
        let files = words::count(diff.files as usize, "file", "files");
        self.pieces(
            "changes",
            vec![
                (files, Role::Text),
                (format!("  +{}", diff.added), Role::DiffAdd),
                (format!(" −{}", diff.removed), Role::DiffRemove),
            ],
        );
        self.checks(&promotion.checks);
        self.verdict(promotion);
        let (word, role) = risk(promotion.risk);
        self.fact("risk", word, role);
        for reason in &promotion.reasons {
            self.fact("", safe_text(reason).as_str(), role);
        }
        let cost = promotion.cost.map_or("not known".to_owned(), words::cost);
        self.fact("cost", &cost, if promotion.cost.is_some() { Role::Text } else { Role::Dim });
        self.undoing(promotion);
        for (at, path) in diff.paths.iter().take(PATHS).enumerate() {
            self.fact(if at == 0 { "files" } else { "" }, safe_text(path).as_str(), Role::Text);
        }
        let more = (diff.files as usize).saturating_sub(PATHS.min(diff.paths.len()));
        if more > 0 {
            self.fact("", &format!("and {more} more"), Role::Dim);
        }
        for (at, deed) in promotion.history.iter().rev().enumerate() {
            let name = if at == 0 { "history" } else { "" };
            let when = words::exact(deed.at, self.around.zone);
            let text = format!("{when}  {}: {}", safe_text(&deed.by), safe_text(&deed.what));
            self.fact(name, &text, Role::Dim);
        }
        self.fact("diff", &format!("sha256 {}", safe_text(&diff.hash)), Role::Dim);
    }

    fn head(&mut self, promotion: &Promotion) {
        let id = words::safe(&promotion.ticket);
        let title = safe_text(&promotion.title);
        let mut rows = wrap(&format!("{id}  {title}"), self.width).into_iter();
        if let Some(first) = rows.next() {
            let (name, rest) = first.split_at(id.len().min(first.len()));
            self.lines.push(vec![(name.to_owned(), Role::Accent), (rest.to_owned(), Role::Text)]);
        }
        self.lines.extend(rows.map(|row| vec![(row, Role::Text)]));
    }

    /// What it is now, and what keeps it from landing.
    fn now(&mut self, promotion: &Promotion, landing: Option<&LandingView>) {
        let (glyph, word, role) = shape(promotion, self.around.glyphs);
        if let Some(landing) = landing {
            let stop = &self.around.stop;
            let say = match (landing.stopping, landing.says.as_str()) {
                (true, _) => "its checks are being stopped; nothing lands".to_owned(),
                (false, "") => "is landing…".to_owned(),
                (false, says) => format!("its checks run ({stop} stops them): {}", safe_text(says)),
            };
            self.say(&format!("{} {say}", self.around.glyphs.running), Role::Running);
            return;
        }
        let zone = self.around.zone;
        let by =
            |who: &str, at: jiff::Timestamp| format!("by {}, {}", safe_text(who), words::exact(at, zone));
        let text = match (&promotion.state, &promotion.blocked) {
            (State::Pending, Some(why)) => format!("may not land: {}", safe_text(why)),
            (State::Pending, None) => "waits to land".to_owned(),
            (State::Landing(_) | State::Undoing { .. }, _) => format!("{word} in another process"),
            (State::Applied(landed), _) => format!("landed {}", by(&landed.by, landed.at)),
            (State::Undone { by: who, at, .. }, _) => {
                format!("taken back {}; it may land again", by(who, *at))
            }
            (State::Rejected { reason, by: who, at }, _) => {
                format!("rejected {}: {}", by(who, *at), safe_text(reason))
            }
            (State::Expired { why, .. }, _) => format!("expired: {}", safe_text(why)),
        };
        self.say(&format!("{glyph} {text}"), role);
    }

    /// What lands where, and how.
    fn lands(&self, one: &PromotionView) -> String {
        let promotion = &one.promotion;
        let (head, base) = (short(&promotion.head), safe_text(&promotion.base_branch));
        let moved = |landed: &Landed| {
            let way = match landed.way {
                Way::Forward => "which went forward to it",
                Way::Rebased => "put on top of it",
                Way::Merged => "by a merge",
                Way::Contained => "which held it already",
            };
            format!("{head} on {base}, {way}; now at {}", short(&landed.going.to))
        };
        match &promotion.state {
            State::Applied(landed) | State::Landing(landed) => return moved(landed),
            State::Undone { back, .. } => {
                return format!("{head} on {base}, which is back at {}", short(&back.to));
            }
            _ => {}
        }
        match (one.base_ahead, self.around.view.onto) {
            (None, _) => format!("{head} on {base}"),
            (Some(0), _) => format!("{head} on {base}, which goes forward to it"),
            (Some(ahead), onto) => {
                let ahead = words::count(ahead as usize, "commit", "commits");
                let how = match onto {
                    Onto::Rebase => "the work is put on top of them and checked again first",
                    Onto::Merge => "both are merged and checked again first",
                    Onto::FastForward => "and only a fast-forward is allowed (promotion.onto)",
                };
                format!("{head} on {base}, which has {ahead} more: {how}")
            }
        }
    }

    fn checks(&mut self, checks: &[GateResult]) {
        if checks.is_empty() {
            return self.fact("checks", "none ran on this commit", Role::Warning);
        }
        let glyphs = self.around.glyphs;
        for (at, check) in checks.iter().enumerate() {
            let gate = safe_text(&check.gate);
            let (text, role) = match &check.state {
                GateState::Passed => (format!("{} {gate} passed", glyphs.done), Role::Done),
                GateState::Failed { .. } => (format!("{} {gate} failed", glyphs.failed), Role::Failed),
                GateState::Skipped { why } => {
                    (format!("{} {gate} skipped: {}", glyphs.waiting, safe_text(why)), Role::Dim)
                }
                GateState::Waived { .. } => (format!("{} {gate} waived", glyphs.waiting), Role::Warning),
            };
            self.fact(if at == 0 { "checks" } else { "" }, &text, role);
        }
    }

    fn verdict(&mut self, promotion: &Promotion) {
        let Some(verdict) = &promotion.verdict else {
            return self.fact("verdict", "nobody has reviewed this commit", Role::Dim);
        };
        let role = match verdict.decision {
            Decision::Approve => Role::Done,
            _ => Role::Warning,
        };
        let findings = words::count(verdict.findings as usize, "finding", "findings");
        let text = format!(
            "{} by {}, round {}: {findings}, {} blocking",
            verdict.decision.word(),
            safe_text(&verdict.by),
            verdict.round,
            verdict.blocking
        );
        self.fact("verdict", &text, role);
    }

    fn undoing(&mut self, promotion: &Promotion) {
        if let State::Applied(landed) = &promotion.state {
            let base = safe_text(&promotion.base_branch);
            let text = format!(
                "{base} returns to {}; once somebody built on it or a remote has it, a commit takes it out",
                short(&landed.going.from)
            );
            self.fact("undo", &text, Role::Dim);
        }
    }

    fn fact(&mut self, name: &str, text: &str, role: Role) {
        let room = self.width.saturating_sub(NAMES).max(8);
        for (at, row) in wrap(text, room).into_iter().enumerate() {
            let name = if at == 0 { name } else { "" };
            self.lines.push(vec![(format!("{name:<NAMES$}"), Role::Dim), (row, role)]);
        }
    }

    fn pieces(&mut self, name: &str, pieces: Line) {
        let lead = (format!("{name:<NAMES$}"), Role::Dim);
        self.lines.push(std::iter::once(lead).chain(pieces).collect());
    }

    fn say(&mut self, text: &str, role: Role) {
        self.lines.extend(wrap(text, self.width).into_iter().map(|row| vec![(row, role)]));
    }
}

/// A commit as it is shown; ours, but read from a file.
fn short(commit: &str) -> String {
    safe_text(commit).as_str().chars().take(DIGITS).collect()
}

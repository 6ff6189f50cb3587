//! A ticket in full: as a pane beside the queue, and as a page of its own.
//!
//! The text is wrapped once for a ticket, a revision and a width, and kept in a [`Cache`]; drawing copies lines. Times
//! are exact here, so nothing in it ages.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::text::safe_text;
use crate::plan::queue::Standing;
use crate::plan::ticket::{Ticket, TicketId};

use super::super::actions::Action;
use super::super::layers::Page;
use super::super::rows::{RowState, held_why};
use super::super::source::{Job, Language, Line};
use super::super::state::{Console, Pane};
use super::super::theme::Role;
use super::super::words;
use super::Areas;
use super::text::{Pen, fit, width, wrap};

mod forms;
mod work;

/// Columns of a label.
const LABEL: usize = 10;

/// What a wrapped text depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    revision: u64,
    colours: u64,
    ticket: TicketId,
    width: u16,
    source: bool,
    beside: bool,
}

/// The wrapped text of one ticket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cache {
    key: Option<Key>,
    lines: Vec<Line>,
    /// Texts that would be coloured.
    jobs: Vec<Job>,
}

impl Cache {
    /// Wraps again when the revision, the colours, the ticket, the width or the side (text, source) changed.
    ///
    /// `beside` says that the output pane stands on the same screen and shows what became of this ticket's run.
    pub(crate) fn refresh(
        &mut self,
        console: &Console,
        id: Option<&TicketId>,
        width: u16,
        source: bool,
        beside: bool,
    ) {
        let Some(ticket) = id.and_then(|id| console.snapshot.plan.ticket(id)) else {
            *self = Cache::default();
            return;
        };
        let key = Key {
            revision: console.snapshot.revision,
            colours: console.sources.version,
            ticket: ticket.id.clone(),
            width,
            source,
            beside,
        };
        if self.key.as_ref() != Some(&key) {
            let mut text = Text::new(console, usize::from(width.saturating_sub(2)), beside);
            if source {
                text.source(ticket)
            } else {
                text.of(ticket)
            }
            (self.lines, self.jobs) = (text.lines, text.jobs);
            self.key = Some(key);
        }
    }

    /// The texts that are not coloured yet; given once a wrap.
    pub(crate) fn jobs(&mut self) -> Vec<Job> {
        std::mem::take(&mut self.jobs)
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }
}

pub(super) fn draw(console: &Console, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let dim = console.theme.style(Role::Dim);
    let alone = area.width == console.size.0;
    if !alone {
        let rule = console.glyphs.horizontal.repeat(usize::from(area.width));
        Pen::new(buffer, area.x, area.y, area.right()).write(&rule, console.theme.style(Role::Rule));
    }
    let mut pen = Pen::new(buffer, area.x, area.y, area.right().saturating_sub(1));
    pen.write(" TICKET ", super::title_style(console, Pane::Detail));
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    if console.detail.cache.lines.is_empty() {
        let say = "No ticket is selected.";
        Pen::new(buffer, body.x + 1, body.y, body.right()).write(if body.is_empty() { "" } else { say }, dim);
        return;
    }
    let (lines, scroll) = (&console.detail.cache.lines, console.detail.scroll);
    if lines.len() > usize::from(body.height) {
        let seen = (scroll + usize::from(body.height)).min(lines.len());
        pen.write_right(&format!(" {seen}/{} ", lines.len()), dim);
    }
    write(console, lines, scroll, body, buffer);
}

/// Draws the page of one ticket over everything but header and footer.
pub(super) fn draw_page(console: &Console, page: &Page, areas: &Areas, buffer: &mut Buffer) {
    let area = areas.body;
    super::fill(buffer, area, console.theme.style(Role::Text));
    if area.is_empty() {
        return;
    }
    let mut pen = Pen::new(buffer, area.x, area.y, area.right().saturating_sub(1));
    pen.write(" TICKET ", console.theme.style(Role::TitleFocus));
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let lines = &page.cache.lines;
    let seen = (page.scroll + usize::from(body.height)).min(lines.len());
    let dim = console.theme.style(Role::Dim);
    if lines.len() > usize::from(body.height) {
        pen.write_right(&format!("{seen}/{}", lines.len()), dim);
    }
    if lines.is_empty() {
        pen.write(&format!("{} is in no file any more", words::safe(&page.ticket)), dim);
    }
    write(console, lines, page.scroll, body, buffer);
}

fn write(console: &Console, lines: &[Line], scroll: usize, area: Rect, buffer: &mut Buffer) {
    for (y, line) in (area.y..area.bottom()).zip(lines.iter().skip(scroll)) {
        let mut pen = Pen::new(buffer, area.x + 1, y, area.right());
        for (text, role) in line {
            pen.write(text, console.theme.style(*role));
        }
    }
}

/// Builds the lines.
struct Text<'a> {
    console: &'a Console,
    width: usize,
    /// What became of its run stands beside it.
    beside: bool,
    lines: Vec<Line>,
    jobs: Vec<Job>,
}

impl<'a> Text<'a> {
    fn new(console: &'a Console, width: usize, beside: bool) -> Self {
        Self { console, width, beside, lines: Vec::new(), jobs: Vec::new() }
    }

    fn of(&mut self, ticket: &Ticket) {
        self.head(ticket);
        self.why(ticket);
        self.agent(ticket);
        self.links(ticket);
        self.body("", &ticket.description);
        let prompt = ticket.inputs.prompt.as_deref().filter(|prompt| *prompt != ticket.description);
        self.body("asks", prompt.unwrap_or_default());
        self.list("choices", &ticket.inputs.choices);
        let script = ticket.inputs.script.as_deref().unwrap_or_default();
        self.code("script", 2, Job::new(&ticket.id, Language::Bash, script));
        self.work(ticket);
        self.list("acceptance", &ticket.acceptance_criteria);
        self.outcome(ticket);
        self.history(ticket);
    }

    fn head(&mut self, ticket: &Ticket) {
        let console = self.console;
        let state = console.state_of(ticket);
        let id = words::safe(&ticket.id);
        let room = self.width.saturating_sub(width(&id) + 2);
        let mut names = wrap(safe_text(&ticket.name).as_str(), room.max(8)).into_iter();
        let first = names.next().unwrap_or_default();
        self.lines.push(vec![(id.clone(), Role::Accent), ("  ".to_owned(), Role::Dim), (first, Role::Text)]);
        let indent = " ".repeat(width(&id) + 2);
        self.lines.extend(names.map(|name| vec![(indent.clone() + &name, Role::Text)]));
        let mut line = vec![
            (state.glyph(console.glyphs).to_owned(), state.role()),
            (format!(" {}", state.word()), state.role()),
        ];
        let effective = console.snapshot.order.effective.get(&ticket.id);
        let counts = effective.map_or(&ticket.priority, |effective| &effective.priority);
        line.push((format!(" · {}", safe_text(counts.word())), Role::Text));
        line.push((
            format!(" · {} · {}", safe_text(ticket.executor.kind.word()), safe_text(&ticket.sprint)),
            Role::Dim,
        ));
        if ticket.execution.queue != "default" && !ticket.execution.queue.is_empty() {
            line.push((format!(" · queue {}", safe_text(&ticket.execution.queue)), Role::Dim));
        }
        self.lines.push(line);
        if let Some(lifted) = effective.and_then(|effective| words::lifted(effective, &ticket.priority)) {
            self.labelled(&format!("{} raised", console.glyphs.lifted), &lifted, Role::Urgent);
        }
        if !ticket.labels.is_empty() {
            self.labelled("labels", safe_text(&ticket.labels.join(", ")).as_str(), Role::Text);
        }
    }

    /// Why it does not run, one reason a line.
    fn why(&mut self, ticket: &Ticket) {
        let console = self.console;
        match console.snapshot.order.standing.get(&ticket.id) {
            Some(Standing::Waiting { reasons }) => {
                for reason in reasons {
                    self.labelled("why", &words::waiting_long(reason, &console.settings.zone), Role::Warning);
                }
            }
            Some(Standing::Invalid { reason }) => {
                self.labelled("invalid", safe_text(reason).as_str(), Role::Error)
            }
            Some(Standing::LeaseExpired) => {
                let [retry, release, fail] =
                    [Action::Retry, Action::Release, Action::Fail].map(|action| console.key_of(action));
                let say = format!(
                    "its holder's lease is over and nobody works it; {retry} retries, {release} releases, {fail} fails"
                );
                self.labelled("lease", &say, Role::Warning);
            }
            Some(Standing::Running) if console.run_of(&ticket.id).is_none() => {
                let holder = ticket.execution.assigned_to.as_deref().unwrap_or("somebody");
                let since = ticket.execution.started_at.or(ticket.updated_at);
                let since = since.map(|at| format!(" since {}", words::exact(at, &console.settings.zone)));
                let lease = match ticket.execution.lease_expires_at {
                    Some(_) => "",
                    None => "; it gave no time until which it holds it, so ask whether it still works",
                };
                let say = format!("{}{}{lease}", safe_text(holder), since.unwrap_or_default());
                self.labelled("works", &say, Role::Warning);
            }
            _ => {}
        }
        if console.state_of(ticket) == RowState::NoRunner {
            self.labelled("kind", &words::no_runner(&ticket.executor.kind), Role::Warning);
        }
        if let Some(why) = held_why(&console.snapshot, &ticket.id) {
            self.labelled("held", safe_text(&why.to_string()).as_str(), Role::Warning);
        }
        if let Some(error) = &ticket.execution.last_error {
            // A ticket that only asks has not failed.
            let asks = console.snapshot.order.standing.get(&ticket.id) == Some(&Standing::NeedsYou);
            let (label, role) = if asks { ("asks", Role::NeedsYou) } else { ("error", Role::Error) };
            self.labelled(label, safe_text(error).as_str(), role);
        }
        if let Some(promotion) = console.waits_to_land(&ticket.id) {
            let (key, base) = (console.key_of(Action::Promotions), safe_text(&promotion.base_branch));
            self.labelled(
                "lands",
                &format!("its work waits to land on {base}; {key} goes there"),
                Role::NeedsYou,
            );
        }
        let orphaned = console.run_of(&ticket.id).is_some_and(|run| run.orphaned);
        if orphaned {
            let stop = console.key_of(Action::Stop);
            let say = format!("processes of its interrupted run are still alive; {stop} stops them");
            self.labelled("left", &say, Role::Error);
        }
    }

    /// What an agent does or did with it in this session.
    fn agent(&mut self, ticket: &Ticket) {
        let console = self.console;
        let Some(agent) = console.run_of(&ticket.id).and_then(|run| run.agent.as_deref()) else { return };
        let tally = &agent.tally;
        let mut facts = vec![safe_text(&agent.agent).to_string()];
        facts.extend(tally.model.as_deref().map(|model| safe_text(model).to_string()));
        let turns = facts.len();
        facts.push(words::count(tally.turns as usize, "turn", "turns"));
        facts.push(words::tokens(tally.tokens));
        facts.extend(tally.cost.map(words::cost));
        // What was spent stays on the line; how many turns it took is worth least.
        if width(&facts.join(" · ")) > self.width.saturating_sub(LABEL) {
            facts.remove(turns);
        }
        self.labelled("agent", &facts.join(" · "), Role::Text);
        if let Some(worktree) = &agent.worktree {
            let base = safe_text(worktree.base.get(..7).unwrap_or(&worktree.base)).to_string();
            let text = format!("{} from {base}", safe_text(&worktree.branch));
            self.labelled("branch", &text, Role::Text);
        }
        if self.beside {
            return;
        }
        let parts = super::agent::Parts { gates: true };
        let lines = super::agent::outcome(console, agent, self.width, true, parts);
        if !lines.is_empty() {
            self.blank();
            self.lines.extend(lines);
            self.blank();
        }
    }

    fn links(&mut self, ticket: &Ticket) {
        let console = self.console;
        for id in &ticket.blocked_by {
            let (state, role) = match console.snapshot.plan.ticket(id) {
                Some(blocker) => {
                    let state = console.state_of(blocker);
                    let glyph = state.glyph(console.glyphs);
                    (
                        format!("{glyph} {} {}  {}", words::safe(id), state.word(), safe_text(&blocker.name)),
                        state.role(),
                    )
                }
                None => {
                    (format!("{} {} is in no file", console.glyphs.invalid, words::safe(id)), Role::Error)
                }
            };
            let room = self.width.saturating_sub(LABEL);
            self.labelled("after", &fit(&state, room, console.glyphs.ellipsis), role);
        }
        if !ticket.files.is_empty() {
            self.paths("files", &ticket.files);
        }
        if let Some(parent) = &ticket.parent {
            self.labelled("parent", &words::safe(parent), Role::Text);
        }
    }

    fn outcome(&mut self, ticket: &Ticket) {
        let outputs = &ticket.outputs;
        for note in &outputs.notes {
            self.body("note", note);
        }
        for artifact in &outputs.artifacts {
            self.labelled("artifact", safe_text(artifact).as_str(), Role::Text);
        }
        match &outputs.result {
            None | Some(serde_json::Value::Null) => {}
            Some(serde_json::Value::String(text)) => self.body("result", text),
            Some(value) => self.body("result", &serde_json::to_string_pretty(value).unwrap_or_default()),
        }
    }

    fn history(&mut self, ticket: &Ticket) {
        let execution = &ticket.execution;
        let zone = &self.console.settings.zone;
        let mut facts: Vec<(&str, String)> = Vec::new();
        let mut time = |label: &'static str, at: Option<Timestamp>| {
            if let Some(at) = at {
                facts.push((label, words::exact(at, zone)));
            }
        };
        time("created", ticket.created_at);
        time("started", execution.started_at);
        time("finished", execution.finished_at);
        time("changed", ticket.updated_at);
        time("lease to", execution.lease_expires_at);
        if let Some(holder) = &execution.assigned_to {
            facts.push(("held by", safe_text(holder).to_string()));
        }
        if execution.attempt > 0 {
            facts.push(("attempts", format!("{} of {}", execution.attempt, execution.max_attempts)));
        }
        if let Some(source) = &ticket.source {
            facts.push(("made by", safe_text(&source.tool).to_string()));
        }
        if !facts.is_empty() {
            self.blank();
        }
        for (label, text) in facts {
            self.labelled(label, &text, Role::Dim);
        }
    }
}

//! One entry for every named action: first what does something, then what only changes the look, then moving.

use crate::runtime::protocol::{Command, ProjectCommand, QueueCommand};

use super::super::actions::Action;
use super::super::layers::line::LineKind;
use super::super::layers::menu::{Choice, Menu};
use super::super::layers::{Layer, LineInput, Palette, Scrolled};
use super::super::list::Motion;
use super::super::message::Effect;
use super::super::output::{Filter, OutputView};
use super::super::state::{Console, NoticeKind, Pane, Pending};
use super::available;

impl Console {
    /// Does an available action.
    pub(super) fn perform(&mut self, action: Action) {
        self.dirty = true;
        match action {
            Action::Quit => self.quit(),
            Action::Help => self.layers.push(Layer::Help(Scrolled::default())),
            Action::Palette => self.open_palette(),
            Action::Undo => self.ask_undo(),
            Action::Suspend => self.effects.push(Effect::Suspend),
            Action::Repaint => self.effects.push(Effect::Repaint),
            Action::Reload if self.review().is_some() => self.compare_again(),
            Action::Reload if self.promotions().is_some() => self.look_at_promotions(),
            Action::Reload => {
                self.send(Command::Project(ProjectCommand::Reload), Pending::say("read from disk again"));
            }
            Action::Init => self.init(),
            Action::Theme => self.open_theme_menu(),
            Action::Back => self.back(),
            Action::Close => self.close(),
            Action::Copy => self.copy(),
            Action::Create => self.open_create(),
            Action::Queue => self.toggle_queue(),
            Action::JobsMore => self.change_jobs(1),
            Action::JobsFewer => self.change_jobs(-1),
            Action::Answer
            | Action::Edit
            | Action::Retry
            | Action::Release
            | Action::Fail
            | Action::Block
            | Action::Raise
            | Action::Lower
            | Action::Priority
            | Action::Start
            | Action::Stop
            | Action::RetryNote
            | Action::Delegate
            | Action::Say
            | Action::Pause
            | Action::Attach => self.decide(action),
            Action::VerdictShow
            | Action::VerdictFinding
            | Action::VerdictApprove
            | Action::VerdictReject
            | Action::VerdictAnother
            | Action::VerdictAgain => self.verdict_action(action),
            Action::Worktrees => self.open_worktrees(),
            Action::Diff => self.open_diff(),
            Action::Promotions => self.open_promotions(),
            Action::Earlier => self.open_earlier(),
            _ if action.is_of_review() => self.review_action(action),
            _ if action.is_of_promotions() => self.promotion_action(action),
            _ => self.look(action),
        }
    }

    /// What changes only what is looked at.
    fn look(&mut self, action: Action) {
        match action {
            Action::FocusNext | Action::FocusPrevious => self.step_focus(action == Action::FocusNext),
            Action::Zoom => self.zoom = !self.zoom,
            Action::History => self.layers.push(Layer::History(Scrolled::default())),
            Action::Audit => self.open_audit(),
            Action::Open if self.fold_at_cursor() => {}
            Action::Open => {
                if let Some(id) = self.subject_id() {
                    self.open_page(id);
                }
            }
            Action::Source => self.toggle_source(),
            Action::Filter => self.open_filter(),
            Action::Sprint => self.next_sprint(),
            Action::Finished => {
                self.queue.view.finished = !self.queue.view.finished;
                self.refresh_rows();
            }
            Action::RunPrevious => self.step_run(-1),
            Action::RunNext => self.step_run(1),
            Action::Grid => self.toggle_grid(),
            Action::Search => {
                self.focus = Pane::Run;
                if let Some(view) = self.runs.shown_view_mut() {
                    view.search_begin();
                }
                self.layers.push(Layer::Line(Box::new(LineInput::new(LineKind::Search, ""))));
            }
            Action::SearchNext
            | Action::SearchPrevious
            | Action::Times
            | Action::Wrap
            | Action::Left
            | Action::Right
            | Action::Fold
            | Action::FoldAll
            | Action::OpenAll
            | Action::ErrorNext
            | Action::ErrorPrevious => self.output_action(action),
            Action::Kinds => self.open_kinds_menu(),
            Action::Raw => self.toggle_raw(),
            // Everything else was done by [`Console::perform`], or means something to a layer only, which has seen it
            // before it comes here.
            _ => {
                if let Some(motion) = Motion::of(action) {
                    self.move_by(motion);
                }
            }
        }
    }

    fn init(&mut self) {
        self.say(NoticeKind::Info, "making a planfile…");
        self.send(Command::Project(ProjectCommand::Init), Pending::say("the planfile is made"));
    }

    fn output_action(&mut self, action: Action) {
        let Some(view) = self.runs.shown_view_mut() else { return };
        match action {
            Action::SearchNext => view.search_next(),
            Action::SearchPrevious => view.search_previous(),
            Action::Times => view.toggle_times(),
            Action::Wrap => view.toggle_wrap(),
            Action::Left => view.scroll_columns(-8),
            Action::FoldAll => view.fold_all(),
            Action::OpenAll => view.open_all(),
            Action::ErrorNext => view.jump_to_error(true),
            Action::ErrorPrevious => view.jump_to_error(false),
            Action::Fold if view.toggle_fold() => {}
            Action::Fold => self.say(NoticeKind::Info, "there is nothing to fold here"),
            _ => view.scroll_columns(8),
        }
    }

    /// Folds or opens what the cursor of the output stands on, if it does.
    fn fold_at_cursor(&mut self) -> bool {
        let page = matches!(self.layers.last(), Some(Layer::Page(_)));
        self.focus == Pane::Run
            && !page
            && self.runs.shown_view_mut().is_some_and(|view| view.is_on_fold() && view.toggle_fold())
    }

    pub(super) fn toggle_raw(&mut self) {
        self.runs.toggle_raw();
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        self.runs.refresh(&snapshot);
    }

    fn open_kinds_menu(&mut self) {
        let Some(now) = self.runs.shown_view().map(OutputView::filter) else { return };
        let items =
            Filter::EVERY.iter().map(|filter| (filter.word().to_owned(), Choice::Kinds(*filter))).collect();
        let selected = Filter::EVERY.iter().position(|filter| *filter == now).unwrap_or(0);
        self.layers.push(Layer::Menu(Menu::new("show of the output", items, selected)));
    }

    fn quit(&mut self) {
        if self.has_active_runs() {
            self.layers.push(Layer::Quit);
        } else {
            self.leave();
        }
    }

    fn open_palette(&mut self) {
        let listed = Palette::listed(|action| available(self, action).err());
        self.layers.push(Layer::Palette(Box::new(Palette::new(listed))));
    }

    fn open_theme_menu(&mut self) {
        let items: Vec<(String, Choice)> = self
            .settings
            .themes
            .names()
            .into_iter()
            .map(|name| (crate::base::text::safe_text(&name).to_string(), Choice::Theme(name)))
            .collect();
        let current = self.theme.name().to_owned();
        let selected =
            items.iter().position(|(_, choice)| *choice == Choice::Theme(current.clone())).unwrap_or(0);
        let menu = Menu::new("theme", items, selected);
        self.layers.push(Layer::Menu(Menu { theme_before: Some(current), ..menu }));
    }

    fn open_filter(&mut self) {
        let before = self.queue.view.filter.clone();
        let input = LineInput::new(LineKind::Filter { before: before.clone() }, &before);
        self.layers.push(Layer::Line(Box::new(input)));
    }

    fn next_sprint(&mut self) {
        // History files are reached by showing the finished ones; a sprint to choose is one that work stands in.
        let names: Vec<&String> = self
            .snapshot
            .plan
            .sprints
            .iter()
            .map(|(name, _)| name)
            .filter(|name| !name.starts_with("history-"))
            .collect();
        let next = match &self.queue.view.sprint {
            None => names.first().map(|name| (*name).clone()),
            Some(now) => names
                .iter()
                .position(|name| *name == now)
                .and_then(|at| names.get(at + 1))
                .map(|name| (*name).clone()),
        };
        self.queue.view.sprint = next;
        self.refresh_rows();
    }

    pub(super) fn refresh_rows(&mut self) {
        self.list_again();
        self.dirty = true;
    }

    fn toggle_queue(&mut self) {
        let (command, said) = if self.snapshot.queue.running {
            (QueueCommand::Pause, "the queue pauses; what runs goes on")
        } else {
            (QueueCommand::Resume, "the queue is being worked")
        };
        self.send(Command::Queue(command), Pending::say(said));
    }

    fn change_jobs(&mut self, by: i64) {
        let limit = u32::try_from((i64::from(self.snapshot.queue.jobs) + by).max(1)).unwrap_or(1);
        let said = format!("up to {} at a time", super::super::words::count(limit as usize, "run", "runs"));
        self.send(Command::Queue(QueueCommand::Jobs { limit }), Pending::say(said));
    }

    fn copy(&mut self) {
        let output = self.runs.shown_view_mut().map(|view| view.visible_text());
        let text = match (self.focus, output) {
            (Pane::Run, Some(text)) => text,
            _ => self.subject_id().map(|id| super::super::words::safe(&id)).unwrap_or_default(),
        };
        if text.len() > super::super::clipboard::LIMIT {
            return self
                .say(NoticeKind::Refused, "that is more than a terminal takes at once; nothing was copied");
        }
        // A terminal never says whether it took it, so neither do we.
        let what = super::super::words::count(text.lines().count(), "line", "lines");
        self.say(NoticeKind::Info, format!("handed {what} to the terminal's clipboard"));
        self.effects.push(Effect::Copy { text });
    }
}

//! Calling the operator who looks elsewhere, and naming the window after what waits.

use std::collections::HashMap;

use super::super::message::Effect;
use super::super::notify::Call;
use super::super::rows::RowState;
use super::super::state::Console;
use super::super::words;
use crate::base::text::safe_text;
use crate::plan::ticket::TicketId;

impl Console {
    /// The tickets that stand in a state which the operator wants to know of.
    pub(super) fn calling(&self) -> HashMap<TicketId, RowState> {
        let tickets = &self.snapshot.plan.tickets;
        let wanted =
            self.queue.rows.calling.iter().filter(|(_, state)| self.settings.notify.on.contains(state));
        wanted
            .filter_map(|(at, state)| tickets.get(*at as usize).map(|ticket| (ticket.id.clone(), *state)))
            .collect()
    }

    /// One call for all that is new since `before`, however many: a burst is one event to a person.
    pub(super) fn call(&mut self, before: &HashMap<TicketId, RowState>) {
        let now = self.calling();
        let mut new: Vec<(&TicketId, RowState)> = now
            .iter()
            .filter(|(id, state)| before.get(*id) != Some(state))
            .map(|(id, state)| (id, *state))
            .collect();
        new.sort_by_key(|(id, state)| (*state, id.as_str().to_owned()));
        let Some((id, state)) = new.first() else { return };
        let ticket = words::safe(id);
        let name = self.snapshot.plan.ticket(id).map(|ticket| safe_text(&ticket.name).to_string());
        let more = if new.len() > 1 { format!(" (and {} more)", new.len() - 1) } else { String::new() };
        let text = format!("{ticket} {}: {}{more}", state.word(), name.unwrap_or_default());
        let project = safe_text(&self.snapshot.name).to_string();
        let call = Call { project, ticket, state: state.word().to_owned(), text };
        if self.settings.notify.bell {
            self.effects.push(Effect::Bell);
        }
        if self.settings.notify.desktop.is_some() || !self.settings.notify.command.is_empty() {
            self.effects.push(Effect::Notify(call));
        }
    }

    /// Counts first: of a long title the end is cut.
    pub(super) fn name_window(&mut self) {
        if !self.settings.notify.title {
            return;
        }
        let (counts, glyphs) = (self.queue.rows.counts, self.glyphs);
        let shown = [
            (glyphs.needs_you, counts.needs_you),
            (glyphs.violation, counts.violations),
            (glyphs.failed, counts.failed),
            (glyphs.stalled, counts.stalled),
            (glyphs.running, counts.running),
        ];
        let counted: Vec<String> = shown
            .iter()
            .filter(|(_, number)| *number > 0)
            .map(|(glyph, number)| format!("{glyph}{number}"))
            .collect();
        let lead = if counted.is_empty() { String::new() } else { format!("{} ", counted.join(" ")) };
        let title = format!("{lead}{} - koru", safe_text(&self.snapshot.name));
        if title != self.title {
            self.title.clone_from(&title);
            self.effects.push(Effect::Title(title));
        }
    }
}

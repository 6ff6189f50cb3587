//! The form that makes a ticket, and the one that changes a ticket.
//!
//! Owns what is typed. Invariants: a change carries only the fields that differ from the ticket as it was shown; text
//! that could not be shown as it is stays untouched (see [`super::field`]). A stored draft that comes when something was
//! typed already is offered, never put over it, and is kept inside the new draft until one of the two is chosen.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::plan::lifecycle::{NewTicket, Patch};
use crate::plan::ticket::{ExecutorKind, Priority, Ticket, TicketId};

use super::Unsaved;
use super::field::TextField;

/// One field, in the order of the form. `Work` is the script, question or URL, as the kind demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldName {
    Name,
    Description,
    Priority,
    Kind,
    Work,
    Labels,
    BlockedBy,
    Files,
    Submit,
}

impl FieldName {
    pub(crate) const ALL: [FieldName; 9] = [
        FieldName::Name,
        FieldName::Description,
        FieldName::Priority,
        FieldName::Kind,
        FieldName::Work,
        FieldName::Labels,
        FieldName::BlockedBy,
        FieldName::Files,
        FieldName::Submit,
    ];

    /// Its key in a draft.
    fn key(self) -> &'static str {
        match self {
            FieldName::Name => "name",
            FieldName::Description => "description",
            FieldName::Priority => "priority",
            FieldName::Kind => "kind",
            FieldName::Work => "work",
            FieldName::Labels => "labels",
            FieldName::BlockedBy => "blocked_by",
            FieldName::Files => "files",
            FieldName::Submit => "submit",
        }
    }
}

/// What is being edited.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// A new ticket.
    New,
    /// This one, as it was shown.
    Existing { ticket: Arc<Ticket>, seen: Option<Timestamp> },
}

/// The form.
#[derive(Debug)]
pub(crate) struct TicketForm {
    pub(crate) subject: Subject,
    pub(crate) name: TextField,
    pub(crate) description: TextField,
    pub(crate) priorities: Vec<Priority>,
    pub(crate) priority: usize,
    pub(crate) kinds: Vec<ExecutorKind>,
    pub(crate) kind: usize,
    pub(crate) work: TextField,
    pub(crate) labels: TextField,
    pub(crate) blocked_by: TextField,
    pub(crate) files: TextField,
    pub(crate) focus: FieldName,
    pub(crate) unsaved: Unsaved,
    pub(crate) saved_at: Option<Timestamp>,
    pub(crate) error: Option<(FieldName, String)>,
    pub(crate) awaits_draft: bool,
    /// The other draft: the stored one that came late, or what was typed after that one was taken.
    pub(crate) offered: Option<Map<String, Value>>,
}

/// Key of [`TicketForm::offered`] within a draft.
const OFFERED: &str = "earlier";

const KINDS: [ExecutorKind; 5] =
    [ExecutorKind::Human, ExecutorKind::Shell, ExecutorKind::Api, ExecutorKind::Llm, ExecutorKind::Mcp];

impl TicketForm {
    /// For a new ticket.
    pub(crate) fn create() -> TicketForm {
        TicketForm::of(Subject::New, &Ticket::default())
    }

    /// For a change to `ticket`, whose `updated_at` on the screen was `seen`.
    pub(crate) fn edit(ticket: Arc<Ticket>, seen: Option<Timestamp>) -> TicketForm {
        let subject = Subject::Existing { ticket: Arc::clone(&ticket), seen };
        TicketForm::of(subject, &ticket)
    }

    fn of(subject: Subject, ticket: &Ticket) -> TicketForm {
        let mut priorities = Priority::KNOWN.to_vec();
        let priority = position(&mut priorities, &ticket.priority);
        let mut kinds = KINDS.to_vec();
        let kind = position(&mut kinds, &ticket.executor.kind);
        let ids: Vec<&str> = ticket.blocked_by.iter().map(TicketId::as_str).collect();
        let list = |items: &[String]| items.join(", ");
        TicketForm {
            name: TextField::new(&ticket.name, true),
            description: TextField::new(&ticket.description, false),
            work: TextField::new(work_of(ticket), false),
            labels: TextField::new(&list(&ticket.labels), true),
            blocked_by: TextField::new(&ids.join(", "), true),
            files: TextField::new(&list(&ticket.files), true),
            subject,
            priorities,
            priority,
            kinds,
            kind,
            focus: FieldName::Name,
            unsaved: Unsaved::default(),
            saved_at: None,
            error: None,
            awaits_draft: true,
            offered: None,
        }
    }

    /// The draft under which it is kept.
    pub(crate) fn key(&self) -> String {
        match &self.subject {
            Subject::New => "new".to_owned(),
            Subject::Existing { ticket, .. } => format!("edit-{}", ticket.id),
        }
    }

    pub(crate) fn kind(&self) -> &ExecutorKind {
        &self.kinds[self.kind]
    }

    /// What [`FieldName::Work`] is for this kind; `None` when the kind takes no text here.
    pub(crate) fn work_label(&self) -> Option<&'static str> {
        let existing = matches!(self.subject, Subject::Existing { .. });
        match self.kind() {
            ExecutorKind::Human => Some("question"),
            ExecutorKind::Shell => Some("script"),
            ExecutorKind::Llm => Some("prompt"),
            ExecutorKind::Api if !existing => Some("url"),
            ExecutorKind::Mcp if !existing => Some("mcp tool"),
            ExecutorKind::Api | ExecutorKind::Mcp | ExecutorKind::Other(_) => None,
        }
    }

    /// The text field with this name.
    pub(crate) fn text(&mut self, name: FieldName) -> Option<&mut TextField> {
        match name {
            FieldName::Name => Some(&mut self.name),
            FieldName::Description => Some(&mut self.description),
            FieldName::Work => Some(&mut self.work),
            FieldName::Labels => Some(&mut self.labels),
            FieldName::BlockedBy => Some(&mut self.blocked_by),
            FieldName::Files => Some(&mut self.files),
            FieldName::Priority | FieldName::Kind | FieldName::Submit => None,
        }
    }

    /// Whether the field with the focus holds text.
    pub(crate) fn is_typed(&self) -> bool {
        !matches!(self.focus, FieldName::Priority | FieldName::Kind | FieldName::Submit)
    }

    /// To the next field, or to the previous one; fields that do not apply are passed over.
    pub(crate) fn step(&mut self, forward: bool) {
        let count = FieldName::ALL.len();
        let mut at = FieldName::ALL.iter().position(|name| *name == self.focus).unwrap_or(0);
        loop {
            at = (at + if forward { 1 } else { count - 1 }) % count;
            if FieldName::ALL[at] != FieldName::Work || self.work_label().is_some() {
                break;
            }
        }
        self.focus = FieldName::ALL[at];
    }

    /// Moves a choice; true when the focus is on one.
    pub(crate) fn turn(&mut self, by: isize) -> bool {
        let (index, count) = match self.focus {
            FieldName::Priority => (&mut self.priority, self.priorities.len()),
            FieldName::Kind => (&mut self.kind, self.kinds.len()),
            _ => return false,
        };
        *index = (*index).saturating_add_signed(by).min(count - 1);
        true
    }

    /// All that was typed, as the text of a draft.
    pub(crate) fn draft(&self) -> String {
        let mut map = self.fields();
        if let Some(offered) = &self.offered {
            map.insert(OFFERED.to_owned(), Value::Object(offered.clone()));
        }
        Value::Object(map).to_string()
    }

    fn fields(&self) -> Map<String, Value> {
        let text = |(name, text): (FieldName, String)| (name.key().to_owned(), Value::String(text));
        self.texts().into_iter().map(text).collect()
    }

    fn texts(&self) -> [(FieldName, String); 8] {
        [
            (FieldName::Name, self.name.text()),
            (FieldName::Description, self.description.text()),
            (FieldName::Priority, self.priorities[self.priority].word().to_owned()),
            (FieldName::Kind, self.kind().word().to_owned()),
            (FieldName::Work, self.work.text()),
            (FieldName::Labels, self.labels.text()),
            (FieldName::BlockedBy, self.blocked_by.text()),
            (FieldName::Files, self.files.text()),
        ]
    }

    /// Puts a stored draft in; when something was typed already it is offered instead, and false comes back.
    pub(crate) fn restore(&mut self, draft: &str) -> bool {
        self.awaits_draft = false;
        let Ok(Value::Object(mut map)) = serde_json::from_str(draft) else { return false };
        if let Some(Value::Object(earlier)) = map.remove(OFFERED) {
            self.offered = Some(earlier);
        }
        if self.unsaved.is_some() {
            if map != self.fields() {
                self.offered = Some(map);
            }
            return false;
        }
        self.fill(&map);
        true
    }

    /// The other draft within a draft, which outlives it.
    pub(crate) fn other_in(draft: &str) -> Option<String> {
        let map: Map<String, Value> = serde_json::from_str(draft).ok()?;
        map.get(OFFERED).map(Value::to_string)
    }

    /// Takes the other draft; what stood here is the other one then. False when there is none.
    pub(crate) fn swap(&mut self) -> bool {
        let Some(other) = self.offered.take() else { return false };
        let here = self.fields();
        self.fill(&other);
        self.offered = Some(here);
        true
    }

    fn fill(&mut self, map: &Map<String, Value>) {
        for name in FieldName::ALL {
            let Some(Value::String(text)) = map.get(name.key()) else { continue };
            match name {
                FieldName::Priority => {
                    self.priority = position(&mut self.priorities, &Priority::from(text.clone()))
                }
                FieldName::Kind => self.kind = position(&mut self.kinds, &ExecutorKind::from(text.clone())),
                _ => {
                    if let Some(field) = self.text(name).filter(|field| field.text() != *text) {
                        field.set(text);
                    }
                }
            }
        }
    }

    /// The ticket to make.
    ///
    /// # Errors
    /// The field that is wrong, and why.
    pub(crate) fn new_ticket(&self) -> Result<NewTicket, (FieldName, String)> {
        self.check()?;
        let mut inputs = Map::new();
        let key = match self.kind() {
            ExecutorKind::Human | ExecutorKind::Llm => "prompt",
            ExecutorKind::Shell => "script",
            ExecutorKind::Api => "api_endpoint",
            ExecutorKind::Mcp => "mcp_tool",
            ExecutorKind::Other(_) => "",
        };
        if !key.is_empty() && !self.work.is_blank() {
            inputs.insert(key.to_owned(), Value::String(self.work.text()));
        }
        Ok(NewTicket {
            name: self.name.text().trim().to_owned(),
            description: self.description.text(),
            priority: self.priorities[self.priority].clone(),
            labels: words(&self.labels.text()),
            blocked_by: words(&self.blocked_by.text()).into_iter().map(TicketId::new).collect(),
            files: words(&self.files.text()),
            executor: self.kind().clone(),
            inputs,
            ..NewTicket::default()
        })
    }

    /// The fields of `ticket` that were changed.
    ///
    /// # Errors
    /// The field that is wrong, and why.
    pub(crate) fn patch(&self, ticket: &Ticket) -> Result<Patch, (FieldName, String)> {
        self.check()?;
        let before = TicketForm::of(Subject::New, ticket);
        let changed = |now: &TextField, then: &TextField| (now.text() != then.text()).then(|| now.text());
        let kind = self.kind();
        // A script that was typed for one kind is not written when the kind was turned to another afterwards.
        let work = changed(&self.work, &before.work)
            .or_else(|| (*kind != ticket.executor.kind && !self.work.is_blank()).then(|| self.work.text()));
        let (prompt, script) = match kind {
            ExecutorKind::Shell => (None, work),
            ExecutorKind::Human | ExecutorKind::Llm => (work, None),
            ExecutorKind::Api | ExecutorKind::Mcp | ExecutorKind::Other(_) => (None, None),
        };
        let priority = &self.priorities[self.priority];
        Ok(Patch {
            name: changed(&self.name, &before.name),
            description: changed(&self.description, &before.description),
            priority: (*priority != ticket.priority).then(|| priority.clone()),
            labels: changed(&self.labels, &before.labels).map(|text| words(&text)),
            blocked_by: changed(&self.blocked_by, &before.blocked_by)
                .map(|text| words(&text).into_iter().map(TicketId::new).collect()),
            files: changed(&self.files, &before.files).map(|text| words(&text)),
            executor: (*kind != ticket.executor.kind).then(|| kind.clone()),
            prompt,
            script,
            ..Patch::default()
        })
    }

    fn check(&self) -> Result<(), (FieldName, String)> {
        if self.name.is_blank() {
            return Err((FieldName::Name, "a ticket needs a name".to_owned()));
        }
        if let Subject::New = self.subject
            && self.work.is_blank()
            && matches!(self.kind(), ExecutorKind::Shell | ExecutorKind::Api)
        {
            let what = self.work_label().unwrap_or("text");
            return Err((FieldName::Work, format!("a {} ticket needs its {what}", self.kind().word())));
        }
        Ok(())
    }
}

/// The index of `value`, which is added when it is not there.
fn position<T: PartialEq + Clone>(values: &mut Vec<T>, value: &T) -> usize {
    values.iter().position(|known| known == value).unwrap_or_else(|| {
        values.push(value.clone());
        values.len() - 1
    })
}

fn work_of(ticket: &Ticket) -> &str {
    let inputs = &ticket.inputs;
    match ticket.executor.kind {
        ExecutorKind::Shell => inputs.script.as_deref().unwrap_or_default(),
        ExecutorKind::Human | ExecutorKind::Llm => inputs.prompt.as_deref().unwrap_or_default(),
        ExecutorKind::Api => inputs.api_endpoint.as_deref().unwrap_or_default(),
        ExecutorKind::Mcp => inputs.mcp_tool.as_deref().unwrap_or_default(),
        ExecutorKind::Other(_) => "",
    }
}

/// Items between commas or line ends, trimmed, empty ones left out.
fn words(text: &str) -> Vec<String> {
    text.split([',', '\n']).map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

//! What a ticket's executor is given, and the ticket itself as source.
//!
//! Owns no data. Source is taken coloured where that is done; else it stands plain and is noted for colouring.

use super::Text;
use crate::base::text::safe_text;
use crate::console::source::{Job, Language, wrap, yaml};
use crate::console::theme::Role;
use crate::plan::ticket::{ExecutorKind, Ticket};

impl Text<'_> {
    /// The ticket as it would stand in a file.
    pub(super) fn source(&mut self, ticket: &Ticket) {
        self.code("", 0, Job::new(&ticket.id, Language::Yaml, &yaml(ticket)));
    }

    pub(super) fn work(&mut self, ticket: &Ticket) {
        let inputs = &ticket.inputs;
        match &ticket.executor.handler {
            Some(handler) if ticket.executor.kind == ExecutorKind::Shell => {
                self.code("handler", 2, Job::new(&ticket.id, Language::Bash, handler));
            }
            Some(handler) => self.labelled("handler", safe_text(handler).as_str(), Role::Text),
            None => {}
        }
        if let Some(endpoint) = &inputs.api_endpoint {
            let method = inputs.api_method.as_deref().unwrap_or("GET");
            self.labelled("request", safe_text(&format!("{method} {endpoint}")).as_str(), Role::Text);
        }
        if let Some(body) = inputs.api_body.as_ref().filter(|body| !body.is_null()) {
            let text = match body {
                serde_json::Value::String(text) => text.clone(),
                value => serde_json::to_string_pretty(value).unwrap_or_default(),
            };
            self.code("body", 2, Job::new(&ticket.id, Language::Json, &text));
        }
        if let Some(model) = &inputs.llm_model {
            self.labelled("model", safe_text(model).as_str(), Role::Text);
        }
        if let Some(tool) = &inputs.mcp_tool {
            self.labelled("mcp tool", safe_text(tool).as_str(), Role::Text);
        }
        if !inputs.env_keys.is_empty() {
            self.labelled("env", safe_text(&inputs.env_keys.join(", ")).as_str(), Role::Text);
        }
    }

    /// Source under an empty line: coloured where that is done, else plain and noted for colouring.
    pub(super) fn code(&mut self, label: &str, indent: usize, job: Job) {
        if job.is_blank() {
            return;
        }
        self.blank();
        if !label.is_empty() {
            self.lines.push(vec![(label.to_owned(), Role::Dim)]);
        }
        let painted = self.console.sources.painted(&job);
        let plain = painted.is_none().then(|| job.plain());
        for line in painted.as_deref().or(plain.as_ref()).into_iter().flatten() {
            for row in wrap(line, self.width.saturating_sub(indent)) {
                let lead = (indent > 0).then(|| (" ".repeat(indent), Role::Text));
                self.lines.push(lead.into_iter().chain(row).collect());
            }
        }
        if plain.is_some() {
            self.jobs.push(job);
        }
    }
}

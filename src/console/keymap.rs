//! Which key does what: the table's defaults, changed by the user's `keymap.yaml` (action name → key or list of keys).
//!
//! Owns the bindings. Invariant: within one scope a key means one action. A line of the file that cannot be honoured is
//! left out and reported; it never stops the console.

use std::collections::HashMap;

use super::actions::{Action, SPECS, Scope};
use super::keys::Key;

use crate::base::yaml;

/// The bindings.
#[derive(Clone, Debug)]
pub struct Keymap {
    by_key: HashMap<(Scope, Key), Action>,
    by_action: HashMap<Action, Vec<Key>>,
}

impl Default for Keymap {
    fn default() -> Self {
        Keymap::build(&HashMap::new()).0
    }
}

impl Keymap {
    /// Reads a `keymap.yaml`; what cannot be honoured comes back as sentences.
    pub fn read(text: &str) -> (Keymap, Vec<String>) {
        let mut troubles = Vec::new();
        let mut chosen = HashMap::new();
        match yaml::from_str::<Option<serde_yaml::Mapping>>(text) {
            Err(error) => troubles.push(format!("keymap.yaml: {error}; the default keys are used")),
            Ok(entries) => {
                for (name, keys) in entries.unwrap_or_default() {
                    read_entry(&name, &keys, &mut chosen, &mut troubles);
                }
            }
        }
        let (keymap, conflicts) = Keymap::build(&chosen);
        troubles.extend(conflicts);
        (keymap, troubles)
    }

    /// Bindings chosen by the user go first, so a default key that the user gave to something else is simply gone.
    fn build(chosen: &HashMap<Action, Vec<Key>>) -> (Keymap, Vec<String>) {
        let mut keymap = Keymap { by_key: HashMap::new(), by_action: HashMap::new() };
        let mut troubles = Vec::new();
        for spec in SPECS {
            for key in chosen.get(&spec.action).into_iter().flatten() {
                for scope in spec.scopes {
                    if let Some(trouble) = keymap.bind(*scope, *key, spec.action) {
                        troubles.push(trouble);
                    }
                }
            }
        }
        for spec in SPECS.iter().filter(|spec| !chosen.contains_key(&spec.action)) {
            for key in spec.keys.iter().filter_map(|name| Key::parse(name).ok()) {
                for scope in spec.scopes {
                    // A default that lost its key to the user's choice says nothing: the user asked for it.
                    let _ = keymap.bind(*scope, key, spec.action);
                }
            }
        }
        (keymap, troubles)
    }

    fn bind(&mut self, scope: Scope, key: Key, action: Action) -> Option<String> {
        if scope == Scope::Form && key.is_text() {
            return Some(format!(
                "keymap.yaml: `{key}` types text in forms, so it cannot be `{action}` there"
            ));
        }
        if let Some(other) = self.by_key.get(&(scope, key)) {
            return (*other != action).then(|| {
                format!(
                    "keymap.yaml: `{key}` is given to `{other}` and to `{action}` ({}); the first keeps it",
                    scope.word()
                )
            });
        }
        self.by_key.insert((scope, key), action);
        let keys = self.by_action.entry(action).or_default();
        if !keys.contains(&key) {
            keys.push(key);
        }
        None
    }

    /// What `key` means, the first of `scopes` that knows it deciding.
    pub(crate) fn lookup(&self, scopes: &[Scope], key: Key) -> Option<Action> {
        scopes.iter().find_map(|scope| self.by_key.get(&(*scope, key)).copied())
    }

    /// The keys of an action, the first being the one to show.
    pub(crate) fn keys(&self, action: Action) -> &[Key] {
        self.by_action.get(&action).map_or(&[], Vec::as_slice)
    }

    /// The key to show for an action, if it has one.
    pub(crate) fn key_name(&self, action: Action) -> Option<String> {
        self.keys(action).first().map(|key| pretty(*key))
    }
}

/// A key as shown on the footer: `Enter`, `Ctrl-S`, `a`.
pub(crate) fn pretty(key: Key) -> String {
    let name = key.to_string().replace("pageup", "pgUp").replace("pagedown", "pgDn");
    name.split_inclusive('-')
        .map(|part| {
            let mut characters = part.chars();
            match (characters.next(), part.chars().count()) {
                (Some(first), 2..) => first.to_uppercase().chain(characters).collect(),
                _ if name.len() > 1 && name.starts_with("ctrl-") => part.to_uppercase(),
                _ => part.to_owned(),
            }
        })
        .collect()
}

fn read_entry(
    name: &serde_yaml::Value,
    keys: &serde_yaml::Value,
    chosen: &mut HashMap<Action, Vec<Key>>,
    troubles: &mut Vec<String>,
) {
    let Some(action) = name.as_str().and_then(Action::named) else {
        let shown = serde_yaml::to_string(name).unwrap_or_default();
        troubles
            .push(format!("keymap.yaml: there is no action `{}`; the palette shows the names", shown.trim()));
        return;
    };
    let listed = match keys {
        serde_yaml::Value::Sequence(list) => list.clone(),
        serde_yaml::Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    let mut parsed = Vec::new();
    for key in &listed {
        // YAML reads an unquoted digit as a number; it is the key of that digit.
        let text = key.as_str().map(str::to_owned).or_else(|| key.as_u64().map(|number| number.to_string()));
        match text.as_deref().map(Key::parse) {
            Some(Ok(key)) => parsed.push(key),
            Some(Err(error)) => troubles.push(format!("keymap.yaml: {action}: {error}")),
            None => troubles.push(format!("keymap.yaml: {action}: a key is text; put it in quotes")),
        }
    }
    // A line whose keys are all wrong must not leave the action without any.
    if !parsed.is_empty() || listed.is_empty() {
        chosen.insert(action, parsed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::parse(name).unwrap()
    }

    #[test]
    fn a_user_key_replaces_the_default_and_takes_it_from_another_action() {
        let (keymap, troubles) = Keymap::read("ticket.answer: [A, ctrl-a]\nticket.retry: a\n");
        assert_eq!(troubles, Vec::<String>::new());
        assert_eq!(keymap.lookup(&[Scope::Board], key("A")), Some(Action::Answer));
        assert_eq!(keymap.lookup(&[Scope::Board], key("a")), Some(Action::Retry));
        assert_eq!(keymap.lookup(&[Scope::Board], key("r")), None);
        assert_eq!(keymap.keys(Action::Answer), [key("A"), key("ctrl-a")]);
    }

    #[test]
    fn what_cannot_be_honoured_is_said_and_left_out() {
        let (keymap, troubles) = Keymap::read(
            "ticket.anwser: x\nticket.retry: hyper-x\nticket.block: Q\nticket.edit: Q\nform.submit: s\n",
        );
        assert_eq!(
            troubles,
            [
                "keymap.yaml: there is no action `ticket.anwser`; the palette shows the names".to_owned(),
                format!("keymap.yaml: ticket.retry: {}", Key::parse("hyper-x").unwrap_err()),
                "keymap.yaml: `Q` is given to `ticket.edit` and to `ticket.block` (everywhere on the board); the first keeps it".to_owned(),
                "keymap.yaml: `s` types text in forms, so it cannot be `form.submit` there".to_owned(),
            ]
        );
        assert_eq!(keymap.lookup(&[Scope::Board], key("r")), Some(Action::Retry));
    }

    #[test]
    fn a_broken_file_leaves_the_defaults() {
        let (keymap, troubles) = Keymap::read("a: [");
        assert_eq!(troubles.len(), 1);
        assert_eq!(keymap.lookup(&[Scope::Board], key("a")), Some(Action::Answer));
        assert_eq!(Keymap::read("").1, Vec::<String>::new());
    }

    #[test]
    fn keys_are_shown_as_people_write_them() {
        let shown: Vec<String> =
            ["a", "ctrl-s", "enter", "shift-tab", "G"].map(|name| pretty(key(name))).into();
        assert_eq!(shown, ["a", "Ctrl-S", "Enter", "Shift-Tab", "G"]);
    }
}

//! The table holds together: one row an action, one meaning a key in a place, one key an act everywhere.

use std::collections::HashSet;

use super::*;
use crate::console::keys::Key;

#[test]
fn every_action_stands_once_in_the_table_under_its_own_name() {
    let rows: Vec<Action> = SPECS.iter().map(|spec| spec.action).collect();
    let names: HashSet<&str> = SPECS.iter().map(|spec| spec.name).collect();
    assert_eq!(rows.iter().collect::<HashSet<_>>(), ALL.iter().collect::<HashSet<_>>());
    assert_eq!((rows.len(), names.len()), (ALL.len(), ALL.len()));
    for action in ALL {
        assert_eq!(Action::named(action.spec().name), Some(*action));
    }
}

#[test]
fn the_same_act_has_the_same_key_in_every_pane() {
    for (at, one) in SPECS.iter().enumerate() {
        for other in SPECS[at + 1..].iter().filter(|other| other.title == one.title) {
            let shared = one.keys.iter().any(|key| other.keys.contains(key));
            assert!(shared, "{} is {:?} and {} is {:?}", one.name, one.keys, other.name, other.keys);
        }
    }
}

#[test]
fn default_keys_are_keys_and_mean_one_thing_in_one_place() {
    let mut taken = HashSet::new();
    for spec in SPECS {
        for name in spec.keys {
            let key = Key::parse(name).unwrap();
            assert_eq!(&key.to_string(), name, "{} is not spelled as it is shown", spec.name);
            for scope in spec.scopes {
                assert!(taken.insert((*scope, key)), "{key} means two things in {scope:?}: {}", spec.name);
                assert!(*scope != Scope::Form || !key.is_text(), "{key} is needed by text fields");
            }
        }
    }
}

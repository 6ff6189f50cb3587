//! The terminal console: `update(state, message) -> effects` is plain, one loop draws, panes only read.
//!
//! | part | what it does |
//! | --- | --- |
//! | `message` | what can happen, and what is wanted done, as data by area |
//! | `state` | all state, one owner: [`Console`] |
//! | `update` | what each message does to the state |
//! | `review` | what a ticket's work changed, with findings and comments at its lines |
//! | `list` | a cursor in rows: how every list and text moves |
//! | `layers` | forms, palette, menus, questions over the board |
//! | `view` | draws the state; reads and returns nothing |
//! | `actions`, `keymap`, `keys` | the one table of named actions, and the keys that lead to them |
//! | `notify` | the bell, the title, notifications for who looks elsewhere |
//! | `source` | scripts, request bodies and tickets as source, coloured in the background |
//! | `theme`, `glyphs` | colours and shapes as data |
//! | `app` | the loop: wait for one event, drain, draw at most once |
//!
//! The console knows of the runtime only [`crate::runtime::protocol`] and a [`Port`], so that every test runs without
//! a runtime, and every behaviour without a terminal.

mod actions;
mod app;
mod clipboard;
mod display;
mod editor;
mod frames;
mod glyphs;
mod keymap;
mod keys;
mod layers;
mod list;
mod message;
mod notify;
pub(crate) mod output;
mod port;
mod preferences;
mod promotions;
mod review;
mod rows;
mod settings;
mod shell;
mod source;
mod state;
mod theme;
mod update;
mod view;
mod words;

pub use app::{ConsoleError, run};
pub use keymap::Keymap;
pub use keys::{Key, KeyError};
pub use message::{Effect, ExitReason, InputMessage, Message, RuntimeMessage, SystemMessage};
pub use notify::{Call, Notify};
pub use port::Port;
pub use review::paint::{PaintedPart, PartJob, PartKey};
pub use settings::ConsoleOptions;
pub use source::{Job, Painted};
pub use state::{Console, Settings};
pub use theme::{Depth, Theme, ThemeError, Themes};

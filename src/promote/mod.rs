//! Landing work on its base branch, and taking it back: nothing lands without policy or a key (DESIGN §5).
//!
//! A [`Promotion`] is a request to land the commit of a finished ticket, as data on disk ([`shelf`]). [`request`] makes
//! it from what the worktree's branch and the rounds hold; [`decide`] lands it, rejects it, takes it back. [`scope`] says
//! what work may touch and what it risks. Below them: [`combine`] joins branch and base in memory, `landing` moves the
//! base with every work tree on it or not at all, `checkouts` are those work trees.
//!
//! Owned here: `.planfile/.koru/promotions/`. The audit and the ticket are the caller's to write: the audit before a
//! decision is carried out, the ticket after it.

#[cfg(test)]
mod bench;
mod checkouts;
pub mod combine;
pub mod decide;
mod landing;
pub mod proving;
pub mod record;
pub mod request;
pub mod scope;
pub mod shelf;

pub use checkouts::CheckoutError;
pub use decide::{DecideError, Decider, Ready};
pub use landing::{Move, MoveError, Settled};
pub use record::{Promotion, State};
pub use request::{Asked, RequestError};
pub use shelf::Shelf;

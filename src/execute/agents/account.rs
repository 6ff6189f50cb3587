//! What an agent reports of tokens and money, brought to one run whatever it reports it of.
//!
//! Owned by the assembler of that run. Steps are added up, a run's total replaces them, and a conversation's total has
//! the part before this run taken off.

use super::event::Scope;
use super::tally::{Cost, Tally, Tokens, estimate};
use crate::plan::settings::Price;

/// Adds up what an agent reports, whatever it reports it of.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// What the conversation had used before this run.
    before: Tokens,
    before_usd: f64,
    price: Option<Price>,
    /// What was last reported for the run or the conversation, less what was before.
    tokens: Tokens,
    usd: Option<f64>,
    /// Steps since then.
    step_tokens: Tokens,
    step_usd: Option<f64>,
    /// What helpers used.
    aside: Tokens,
}

impl Account {
    /// An account of one run.
    pub(super) fn new(before: Option<&Tally>, price: Option<Price>) -> Self {
        Self {
            // What helpers used is not part of the conversation's total.
            before: before.map(|before| before.tokens.less(before.aside)).unwrap_or_default(),
            before_usd: before.and_then(|before| before.cost).map_or(0.0, |cost| cost.usd),
            price,
            ..Self::default()
        }
    }

    /// Takes tokens of that scope and brings the tally up to date.
    pub(super) fn used(&mut self, scope: Scope, tokens: Tokens, tally: &mut Tally) {
        match scope {
            Scope::Step => self.step_tokens = self.step_tokens.plus(tokens),
            Scope::Run => (self.tokens, self.step_tokens) = (tokens, Tokens::default()),
            Scope::Conversation => {
                (self.tokens, self.step_tokens) = (tokens.less(self.before), Tokens::default());
            }
            Scope::Aside => self.aside = self.aside.plus(tokens),
        }
        tally.aside = self.aside;
        tally.tokens = self.tokens.plus(self.step_tokens).plus(self.aside);
        self.price(tally);
    }

    /// Takes dollars of that scope and brings the tally up to date.
    pub(super) fn paid(&mut self, scope: Scope, usd: f64, tally: &mut Tally) {
        match scope {
            Scope::Step => self.step_usd = Some(self.step_usd.unwrap_or_default() + usd),
            Scope::Run => (self.usd, self.step_usd) = (Some(usd), None),
            Scope::Conversation => {
                (self.usd, self.step_usd) = (Some((usd - self.before_usd).max(0.0)), None);
            }
            // Nobody reports a helper's money apart.
            Scope::Aside => {}
        }
        self.price(tally);
    }

    fn price(&self, tally: &mut Tally) {
        let reported = match (self.usd, self.step_usd) {
            (None, None) => None,
            (run, steps) => Some(run.unwrap_or_default() + steps.unwrap_or_default()),
        };
        let estimated = || self.price.map(|price| estimate(tally.tokens, price));
        tally.cost = match reported {
            Some(usd) => Some(Cost { usd, estimated: false }),
            None => estimated().map(|usd| Cost { usd, estimated: true }),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(input: u64, output: u64) -> Tokens {
        Tokens { input, output, ..Tokens::default() }
    }

    #[test]
    fn steps_are_added_and_a_total_replaces_them() {
        let (mut account, mut tally) = (Account::default(), Tally::default());
        account.used(Scope::Step, tokens(10, 1), &mut tally);
        account.used(Scope::Step, tokens(20, 2), &mut tally);
        assert_eq!(tally.tokens, tokens(30, 3));
        account.used(Scope::Run, tokens(31, 4), &mut tally);
        account.used(Scope::Step, tokens(1, 1), &mut tally);
        assert_eq!(tally, Tally { tokens: tokens(32, 5), ..Tally::default() });
    }

    #[test]
    fn what_was_before_is_taken_off_a_conversation() {
        let before = Tally {
            tokens: tokens(100, 10),
            cost: Some(Cost { usd: 0.25, estimated: false }),
            ..Tally::default()
        };
        let (mut account, mut tally) = (Account::new(Some(&before), None), Tally::default());
        account.used(Scope::Conversation, tokens(150, 15), &mut tally);
        account.paid(Scope::Conversation, 0.75, &mut tally);
        let cost = Some(Cost { usd: 0.5, estimated: false });
        assert_eq!(tally, Tally { tokens: tokens(50, 5), cost, ..Tally::default() });
    }

    #[test]
    fn a_cost_is_estimated_until_one_is_reported() {
        let price = Price { input: 3.0, cache_read: 0.3, cache_write: 3.75, output: 15.0 };
        let (mut account, mut tally) = (Account::new(None, Some(price)), Tally::default());
        let used =
            Tokens { input: 1_000_000, cache_read: 1_000_000, cache_write: 2_000_000, output: 100_000 };
        account.used(Scope::Step, used, &mut tally);
        assert_eq!(tally.cost, Some(Cost { usd: 3.0 + 0.3 + 7.5 + 1.5, estimated: true }));
        account.paid(Scope::Run, 1.0, &mut tally);
        assert_eq!(tally.cost, Some(Cost { usd: 1.0, estimated: false }));
    }

    #[test]
    fn foreign_numbers_do_not_overflow() {
        let most = Tokens { input: u64::MAX, cache_read: u64::MAX, cache_write: 1, output: 1 };
        assert_eq!(most.plus(most).total(), u64::MAX);
        assert_eq!(tokens(1, 1).less(most), Tokens { output: 0, ..Tokens::default() });
    }

    #[test]
    fn what_helpers_use_is_added_whatever_else_is_reported() {
        let (mut account, mut tally) = (Account::new(None, None), Tally::default());
        account.used(Scope::Conversation, tokens(100, 5), &mut tally);
        account.used(Scope::Aside, tokens(30, 2), &mut tally);
        account.used(Scope::Conversation, tokens(120, 6), &mut tally);
        account.used(Scope::Aside, tokens(10, 1), &mut tally);
        assert_eq!((tally.tokens, tally.aside), (tokens(160, 9), tokens(40, 3)));
        // A run that goes on takes off what the conversation had, and that alone.
        let mut next = Tally::default();
        Account::new(Some(&tally), None).used(Scope::Conversation, tokens(150, 8), &mut next);
        assert_eq!(next.tokens, tokens(30, 2));
    }
}

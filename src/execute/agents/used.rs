//! What agents and questions to language models have used on a day, and what a day may cost.
//!
//! Nobody owns it: it is read from the records of runs. A day is a day of the machine's calendar.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::execute::agents::tally::Tally;
use crate::execute::folder::records_around;
use crate::plan::settings::Budgets;

/// Tokens and US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Used {
    /// Tokens.
    pub(crate) tokens: u64,
    /// US dollars, estimates included.
    pub(crate) usd: f64,
    /// Whether a part of the dollars is an estimate.
    pub(crate) estimated: bool,
}

impl Used {
    /// What one run amounts to.
    pub(crate) fn of(tally: &Tally) -> Used {
        Used {
            tokens: tally.tokens.total(),
            usd: tally.cost.map_or(0.0, |cost| cost.usd),
            estimated: tally.cost.is_some_and(|cost| cost.estimated),
        }
    }

    /// Adds what others used.
    pub(crate) fn add(&mut self, other: Used) {
        self.tokens += other.tokens;
        self.usd += other.usd;
        self.estimated |= other.estimated;
    }

    /// Which limit of a day is used up, as a sentence.
    pub(crate) fn over(&self, budgets: &Budgets) -> Option<String> {
        if let Some(limit) = budgets.day_tokens
            && self.tokens >= limit
        {
            return Some(format!("today's budget of {limit} tokens is used up ({} used)", self.tokens));
        }
        match budgets.day_usd {
            Some(limit) if self.usd >= limit => {
                Some(format!("today's budget of ${limit:.2} is used up (${:.2} used)", self.usd))
            }
            _ => None,
        }
    }

    /// What runs that are over have used on the day of `now`, as their records in `runs` say, without those that `skip`
    /// names. Blocking.
    pub(crate) fn of_day(runs: &Path, now: Timestamp, skip: impl Fn(&str) -> bool) -> Used {
        let today = day_of(now);
        let mut sum = Used::default();
        for record in records_around(runs, now) {
            if skip(&record.run) || day_of(record.started_at) != today {
                continue;
            }
            if let Some(tally) = record.agent.as_ref().map(|agent| &agent.tally).or(record.spent.as_ref()) {
                sum.add(Used::of(tally));
            }
        }
        sum
    }

    /// What is left of the day's limits, where there are any: tokens and US dollars.
    pub(crate) fn left(&self, budgets: &Budgets) -> (Option<u64>, Option<f64>) {
        let tokens = budgets.day_tokens.map(|limit| limit.saturating_sub(self.tokens));
        (tokens, budgets.day_usd.map(|limit| (limit - self.usd).max(0.0)))
    }
}

fn day_of(at: Timestamp) -> Date {
    at.to_zoned(jiff::tz::TimeZone::system()).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(tokens: u64, usd: f64) -> Used {
        Used { tokens, usd, estimated: false }
    }

    #[test]
    fn a_budget_is_over_when_it_is_used_up() {
        let budgets = Budgets { day_tokens: Some(100), day_usd: Some(2.0), ..Budgets::default() };
        assert_eq!(used(99, 1.99).over(&budgets), None);
        let said = |used: Used| used.over(&budgets).unwrap();
        assert_eq!(said(used(100, 0.0)), "today's budget of 100 tokens is used up (100 used)");
        assert_eq!(said(used(0, 2.5)), "today's budget of $2.00 is used up ($2.50 used)");
        assert_eq!(used(30, 0.5).left(&budgets), (Some(70), Some(1.5)));
        assert_eq!(used(300, 5.0).left(&budgets), (Some(0), Some(0.0)));
        assert_eq!(used(1, 1.0).left(&Budgets::default()), (None, None));
    }
}

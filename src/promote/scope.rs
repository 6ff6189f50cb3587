//! What work may touch, and what it risks (openloop §4): globs, checked on the paths that a ticket declares and again on
//! what it really changed.
//!
//! `**` stands for anything, `*` and `?` for anything but a slash; a pattern is anchored at the project's folder and
//! takes letters as they are. Risk only ever goes up.

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

use crate::plan::settings::{PromotionSettings, Risk};
use crate::plan::ticket::Ticket;

/// What the rules say of some paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Risk of the work.
    pub risk: Risk,
    /// Why it is what it is, a sentence each (foreign text in it).
    pub reasons: Vec<String>,
    /// Why it may not land, if so.
    pub refused: Option<Outside>,
}

/// A path that work may not touch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "outside", rename_all = "snake_case")]
pub enum Outside {
    /// A rule denies it.
    #[error("`{path}` is denied by `{rule}` (promotion.deny in .planfile/.koru/config.yaml)")]
    Denied {
        /// Path (foreign text).
        path: String,
        /// Pattern.
        rule: String,
    },
    /// It is in none of the allowed places.
    #[error("`{path}` is in none of the allowed places (promotion.allow in .planfile/.koru/config.yaml)")]
    NotAllowed {
        /// Path (foreign text).
        path: String,
    },
}

/// The risk that the ticket's label says; of several the highest; the configured one when there is none.
pub fn declared(ticket: &Ticket, settings: &PromotionSettings) -> Risk {
    let labels = ticket.labels.iter().filter_map(|label| label.strip_prefix("risk:"));
    labels.filter_map(Risk::parse).max().unwrap_or(settings.default_risk)
}

/// What the rules say of `paths` (from the project's folder), for work of at least the risk `least`.
pub fn judge(settings: &PromotionSettings, least: Risk, paths: &[String]) -> Scope {
    let mut scope = Scope { risk: least, reasons: Vec::new(), refused: None };
    let rules = Rules::of(settings);
    let paths: Vec<&str> = paths.iter().map(|path| normal(path)).collect();
    for path in &paths {
        if let Some(rule) = Rules::hit(&rules.deny, path) {
            let (path, rule) = ((*path).to_owned(), rule.to_owned());
            scope.refused = Some(Outside::Denied { path, rule });
            return scope;
        }
    }
    if let Some(path) =
        paths.iter().find(|path| !rules.allow.is_empty() && Rules::hit(&rules.allow, path).is_none())
    {
        scope.refused = Some(Outside::NotAllowed { path: (*path).to_owned() });
        return scope;
    }
    let high = paths.iter().find_map(|path| Some((path, Rules::hit(&rules.high_risk, path)?)));
    if let Some((path, rule)) = high {
        scope.risk = Risk::High;
        scope.reasons.push(format!("`{path}` is high-risk by `{rule}`"));
    }
    let ruled = !(rules.allow.is_empty() && rules.deny.is_empty() && rules.high_risk.is_empty());
    if paths.is_empty() && ruled && settings.default_risk > scope.risk {
        scope.risk = settings.default_risk;
        scope.reasons.push("which paths it touches is not known".to_owned());
    }
    scope
}

struct Rules<'a> {
    allow: Vec<(&'a str, GlobMatcher)>,
    deny: Vec<(&'a str, GlobMatcher)>,
    high_risk: Vec<(&'a str, GlobMatcher)>,
}

impl<'a> Rules<'a> {
    fn of(settings: &'a PromotionSettings) -> Rules<'a> {
        // What is no glob was refused with the whole block when it was read.
        let all = |patterns: &'a [String]| -> Vec<(&'a str, GlobMatcher)> {
            let compile = |pattern: &'a String| {
                let glob = GlobBuilder::new(normal(pattern)).literal_separator(true).build().ok()?;
                Some((pattern.as_str(), glob.compile_matcher()))
            };
            patterns.iter().filter_map(compile).collect()
        };
        Rules { allow: all(&settings.allow), deny: all(&settings.deny), high_risk: all(&settings.high_risk) }
    }

    fn hit<'r>(rules: &'r [(&'a str, GlobMatcher)], path: &str) -> Option<&'r str> {
        rules.iter().find(|(_, matcher)| matcher.is_match(path)).map(|(rule, _)| *rule)
    }
}

/// Without one leading `./` or `/`.
fn normal(path: &str) -> &str {
    path.strip_prefix("./").or_else(|| path.strip_prefix('/')).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(allow: &[&str], deny: &[&str], high: &[&str]) -> PromotionSettings {
        let owned = |globs: &[&str]| globs.iter().map(|&glob| glob.to_owned()).collect();
        PromotionSettings {
            allow: owned(allow),
            deny: owned(deny),
            high_risk: owned(high),
            ..PromotionSettings::default()
        }
    }

    fn paths(paths: &[&str]) -> Vec<String> {
        paths.iter().map(|&path| path.to_owned()).collect()
    }

    #[test]
    fn a_denied_path_goes_before_everything_else() {
        let rules = settings(&["src/**"], &["infra/**"], &["infra/**"]);
        let scope = judge(&rules, Risk::Low, &paths(&["docs/a.md", "infra/keys.tf"]));
        let denied = Outside::Denied { path: "infra/keys.tf".to_owned(), rule: "infra/**".to_owned() };
        assert_eq!(scope, Scope { risk: Risk::Low, reasons: Vec::new(), refused: Some(denied) });
    }

    #[test]
    fn a_path_outside_of_what_is_allowed_is_refused_by_its_own_reason() {
        let rules = settings(&["src/**"], &[], &[]);
        let outside = judge(&rules, Risk::Low, &paths(&["src/a.rs", "src"])).refused;
        assert_eq!(outside, Some(Outside::NotAllowed { path: "src".to_owned() }));
        assert_eq!(judge(&rules, Risk::Low, &paths(&["./src/a/b.rs"])).refused, None);
    }

    #[test]
    fn a_high_risk_place_raises_the_risk_and_nothing_lowers_it() {
        let rules = settings(&[], &[], &["*.tf"]);
        let scope = judge(&rules, Risk::Low, &paths(&["a.tf"]));
        assert_eq!(
            (scope.risk, scope.reasons),
            (Risk::High, vec!["`a.tf` is high-risk by `*.tf`".to_owned()])
        );
        assert_eq!(judge(&rules, Risk::High, &paths(&["a.rs"])).risk, Risk::High);
        // A star does not go through a slash.
        assert_eq!(judge(&rules, Risk::Low, &paths(&["deep/a.tf"])).risk, Risk::Low);
    }

    #[test]
    fn unknown_paths_are_of_the_configured_risk_only_where_there_are_rules() {
        assert_eq!(judge(&settings(&[], &[], &[]), Risk::Low, &[]).risk, Risk::Low);
        let scope = judge(&settings(&[], &["x"], &[]), Risk::Low, &[]);
        assert_eq!(scope.risk, Risk::Medium);
        assert_eq!(scope.reasons, ["which paths it touches is not known"]);
    }

    #[test]
    fn labels_say_the_risk_and_the_highest_counts() {
        let rules = settings(&[], &[], &[]);
        let labelled =
            |labels: &[&str]| declared(&Ticket { labels: paths(labels), ..Ticket::default() }, &rules);
        assert_eq!(labelled(&["risk:low", "bug"]), Risk::Low);
        assert_eq!(labelled(&["risk:low-risk", "risk:high"]), Risk::High);
        assert_eq!(labelled(&["risk:none"]), Risk::Medium);
    }
}

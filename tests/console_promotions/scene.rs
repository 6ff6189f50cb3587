//! Seven promotions: of every risk, one that is blocked, one that landed, one that was rejected.

use std::sync::Arc;
use std::time::Duration;

use koru_tui::runtime::protocol::promotion::{
    Deed, DiffMark, Landed, Move, Promotion, PromotionView, Risk, State, VerdictMark, Way,
};
use koru_tui::runtime::protocol::review::Decision;
use koru_tui::runtime::protocol::{Cost, GateResult, GateState, PromotionsView, Snapshot};

use crate::console_support::{ago, busy, id};

/// The commit of a ticket's work.
pub(crate) fn head(ticket: u32) -> String {
    ticket.to_string().repeat(40)
}

/// The name of a ticket's promotion.
pub(crate) fn name(ticket: u32) -> String {
    format!("PLF-00{ticket}.{}", &head(ticket)[..12])
}

pub(crate) fn landed(ticket: u32) -> Landed {
    let going = Move { branch: "main".to_owned(), from: "b".repeat(40), to: head(ticket) };
    Landed { going, way: Way::Forward, by: "koru-shell".to_owned(), at: ago(60) }
}

fn gate(name: &str, state: GateState) -> GateResult {
    GateResult {
        gate: name.to_owned(),
        state,
        command: None,
        exit_code: Some(0),
        output: String::new(),
        duration: Duration::from_secs(3),
    }
}

fn promotion(ticket: u32, title: &str, risk: Risk, paths: &[&str]) -> Promotion {
    let deed = Deed { at: ago(1_200), by: "koru-shell".to_owned(), what: "requested".to_owned() };
    Promotion {
        format: 1,
        id: name(ticket),
        ticket: id(&format!("PLF-00{ticket}")),
        title: title.to_owned(),
        created_at: ago(600 * i64::from(ticket)),
        branch: format!("koru/PLF-00{ticket}"),
        base_branch: "main".to_owned(),
        base: "b".repeat(40),
        head: head(ticket),
        diff: DiffMark {
            hash: "d".repeat(64),
            files: u32::try_from(paths.len()).unwrap(),
            added: 38 * ticket,
            removed: 11,
            paths: paths.iter().map(|&path| path.to_owned()).collect(),
        },
        checks: vec![gate("ci", GateState::Passed)],
        verdict: None,
        risk,
        reasons: Vec::new(),
        blocked: None,
        cost: Some(Cost { usd: 0.38, estimated: ticket > 1 }),
        state: State::Pending,
        history: vec![deed],
    }
}

/// A promotion that landed.
pub(crate) fn applied(ticket: u32) -> Promotion {
    let state = State::Applied(landed(ticket));
    Promotion { state, ..promotion(ticket, "notes of the release", Risk::Low, &["CHANGELOG.md"]) }
}

pub(crate) fn promotions() -> PromotionsView {
    let reviewed = Promotion {
        verdict: Some(VerdictMark {
            decision: Decision::Approve,
            by: "codex".to_owned(),
            round: 2,
            blocking: 0,
            findings: 3,
        }),
        checks: vec![
            gate("fmt", GateState::Passed),
            gate("test", GateState::Passed),
            gate("e2e", GateState::Skipped { why: "no browser here".to_owned() }),
        ],
        ..promotion(1, "first steps \u{1b}[2J\u{202e}", Risk::Medium, &["src/lexer.rs", "src/parser.rs"])
    };
    let high = Promotion {
        reasons: vec!["`deploy/main.tf` is high-risk by `deploy/**`".to_owned()],
        ..promotion(4, "rotate keys", Risk::High, &["deploy/main.tf"])
    };
    let blocked = Promotion {
        blocked: Some("`infra/keys.tf` is denied by `infra/**`".to_owned()),
        checks: Vec::new(),
        cost: None,
        ..promotion(5, "open the firewall", Risk::Medium, &["infra/keys.tf"])
    };
    let rejected = Promotion {
        state: State::Rejected { reason: "in Polish, please".to_owned(), by: "ada".to_owned(), at: ago(300) },
        ..promotion(7, "greet", Risk::Low, &["hello.txt"])
    };
    let view = |promotion: Promotion| {
        let base_ahead = (promotion.state == State::Pending).then_some(0);
        Arc::new(PromotionView { promotion, base_ahead })
    };
    let all = [
        reviewed,
        promotion(2, "second steps", Risk::Low, &["README.md"]),
        promotion(3, "tidy README", Risk::Low, &["README.md", "docs/a.md"]),
        high,
        blocked,
        applied(6),
        rejected,
    ];
    PromotionsView { looks: 1, list: all.into_iter().map(view).collect(), ..PromotionsView::default() }
}

/// The busy board with work that waits to land.
pub(crate) fn scene() -> Snapshot {
    Snapshot { promotions: Arc::new(promotions()), ..busy() }
}

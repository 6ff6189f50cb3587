//! The screen of work that lands: whole screens at three sizes, what its keys send, and what they must not do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod console_support;
#[path = "console_promotions/scene.rs"]
mod scene;

use std::sync::Arc;

use console_support::{Bench, id};
use koru_tui::console::{InputMessage, Key, Message, RuntimeMessage};
use koru_tui::runtime::protocol::diff::{DiffCommand, DiffRange};
use koru_tui::runtime::protocol::promotion::{After, LandingView, Onto, Promotion, Risk, State};
use koru_tui::runtime::protocol::{
    Command, Outcome, PromotionCommand, PromotionEvent, PromotionsView, RequestId, Snapshot,
};
use scene::{applied, head, landed, name, promotions, scene};

/// The screen, opened by its key.
fn opened(width: u16, height: u16) -> Bench {
    let mut bench = Bench::new(scene(), width, height);
    bench.keys("L");
    assert_eq!(decisions(&mut bench), [PromotionCommand::Refresh]);
    bench
}

/// What was sent about promotions.
fn decisions(bench: &mut Bench) -> Vec<PromotionCommand> {
    asked(bench).into_iter().map(|(_, command)| command).collect()
}

fn asked(bench: &mut Bench) -> Vec<(RequestId, PromotionCommand)> {
    let about = |(request, command)| match command {
        Command::Promotion(command) => Some((request, command)),
        _ => None,
    };
    bench.requests().into_iter().filter_map(about).collect()
}

fn approval(ticket: u32, word: Option<&str>) -> PromotionCommand {
    PromotionCommand::Approve { id: name(ticket), seen: head(ticket), word: word.map(str::to_owned) }
}

/// The snapshot with its promotions changed.
fn changed(bench: &mut Bench, change: impl FnOnce(&mut PromotionsView)) {
    let mut view = promotions();
    change(&mut view);
    let snapshot = Snapshot { revision: 2, promotions: Arc::new(view), ..scene() };
    bench.hear(RuntimeMessage::Snapshot(Arc::new(snapshot)));
}

fn change_of(view: &mut PromotionsView, ticket: u32, change: impl FnOnce(&mut Promotion)) {
    let at = view.list.iter().position(|one| one.promotion.id == name(ticket)).unwrap();
    change(&mut Arc::make_mut(&mut view.list[at]).promotion);
}

/// A key without a frame after it.
fn press(bench: &mut Bench, key: &str) {
    bench.tell(Message::Input(InputMessage::Key(Key::parse(key).unwrap())));
}

/// The words stand on the screen, wrapped or not: the card is the right of the list.
fn says(bench: &mut Bench, text: &str) {
    let screen = bench.screen();
    let card = screen.lines().map(|line| line.rsplit('│').next().unwrap_or_default());
    let card = card.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
    assert!(screen.contains(text) || card.contains(text), "no {text:?} in\n{screen}");
}

#[test]
fn the_screen_at_three_sizes() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let mut bench = opened(width, height);
        insta::assert_snapshot!(format!("promotions_{width}x{height}"), bench.screen());
        bench.keys("f j");
        insta::assert_snapshot!(format!("promotions_applied_{width}x{height}"), bench.screen());
        bench.keys("f f f");
        changed(&mut bench, |view| {
            view.troubles = vec!["torn.json is no promotion: EOF".to_owned()];
            view.landing =
                Some(LandingView { id: name(1), says: "test lexer ... ok\u{1b}[2J".into(), stopping: false });
        });
        insta::assert_snapshot!(format!("promotions_landing_{width}x{height}"), bench.screen());
    }
}

#[test]
fn tiny_screens_and_no_promotions_are_drawn_too() {
    for (width, height) in [(1, 1), (20, 3), (40, 6), (60, 10), (119, 9)] {
        opened(width, height).keys("j k f A esc");
    }
    let mut bench = Bench::new(console_support::busy(), 80, 24);
    bench.keys("L");
    says(&mut bench, "looking…");
    let looked = PromotionsView { looks: 1, ..PromotionsView::default() };
    let snapshot = Snapshot { revision: 2, promotions: Arc::new(looked), ..console_support::busy() };
    bench.hear(RuntimeMessage::Snapshot(Arc::new(snapshot)));
    says(&mut bench, "Nothing waits to land");
    bench.keys("A");
    says(&mut bench, "there is none here");
}

#[test]
fn the_board_counts_what_waits_and_the_ticket_says_where_to_go() {
    let mut bench = Bench::new(scene(), 120, 40);
    says(&mut bench, "⇡ 5 to land");
    bench.keys(r#"f / "first steps" enter"#);
    says(&mut bench, "its work waits to land on main; L goes there");
    // The screen opens at that ticket's work, and goes back to the board.
    bench.keys("L");
    says(&mut bench, "PLF-001  first steps");
    bench.keys("esc");
    says(&mut bench, "QUEUE");
}

#[test]
fn an_approval_asks_and_carries_the_commit_that_was_on_the_screen() {
    let mut bench = opened(120, 40);
    bench.keys("A");
    says(&mut bench, "land PLF-001 at 1111111");
    bench.keys("n");
    assert_eq!(decisions(&mut bench), []);
    bench.keys("A y");
    let sent = asked(&mut bench);
    let [(request, command)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(*command, approval(1, None));
    // Landed: it stays where the operator is, and can be taken back at once.
    changed(&mut bench, |view| change_of(view, 1, |promotion| promotion.state = State::Applied(landed(1))));
    let carried = PromotionEvent::Carried { promotion: Arc::new(applied(1)), trouble: None };
    bench.hear(RuntimeMessage::Promotion(carried));
    bench.reply(*request, Outcome::Done { ticket: Some(id("PLF-001")), run: None });
    says(&mut bench, "PLF-001 landed on main as 1111111");
    bench.keys("u y");
    assert_eq!(decisions(&mut bench), [PromotionCommand::Undo { id: name(1) }]);
}

#[test]
fn what_no_frame_has_shown_is_not_decided_on() {
    let mut bench = opened(120, 40);
    // The operator's own move wants a frame before the next key.
    press(&mut bench, "j");
    assert!(bench.console.wants_frame_before_key());
    bench.screen();
    assert!(!bench.console.wants_frame_before_key());
    press(&mut bench, "k");
    bench.screen();
    // An event changes what stands there: no frame comes before the key, and the key is refused.
    changed(&mut bench, |view| change_of(view, 1, |promotion| promotion.risk = Risk::Low));
    assert!(!bench.console.wants_frame_before_key());
    press(&mut bench, "A");
    says(&mut bench, "not on the screen yet as it is now");
    // Another console landed it: its row goes, and the key does not fall on the next one.
    changed(&mut bench, |view| change_of(view, 1, |promotion| promotion.state = State::Applied(landed(1))));
    for key in ["A", "R", "u", "space"] {
        press(&mut bench, key);
    }
    assert_eq!((decisions(&mut bench), bench.screen().contains("reject PLF")), (vec![], false));
}

#[test]
fn a_refusal_is_said_and_the_new_state_is_shown() {
    let mut bench = opened(120, 40);
    bench.keys("A y");
    let (request, _) = asked(&mut bench).remove(0);
    changed(&mut bench, |view| {
        change_of(view, 1, |promotion| {
            promotion.state =
                State::Expired { why: "the work went on".to_owned(), at: console_support::noon() };
        });
    });
    bench.reply(request, Outcome::Refused { message: "the work of PLF-001 went on since".to_owned() });
    says(&mut bench, "the work of PLF-001 went on since");
    says(&mut bench, "expired: the work went on");
    bench.keys("A");
    says(&mut bench, "approve: it is expired");
}

#[test]
fn high_risk_asks_for_the_tickets_id() {
    let mut bench = opened(120, 40);
    bench.keys("j j j A");
    says(&mut bench, "high risk: type PLF-004 to land it:");
    bench.keys(r#""y" enter"#);
    says(&mut bench, "nothing landed: that was not PLF-004");
    bench.keys("esc");
    assert_eq!(decisions(&mut bench), []);
    bench.keys(r#"A "PLF-004" enter"#);
    assert_eq!(decisions(&mut bench), [approval(4, Some("PLF-004"))]);
}

#[test]
fn what_is_blocked_or_decided_says_why() {
    let mut bench = opened(120, 40);
    bench.keys("end A");
    says(&mut bench, "it may not land: `infra/keys.tf` is denied by `infra/**`");
    bench.keys("f A");
    says(&mut bench, "approve: it is applied");
    bench.keys("f u");
    says(&mut bench, "take back: it is rejected");
    assert_eq!(decisions(&mut bench), []);
}

#[test]
fn marked_low_risk_work_lands_one_after_the_other_and_stops_at_the_first_refusal() {
    let mut bench = opened(120, 40);
    bench.keys("space");
    says(&mut bench, "it is medium-risk; only low-risk work is approved together");
    bench.keys("j space j space A");
    says(&mut bench, "land 2 marked promotions, one after the other?");
    bench.keys("y");
    let first = asked(&mut bench);
    assert_eq!(first.iter().map(|(_, command)| command).collect::<Vec<_>>(), [&approval(2, None)]);
    bench.keys("A");
    says(&mut bench, "one lands after the other");
    bench.reply(first[0].0, Outcome::Done { ticket: Some(id("PLF-002")), run: None });
    let second = asked(&mut bench);
    assert_eq!(second.iter().map(|(_, command)| command).collect::<Vec<_>>(), [&approval(3, None)]);
    bench.reply(second[0].0, Outcome::Refused { message: "the base changed the same places".to_owned() });
    says(&mut bench, "the base changed the same places (landed before it: PLF-002)");
    assert_eq!(decisions(&mut bench), []);
}

#[test]
fn a_batch_that_lands_is_said_and_what_is_judged_anew_is_left_out() {
    let mut bench = opened(120, 40);
    bench.keys("j space j space");
    // The rules have changed: what is not low-risk any more is not marked any more.
    changed(&mut bench, |view| change_of(view, 3, |promotion| promotion.risk = Risk::Medium));
    says(&mut bench, "1 marked");
    changed(&mut bench, |_| {});
    bench.screen();
    bench.keys("space A y");
    let (request, command) = asked(&mut bench).remove(0);
    assert_eq!(command, approval(2, None));
    // It is judged anew while the first one lands.
    changed(&mut bench, |view| change_of(view, 3, |promotion| promotion.risk = Risk::High));
    bench.reply(request, Outcome::Done { ticket: Some(id("PLF-002")), run: None });
    says(&mut bench, "it is high-risk; only low-risk work is approved together (landed before it: PLF-002)");
    assert_eq!(decisions(&mut bench), []);
}

#[test]
fn a_rejection_says_what_becomes_of_the_ticket_and_needs_a_reason() {
    let mut bench = opened(120, 40);
    bench.keys("R");
    says(&mut bench, "reject PLF-001, and then");
    bench.keys("1 ctrl-s");
    says(&mut bench, "it needs words");
    bench.keys(r#""in Polish, please" ctrl-s"#);
    let reject = |after: After, reason: &str| PromotionCommand::Reject {
        id: name(1),
        seen: head(1),
        reason: reason.to_owned(),
        after,
    };
    let (request, command) = asked(&mut bench).remove(0);
    assert_eq!(command, reject(After::Rework, "in Polish, please"));
    // Refused: the words are kept, and the form has them again.
    bench.reply(request, Outcome::Refused { message: "it is applied already, by bob".to_owned() });
    says(&mut bench, "not sent, your text is kept: it is applied already, by bob");
    bench.keys("R 2");
    says(&mut bench, "in Polish, please");
    bench.keys("ctrl-s");
    assert_eq!(decisions(&mut bench), [reject(After::Close, "in Polish, please")]);
}

#[test]
fn the_diff_of_the_whole_work_opens_over_it_and_goes_back() {
    let mut bench = opened(120, 40);
    bench.keys("j enter");
    let opens = bench.sent().into_iter().find_map(|command| match command {
        Command::Diff(DiffCommand::Open { ticket, range, .. }) => Some((ticket, range)),
        _ => None,
    });
    assert_eq!(opens, Some((id("PLF-002"), DiffRange::Whole)));
    bench.keys("esc");
    says(&mut bench, "PROMOTIONS");
    bench.keys("A");
    says(&mut bench, "land PLF-002");
}

#[test]
fn words_are_searched_as_they_are_typed_and_left_again() {
    let mut bench = opened(120, 40);
    bench.keys(r#"/ "keys.tf""#);
    says(&mut bench, "1 of 7");
    bench.keys("esc");
    says(&mut bench, "5 of 7");
    bench.keys(r#"/ "keys.tf" enter"#);
    says(&mut bench, "/ keys.tf");
    bench.keys("esc");
    says(&mut bench, "5 of 7");
    bench.keys("f f f f");
    says(&mut bench, "all 7 of 7");
}

#[test]
fn checks_of_a_landing_are_stopped_by_key_and_nothing_else_lands_meanwhile() {
    let mut bench = opened(120, 40);
    bench.keys("x");
    says(&mut bench, "nothing lands right now");
    changed(&mut bench, |view| {
        view.landing =
            Some(LandingView { id: name(1), says: "test lexer ... ok".to_owned(), stopping: false });
    });
    says(&mut bench, "its checks run (x stops them): test lexer ... ok");
    bench.keys("j A");
    says(&mut bench, "another one lands right now");
    bench.keys("x");
    assert_eq!(decisions(&mut bench), [PromotionCommand::Stop { id: name(1) }]);
}

#[test]
fn a_base_that_moved_on_says_what_happens_first() {
    for (onto, text) in [
        (Onto::Rebase, "put on top of them and checked again"),
        (Onto::Merge, "both are merged and checked again"),
        (Onto::FastForward, "only a fast-forward is allowed"),
    ] {
        let mut bench = opened(200, 60);
        changed(&mut bench, |view| {
            view.onto = onto;
            Arc::make_mut(&mut view.list[0]).base_ahead = Some(2);
        });
        says(&mut bench, text);
        bench.keys("A");
        says(&mut bench, "main has 2 commits more");
    }
}

#[test]
fn what_the_ticket_could_not_be_told_is_said() {
    let mut bench = opened(120, 40);
    let trouble = Some("PLF-001 could not be told: locked".to_owned());
    let carried = PromotionEvent::Carried { promotion: Arc::new(applied(1)), trouble };
    bench.hear(RuntimeMessage::Promotion(carried));
    says(&mut bench, "PLF-001 landed on main as 111111111111, but PLF-001 could not be told: locked");
}

//! Every screen, pane, overlay, form, menu and state of the console, each under a name of its own.
//!
//! A scene is made anew for a theme and a size: the snapshot, the keys that lead there, and what a runtime would have
//! said on the way. Names are `area/what`, so that a list of them is a table of contents.

use std::sync::Arc;

use koru_tui::console::{Message, RuntimeMessage, Settings, SystemMessage};
use koru_tui::runtime::protocol::diff::{DiffEvent, DiffId, Listing};
use koru_tui::runtime::protocol::{Command, Outcome, PlanHealth, ProjectEvent, RunEvent, RunView, Snapshot};

use crate::boards::{
    all_done, approved, asks, broken, delegable, grid, idle, long_names, over, past_runs, read_only, refused,
    reviewing, sleeping, stalled, violated, waiting, working,
};
use crate::console_support::agents::{raw, said, worktrees};
use crate::console_support::{Bench, empty, id, output};
use crate::promotion_scene;
use crate::review_scene::{Answers, reviewed};

/// One screen.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    snapshot: fn() -> Snapshot,
    /// What happens before it is looked at.
    play: fn(&mut Bench),
}

impl Scene {
    /// The console in this scene.
    pub(crate) fn bench(&self, settings: Settings, width: u16, height: u16) -> Bench {
        let mut bench = Bench::with_settings(settings, (self.snapshot)(), width, height);
        bench.hear(said("r1"));
        bench.hear(output("r2", &["   Compiling parser v0.3.1", "running 14 tests", "error: it is slow"]));
        (self.play)(&mut bench);
        bench.screen();
        bench
    }
}

const fn scene(name: &'static str, snapshot: fn() -> Snapshot, play: fn(&mut Bench)) -> Scene {
    Scene { name, snapshot, play }
}

macro_rules! keys {
    ($script:expr) => {
        |bench: &mut Bench| {
            bench.keys($script);
        }
    };
}

/// All of them.
pub(crate) const SCENES: &[Scene] = &[
    // The board and its panes.
    scene("board/queue", working, keys!("")),
    scene("board/queue-low", working, keys!("end")),
    scene("board/finished", working, keys!("f end")),
    scene("board/queue-zoomed", working, keys!("z")),
    scene("board/detail", working, keys!("j j j j tab tab tab")),
    scene("board/long-names", long_names, keys!("")),
    scene("board/sprint", working, keys!("S")),
    scene("board/filter-typed", working, keys!(r#"/ "pars""#)),
    scene("board/filter-set", working, keys!(r#"/ "pars" enter"#)),
    scene("board/filter-finds-nothing", working, keys!(r#"/ "zzz" enter"#)),
    scene("board/empty", empty, keys!("")),
    scene("board/all-done", all_done, keys!("")),
    scene("board/loading", || Snapshot { health: PlanHealth::Loading, ..empty() }, keys!("")),
    scene("board/uninitialised", || Snapshot { health: PlanHealth::Uninitialised, ..empty() }, keys!("")),
    scene("board/refused", refused, keys!("")),
    scene("board/read-only", read_only, keys!("")),
    scene("board/broken-file", broken, keys!("")),
    scene("board/said", working, keys!("w")),
    scene("board/refusal", working, keys!("r")),
    scene("board/trouble", working, trouble_said),
    // Output of runs.
    scene("run/agent", working, keys!("j j j j tab")),
    scene("run/shell", working, keys!("tab ]")),
    scene("run/unfolded", working, keys!("j j j j tab home j j j j space")),
    scene("run/all-open", working, keys!("j j j j tab O")),
    scene("run/raw", working, |bench| {
        bench.keys("j j j j tab v");
        bench.hear(raw("r1"));
    }),
    scene("run/times-and-cut", working, keys!("j j j j tab t W")),
    scene("run/kinds", working, keys!("j j j j tab f")),
    scene("run/search-typed", working, keys!(r#"j j j j tab / "pars""#)),
    scene("run/search-set", working, keys!(r#"j j j j tab / "pars" enter"#)),
    scene("run/search-finds-nothing", working, keys!(r#"j j j j tab / "zzz" enter"#)),
    scene("run/grid", grid, keys!("g")),
    scene("run/sleeping", sleeping, keys!("j j j j tab")),
    scene("run/stalled", stalled, keys!("j j j j tab")),
    scene("run/violation", violated, keys!("j tab")),
    scene("run/over", over, keys!("j tab")),
    scene("run/none", idle, keys!("tab")),
    scene("run/message", working, keys!(r#"j j j j tab m "Keep the public API." enter "No new crates.""#)),
    scene("run/earlier-reading", working, keys!("home j E")),
    scene("run/earlier-none", working, |bench| earlier(bench, Vec::new())),
    scene("run/earlier", working, |bench| earlier(bench, past_runs())),
    // Rounds and their verdict.
    scene("verdict/waiting", waiting, keys!("j V")),
    scene("verdict/beside-the-queue", waiting, keys!("j")),
    scene("verdict/reviewing", reviewing, keys!("V")),
    scene("verdict/approved", approved, keys!("j V")),
    scene("verdict/finding", waiting, keys!("j V j")),
    scene("verdict/reject", waiting, keys!(r#"j V R "the twin is worse""#)),
    scene("verdict/another", waiting, keys!("j V n")),
    scene("verdict/approve", waiting, keys!("j V A")),
    // The review.
    scene("review/comparing", reviewed, keys!(r#"/ "PLF-074" enter d"#)),
    scene("review/unified", reviewed, |bench| review(bench, &["N"])),
    scene("review/split", reviewed, |bench| review(bench, &["N", "s"])),
    scene("review/files", reviewed, |bench| review(bench, &["tab j"])),
    scene("review/no-files", reviewed, |bench| review(bench, &["N t"])),
    scene("review/finding", reviewed, |bench| review(bench, &["f"])),
    scene("review/selecting", reviewed, |bench| review(bench, &["N", "v j"])),
    scene("review/comment", reviewed, |bench| review(bench, &["N", r#"c "why one byte more?""#])),
    scene("review/commented", reviewed, |bench| {
        review(bench, &["N", r#"c "why one byte more?" ctrl-s"#]);
    }),
    scene("review/range", reviewed, |bench| review(bench, &["r"])),
    scene("review/search-typed", reviewed, |bench| review(bench, &["N", r#"/ "line""#])),
    scene("review/search-set", reviewed, |bench| review(bench, &["N", r#"/ "line" enter"#])),
    scene("review/whole-file", reviewed, |bench| review(bench, &["N", "e"])),
    scene("review/approve", reviewed, |bench| review(bench, &["A"])),
    scene("review/reject", reviewed, |bench| review(bench, &["R"])),
    scene("review/nothing-differs", reviewed, review_of_nothing),
    // Work that lands.
    scene("promotions/list", promotion_scene::scene, keys!("L")),
    scene("promotions/none", working, keys!("L")),
    scene("promotions/applied", promotion_scene::scene, keys!("L f j")),
    scene("promotions/search-typed", promotion_scene::scene, keys!(r#"L / "lex""#)),
    scene("promotions/search-set", promotion_scene::scene, keys!(r#"L / "lex" enter"#)),
    scene("promotions/marked", promotion_scene::scene, keys!("L space space")),
    scene("promotions/armed", promotion_scene::scene, keys!("L A")),
    scene("promotions/reject", promotion_scene::scene, keys!(r#"L R "not yet""#)),
    scene("over/audit", working, keys!("H")),
    // A ticket.
    scene("ticket/page", working, keys!("j j j j enter")),
    scene("ticket/page-of-a-broken-policy", violated, keys!("j enter")),
    scene("ticket/page-of-a-failure", working, keys!("j enter")),
    scene("ticket/source", working, keys!("j j j j Y")),
    scene("ticket/answer", working, keys!("a")),
    scene("ticket/answer-typed", working, keys!(r#"a tab "PKCE by default; device code behind --device.""#)),
    scene("ticket/answer-refused", working, answer_refused),
    scene("ticket/answer-asked-by-agent", asks, keys!("a")),
    scene("ticket/create", working, keys!("n")),
    scene(
        "ticket/create-typed",
        working,
        keys!(r#"n "Split the lexer" tab "It does two things." tab right"#),
    ),
    scene("ticket/create-wrong", working, keys!("n ctrl-s tab")),
    scene("ticket/edit", working, keys!("j j j j e")),
    scene("ticket/edit-discard", working, keys!(r#"j j j j e "x" ctrl-x"#)),
    scene("ticket/block", working, keys!(r#"j b "waits for legal""#)),
    scene("ticket/priority", working, keys!("j p")),
    scene("ticket/delegate", delegable, keys!(r#"/ "PLF-090" enter D"#)),
    scene("ticket/delegate-note", delegable, keys!(r#"/ "PLF-090" enter D enter "small steps""#)),
    scene("ticket/retry-note", violated, keys!(r#"j I "without commits""#)),
    scene("ticket/stop", working, keys!("j j j j x")),
    scene("ticket/fail", working, keys!(r#"/ "PLF-059" enter F"#)),
    // Over everything.
    scene("over/help", working, keys!("?")),
    scene("over/help-of-output", working, keys!("j j j j tab ?")),
    scene("over/help-of-review", reviewed, |bench| review(bench, &["?"])),
    scene("over/palette", working, keys!(":")),
    scene("over/palette-typed", working, keys!(r#": "re""#)),
    scene("over/palette-finds-nothing", working, keys!(r#": "zzzz""#)),
    scene("over/messages", working, keys!("r w M")),
    scene("over/messages-none", working, keys!("M")),
    scene("over/theme", working, keys!("T")),
    scene("over/worktrees-measured", working, keys!("ctrl-w")),
    scene("over/worktrees-none", working, |bench| {
        bench.keys("ctrl-w");
        bench.hear(RuntimeMessage::Project(ProjectEvent::Worktrees { list: Vec::new() }));
    }),
    scene("over/worktrees", working, |bench| {
        bench.keys("ctrl-w");
        bench.hear(worktrees());
        bench.keys("j j");
    }),
    scene("over/worktrees-prune", working, |bench| {
        bench.keys("ctrl-w");
        bench.hear(worktrees());
        bench.keys("j j d");
    }),
    scene("over/quit", working, keys!("q")),
    scene("over/quit-stopping", working, keys!("q s")),
];

fn trouble_said(bench: &mut Bench) {
    let text = "keymap.yaml line 3: `ctlr-x` is no key; write it like ctrl-x, f5, or a letter".to_owned();
    bench.tell(Message::System(SystemMessage::Trouble(text)));
}

fn earlier(bench: &mut Bench, runs: Vec<Arc<RunView>>) {
    bench.keys("home j E");
    let total = runs.len() as u64;
    bench.hear(RuntimeMessage::Run(RunEvent::Earlier { ticket: id("PLF-061"), runs, total }));
}

/// The review of PLF-074, played with answers to all that it asks.
fn review(bench: &mut Bench, scripts: &[&str]) {
    let mut answers = Answers::default();
    bench.keys(r#"/ "PLF-074" enter d"#);
    answers.serve(bench);
    for script in scripts {
        bench.keys(script);
        answers.serve(bench);
    }
}

fn review_of_nothing(bench: &mut Bench) {
    bench.keys(r#"/ "PLF-074" enter d"#);
    let listing = Listing { files: Vec::new().into(), ..crate::review_scene::listing() };
    bench.hear(RuntimeMessage::Diff(DiffEvent::Listed { id: DiffId(1), listing: Arc::new(listing) }));
}

fn answer_refused(bench: &mut Bench) {
    bench.keys(r#"a tab "PKCE." ctrl-s"#);
    for (request, command) in bench.requests() {
        if !matches!(command, Command::Draft(_)) {
            let message = "the ticket was changed on disk meanwhile; look at it and submit again".to_owned();
            bench.reply(request, Outcome::Refused { message });
        }
    }
}

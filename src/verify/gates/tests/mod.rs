//! Gates on small folders with real children.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

mod detect;

use super::waiver::{Waiver, WaiverMode};
use super::*;
use crate::base::redact::Redactor;
use crate::execute::fence::Fence;
use crate::execute::output::{Channel, OutputLine};
use crate::execute::recorder::{Listener, Recorder};
use crate::execute::stop::{Stop, stop_pair};
use crate::plan::ticket::TicketId;

/// A folder with files, and a `bin` beside it that holds programs.
struct Place {
    top: tempfile::TempDir,
}

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let place = Self { top: tempfile::tempdir().unwrap() };
        fs::create_dir_all(place.work()).unwrap();
        fs::create_dir_all(place.bin()).unwrap();
        for (name, text) in files {
            place.put(name, text);
        }
        place
    }

    fn work(&self) -> PathBuf {
        self.top.path().join("work")
    }

    fn bin(&self) -> PathBuf {
        self.top.path().join("bin")
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.work().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Programs that say their name and arguments and end with this code.
    fn programs(self, programs: &[(&str, i32)]) -> Self {
        for (name, code) in programs {
            let path = self.bin().join(name);
            fs::write(&path, format!("#!/bin/sh\necho {name} \"$@\"\nexit {code}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        self
    }

    fn env(&self) -> Vec<(OsString, OsString)> {
        vec![("PATH".into(), self.bin().into())]
    }

    fn plan(&self) -> Vec<GatePlan> {
        plan(&self.work(), &Policy::default(), &self.env())
    }

    /// Gate → command, or what it lacks in brackets.
    fn planned(&self) -> Vec<(String, String)> {
        let shown = |plan: GatePlan| match plan.planned {
            Planned::Run { command } => (plan.gate, command),
            Planned::Skip { why } => (plan.gate, format!("[{why}]")),
        };
        self.plan().into_iter().map(shown).collect()
    }

    fn job(&self) -> GateJob {
        GateJob {
            gates: self.plan(),
            folder: self.work(),
            env: self.env(),
            fence: Fence::default(),
            waiver: None,
            timeout: Duration::from_secs(20),
            grace: Duration::from_secs(2),
        }
    }
}

#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<OutputLine>>>);

impl Listener for Ear {
    fn lines(&mut self, first: u64, lines: Vec<OutputLine>) {
        let mut all = self.0.lock().unwrap();
        assert_eq!(first, all.len() as u64, "one number space for all gates");
        all.extend(lines);
    }
}

async fn go(job: &GateJob) -> (GateReport, Vec<(Channel, String)>) {
    let ear = Ear::default();
    let mut recorder = Recorder::new(Redactor::default(), None, Box::new(ear.clone()));
    let (_stopper, stop) = stop_pair();
    let report = run(job, stop, &mut recorder).await;
    let lines = ear.0.lock().unwrap().iter().map(|line| (line.channel, line.text.to_string())).collect();
    (report, lines)
}

fn states(report: &GateReport) -> Vec<(&str, GateState)> {
    report.results.iter().map(|result| (result.gate.as_str(), result.state.clone())).collect()
}

fn skipped(why: &str) -> GateState {
    GateState::Skipped { why: why.to_owned() }
}

fn failed(why: &str) -> GateState {
    GateState::Failed { why: why.to_owned() }
}

#[tokio::test]
async fn each_gate_is_reported_and_one_that_fails_stops_none() {
    let place = Place::new(&[("Makefile", "test:\n"), ("Cargo.toml", ""), ("go.mod", ""), ("pom.xml", "")]);
    let place = place.programs(&[("make", 0), ("cargo", 3)]);
    let (report, lines) = go(&place.job()).await;
    let no_go = "there is a Go module, but `go` is not on PATH; install it or set ci.command";
    let no_java = "there is pom.xml, but no Java (neither `java` on PATH nor JAVA_HOME)";
    assert_eq!(
        states(&report),
        [
            ("make test", GateState::Passed),
            ("cargo test", failed("it exited with 3")),
            ("go test", skipped(no_go)),
            ("maven test", skipped(no_java)),
        ]
    );
    assert_eq!(report.verdict(), Verdict::Failed);
    assert_eq!(report.summary(), "make test passed, cargo test failed, go test skipped, maven test skipped");
    let cargo = &report.results[1];
    assert_eq!(
        (cargo.command.as_deref(), cargo.exit_code, cargo.output.as_str()),
        (Some("cargo test"), Some(3), "cargo test\n")
    );
    let mut shown: Vec<(Channel, String)> = lines;
    for (channel, text) in &mut shown {
        if *channel == Channel::Note && text.contains(" s]") {
            *text = text.split(" in ").next().unwrap().to_owned();
        }
    }
    let note = |text: &str| (Channel::Note, text.to_owned());
    assert_eq!(
        shown,
        [
            note("[gate make test: make test]"),
            (Channel::Out, "make test".to_owned()),
            note("[gate make test: passed"),
            note("[gate cargo test: cargo test]"),
            (Channel::Out, "cargo test".to_owned()),
            note("[gate cargo test: failed, it exited with 3]"),
            note(&format!("[gate go test: skipped, {no_go}]")),
            note(&format!("[gate maven test: skipped, {no_java}]")),
        ]
    );
    let Consequence::Fail { why } = report.consequence(&Policy::default(), None) else {
        panic!("{report:?}")
    };
    assert_eq!(why, "the gate cargo test failed: it exited with 3\ncargo test");
    let lax = Policy { require_ci_pass_before_complete: false, ..Policy::default() };
    assert_eq!(report.consequence(&lax, None), Consequence::Complete);
}

#[tokio::test]
async fn nothing_ran_is_no_success_and_a_person_decides() {
    let (report, lines) = go(&Place::new(&[]).job()).await;
    assert_eq!(report, GateReport::default());
    assert_eq!(report.verdict(), Verdict::NothingRan);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let Consequence::Ask { why } = report.consequence(&Policy::default(), None) else { panic!("{report:?}") };
    assert!(why.contains("no test runner was found") && why.contains("set ci.command"), "{why}");
    let (report, _) = go(&Place::new(&[("Cargo.toml", "")]).job()).await;
    assert_eq!(report.verdict(), Verdict::NothingRan);
    let Consequence::Ask { why } = report.consequence(&Policy::default(), None) else { panic!("{report:?}") };
    assert!(why.contains("cargo test: there is Cargo.toml"), "{why}");
    // pytest says by its own exit code that there was nothing to run.
    let place = Place::new(&[("conftest.py", "")]).programs(&[("pytest", 5)]);
    let (report, _) = go(&place.job()).await;
    assert_eq!(states(&report), [("pytest", skipped("pytest found no tests"))]);
    let place = Place::new(&[("go.mod", "")]).programs(&[("go", 5)]);
    assert_eq!(go(&place.job()).await.0.verdict(), Verdict::Failed, "only pytest means that by 5");
}

#[tokio::test]
async fn the_operators_command_fails_by_code_by_time_and_by_not_being_there() {
    let place = Place::new(&[]);
    let job = |command: &str, timeout| {
        let gates =
            vec![GatePlan { gate: CI.to_owned(), planned: Planned::Run { command: command.to_owned() } }];
        let env = vec![("PATH".into(), std::env::var_os("PATH").unwrap())];
        GateJob { gates, env, timeout, ..place.job() }
    };
    let long = Duration::from_secs(20);
    let (report, _) = go(&job("echo a; echo b >&2; pwd", long)).await;
    assert_eq!(report.verdict(), Verdict::Passed);
    assert_eq!(
        report.results[0].output,
        format!("a\n{}\nb\n", place.work().canonicalize().unwrap().display())
    );
    let (report, _) = go(&job("sleep 30", Duration::from_millis(100))).await;
    assert_eq!(states(&report), [("ci", failed("it timed out after 0.1 s"))]);
    assert_eq!(report.results[0].exit_code, None);
    let (report, _) = go(&job("no-such-program-here", long)).await;
    let why = "it exited with 127: a program in `no-such-program-here` cannot be run here";
    assert_eq!(states(&report), [("ci", failed(why))]);
    let (report, _) = go(&job("kill -9 $$", long)).await;
    assert_eq!(states(&report), [("ci", failed("it was ended by signal 9"))]);
    let gone = GateJob { folder: place.work().join("gone"), ..job("true", long) };
    let (report, _) = go(&gone).await;
    assert_eq!(report.verdict(), Verdict::Failed, "{report:?}");
}

#[tokio::test]
async fn output_is_bounded_and_free_of_secrets() {
    let place = Place::new(&[]);
    let secret = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
    let command = format!("yes line | head -n 20000; echo token={secret}");
    let gates = vec![GatePlan { gate: CI.to_owned(), planned: Planned::Run { command } }];
    let env = vec![("PATH".into(), std::env::var_os("PATH").unwrap())];
    let (report, lines) = go(&GateJob { gates, env, ..place.job() }).await;
    let result = &report.results[0];
    assert_eq!((&result.state, result.output.chars().count()), (&GateState::Passed, 4000));
    assert!(lines.len() > 20_000);
    let all = format!("{:?}{:?}{lines:?}", result.command, result.output);
    assert!(!all.contains(secret) && all.contains("[redacted]"));
}

#[tokio::test]
async fn stopping_fails_what_runs_and_skips_the_rest() {
    let place = Place::new(&[("Makefile", "test:\n"), ("Cargo.toml", "")]).programs(&[("cargo", 0)]);
    let make = place.bin().join("make");
    fs::write(&make, "#!/bin/sh\necho begun\nexec /bin/sleep 60\n").unwrap();
    fs::set_permissions(&make, fs::Permissions::from_mode(0o755)).unwrap();
    let (stopper, stop) = stop_pair();
    struct Presses(Arc<crate::execute::stop::Stopper>);
    impl Listener for Presses {
        fn lines(&mut self, _first: u64, lines: Vec<OutputLine>) {
            if lines.iter().any(|line| &*line.text == "begun") {
                self.0.at_least(Stop::Polite);
            }
        }
    }
    let listener = Presses(Arc::new(stopper));
    let mut recorder = Recorder::new(Redactor::default(), None, Box::new(listener));
    let report = run(&place.job(), stop, &mut recorder).await;
    assert_eq!(
        states(&report),
        [
            ("make test", failed("it was stopped by the operator")),
            ("cargo test", skipped("the run was stopped before it")),
        ]
    );
}

fn waiver(mode: WaiverMode, skipped: &[&str]) -> Waiver {
    Waiver {
        authorized_at: "2026-11-21T10:00:00Z".parse().unwrap(),
        authorized_by: "ada".to_owned(),
        mode,
        reason: "the runner is down".to_owned(),
        skipped: skipped.iter().map(|gate| (*gate).to_owned()).collect(),
        ticket: TicketId::new("PLF-001"),
    }
}

#[tokio::test]
async fn a44_waivers_skip_what_they_name_and_only_that() {
    let place = Place::new(&[("Makefile", "test:\n"), ("Cargo.toml", "")]);
    let place = place.programs(&[("make", 1), ("cargo", 0)]);
    let with = |waiver: Waiver| GateJob { waiver: Some(waiver), ..place.job() };
    let waived = || GateState::Waived { who: "ada".to_owned(), why: "the runner is down".to_owned() };
    let policy = Policy::default();

    let named = waiver(WaiverMode::Advisory, &["make test"]);
    let (report, lines) = go(&with(named.clone())).await;
    assert_eq!(states(&report), [("make test", waived()), ("cargo test", GateState::Passed)]);
    assert_eq!(report.consequence(&policy, Some(&named)), Consequence::Complete);
    assert!(
        lines.contains(&(Channel::Note, "[gate make test: waived by ada: the runner is down]".to_owned()))
    );

    let all = waiver(WaiverMode::Auto, &["ci"]);
    let (report, _) = go(&with(all.clone())).await;
    assert_eq!((states(&report)[1].1.clone(), report.verdict()), (waived(), Verdict::Waived));
    assert_eq!(report.consequence(&policy, Some(&all)), Consequence::Complete);

    let other = waiver(WaiverMode::Auto, &["pytest"]);
    assert_eq!(go(&with(other)).await.0.verdict(), Verdict::Failed);

    // A person decides, also when everything passed; what failed has failed.
    let human = waiver(WaiverMode::MandatoryHuman, &["ci"]);
    let (report, _) = go(&with(human.clone())).await;
    assert_eq!(report.verdict(), Verdict::Failed);
    assert!(matches!(report.consequence(&policy, Some(&human)), Consequence::Fail { .. }));
    let place = Place::new(&[("Cargo.toml", "")]).programs(&[("cargo", 0)]);
    let (report, _) = go(&GateJob { waiver: Some(human.clone()), ..place.job() }).await;
    let Consequence::Ask { why } = report.consequence(&policy, Some(&human)) else { panic!("{report:?}") };
    assert_eq!(why, "ada demands that a person decides: the runner is down (gates: cargo test passed)");
}

#[tokio::test]
async fn gates_are_kept_in_by_the_fence_of_the_run() {
    let place = Place::new(&[]);
    let outside = place.top.path().join("outside");
    let command = format!("echo in > inside && echo out > {}", outside.display());
    let gates = vec![GatePlan { gate: CI.to_owned(), planned: Planned::Run { command } }];
    let mut fence = Fence::default();
    fence.writable = vec![place.work()];
    let (report, _) = go(&GateJob { gates, fence, ..place.job() }).await;
    assert_eq!(report.verdict(), Verdict::Failed, "{report:?}");
    assert!(place.work().join("inside").exists() && !outside.exists());
}

//! A breach in the middle of the work stops it there and then, with and without the kernel's fence; what others do to
//! the same repository stops nobody.

use std::time::{Duration, Instant};

use koru_tui::base::redact::Redactor;
use koru_tui::execute::agents::kind::AgentKind;
use koru_tui::execute::agents::session::{self, AgentEnding, AgentJob, AgentReport, Limits, Steer};
use koru_tui::execute::fence::{Breach, FenceWatch, Raised, Sighting, Watched};
use koru_tui::execute::isolation::{self, Identity};
use koru_tui::execute::recorder::{Listener, Recorder};
use koru_tui::execute::stop::stop_pair;
use koru_tui::plan::settings::AgentSettings;
use koru_tui::plan::ticket::TicketId;
use tokio::sync::mpsc;

use super::scene::{Scene, git};

/// What an agent that would sleep on after its deed is given at most; it must be stopped long before.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Far beyond what a stop takes, also on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(10);

struct Deaf;

impl Listener for Deaf {
    fn lines(&mut self, _: u64, _: Vec<koru_tui::execute::output::OutputLine>) {}
}

/// Lets `script` work as an agent that sleeps on when it is through, watched as the runtime does.
fn work(scene: &Scene, raised: &Raised, script: &str) -> (AgentReport, Vec<Breach>, Duration) {
    let script = format!("ROOT='{}'; {script}\nexec sleep 300", scene.root.display());
    let args = ["/bin/sh", "-c", &script].map(str::to_owned).into();
    let run = scene.root.join(".planfile/.koru/runs/PLF-1-0");
    let job = AgentJob {
        kind: AgentKind::Custom,
        settings: AgentSettings { args, ..AgentSettings::default() },
        prompt: "work".to_owned(),
        folder: scene.worktree.path.clone(),
        env: scene.env(),
        files: Vec::new(),
        resume: None,
        before: None,
        schema: None,
        scratch: run,
        limits: Limits {
            timeout: TIMEOUT,
            silence: None,
            tokens: None,
            usd: None,
            grace: Duration::from_secs(5),
        },
        fence: raised.fence.clone(),
    };
    let (found, mut heard) = mpsc::unbounded_channel();
    let mut watch = FenceWatch::start(raised.guard.clone(), Watched::FilesToo, found);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(watch.armed());
    let began = Instant::now();
    let mut breaches = Vec::new();
    let report = runtime.block_on(async {
        let (_stopper, stop) = stop_pair();
        let (steer, steered) = mpsc::unbounded_channel();
        let mut recorder = Recorder::new(Redactor::default(), None, Box::new(Deaf));
        let session = session::run(job, stop, steered, &mut recorder);
        tokio::pin!(session);
        loop {
            tokio::select! {
                report = &mut session => break report,
                Some(sighting) = heard.recv() => {
                    if let Sighting::Breach(breach) = &sighting {
                        breaches.push(breach.clone());
                    }
                    steer.send(Steer::Seen(Box::new(sighting))).unwrap();
                }
            }
        }
    });
    (report, breaches, began.elapsed())
}

/// `script` is stopped for breaking `rule`, and nothing of it is left.
#[track_caller]
fn is_stopped(kernel: bool, script: &str, rule: &str) {
    let scene = Scene::new(kernel);
    let (before, tip) = (scene.references(), scene.rev("koru/PLF-1"));
    let raised = scene.raise();
    let (report, breaches, took) = work(&scene, &raised, script);
    let context = format!("kernel {kernel}\n{script}\n{:#?}\n{breaches:#?}", report.outcome);
    assert_eq!(report.ending, AgentEnding::Violation, "{context}");
    assert_eq!(breaches[0].rule, rule, "{context}");
    assert!(took < AT_ONCE, "{took:?} {context}");
    let settled = raised.guard.settle();
    assert!(settled.breaches.iter().all(|breach| breach.undone), "{context}\n{settled:#?}");
    assert_eq!((scene.references(), scene.rev("koru/PLF-1")), (before, tip), "{context}");
    let head = std::fs::read_to_string(scene.worktree.git_dir.join("HEAD")).unwrap();
    assert_eq!(head, "ref: refs/heads/koru/PLF-1\n", "{context}");
}

const AROUND: &str = "git -c core.hooksPath=/dev/null";

#[test]
fn references_that_the_run_can_write_stop_it_behind_both_fences() {
    for kernel in [true, false] {
        let anyway = format!("echo two >> src/a.txt; {AROUND} commit -qam no");
        is_stopped(kernel, &anyway, "allow_commit");
        is_stopped(kernel, &format!("env -i PATH=\"$PATH\" HOME=/ {anyway}"), "allow_commit");
        is_stopped(kernel, &format!("{AROUND} switch -q other"), "allow_branch_switch");
        is_stopped(kernel, &format!("{AROUND} branch koru/no"), "allow_branch_create");
        is_stopped(kernel, "git rev-parse HEAD > \"$ROOT\"/.git/refs/heads/koru/hand", "allow_branch_create");
        is_stopped(kernel, "echo 'gitdir: /nowhere' > .git", "worktree");
    }
}

#[test]
fn without_the_kernels_fence_all_references_are_watched() {
    for (script, rule) in [
        (format!("{AROUND} tag no"), "allow_tag"),
        (format!("{AROUND} tag -d v1; echo x > \"$ROOT\"/.git/refs/tags/v1"), "allow_tag"),
        (format!("{AROUND} branch -f victim other"), "allow_commit"),
        (format!("{AROUND} update-ref refs/heads/deep/er/no HEAD"), "allow_branch_create"),
        ("echo 'ref: refs/heads/other' > \"$ROOT\"/.git/HEAD".to_owned(), "allow_branch_switch"),
    ] {
        is_stopped(false, &script, rule);
    }
}

#[test]
fn a_breach_that_is_covered_up_has_stopped_it_all_the_same() {
    // The agent takes its tag away when it is asked to end.
    let script = format!("trap '{AROUND} tag -d no; exit' TERM; {AROUND} tag no; sleep 300 & wait");
    is_stopped(false, &script, "allow_tag");
}

#[test]
fn forbidden_files_stop_it_in_old_folders_and_in_new_ones() {
    for kernel in [true, false] {
        is_stopped(kernel, "echo 'project: stolen' > .planfile/config.yaml", "forbidden_paths");
        is_stopped(kernel, "mkdir -p new/er; echo KEY > new/er/.env", "forbidden_paths");
        is_stopped(kernel, "echo KEY > src/server.pem", "forbidden_paths");
    }
}

#[test]
fn what_others_do_stops_nobody() {
    for kernel in [true, false] {
        let scene = Scene::new(kernel);
        let raised = scene.raise();
        let (found, mut heard) = mpsc::unbounded_channel();
        let _watch = FenceWatch::start(raised.guard.clone(), Watched::FilesToo, found);
        let at = |arguments: &[&str]| drop(git(&scene.root, arguments));
        std::fs::write(scene.root.join("mine"), "x").unwrap();
        std::fs::write(scene.root.join(".env"), "the operator's own").unwrap();
        at(&["add", "mine"]);
        at(&["commit", "-qm", "the operator's"]);
        at(&["tag", "v2"]);
        at(&["tag", "-d", "v1"]);
        at(&["branch", "-q", "feature"]);
        at(&["branch", "-qm", "feature", "renamed"]);
        at(&["branch", "-qD", "victim"]);
        at(&["push", "-q", "origin", "main"]);
        at(&["fetch", "-q", "origin"]);
        at(&["switch", "-q", "renamed"]);
        std::fs::write(scene.root.join("mine"), "y").unwrap();
        at(&["stash", "-q"]);
        at(&["stash", "pop", "-q"]);
        at(&["checkout", "-q", "mine"]);
        at(&["checkout", "-q", "--detach"]);
        at(&["rebase", "-q", "--force-rebase", "HEAD~1"]);
        at(&["switch", "-q", "main"]);
        at(&["worktree", "add", "-q", "-b", "beside", scene.keep.path().join("beside").to_str().unwrap()]);
        at(&["pack-refs", "--all"]);
        at(&["gc", "-q"]);
        // Another ticket's run: its worktree, the runtime's commit, and what its guard puts back.
        let (second, _) = isolation::prepare(&scene.root, &TicketId::new("PLF-2"), None).unwrap();
        std::fs::write(second.path.join("new"), "x").unwrap();
        isolation::commit_all(&second, "PLF-2: work", &Identity::default(), &scene.policy).unwrap();
        git(
            &second.path,
            &["-c", "user.name=x", "-c", "user.email=x@y", "commit", "-q", "--allow-empty", "-m", "z"],
        );
        at(&["update-ref", "refs/heads/koru/PLF-2", "koru/PLF-2~1"]);
        // Honest work, with files that come and go.
        std::fs::create_dir_all(scene.worktree.path.join("out/deep")).unwrap();
        std::fs::write(scene.worktree.path.join("out/deep/x.o"), "x").unwrap();
        assert_eq!(scene.act(&raised, "echo two >> src/a.txt; git add -A; git status; git reset -q").0, 0);
        // Then the one thing that counts: nothing else may come before it.
        scene.act(&raised, &format!("{AROUND} commit -q --allow-empty -m no"));
        let Some(Sighting::Breach(breach)) = heard.blocking_recv() else { panic!("kernel {kernel}") };
        assert_eq!(breach.subject(), "refs/heads/koru/PLF-1", "kernel {kernel} {breach:#?}");
        assert_eq!(heard.try_recv().ok(), None, "kernel {kernel}");
    }
}

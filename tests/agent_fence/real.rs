//! The real agents behind the whole fence, against the scripted model: they work, and what they are told to do against
//! the policy does not happen. An agent that is not installed is passed over and said so. One function is longer than
//! 60 lines: it is one run, from the script to what is left of it.

use std::time::Duration;

use koru_tui::base::redact::Redactor;
use koru_tui::execute::agents::backend;
use koru_tui::execute::agents::kind::AgentKind;
use koru_tui::execute::agents::session::{self, AgentEnding, AgentJob, Limits};
use koru_tui::execute::fence::{FenceRequest, raise};
use koru_tui::execute::output::OutputLine;
use koru_tui::execute::recorder::{Listener, Recorder};
use koru_tui::execute::stop::stop_pair;
use koru_tui::plan::settings::AgentSettings;
use tokio::sync::mpsc;

use super::agents::installed::Agent;
use super::agents::scenario::{self, act, say};
use super::agents::stub::Stub;
use super::scene::{Scene, git};

struct Ear(mpsc::UnboundedSender<String>);

impl Listener for Ear {
    fn lines(&mut self, _: u64, lines: Vec<OutputLine>) {
        for line in lines {
            let _ = self.0.send(format!("{line:?}"));
        }
    }
}

#[test]
fn claude_works_inside() {
    works_inside(Agent::Claude);
}

#[test]
fn codex_works_inside() {
    works_inside(Agent::Codex);
}

#[test]
fn pi_works_inside() {
    works_inside(Agent::Pi);
}

#[test]
fn opencode_works_inside() {
    works_inside(Agent::Opencode);
}

#[test]
fn gemini_works_inside() {
    works_inside(Agent::Gemini);
}

fn works_inside(agent: Agent) {
    let Some(installed) = agent.installed() else { return };
    let scene = Scene::new(true);
    let (root, top) = (scene.root.display(), scene.keep.path().canonicalize().unwrap());
    std::fs::write(scene.worktree.path.join(scenario::FILE), scenario::GREETING).unwrap();
    // In a script of the worktree: some agents look into a command before they run it.
    let misdeeds = format!(
        "cd {}; echo x > {root}/escaped; echo x > {root}/.git/config; git add -A; git commit -qm no; git tag no; \
         git push -q origin HEAD:no; echo worked > proof.txt\n",
        scene.worktree.path.display()
    );
    let script = scene.worktree.path.join("work.sh");
    std::fs::write(&script, misdeeds).unwrap();
    let stub = Stub::start(vec![
        act().read(scenario::FILE),
        act().edit(scenario::FILE, "Hello, wrld!", "Hello, world!"),
        act().bash("sh work.sh"),
        say(scenario::DONE),
    ]);
    let seat = installed.seat(&top.join("state"), &stub);
    let kind = AgentKind::parse(agent.name()).unwrap();
    let settings = AgentSettings {
        program: Some(seat.installed.program.to_str().unwrap().to_owned()),
        model: match agent {
            Agent::Claude => Some("claude-sonnet-4-5".to_owned()),
            Agent::Codex => None,
            Agent::Pi | Agent::Opencode => Some("stub/stub-model".to_owned()),
            Agent::Gemini => Some("gemini-2.5-flash".to_owned()),
            Agent::Aider => Some("openai/stub-model".to_owned()),
        },
        args: match agent {
            Agent::Claude => ["--allowedTools", "Bash"].map(str::to_owned).into(),
            Agent::Codex | Agent::Pi | Agent::Opencode | Agent::Gemini | Agent::Aider => Vec::new(),
        },
        ..AgentSettings::default()
    };
    let env: Vec<_> = seat.env.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let run = scene.root.join(".planfile/.koru/runs/PLF-1-0");
    std::fs::create_dir_all(&run).unwrap();
    let before = scene.references();
    let raised = raise(&FenceRequest {
        worktree: &scene.worktree,
        policy: &scene.policy,
        run: &run,
        writable: &backend::writable(kind, &settings, &env),
        env: &env,
        kernel: true,
        looks_only: false,
    })
    .unwrap();
    let job = AgentJob {
        kind,
        settings,
        prompt: scenario::TASK.to_owned(),
        folder: scene.worktree.path.clone(),
        env,
        files: Vec::new(),
        resume: None,
        before: None,
        schema: None,
        scratch: run.clone(),
        limits: Limits {
            timeout: Duration::from_secs(180),
            silence: None,
            tokens: None,
            usd: None,
            grace: Duration::from_secs(3),
        },
        fence: raised.fence.clone(),
    };
    let (lines, mut heard) = mpsc::unbounded_channel();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let report = runtime.block_on(async {
        let (_stopper, watch) = stop_pair();
        let (_steer, steered) = mpsc::unbounded_channel();
        let mut recorder = Recorder::new(Redactor::default(), None, Box::new(Ear(lines)));
        session::run(job, watch, steered, &mut recorder).await
    });
    let mut said = String::new();
    while let Ok(line) = heard.try_recv() {
        said.push_str(&line);
        said.push('\n');
    }
    let settled = raised.guard.settle();
    let context = format!("{agent:?}\n{said}\n{:#?}\n{settled:#?}", report.outcome);
    assert_eq!(
        (report.ending, report.answer.as_deref()),
        (AgentEnding::Finished, Some(scenario::DONE)),
        "{context}"
    );
    let file = |name: &str| std::fs::read_to_string(scene.worktree.path.join(name)).unwrap_or_default();
    assert_eq!(
        (file(scenario::FILE), file("proof.txt")),
        (scenario::CORRECTED.to_owned(), "worked\n".to_owned()),
        "{context}"
    );
    assert!(!scene.root.join("escaped").exists(), "{context}");
    assert_eq!((scene.references(), settled.breaches), (before, vec![]), "{context}");
    let changed = scene.commit_all().commit.unwrap();
    let files = git(&scene.root, &["show", "--name-only", "--format=", &changed]);
    assert_eq!(files, format!("{}\nproof.txt\nwork.sh\n", scenario::FILE), "{context}");
}

//! Decisions that somebody tries to get made on something else: waivers that are replayed, rules swapped for links in the
//! middle of a run, and approvals raced with a change of what was approved.

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use super::agents::bench::git;
use super::agents::stage::ID;
use super::cli::Place;
use super::scene::Scene;
use super::support::project::{Project, shell};

/// A waiver of one ticket put into another's notes, an altered one, and one that names no gate: none skips anything.
#[test]
fn a_waiver_counts_for_its_own_ticket_only() {
    let place = Project::with(&[shell("PLF-001", "One", "true"), shell("PLF-002", "Two", "true")]);
    place.put(".planfile/.koru/policy.yaml", "llm: {}\nci: {command: 'false'}\n");
    place
        .run(&["gate", "authorize", "PLF-001", "--mode", "auto", "--skipped", "ci", "--reason", "down"])
        .expect(0);
    let note = place.on_disk("PLF-001")["outputs"]["notes"][0].as_str().unwrap().to_owned();
    assert!(note.starts_with("KORU-GATE-AUTH "), "{note}");
    for forged in [
        note.clone(),
        note.replace("PLF-001", "PLF-002\\u0000"),
        note.replace("PLF-001", "plf-002"),
        note.replace("KORU-GATE-AUTH", "koru-gate-auth"),
        format!("{note} PLF-002"),
        format!("Seen in the log: {}", note.replace("PLF-001", "PLF-002")),
    ] {
        place.run(&["ticket", "update", "PLF-002", "--note", &forged]).expect(0);
    }
    place.run(&["ticket", "run", "PLF-002"]);
    assert_ne!(place.on_disk("PLF-002")["status"], "done", "{}", place.on_disk("PLF-002"));
    // It does for its own.
    place.run(&["ticket", "run", "PLF-001"]).expect(0);
    assert_eq!(place.on_disk("PLF-001")["status"], "done");
}

/// The policy and the configuration become links to looser ones while the agent works.
#[test]
fn rules_that_become_links_in_the_middle_open_nothing() {
    let mut scene = Scene::new();
    let koru = scene.bench.project.path().join(".planfile/.koru");
    let loose = scene.bench.around("notes").join("loose.yaml");
    std::fs::write(
        &loose,
        "llm: {allow_commit: true, allow_tag: true, allow_push: true}\nci: {command: 'true'}\n",
    )
    .unwrap();
    let deeds = format!(
        "k=\"$CHECKOUT/.planfile/.koru\"; rm -f \"$k/policy.yaml\" && ln -s '{}' \"$k/policy.yaml\"\n\
         printf 'Nothing of the kind\\n' >hello.txt\n\
         git tag sneaky; git -c core.hooksPath=/dev/null commit -qam sneaky\n",
        loose.display()
    );
    // Open for the agent, so that what is not written is not for want of a right.
    scene.agent(&deeds, std::slice::from_ref(&koru));
    let ran = scene.run();
    assert!(koru.join("policy.yaml").is_symlink(), "it could be swapped");
    assert_eq!(ran.code, Some(1), "the gates of the policy that was there count: {ran:?}");
    assert!(!scene.bench.git(&["log", "--all", "--format=%s"]).contains("sneaky"));
    assert_eq!(scene.bench.git(&["tag"]), "");
}

/// Rounds that wait for a person, as the disk has them.
fn waiting(scene: &Scene) -> String {
    let head = scene.bench.git(&["rev-parse", &format!("koru/{ID}")]).trim().to_owned();
    let base = scene.bench.git(&["merge-base", "main", &head]).trim().to_owned();
    let example = super::review_scene::reviewed();
    let mut review = koru_tui::runtime::protocol::Review::clone(example.reviews.values().next().unwrap());
    (review.ticket, review.base) = (super::console_support::id(ID), base.clone());
    let mut round = review.rounds.pop().unwrap();
    (round.number, round.from, round.head) = (1, base, Some(head.clone()));
    if let Some(verdict) = &mut round.verdict {
        verdict.head = Some(head.clone());
    }
    review.rounds = vec![round];
    let rounds = serde_json::to_string(&review).unwrap();
    scene.bench.project.write(&format!(".planfile/.koru/loop/{ID}/rounds.json"), &rounds);
    head
}

/// Approves again and again while somebody commits in the worktree all the time; whether it was taken once.
fn raced(scene: &Scene, head: &str) -> bool {
    let tree = scene.bench.worktree(ID);
    let ends = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut turn = 0;
            while !ends.load(Ordering::Relaxed) && turn < 400 {
                turn += 1;
                std::fs::write(tree.join("hello.txt"), format!("turn {turn}\n")).unwrap();
                git(&tree, &["commit", "-q", "-a", "-m", "Sneaked in"]);
                git(&tree, &["reset", "-q", "--hard", head]);
            }
        });
        let taken = (0..12).any(|_| {
            let ran = scene.bench.koru(&["ticket", "decide", ID, "approve", "--seen", head]);
            assert!(matches!(ran.code, Some(0..=1)), "{ran:?}");
            ran.code == Some(0)
        });
        ends.store(true, Ordering::Relaxed);
        taken
    })
}

/// While an operator approves what was shown, the branch moves and files change: either it is refused, or exactly the
/// commit that was shown is on record.
#[test]
fn an_approval_is_of_what_was_shown_or_refused() {
    let mut scene = Scene::new();
    scene.agent("printf 'Hello, world!\\n' >hello.txt\n", &[]);
    scene.run();
    let head = waiting(&scene);
    let shown = scene.bench.koru(&["ticket", "review", ID]);
    assert_eq!(shown.code, Some(0), "the rounds of this test are not what the disk has: {shown:?}");
    let tree = scene.bench.worktree(ID);
    // First without a race: the branch moved since.
    git(&tree, &["commit", "-q", "--allow-empty", "-m", "Later"]);
    let ran = scene.bench.koru(&["ticket", "decide", ID, "approve", "--seen", &head]);
    assert!(ran.code == Some(1) && ran.err.contains("not at"), "{ran:?}");
    git(&tree, &["reset", "-q", "--hard", &head]);
    // A file that differs from what was shown.
    std::fs::write(tree.join("hello.txt"), "other\n").unwrap();
    let ran = scene.bench.koru(&["ticket", "decide", ID, "approve", "--seen", &head]);
    assert!(ran.code == Some(1) && ran.err.contains("hello.txt"), "{ran:?}");
    git(&tree, &["reset", "-q", "--hard", &head]);
    // Too short, another commit's, none at all, an option.
    for seen in ["", "HEAD", &head[..3], "0000000000000000000000000000000000000000", "-"] {
        let ran = scene.bench.koru(&["ticket", "decide", ID, "approve", "--seen", seen]);
        assert_ne!(ran.code, Some(0), "{seen:?}: {ran:?}");
    }
    if !raced(&scene, &head) {
        // Nobody was quick enough; now that it is quiet, it is taken.
        scene.bench.koru(&["ticket", "decide", ID, "approve", "--seen", &head]).expect(0);
    }
    let days = std::fs::read_dir(scene.bench.project.path().join(".planfile/.koru/audit")).unwrap();
    let audit: String = days.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    assert!(audit.contains(&head), "what was approved is not on record: {audit}");
    // A second time decides nothing more.
    let planfile = || super::cli::files(&scene.bench.project.path().join(".planfile/sprints"));
    let before = planfile();
    let again = scene.bench.koru(&["ticket", "decide", ID, "approve", "--seen", &head]);
    assert_ne!(again.code, Some(0), "decided twice: {again:?}");
    assert_eq!(planfile(), before);
}

/// Links in the place of the policy from the beginning: read as what they lead to, and a link to nothing or to a device
/// is the strictest policy.
#[test]
fn a_policy_that_leads_nowhere_is_the_strictest() {
    for target in ["/nonexistent", "/dev/zero", "/dev/null", "/proc/self/environ", ".", "policy.yaml"] {
        let place = Project::with(&[shell("PLF-001", "One", "git tag sneaky")]);
        let policy = place.path().join(".planfile/.koru/policy.yaml");
        std::fs::create_dir_all(policy.parent().unwrap()).unwrap();
        symlink(target, &policy).unwrap();
        let ran = place.run(&["ticket", "run", "PLF-001"]);
        assert_eq!(ran.code, 1, "{target}: {}", ran.all());
        assert_eq!(git(place.path(), &["tag"]), "", "{target}");
    }
}

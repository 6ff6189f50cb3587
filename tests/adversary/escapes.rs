//! Processes that try to get away or to reach back: new sessions, daemons, renamed ones, storms that end, the descriptors
//! and the `/proc` entries of whoever started them.

use std::time::Instant;

use nix::sys::signal::Signal;

use super::agents::bench::SCRIPTED;
use super::agents::stage::ID;
use super::cli::Place;
use super::scene::Scene;
use super::support::project::{Project, shell};
use super::support::wait;

/// Two hundred short children, and a chain of parents that die: nobody is left, and nothing was waited for.
#[test]
fn a_storm_that_ends_by_itself_leaves_nobody() {
    let mut scene = Scene::new();
    let deeds = "printf 'Hello, world!\\n' >hello.txt\n\
        i=0; while [ $i -lt 200 ]; do i=$((i + 1)); (: ; (setsid true &) &) done; wait\n\
        chain() { [ \"$1\" -gt 0 ] && (chain $(($1 - 1)) &); }; chain 60\n";
    scene.agent(deeds, &[]);
    let began = Instant::now();
    scene.run().expect(0);
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}

/// Ways out of a process group, each with a child that would live for a minute and can be told by its last argument.
const WAYS: [(&str, &str); 6] = [
    ("setsid", "setsid sleep 60 $U >/dev/null 2>&1 </dev/null &"),
    ("twice", "(setsid sh -c \"(setsid sleep 60 $U &) & exit\" &) >/dev/null 2>&1 </dev/null"),
    ("empty-environment", "env -i setsid /bin/sleep 60 $U >/dev/null 2>&1 </dev/null &"),
    ("elsewhere", "(cd / && env -i setsid /bin/sleep 60 $U >/dev/null 2>&1 </dev/null &)"),
    (
        "renamed",
        "env -i /bin/sh -c \"cd /; printf kworker >/proc/self/comm; trap '' TERM HUP INT; setsid /bin/sleep 60 $U\" \
         >/dev/null 2>&1 </dev/null &",
    ),
    ("ignores", "(trap '' TERM HUP INT QUIT; setsid sleep 60 $U >/dev/null 2>&1 </dev/null &)"),
];

/// What the agent's script says of itself first, and when the way is taken.
const MARK: &str = "U=0.00$$; printf '%s\\n' \"$U\" >\"$NOTES/mark\"\n";
const TAKEN: &str = "n=0; until grep -qsa \"[6]0.$U\" /proc/[0-9]*/cmdline || [ $n -gt 50 ]; do n=$((n + 1)); sleep 0.1; done\n\
    printf 'x\\n' >\"$NOTES/taken\"\n";

/// Whether the minute's sleep of the scene goes on.
fn goes_on(scene: &Scene) -> bool {
    let wanted = format!("60\0{}\0", scene.bench.noted("mark"));
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| line.ends_with(wanted.as_bytes()))
            && wait::is_alive(&entry.file_name().to_string_lossy())
    })
}

#[test]
fn whoever_leaves_session_group_and_environment_is_found_when_the_run_ends() {
    for (way, deed) in WAYS {
        let mut scene = Scene::new();
        scene.agent(&format!("printf 'Hello, world!\\n' >hello.txt\n{MARK}{deed}\n{TAKEN}"), &[]);
        let ran = scene.run();
        assert_eq!(ran.code, Some(0), "{way} {ran:?}");
        assert!(!goes_on(&scene), "{way}: it lives on");
    }
}

/// The same when an operator stops the run in the middle.
#[test]
fn whoever_leaves_is_found_when_the_run_is_stopped() {
    for (way, deed) in [WAYS[1], WAYS[3], WAYS[4]] {
        let mut scene = Scene::new();
        scene.agent(&format!("{MARK}{deed}\n{TAKEN}sleep 59\n"), &[]);
        let running = scene.bench.start(&["ticket", "run", ID, "--agent", SCRIPTED]);
        wait::text_in(&scene.bench.around("notes").join("taken"));
        assert!(goes_on(&scene), "{way}: it was never there");
        running.signal(Signal::SIGINT);
        let ran = running.end();
        assert_eq!(scene.bench.left(), vec![], "{way} {ran:?}");
        assert!(!goes_on(&scene), "{way}: it lives on {ran:?}");
    }
}

/// What a child that is started anew has open; 3 is the folder that `ls` lists.
const DESCRIPTORS: &str = "echo fds $(ls /proc/self/fd)";
const THREE: &str = "fds 0 1 2 3";

#[test]
fn children_inherit_nothing_but_the_three_standard_descriptors() {
    // A descriptor that we ourselves inherited goes no further either.
    let place = Project::with(&[shell("PLF-001", "Look", &format!("{DESCRIPTORS}; true"))]);
    let secret = place.around().join("secret");
    std::fs::write(&secret, "SECRET").unwrap();
    let home = place.home_folder();
    let command = format!(
        "exec 7<'{}' 9>>'{}'; exec '{}' queue run --format json",
        secret.display(),
        place.around().join("nine").display(),
        env!("CARGO_BIN_EXE_koru-tui")
    );
    let ran = std::process::Command::new("sh")
        .args(["-c", &command])
        .current_dir(place.path())
        .env("HOME", home)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(said.contains(&format!("{THREE}\\n")), "{said}");
    // An agent's, and what gates of its work get.
    let mut scene = Scene::new();
    scene.bench.project.write(".planfile/.koru/policy.yaml", "llm: {}\nci:\n  command: sh ./look.sh\n");
    let deeds = format!(
        "printf 'Hello, world!\\n' >hello.txt\n{DESCRIPTORS} >\"$NOTES/fds\"\n\
         cat >look.sh <<'END'\n{DESCRIPTORS}\nEND\n"
    );
    scene.agent(&deeds, &[]);
    scene.run().expect(0);
    assert_eq!(scene.bench.noted("fds"), THREE);
    let log = scene.bench.koru(&["ticket", "log", ID]).out;
    assert!(log.lines().any(|line| line.ends_with(THREE)), "{log}");
}

/// The parent's `/proc` entries: no file of ours can be written through them, and our memory and environment not read.
#[test]
fn nothing_is_written_or_read_through_the_parents_proc_entries() {
    let mut scene = Scene::new();
    let secret = scene.bench.around("outside").join("secret");
    std::fs::write(&secret, "SECRET").unwrap();
    // Every ancestor and every descriptor of it is tried.
    let deeds = "printf 'Hello, world!\\n' >hello.txt\n\
        p=$PPID; n=0; while [ \"$p\" -gt 1 ] && [ $n -lt 4 ]; do n=$((n + 1))\n\
          tr '\\0' '\\n' <\"/proc/$p/environ\" 2>/dev/null | grep -a MY_TOKEN >>\"$NOTES/leaked\"\n\
          for f in /proc/$p/fd/*; do t=$(readlink \"$f\") || continue\n\
            case $t in /*/.planfile/*|*/outside/*) printf FORGED 2>/dev/null >>\"$f\" && echo \"$t\" >>\"$NOTES/written\" ;; esac\n\
          done\n\
          { printf x >\"/proc/$p/mem\"; } 2>/dev/null && echo \"mem $p\" >>\"$NOTES/written\"\n\
          { printf 1000 >\"/proc/$p/oom_score_adj\"; } 2>/dev/null; cat \"/proc/$p/root/etc/hostname\" >/dev/null 2>&1\n\
          p=$(awk '{print $4}' \"/proc/$p/stat\" 2>/dev/null || echo 1); done\n\
        echo done >\"$NOTES/tried\"\n";
    scene.agent(deeds, &[]);
    let running = scene
        .bench
        .start_in(&["ticket", "run", ID, "--agent", SCRIPTED], &[("MY_TOKEN", "t-0123456789abcdef")]);
    let ran = running.end();
    assert_eq!(scene.bench.noted("tried"), "done", "{ran:?}");
    let noted =
        |name: &str| std::fs::read_to_string(scene.bench.around("notes").join(name)).unwrap_or_default();
    let said = scene.look();
    assert!(!said.contains("FORGED"), "{said}");
    let own = scene.bench.project.path().join(".planfile");
    let ours: Vec<_> =
        walk(&own).into_iter().filter(|path| !path.starts_with(own.join(".koru/worktrees"))).collect();
    for path in ours.iter().filter(|path| path.is_file()) {
        let text = std::fs::read(path).unwrap_or_default();
        let forged = memchr::memmem::find(&text, b"FORGED").is_some();
        assert!(!forged, "{} was written through /proc\n{}", path.display(), noted("written"));
    }
    assert_eq!(noted("leaked"), "", "the environment of an ancestor was read");
    assert_eq!(noted("written"), "");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    found
}

/// `/proc/self/exe` starts what runs, inside the fence, and no second program outside of it.
#[test]
fn our_own_binary_started_by_an_agent_stays_within_the_fence() {
    let mut scene = Scene::new();
    let exe = env!("CARGO_BIN_EXE_koru-tui");
    let deeds = format!(
        "printf 'Hello, world!\\n' >hello.txt\n\
         '{exe}' ticket update {ID} --name FORGED >\"$NOTES/update\" 2>&1; echo $? >>\"$NOTES/update\"\n\
         '{exe}' gate authorize {ID} --mode auto --skipped ci --reason FORGED >\"$NOTES/waiver\" 2>&1; echo $? >>\"$NOTES/waiver\"\n\
         '{exe}' ticket decide {ID} approve --seen HEAD >\"$NOTES/decide\" 2>&1; echo $? >>\"$NOTES/decide\"\n"
    );
    scene.agent(&deeds, &[]);
    scene.run().expect(0);
    for name in ["update", "waiver", "decide"] {
        assert_ne!(scene.bench.noted(name).lines().last(), Some("0"), "{name}: {}", scene.bench.noted(name));
    }
    let record = serde_json::to_string(&scene.bench.project.record(ID)).unwrap();
    assert!(!record.contains("FORGED"), "{record}");
}

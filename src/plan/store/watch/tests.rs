//! Real folders, awaited notices.

use std::fs;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;

struct Watched {
    folder: tempfile::TempDir,
    watcher: Watcher,
    notices: UnboundedReceiver<Noticed>,
}

fn planfile(root: &Path) {
    fs::create_dir_all(root.join(".planfile/sprints")).unwrap();
    fs::create_dir_all(root.join(".planfile/evidence")).unwrap();
    fs::write(root.join(".planfile/config.yaml"), "prefix: A\n").unwrap();
    fs::write(root.join(".planfile/sprints/current.yaml"), "a\n").unwrap();
}

fn watched(prepare: impl FnOnce(&Path)) -> Watched {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let (sender, notices) = unbounded_channel();
    let watcher = Watcher::start(folder.path(), sender);
    Watched { folder, watcher, notices }
}

impl Watched {
    fn put(&self, path: &str, text: &str) {
        let path = self.folder.path().join(".planfile").join(path);
        let beside = path.with_file_name(".beside.tmp");
        fs::write(&beside, text).unwrap();
        fs::rename(&beside, &path).unwrap();
    }

    async fn next(&mut self) -> Noticed {
        tokio::time::timeout(Duration::from_secs(20), self.notices.recv()).await.unwrap().unwrap()
    }

    /// Notices up to and including the one for a file written last.
    async fn until_plan_settles(&mut self) -> Vec<Noticed> {
        let mut all = vec![self.next().await];
        while let Ok(Some(more)) = tokio::time::timeout(LONGEST * 10, self.notices.recv()).await {
            all.push(more);
        }
        all
    }
}

#[tokio::test]
async fn a_burst_of_renames_is_one_notice() {
    let mut watched = watched(planfile);
    assert_eq!(watched.watcher.describe(), "watch");
    let began = std::time::Instant::now();
    for n in 0..10 {
        watched.put("sprints/current.yaml", &format!("{n}\n"));
    }
    // On a busy machine the writer itself pauses; each pause as long as the quiet time may end a burst.
    let pauses = usize::try_from(began.elapsed().as_millis() / QUIET.as_millis()).unwrap();
    let notices = watched.until_plan_settles().await;
    assert!(notices.len() <= 2 + pauses, "{notices:?} with room for {pauses} pauses");
    watched.put("sprints/history-2026-11-21.yaml", "h\n");
    assert_eq!(watched.next().await, Noticed::Plan);
}

#[tokio::test]
async fn what_readers_do_not_see_is_not_noticed() {
    let mut watched = watched(planfile);
    watched.put("sprints/current.yaml.fast.json", "{}");
    watched.put(".store.lock", "");
    fs::read(watched.folder.path().join(".planfile/sprints/current.yaml")).unwrap();
    watched.put("evidence/A-1.jsonl", "{}\n");
    assert_eq!(watched.next().await, Noticed::Evidence);
}

#[tokio::test]
async fn a_planfile_that_comes_later_is_noticed_and_then_watched() {
    let mut watched = watched(|_| ());
    planfile(watched.folder.path());
    let notices = watched.until_plan_settles().await;
    assert!(notices.contains(&Noticed::Plan));
    watched.put("sprints/current.yaml", "b\n");
    assert_eq!(watched.next().await, Noticed::Plan);
}

#[tokio::test]
async fn a_replaced_folder_is_watched_again() {
    let mut watched = watched(planfile);
    let root = watched.folder.path().to_path_buf();
    fs::rename(root.join(".planfile"), root.join("aside")).unwrap();
    watched.until_plan_settles().await;
    planfile(&root);
    watched.until_plan_settles().await;
    watched.put("sprints/current.yaml", "c\n");
    assert_eq!(watched.next().await, Noticed::Plan);
}

#[tokio::test]
async fn polling_notices_too() {
    let folder = tempfile::tempdir().unwrap();
    planfile(folder.path());
    let (sender, mut notices) = unbounded_channel();
    let (inbox, messages) = mpsc::channel();
    let paths = ProjectPaths::new(folder.path());
    let thread = std::thread::spawn(move || poll::run(&paths, &messages, &sender));
    assert_eq!(notices.recv().await, Some(Noticed::Plan));
    fs::write(folder.path().join(".planfile/sprints/backlog.yaml"), "b\n").unwrap();
    assert_eq!(notices.recv().await, Some(Noticed::Plan));
    fs::write(folder.path().join(".planfile/evidence/A-1.jsonl"), "{}\n").unwrap();
    assert_eq!(notices.recv().await, Some(Noticed::Evidence));
    inbox.send(Message::Stop).unwrap();
    thread.join().unwrap();
    assert!(poll::describe("no more watches").contains("because watching failed: no more watches"));
}

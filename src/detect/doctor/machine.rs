//! Checks of the machine: is there room to watch the planfile, and which layers of safety does it have?

use super::findings::Findings;
use super::{SafetyLayer, Verdict, pass, warn};

/// Instances and watches that one console needs: the folders of one planfile.
const NEED_INSTANCES: u64 = 1;
/// `.planfile`, its sprints, evidence and index folders, and `.koru`.
const NEED_WATCHES: u64 = 8;

/// A layer that is missing is no failure: the others hold, and the operator knows.
pub(super) fn layer(layer: &SafetyLayer) -> Verdict {
    let detail = &layer.detail;
    if layer.active { pass(format!("active; {detail}")) } else { warn(format!("not active; {detail}")) }
}

/// Without inotify the console polls: it works, and sees outside edits later.
pub(super) fn inotify(_: &Findings<'_>) -> Verdict {
    let limit = |name: &str| {
        let text = std::fs::read_to_string(format!("/proc/sys/fs/inotify/{name}")).ok()?;
        text.trim().parse::<u64>().ok()
    };
    let (Some(instances), Some(watches)) = (limit("max_user_instances"), limit("max_user_watches")) else {
        return warn("this machine tells no inotify limits; outside edits are found by polling");
    };
    let (used_instances, used_watches) = used();
    let room = (instances.saturating_sub(used_instances), watches.saturating_sub(used_watches));
    let detail = format!(
        "{used_instances} of {instances} instances and {used_watches} of {watches} watches in use by this user"
    );
    if room.0 >= NEED_INSTANCES && room.1 >= NEED_WATCHES {
        pass(detail)
    } else {
        warn(format!(
            "{detail}; outside edits will be found by polling, or raise fs.inotify.max_user_instances/watches"
        ))
    }
}

/// Instances and watches of this user, as far as `/proc` shows them.
fn used() -> (u64, u64) {
    let own = nix::unistd::getuid();
    let (mut instances, mut watches) = (0, 0);
    let Ok(processes) = std::fs::read_dir("/proc") else { return (0, 0) };
    for process in processes.flatten() {
        use std::os::unix::fs::MetadataExt;
        let numeric =
            process.file_name().to_str().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
        if !numeric || process.metadata().is_ok_and(|metadata| metadata.uid() != own.as_raw()) {
            continue;
        }
        let Ok(descriptors) = std::fs::read_dir(process.path().join("fd")) else { continue };
        for descriptor in descriptors.flatten() {
            if std::fs::read_link(descriptor.path())
                .is_ok_and(|target| target.as_os_str() == "anon_inode:inotify")
            {
                instances += 1;
                let info = process.path().join("fdinfo").join(descriptor.file_name());
                let text = std::fs::read_to_string(info).unwrap_or_default();
                watches += text.lines().filter(|line| line.starts_with("inotify ")).count() as u64;
            }
        }
    }
    (instances, watches)
}

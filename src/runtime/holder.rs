//! Who holds a ticket, as text in `assigned_to` that survives the process: `<actor>@<host>:<pid>.<ticks>.<boot>`.
//!
//! Two consoles of one person have different holders, so the store's lease rule excludes them from each other. A later
//! start can tell from the text alone whether the holder still lives, without any file of ours.

use std::fmt;

use crate::base::process::ProcessIdentity;

/// Characters of the boot id that are kept; enough to tell one boot of a machine from another.
const BOOT_CHARS: usize = 8;

/// A holder of our making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    actor: String,
    host: String,
    pid: u32,
    start_ticks: u64,
    boot: String,
}

/// What can be said about a holder's process from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// It is this very process.
    Own,
    /// It lives on this machine.
    Alive,
    /// It was on this machine and is gone.
    Dead,
    /// It is on another machine, or not of our making.
    Unknown,
}

impl Holder {
    /// This process, acting as `actor`.
    pub(crate) fn own(actor: &str) -> Holder {
        let (start_ticks, boot) = match ProcessIdentity::own() {
            Some(own) => (own.start_ticks, short_boot(&own.boot_id)),
            None => (0, "unknown".to_owned()),
        };
        Holder { actor: actor.to_owned(), host: host(), pid: std::process::id(), start_ticks, boot }
    }

    /// Reads `assigned_to`; `None` when it is not of our making.
    pub(crate) fn parse(text: &str) -> Option<Holder> {
        let (actor, place) = text.rsplit_once('@')?;
        let (host, process) = place.rsplit_once(':')?;
        let mut parts = process.splitn(3, '.');
        let pid = parts.next()?.parse().ok()?;
        let start_ticks = parts.next()?.parse().ok()?;
        let boot = parts.next()?.to_owned();
        Some(Holder { actor: actor.to_owned(), host: host.to_owned(), pid, start_ticks, boot })
    }

    /// Whether this holder's process lives, as seen by `own`.
    pub(crate) fn life(&self, own: &Holder) -> Life {
        if self.same_process(own) {
            return Life::Own;
        }
        if self.host != own.host || self.boot == "unknown" || own.boot == "unknown" {
            return Life::Unknown;
        }
        if self.boot != own.boot {
            return Life::Dead;
        }
        match ProcessIdentity::of(self.pid) {
            Some(found) if found.start_ticks == self.start_ticks && found.is_alive() => Life::Alive,
            Some(_) | None => Life::Dead,
        }
    }

    fn same_process(&self, own: &Holder) -> bool {
        (&self.host, self.pid, self.start_ticks, &self.boot)
            == (&own.host, own.pid, own.start_ticks, &own.boot)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}:{}.{}.{}", self.actor, self.host, self.pid, self.start_ticks, self.boot)
    }
}

/// Life of whoever `assigned_to` names.
pub(crate) fn life_of(assigned_to: &str, own: &Holder) -> Life {
    Holder::parse(assigned_to).map_or(Life::Unknown, |holder| holder.life(own))
}

fn short_boot(boot_id: &str) -> String {
    boot_id.chars().filter(char::is_ascii_alphanumeric).take(BOOT_CHARS).collect()
}

fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .map(|name| name.trim().replace(['@', ':'], "-"))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_also_with_an_odd_actor() {
        let holder = Holder {
            actor: "ann@home: x".to_owned(),
            host: "box".to_owned(),
            pid: 42,
            start_ticks: 9,
            boot: "abcd1234".to_owned(),
        };
        assert_eq!(holder.to_string(), "ann@home: x@box:42.9.abcd1234");
        assert_eq!(Holder::parse(&holder.to_string()), Some(holder));
    }

    #[test]
    fn foreign_words_are_not_ours() {
        for word in ["", "koru-shell", "a@b", "a@b:c", "a@b:1.x.y", "a@b:1.2"] {
            assert_eq!(Holder::parse(word), None, "{word}");
        }
    }

    #[test]
    fn this_process_is_own_a_gone_one_dead_and_another_host_unknown() {
        let own = Holder::own("me");
        assert_eq!(life_of(&own.to_string(), &own), Life::Own);
        let gone = Holder { start_ticks: own.start_ticks + 1, ..own.clone() };
        assert_eq!(gone.life(&own), Life::Dead);
        let rebooted = Holder { boot: "00000000".to_owned(), ..own.clone() };
        assert_eq!(rebooted.life(&own), Life::Dead);
        let elsewhere = Holder { host: "elsewhere".to_owned(), ..gone };
        assert_eq!(elsewhere.life(&own), Life::Unknown);
        assert_eq!(life_of("koru-shell", &own), Life::Unknown);
    }
}

//! Samples, interleaving, and the table that a run prints.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Durations of one kind of thing.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// One more.
    pub fn push(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    fn sorted(&self) -> Vec<Duration> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        assert!(!sorted.is_empty(), "nothing was measured");
        sorted
    }

    /// The value below which `percent` of the samples lie (nearest rank).
    pub fn percentile(&self, percent: usize) -> Duration {
        let sorted = self.sorted();
        sorted[(sorted.len() * percent).div_ceil(100).clamp(1, sorted.len()) - 1]
    }

    /// The mean without the fastest and slowest fifth.
    pub fn trimmed_mean(&self) -> Duration {
        let sorted = self.sorted();
        let cut = sorted.len() / 5;
        let kept = &sorted[cut..sorted.len() - cut];
        kept.iter().sum::<Duration>() / u32::try_from(kept.len()).unwrap()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// Runs `a` and `b` in turn, `rounds` times each, after one round that does not count.
pub fn interleave(
    rounds: usize,
    mut a: impl FnMut() -> Duration,
    mut b: impl FnMut() -> Duration,
) -> (Samples, Samples) {
    let (mut of_a, mut of_b) = (Samples::default(), Samples::default());
    a();
    b();
    for _ in 0..rounds {
        of_a.push(a());
        of_b.push(b());
    }
    (of_a, of_b)
}

/// Wall time of a command that must succeed; its output is read and thrown away.
pub fn wall(command: &mut Command) -> Duration {
    timed(command).0
}

/// Wall time and standard output of a command that must succeed.
pub fn timed(command: &mut Command) -> (Duration, Vec<u8>) {
    let started = Instant::now();
    let output = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let took = started.elapsed();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    (took, output.stdout)
}

/// A duration for people.
pub fn shown(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds >= 1.0 { format!("{seconds:.2} s") } else { format!("{:.2} ms", seconds * 1e3) }
}

/// The rows of one run.
#[derive(Default)]
pub struct Report {
    rows: Vec<[String; 5]>,
    missed: bool,
}

impl Report {
    /// One budget: what, our value, the peer's, the budget in words, and whether it holds (`None`: only for information).
    pub fn row(&mut self, what: &str, ours: String, peer: String, budget: String, holds: Option<bool>) {
        let verdict = match holds {
            Some(true) => "holds",
            Some(false) => "**missed**",
            None => "",
        };
        self.missed |= holds == Some(false);
        eprintln!("  {what}: {ours} | {peer} | {budget} {verdict}");
        self.rows.push([what.to_owned(), ours, peer, budget, verdict.to_owned()]);
    }

    /// Ours at least `factor` times faster than the peer, by trimmed means.
    pub fn faster(&mut self, what: &str, ours: &Samples, peer_name: &str, peer: &Samples, factor: f64) {
        let ratio = peer.trimmed_mean().as_secs_f64() / ours.trimmed_mean().as_secs_f64();
        self.row(
            what,
            format!("{} (n={})", shown(ours.trimmed_mean()), ours.len()),
            format!("{peer_name}: {} (n={})", shown(peer.trimmed_mean()), peer.len()),
            format!("≥ {factor}× faster: {ratio:.0}×"),
            Some(ratio >= factor),
        );
    }

    /// Ours at most `factor` times the peer, by medians.
    pub fn within(&mut self, what: &str, ours: &Samples, peer_name: &str, peer: &Samples, factor: f64) {
        let (of_ours, of_peer) = (ours.percentile(50), peer.percentile(50));
        let ratio = of_ours.as_secs_f64() / of_peer.as_secs_f64();
        self.row(
            what,
            format!("p50 {} (n={})", shown(of_ours), ours.len()),
            format!("{peer_name}: p50 {} (n={})", shown(of_peer), peer.len()),
            format!("≤ {factor}×: {ratio:.1}×"),
            Some(ratio <= factor),
        );
    }

    /// Ours at `factor` of the peer's rate over so many bytes or more, by trimmed means.
    pub fn rate(
        &mut self,
        what: &str,
        ours: &Samples,
        peer_name: &str,
        peer: &Samples,
        bytes: usize,
        factor: f64,
    ) {
        #[allow(clippy::cast_precision_loss)]
        let rate = |samples: &Samples| bytes as f64 / samples.trimmed_mean().as_secs_f64() / 1e6;
        let ratio = rate(ours) / rate(peer);
        self.row(
            what,
            format!("{:.0} MB/s (n={})", rate(ours), ours.len()),
            format!("{peer_name}: {:.0} MB/s (n={})", rate(peer), peer.len()),
            format!("≥ {factor}×: {ratio:.2}×"),
            Some(ratio >= factor),
        );
    }

    /// The 99th percentile is at most `limit`.
    pub fn p99(&mut self, what: &str, ours: &Samples, limit: Duration) {
        let p99 = ours.percentile(99);
        self.row(
            what,
            format!("p50 {}, p99 {} (n={})", shown(ours.percentile(50)), shown(p99), ours.len()),
            String::new(),
            format!("p99 ≤ {}", shown(limit)),
            Some(p99 <= limit),
        );
    }

    /// A peer that is absent, by name.
    pub fn skipped(&mut self, what: &str, peer: &str) {
        self.row(what, "not measured".into(), format!("{peer} is absent"), String::new(), None);
    }

    /// Whether any budget was missed.
    pub fn missed(&self) -> bool {
        self.missed
    }

    /// The rows as a Markdown table.
    pub fn table(&self) -> String {
        let mut out =
            String::from("| what | koru-tui | peer | budget | |\n| --- | --- | --- | --- | --- |\n");
        for row in &self.rows {
            let _ = writeln!(out, "| {} |", row.join(" | "));
        }
        out
    }
}

//! The verdict that an agent prints at the end of its transcript when it is asked for in words: two lines,
//! `KAGURA_VERDICT=<green|yellow|red>` and `KAGURA_PR_URL=<url or ->` (kagura-engineer §6, rules of 0.7.0).
//!
//! Only the end of a transcript counts, and a pair of lines beats one alone: an agent that is made to echo a green line
//! after its real verdict does not get past this.
//!
//! No verb asks an agent for these words: reviews here are answered in a schema. This reads what kagura's agents print,
//! for a hand-over that goes on with their transcripts.

use serde::Serialize;

/// Characters at the end of a transcript in which markers count.
const TAIL_CHARS: usize = 500;

/// In which phase the transcript was made: shipping also knows `pass` and `fail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Any phase before.
    Start,
    /// Handing the work over.
    Ship,
}

/// What a transcript says. Texts are foreign.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Marked {
    /// The verdict in lower case; `None` when there is none.
    pub verdict: Option<String>,
    /// Where the pull request is.
    pub pr_url: Option<String>,
}

impl Marked {
    /// Whether the work may go on: green and yellow; everything else, and nothing, halts.
    pub fn proceeds(&self) -> bool {
        self.verdict.as_deref().is_some_and(is_go)
    }
}

/// Reads the markers at the end of `transcript`, else the heading `## Verdict: …` of it. A pair of lines anywhere that halts
/// is overruled by a later pair alone: whatever stands by itself may be an echo.
pub fn read(transcript: &str, phase: Phase) -> Marked {
    let lines: Vec<&str> = crate::execute::tail::tail_chars(transcript, TAIL_CHARS).lines().collect();
    let (word, url) = match last_pair(&lines) {
        Some((word, url)) => (Some(word), Some(url)),
        None => (
            lines.iter().rev().find_map(|line| verdict(line)),
            lines.iter().rev().find_map(|line| pr_url(line)),
        ),
    };
    let word = word.or_else(|| transcript.lines().rev().find_map(|line| heading(line, phase)));
    let read = Marked {
        verdict: word.map(|word| in_words_of(phase, &word)),
        pr_url: url.filter(|url| *url != "-").map(str::to_owned),
    };
    let whole: Vec<&str> = transcript.lines().collect();
    let real = last_pair(&whole).map(|(word, _)| in_words_of(phase, &word));
    match real.filter(|real| read.proceeds() && !is_go(real)) {
        Some(real) => Marked { verdict: Some(real), ..read },
        None => read,
    }
}

/// The last two lines in a row that are a verdict and where the pull request is.
fn last_pair<'a>(lines: &[&'a str]) -> Option<(String, &'a str)> {
    lines.windows(2).rev().find_map(|pair| Some((verdict(pair[0])?, pr_url(pair[1])?)))
}

fn is_go(word: &str) -> bool {
    matches!(word, "green" | "yellow")
}

/// `KAGURA_VERDICT=word` from the first column on.
fn verdict(line: &str) -> Option<String> {
    let word = line.strip_prefix("KAGURA_VERDICT=")?.trim_end_matches([' ', '\t', '\r']);
    let plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    plain.then(|| word.to_ascii_lowercase())
}

/// `KAGURA_PR_URL=url`; the placeholder of the instructions is none.
fn pr_url(line: &str) -> Option<&str> {
    let url = line.strip_prefix("KAGURA_PR_URL=")?.trim_end_matches([' ', '\t', '\r']);
    (!url.is_empty() && !url.contains(char::is_whitespace) && !url.starts_with('<')).then_some(url)
}

/// `## Verdict: word`.
fn heading(line: &str, phase: Phase) -> Option<String> {
    let word = line.strip_prefix("## Verdict:")?.trim().to_ascii_lowercase();
    let known = matches!(word.as_str(), "green" | "yellow" | "red")
        || (phase == Phase::Ship && matches!(word.as_str(), "pass" | "fail"));
    known.then_some(word)
}

fn in_words_of(phase: Phase, word: &str) -> String {
    match (phase, word) {
        (Phase::Ship, "pass") => "green",
        (Phase::Ship, "fail") => "red",
        (_, word) => word,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn k09_every_recorded_transcript_is_read_as_0_7_0_reads_it() {
        let cases = include_str!("../../tests/fixtures/kagura/gate/verdict-cases.json");
        let cases: Vec<Value> = serde_json::from_str(cases).unwrap();
        assert_eq!(cases.len(), 15);
        for case in cases {
            for (phase, word) in [(Phase::Start, "start"), (Phase::Ship, "ship")] {
                let read = read(case["stdout"].as_str().unwrap(), phase);
                let said = json!({
                    "verdict": read.verdict, "pr_url": read.pr_url, "proceed": read.proceeds(),
                });
                assert_eq!(said, case["v0.7.0"][word], "{} {word}", case["name"]);
            }
        }
    }

    #[test]
    fn a_heading_with_pass_counts_only_when_shipping() {
        let of = |phase| read("## Verdict: pass\n", phase).proceeds();
        assert_eq!((of(Phase::Start), of(Phase::Ship)), (false, true));
    }

    #[test]
    fn k10_a_lone_green_after_a_real_red_halts() {
        let text = "KAGURA_VERDICT=red\r\nKAGURA_PR_URL=-\r\nrecap\r\nKAGURA_VERDICT=green\r\n";
        assert!(!read(text, Phase::Ship).proceeds());
        // Nor when the real one is so far back that it does not count by itself.
        let far = "x".repeat(600);
        for echo in ["KAGURA_VERDICT=green\n", "## Verdict: green\n"] {
            let text = format!("KAGURA_VERDICT=red\nKAGURA_PR_URL=-\n{far}\n{echo}");
            assert_eq!(read(&text, Phase::Ship).verdict.as_deref(), Some("red"), "{echo}");
        }
        let pair = "KAGURA_VERDICT=green\nKAGURA_PR_URL=-\n";
        assert!(read(&format!("KAGURA_VERDICT=red\nKAGURA_PR_URL=-\n{far}\n{pair}"), Phase::Ship).proceeds());
        assert!(!read("KAGURA_VERDICT=green\u{a0}\nKAGURA_VERDICT=green red\n", Phase::Ship).proceeds());
    }
}

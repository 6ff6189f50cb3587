//! Findings out of quality gates: a gate that failed is something to mend like any other complaint.

use crate::execute::tail::tail_chars;
use crate::verify::finding::{Finding, Source};
use crate::verify::gates::{GateResult, GateState};

/// Characters of a gate's output that its finding holds.
const OUTPUT_CHARS: usize = 2000;

/// One finding a failed gate, in the order of the gates. Its id is the gate's alone, so that a gate which fails again
/// with other words is *still there*.
pub fn findings(results: &[GateResult]) -> Vec<Finding> {
    results.iter().filter_map(finding).collect()
}

fn finding(result: &GateResult) -> Option<Finding> {
    let GateState::Failed { why } = &result.state else { return None };
    let output = tail_chars(result.output.trim_end(), OUTPUT_CHARS).trim();
    let gate = &result.gate;
    let mut reason = format!("the gate {gate} failed: {why}");
    if !output.is_empty() {
        reason.push('\n');
        reason.push_str(output);
    }
    let command = result.command.as_deref().unwrap_or(gate);
    Some(Finding {
        // The same gate is the same complaint, whatever it printed.
        id: Finding::key(None, &format!("gate {gate}")),
        required_change: Some(format!("make `{command}` pass")),
        dimension: Some("gate".to_owned()),
        ..Finding::blocking(reason, Source::Gate { gate: gate.clone() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(gate: &str, state: GateState, output: &str) -> GateResult {
        GateResult {
            gate: gate.to_owned(),
            state,
            command: Some("make test".to_owned()),
            exit_code: None,
            output: output.to_owned(),
            duration: std::time::Duration::ZERO,
        }
    }

    #[test]
    fn a_failed_gate_is_a_blocking_finding_with_the_end_of_its_output() {
        let failed =
            |output: &str| result("ci", GateState::Failed { why: "it exited with 1".to_owned() }, output);
        let others = [
            result("a", GateState::Passed, "x"),
            result("b", GateState::Skipped { why: "w".to_owned() }, ""),
            result("c", GateState::Waived { who: "me".to_owned(), why: "w".to_owned() }, ""),
        ];
        assert_eq!(findings(&others), []);
        let found = findings(&[failed(&format!("{}the end\n", "x".repeat(9000)))]);
        let [one] = &found[..] else { panic!("{found:?}") };
        assert_eq!(one.id, findings(&[failed("other words")])[0].id);
        assert!(one.reason.starts_with("the gate ci failed: it exited with 1\nxxx"), "{}", one.reason);
        assert!(one.reason.ends_with("the end") && one.reason.len() < 2100);
        assert_eq!((one.blocking, one.required_change.as_deref()), (true, Some("make `make test` pass")));
    }
}

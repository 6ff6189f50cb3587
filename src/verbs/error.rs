//! Why a verb failed, and the one place that maps a failure to an exit code.

use std::path::PathBuf;

use crate::plan::lifecycle::Refusal;
use crate::plan::scaffold::InitError;
use crate::plan::store::{FileFault, MutateError, OpenError};

/// Exit codes of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Done.
    Ok = 0,
    /// The environment does not allow it, or the work failed.
    Failed = 1,
    /// The command line or a file that it names is wrong.
    Usage = 2,
    /// A loop: something is not as it must be (loop-kit §4).
    Invalid = 3,
    /// A loop: tracked files differ.
    Dirty = 4,
    /// A loop: another one runs.
    Locked = 5,
    /// A bug of ours.
    Bug = 70,
    /// A loop: stopped by the operator.
    Interrupted = 130,
}

impl Exit {
    /// A loop: nobody wrote the report in time (loop-kit §4 gives it the number of a wrong command line).
    pub(super) const TIMEOUT: Exit = Exit::Usage;

    /// A review: it is red (kagura-engineer §8 gives it the number of a wrong command line).
    pub(super) const RED: Exit = Exit::Usage;
}

/// Why a verb failed. Messages name what was tried and what to do next; they are made safe where they are printed.
#[derive(Debug, thiserror::Error)]
pub(super) enum VerbError {
    /// Wrong command line.
    #[error("{0}")]
    Usage(String),
    /// The planfile cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A write was not made.
    #[error(transparent)]
    Mutate(#[from] MutateError),
    /// Nothing was initialised or imported.
    #[error(transparent)]
    Init(#[from] InitError),
    /// The file that the verb needs does not parse.
    #[error("{}", broken(.0))]
    Broken(Vec<FileFault>),
    /// The environment or the work failed; the sentence says what and what to do.
    #[error("{0}")]
    Failed(String),
    /// An I/O step failed.
    #[error("{doing} {path} failed: {source}", path = path.display())]
    Io {
        /// What was being done, as a gerund.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

fn broken(faults: &[FileFault]) -> String {
    let lines: Vec<String> = faults.iter().map(fault_line).collect();
    lines.join("\n")
}

/// One fault with its place, its offending line and what to do.
pub(super) fn fault_line(fault: &FileFault) -> String {
    let excerpt = fault.fault.excerpt.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let shown = excerpt.map(|text| format!("\n    {text}")).unwrap_or_default();
    format!(
        "{fault}{shown}\n    repair the file (it was left as it is); its tickets are not shown until it parses"
    )
}

impl VerbError {
    /// The exit code of this failure.
    pub(super) fn exit(&self) -> Exit {
        match self {
            VerbError::Usage(_) => Exit::Usage,
            VerbError::Init(error) if error.exit_code() == 2 => Exit::Usage,
            VerbError::Mutate(MutateError::NoTicket(_) | MutateError::Refused(Refusal::Invalid { .. })) => {
                Exit::Usage
            }
            VerbError::Init(_)
            | VerbError::Open(_)
            | VerbError::Mutate(_)
            | VerbError::Broken(_)
            | VerbError::Failed(_)
            | VerbError::Io { .. } => Exit::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Exit, VerbError};
    use crate::plan::lifecycle::Refusal;
    use crate::plan::scaffold::InitError;
    use crate::plan::store::{FileFault, MutateError, OpenError};
    use crate::plan::ticket::TicketId;
    use crate::plan::yaml::SprintFault;

    #[test]
    fn mistakes_of_the_caller_and_of_the_world_have_their_own_codes() {
        let id = TicketId::new("PLF-1");
        let held = Refusal::Held { id: id.clone(), holder: "ada".to_owned(), until: "no end".to_owned() };
        let invalid = Refusal::Invalid { field: "sprint", reason: "no".to_owned() };
        let cases: [(VerbError, Exit); 8] = [
            (VerbError::Usage(String::new()), Exit::Usage),
            (MutateError::NoTicket(id).into(), Exit::Usage),
            (MutateError::Refused(invalid).into(), Exit::Usage),
            (InitError::SprintName("..".to_owned()).into(), Exit::Usage),
            (MutateError::Refused(held).into(), Exit::Failed),
            (InitError::AlreadyInitialised("x".into()).into(), Exit::Failed),
            (OpenError::Uninitialised("x".into()).into(), Exit::Failed),
            (VerbError::Broken(Vec::new()), Exit::Failed),
        ];
        for (error, exit) in cases {
            assert_eq!(error.exit(), exit, "{error:?}");
        }
        assert_eq!([Exit::Ok as u8, Exit::Failed as u8, Exit::Usage as u8, Exit::Bug as u8], [0, 1, 2, 70]);
    }

    #[test]
    fn a_broken_file_is_named_with_its_line_and_the_remedy() {
        let fault = SprintFault {
            line: 3,
            column: 7,
            message: "a tab".to_owned(),
            excerpt: Some("  \tx: 1 ".to_owned()),
        };
        let error =
            VerbError::Broken(vec![FileFault { path: ".planfile/sprints/current.yaml".to_owned(), fault }]);
        assert_eq!(
            error.to_string(),
            ".planfile/sprints/current.yaml: line 3, column 7: a tab\n    x: 1\n    repair the file (it was left as \
             it is); its tickets are not shown until it parses"
        );
    }
}

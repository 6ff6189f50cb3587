//! Where the loop stands: `state.json`, the contract between runs, ours and loop-kit's (§5; 0.3.1: `version`,
//! `sessions`, a copy in `.state.json.bak`).

use serde_json::{Map, Value};

use super::fields::{Fields, Invalid, put};
use super::ids::check_task_id;
use super::read::{BusError, Unread};
use super::{Bus, File, Role, read, write};
use crate::base::atomic;

/// Name of the copy that is made before a state is replaced.
const BACKUP: &str = ".state.json.bak";

/// Version of the schema that we write (loop-kit 0.3.1).
const VERSION: u32 = 1;

/// Whose turn it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Nothing began.
    #[default]
    Idle,
    /// The worker's.
    AwaitingWork,
    /// The reviewer's.
    AwaitingReview,
    /// It is over.
    Done,
}

impl Phase {
    /// The word on disk.
    pub fn word(self) -> &'static str {
        match self {
            Phase::Idle => "idle",
            Phase::AwaitingWork => "awaiting_work",
            Phase::AwaitingReview => "awaiting_review",
            Phase::Done => "done",
        }
    }

    /// Reads the word on disk.
    pub fn parse(word: &str) -> Option<Self> {
        [Phase::Idle, Phase::AwaitingWork, Phase::AwaitingReview, Phase::Done]
            .into_iter()
            .find(|phase| phase.word() == word)
    }
}

/// How a loop ended: loop-kit's words, and ours for what it does not see.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OutcomeWord(pub String);

impl OutcomeWord {
    /// The work passed.
    pub const APPROVED: &'static str = "approved";
    /// All rounds were used.
    pub const MAX_ROUNDS: &'static str = "max_rounds_exhausted";
    /// Somebody stopped it.
    pub const INTERRUPTED: &'static str = "interrupted";
    /// The verdict contradicts itself: a person decides (ours).
    pub const CONTRADICTION: &'static str = "contradictory_verdict";
    /// The reviewer changed what it was to judge (ours).
    pub const REVIEWER_CHANGED: &'static str = "reviewer_changed_tree";
    /// The reviewer's report breaks the rules.
    pub const INVALID_REVIEW: &'static str = "invalid_review_report";
    /// The reviewer's agent failed, or wrote nothing.
    pub const REVIEWER_FAILED: &'static str = "reviewer_dispatch_failed";
    /// A person did not judge in time.
    pub const REVIEWER_LATE: &'static str = "reviewer_timeout";

    /// Whether a loop that ended so lacks nothing but a verdict: who resumes it pays no worker again.
    pub fn lacks_verdict(word: &str) -> bool {
        [
            Self::CONTRADICTION,
            Self::REVIEWER_CHANGED,
            Self::INVALID_REVIEW,
            Self::REVIEWER_FAILED,
            Self::REVIEWER_LATE,
        ]
        .contains(&word)
    }
}

/// One agent's conversation (0.3.1).
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The agent's own id of it.
    pub session_id: String,
    /// Which agent.
    pub backend: String,
    /// Round in which it began.
    pub started_round: u32,
    /// Keys that are not ours.
    pub extra: Map<String, Value>,
}

/// How the tests of a round went, as the worker tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TestsSummary {
    /// All.
    pub total: u32,
    /// Passed.
    pub pass: u32,
    /// Failed.
    pub fail: u32,
    /// Neither.
    pub other: u32,
}

/// A round that was judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoundDetail {
    /// Its number, from 1.
    pub round: u32,
    /// When it began.
    pub started_at: Option<String>,
    /// What the worker said.
    pub worker_notes: Option<String>,
    /// Tests that the worker told of.
    pub tests_summary: TestsSummary,
    /// What the reviewer decided.
    pub review_decision: Option<String>,
    /// Keys that are not ours.
    pub extra: Map<String, Value>,
}

/// The state. Texts are foreign.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoopState {
    /// Whose turn it is.
    pub phase: Phase,
    /// Round, from 1; after a rejection it is already the next one.
    pub round: u32,
    /// The task, checked.
    pub task_id: Option<String>,
    /// Commit that the task began from; it never moves.
    pub base_sha: Option<String>,
    /// Commit of the last work report, as git knows it (loop-kit: as the worker named it).
    pub head_sha: Option<String>,
    /// When this round began.
    pub started_at: Option<String>,
    /// Conversations that a next round can go on with, by role.
    pub sessions: Vec<(Role, Session)>,
    /// Rounds that were judged, oldest first.
    pub round_details: Vec<RoundDetail>,
    /// How it ended, when it is over.
    pub outcome: Option<String>,
    /// When it failed.
    pub failed_at: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Keys that are not ours.
    pub extra: Map<String, Value>,
}

/// Where a state came from.
#[derive(Debug)]
pub enum StateSource {
    /// From `state.json`, or there is none yet.
    File,
    /// From the copy, because of this.
    Backup(BusError),
    /// Nothing could be read, because of this: it counts as a loop that never began.
    Fresh(BusError),
}

impl LoopState {
    pub(super) fn parse(map: Map<String, Value>) -> Result<Self, Invalid> {
        let mut fields = Fields::new(map);
        fields.value("version");
        let word = fields.text("state")?;
        let phase = Phase::parse(&word).ok_or_else(|| {
            let word: String = word.chars().take(60).collect();
            fields
                .bad("state", &format!("must be idle, awaiting_work, awaiting_review or done, not {word:?}"))
        })?;
        let task_id = fields.optional_text("task_id")?;
        if let Some(bad) = task_id.as_deref().and_then(|id| check_task_id(id).err()) {
            return Err(fields.bad("task_id", &format!("is refused: {}", bad.why)));
        }
        let details = fields.objects("round_details")?.into_iter();
        let round_details =
            details.map(|(place, map)| RoundDetail::parse(&place, map)).collect::<Result<_, _>>()?;
        let sessions = sessions(&mut fields)?;
        Ok(Self {
            phase,
            round: fields.optional_number("round")?.unwrap_or(0),
            task_id,
            base_sha: fields.optional_text("base_sha")?,
            head_sha: fields.optional_text("head_sha")?,
            started_at: fields.optional_text("started_at")?,
            sessions,
            round_details,
            outcome: fields.optional_text("outcome")?,
            failed_at: fields.optional_text("failed_at")?,
            error: fields.optional_text("error")?,
            extra: fields.rest(),
        })
    }

    /// As it is written.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        put(&mut map, "version", VERSION);
        put(&mut map, "state", self.phase.word());
        put(&mut map, "round", self.round);
        map.insert("task_id".to_owned(), self.task_id.clone().into());
        put(&mut map, "base_sha", self.base_sha.clone());
        put(&mut map, "started_at", self.started_at.clone());
        let sessions =
            self.sessions.iter().map(|(role, session)| (role.word().to_owned(), session.to_value()));
        map.insert("sessions".to_owned(), Value::Object(sessions.collect()));
        let details: Vec<Value> = self.round_details.iter().map(RoundDetail::to_value).collect();
        put(&mut map, "round_details", details);
        put(&mut map, "head_sha", self.head_sha.clone());
        put(&mut map, "outcome", self.outcome.clone());
        put(&mut map, "failed_at", self.failed_at.clone());
        put(&mut map, "error", self.error.clone());
        map.extend(self.extra.clone());
        Value::Object(map)
    }

    /// The conversation of a role.
    pub fn session(&self, role: Role) -> Option<&Session> {
        self.sessions.iter().find(|(of, _)| *of == role).map(|(_, session)| session)
    }

    /// Keeps, replaces or forgets the conversation of a role.
    pub fn set_session(&mut self, role: Role, session: Option<Session>) {
        self.sessions.retain(|(of, _)| *of != role);
        self.sessions.extend(session.map(|session| (role, session)));
    }
}

fn sessions(fields: &mut Fields) -> Result<Vec<(Role, Session)>, Invalid> {
    let Some(mut map) = fields.object("sessions")? else { return Ok(Vec::new()) };
    let mut sessions = Vec::new();
    for role in Role::BOTH {
        // A conversation that cannot be read is only one that is not gone on with.
        let Some(Value::Object(map)) = map.shift_remove(role.word()) else { continue };
        let mut session = Fields::of(map, "sessions");
        let parts = (session.text("session_id"), session.text("backend"), session.number("started_round"));
        if let (Ok(session_id), Ok(backend), Ok(started_round)) = parts {
            sessions.push((role, Session { session_id, backend, started_round, extra: session.rest() }));
        }
    }
    Ok(sessions)
}

impl Session {
    fn to_value(&self) -> Value {
        let mut map = Map::new();
        put(&mut map, "session_id", self.session_id.as_str());
        put(&mut map, "backend", self.backend.as_str());
        put(&mut map, "started_round", self.started_round);
        map.extend(self.extra.clone());
        Value::Object(map)
    }
}

impl RoundDetail {
    fn parse(place: &str, map: Map<String, Value>) -> Result<Self, Invalid> {
        let mut fields = Fields::of(map, place);
        let mut counts = Fields::of(fields.object("tests_summary")?.unwrap_or_default(), place);
        let mut count = |key: &str| counts.optional_number(key).map(Option::unwrap_or_default);
        let tests_summary = TestsSummary {
            total: count("total")?,
            pass: count("pass")?,
            fail: count("fail")?,
            other: count("other")?,
        };
        Ok(Self {
            round: fields.number("round")?,
            started_at: fields.optional_text("started_at")?,
            worker_notes: fields.optional_text("worker_notes")?,
            tests_summary,
            review_decision: fields.optional_text("review_decision")?,
            extra: fields.rest(),
        })
    }

    pub(super) fn to_value(&self) -> Value {
        let mut map = Map::new();
        put(&mut map, "round", self.round);
        put(&mut map, "started_at", self.started_at.clone());
        put(&mut map, "worker_notes", self.worker_notes.clone().unwrap_or_default());
        put(&mut map, "tests_summary", self.tests_summary.to_value());
        put(&mut map, "review_decision", self.review_decision.clone());
        map.extend(self.extra.clone());
        Value::Object(map)
    }

    /// From a summary.
    pub(super) fn parse_in(place: &str, map: Map<String, Value>) -> Result<Self, Invalid> {
        Self::parse(place, map)
    }
}

impl TestsSummary {
    fn to_value(self) -> Value {
        let counts = [("total", self.total), ("pass", self.pass), ("fail", self.fail), ("other", self.other)];
        Value::Object(counts.into_iter().map(|(key, count)| (key.to_owned(), count.into())).collect())
    }
}

impl Bus {
    /// The state, from `state.json`, else from its copy, else that of a loop that never began. Nothing is written: a
    /// broken file stays as evidence until the next [`Bus::set_state`], which keeps it beside.
    pub fn state(&self) -> (LoopState, StateSource) {
        let broken = match read::object(&self.path(File::State), LoopState::parse) {
            Ok(state) => return (state, StateSource::File),
            Err(error) if error.is_missing() => return (LoopState::default(), StateSource::File),
            Err(error) => error,
        };
        match read::object(&self.folder().join(BACKUP), LoopState::parse) {
            Ok(state) => (state, StateSource::Backup(broken)),
            Err(_) => (LoopState::default(), StateSource::Fresh(broken)),
        }
    }

    /// Writes the state, the one before as the copy. A state that was broken is kept as `state.json.broken-<n>`.
    ///
    /// # Errors
    /// See [`BusError`]; an id that is no id is refused.
    pub fn set_state(&self, state: &LoopState) -> Result<(), BusError> {
        let path = self.path(File::State);
        if let Some(id) = &state.task_id {
            check_task_id(id).map_err(|bad| BusError::new(&path, Unread::Name(bad)))?;
        }
        match read::bytes(&path) {
            Ok(before) if read::of_bytes(&before).is_ok_and(|map| LoopState::parse(map).is_ok()) => {
                self.back_up(&before)?;
            }
            Ok(_) => self.keep_broken()?,
            Err(Unread::Missing) => {}
            Err(why) => return Err(BusError::new(&path, why)),
        }
        write(&path, &state.to_value())
    }

    /// Makes the state, whose bytes these are, the copy: by a second name, since it is replaced and never written in
    /// place; by writing where the file system has no second names.
    fn back_up(&self, before: &[u8]) -> Result<(), BusError> {
        let (path, copy) = (self.path(File::State), self.folder().join(BACKUP));
        super::remove(&copy)?;
        if std::fs::hard_link(&path, &copy).is_err() {
            atomic::replace_derived(&copy, &[before]).map_err(|error| BusError::io(&copy, "write", error))?;
        }
        Ok(())
    }

    /// Takes the state and its copy away.
    ///
    /// # Errors
    /// See [`BusError`].
    pub fn forget_state(&self) -> Result<(), BusError> {
        super::remove(&self.path(File::State))?;
        super::remove(&self.folder().join(BACKUP))
    }

    fn keep_broken(&self) -> Result<(), BusError> {
        let path = self.path(File::State);
        let free =
            (1..1000).map(|n| self.folder().join(format!("state.json.broken-{n}"))).find(|to| !to.exists());
        match free {
            Some(to) => std::fs::rename(&path, to).map_err(|error| BusError::io(&path, "keep", error)),
            None => Ok(()),
        }
    }
}

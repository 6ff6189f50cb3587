//! What the scripted model says: plain data, put together by small builders. Knows nothing of protocols or sockets.

use std::time::Duration;

use serde_json::Value;

/// What the model says to one request (or to several, see [`Turn::times`]).
#[derive(Clone, Debug)]
pub struct Turn {
    pub answer: Answer,
    /// How many requests get this turn; `None` for every later one.
    pub times: Option<usize>,
}

/// The kinds of answer.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A reply of the model, possibly a broken one.
    Reply(Reply),
    /// An HTTP error in the protocol's own words.
    Refuse { status: u16, message: String, retry_after: Option<u64> },
    /// Status 200 with this body instead of the protocol.
    Nonsense { content_type: &'static str, body: String },
    /// No answer, until the test releases it or the agent goes away.
    Silence,
}

/// A reply, in the order in which it is sent: thinking, text, tool calls.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub thinking: String,
    pub text: String,
    /// A structured answer: by the agent's own tool for it where there is one, else as text.
    pub structured: Option<Value>,
    pub tools: Vec<Tool>,
    /// Estimated from the lengths when absent.
    pub usage: Option<Usage>,
    /// Characters a delta; 24 when 0.
    pub chunk: usize,
    pub pace: Pace,
    /// After so many deltas this happens.
    pub break_at: Option<(usize, Break)>,
}

/// When the next delta is sent.
#[derive(Clone, Copy, Debug, Default)]
pub enum Pace {
    /// At once.
    #[default]
    Free,
    /// When the test says so ([`super::stub::Stub::step`]).
    Stepped,
    /// After this time: for measurements, where time is what is asked about.
    Every(Duration),
}

/// How a reply breaks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The connection is reset.
    Reset,
    /// Nothing more, until the test releases it or the agent goes away.
    Silence,
    /// One event that does not parse, then the end of the stream.
    Garbage,
}

/// Token counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// All input, that from the cache included.
    pub input: u64,
    /// All output, reasoning included.
    pub output: u64,
    /// Input from the cache.
    pub cached: u64,
    /// Output that is reasoning.
    pub reasoning: u64,
}

/// A tool call, named for what it does; [`super::tools`] finds the tool that the agent offers for it.
#[derive(Clone, Debug)]
pub enum Tool {
    Bash {
        command: String,
    },
    Read {
        path: String,
    },
    Write {
        path: String,
        content: String,
    },
    Edit {
        path: String,
        old: String,
        new: String,
    },
    /// As it stands.
    Raw {
        name: String,
        input: Value,
    },
}

/// A turn that says `text`.
pub fn say(text: &str) -> Turn {
    Turn { answer: Answer::Reply(Reply { text: text.to_owned(), ..Reply::default() }), times: Some(1) }
}

/// A turn that only calls tools; see [`Turn::bash`] and its siblings.
pub fn act() -> Turn {
    say("")
}

/// A turn that is refused with an HTTP status.
pub fn refuse(status: u16, message: &str) -> Turn {
    Turn { answer: Answer::Refuse { status, message: message.to_owned(), retry_after: None }, times: Some(1) }
}

/// A turn whose request is never answered.
pub fn silence() -> Turn {
    Turn { answer: Answer::Silence, times: Some(1) }
}

/// A page of some proxy where the protocol should be, with status 200.
pub fn html() -> Turn {
    let body = "<html><body>502 Bad Gateway</body></html>".to_owned();
    Turn { answer: Answer::Nonsense { content_type: "text/html", body }, times: Some(1) }
}

impl Turn {
    fn reply(mut self, change: impl FnOnce(&mut Reply)) -> Self {
        let Answer::Reply(reply) = &mut self.answer else { panic!("this turn is no reply: {self:?}") };
        change(reply);
        self
    }

    fn tool(self, tool: Tool) -> Self {
        self.reply(|reply| reply.tools.push(tool))
    }

    /// Thinks first.
    pub fn think(self, text: &str) -> Self {
        self.reply(|reply| text.clone_into(&mut reply.thinking))
    }

    /// Runs a command.
    pub fn bash(self, command: &str) -> Self {
        self.tool(Tool::Bash { command: command.to_owned() })
    }

    /// Reads a file.
    pub fn read(self, path: &str) -> Self {
        self.tool(Tool::Read { path: path.to_owned() })
    }

    /// Writes a whole file.
    pub fn write(self, path: &str, content: &str) -> Self {
        self.tool(Tool::Write { path: path.to_owned(), content: content.to_owned() })
    }

    /// Replaces `old` by `new` in a file.
    pub fn edit(self, path: &str, old: &str, new: &str) -> Self {
        self.tool(Tool::Edit { path: path.to_owned(), old: old.to_owned(), new: new.to_owned() })
    }

    /// Calls a tool by its real name.
    pub fn raw(self, name: &str, input: Value) -> Self {
        self.tool(Tool::Raw { name: name.to_owned(), input })
    }

    /// Gives a structured answer.
    pub fn structured(self, value: Value) -> Self {
        self.reply(|reply| reply.structured = Some(value))
    }

    /// Reports these counts: input, output, cached input, reasoning.
    pub fn usage(self, input: u64, output: u64, cached: u64, reasoning: u64) -> Self {
        self.reply(|reply| reply.usage = Some(Usage { input, output, cached, reasoning }))
    }

    /// Sends so many characters a delta.
    pub fn chunk(self, characters: usize) -> Self {
        self.reply(|reply| reply.chunk = characters)
    }

    /// Sends a delta only when the test says so.
    pub fn stepped(self) -> Self {
        self.reply(|reply| reply.pace = Pace::Stepped)
    }

    /// Sends a delta every `pause`.
    pub fn every(self, pause: Duration) -> Self {
        self.reply(|reply| reply.pace = Pace::Every(pause))
    }

    /// Breaks off after so many deltas.
    pub fn breaks(self, deltas: usize, how: Break) -> Self {
        self.reply(|reply| reply.break_at = Some((deltas, how)))
    }

    /// Tells the agent when to ask again (`retry-after`, in seconds).
    pub fn retry_after(mut self, seconds: u64) -> Self {
        let Answer::Refuse { retry_after, .. } = &mut self.answer else {
            panic!("this turn is no refusal: {self:?}")
        };
        *retry_after = Some(seconds);
        self
    }

    /// For so many requests.
    pub fn times(self, times: usize) -> Self {
        Self { times: Some(times), ..self }
    }

    /// For this request and every later one.
    pub fn for_ever(self) -> Self {
        Self { times: None, ..self }
    }
}

/// The file that the scenarios below edit; [`GREETING`] is its content before.
pub const FILE: &str = "hello.txt";

/// Content of [`FILE`] before.
pub const GREETING: &str = "Hello, wrld!\nSecond line.\n";

/// Content of [`FILE`] after a successful edit.
pub const CORRECTED: &str = "Hello, world!\nSecond line.\n";

/// What an agent is told in the scenarios below.
pub const TASK: &str = "Fix the typo in hello.txt, then say done.";

/// The last words of a successful edit.
pub const DONE: &str = "Done: hello.txt now says \"Hello, world!\".";

/// Stands in a structured answer for the commit that the request asks about.
pub const HEAD: &str = "@head@";

/// Thinks, reads, edits, checks with a command, says [`DONE`]. Four requests; 5,630 tokens in, 164 out.
pub fn edit_success() -> Vec<Turn> {
    vec![
        say("I'll read hello.txt first.")
            .think("The greeting has a typo. I will read the file before I change it.")
            .read(FILE)
            .usage(1200, 48, 0, 14),
        say("There is a typo in the greeting; fixing it.")
            .edit(FILE, "Hello, wrld!", "Hello, world!")
            .usage(1350, 60, 1100, 0),
        act().bash("cat hello.txt && git diff --stat").usage(1480, 32, 1300, 0),
        say(DONE).usage(1600, 24, 1450, 0),
    ]
}

/// An edit whose old text is absent, a command that exits 3, a file that is missing; then it gives up. Five requests.
pub fn tool_failure() -> Vec<Turn> {
    vec![
        act().read(FILE),
        say("Editing.").edit(FILE, "text that is not there", "x"),
        act().bash("echo to-stdout; echo to-stderr >&2; exit 3"),
        act().read("missing.txt"),
        say("I could not make the change: the edit did not apply and the check failed."),
    ]
}

/// Two refusals for too many requests, then the edit. Six requests.
pub fn rate_limit_then_success() -> Vec<Turn> {
    followed_by_edit(refuse(429, "scripted rate limit").retry_after(1).times(2))
}

/// Refusals for too many requests, for ever.
pub fn rate_limit() -> Vec<Turn> {
    vec![refuse(429, "scripted rate limit").retry_after(1).for_ever()]
}

/// The connection is reset in the middle of the first reply, then the edit. Five requests.
pub fn disconnect() -> Vec<Turn> {
    followed_by_edit(say("This reply is cut off before it can end.").breaks(1, Break::Reset))
}

/// A few words, then nothing more.
pub fn hang() -> Vec<Turn> {
    vec![say("Working on it, one moment please while I think about it.").breaks(2, Break::Silence).for_ever()]
}

/// A command that waits, and ends by itself after a minute. It writes `started` first.
pub fn hang_in_tool() -> Vec<Turn> {
    vec![say("Running the slow check.").bash("echo yes > started; sleep 60; echo finished"), say("Done.")]
}

/// An event that does not parse in the middle of every reply.
pub fn malformed() -> Vec<Turn> {
    vec![say("This reply breaks off in the middle of the stream.").breaks(1, Break::Garbage).for_ever()]
}

/// Text that would act on a terminal or deceive its reader: escape sequences, a window title, a bell, carriage return,
/// direction overrides, invisible characters, and one line of 3,000 characters.
pub fn hostile_text() -> Vec<Turn> {
    vec![say(&format!(
        "plain \u{1b}[31mred\u{1b}[0m \u{1b}]0;owned\u{7} \u{1b}[2J\u{1b}[H bell\u{7} cr\rover tab\tend \
         \u{202e}override\u{202c} wide \u{6f22}\u{5b57} \u{1f469}\u{200d}\u{1f4bb} e\u{301} zero\u{200b}width {}",
        "x".repeat(3000)
    ))]
}

/// The server fails for ever.
pub fn server_error() -> Vec<Turn> {
    vec![refuse(500, "scripted internal error").for_ever()]
}

/// The key is refused for ever.
pub fn auth_error() -> Vec<Turn> {
    vec![refuse(401, "scripted: invalid api key").for_ever()]
}

/// The prompt is too long for ever.
pub fn context_overflow() -> Vec<Turn> {
    vec![refuse(400, "prompt is too long: 250000 tokens > 200000 maximum").for_ever()]
}

/// Three tool calls in one reply.
pub fn parallel_tools() -> Vec<Turn> {
    vec![
        say("Looking at three things at once.").read(FILE).bash("echo first").bash("echo second"),
        say("All three are in."),
    ]
}

/// A reviewer that looks at the work and gives this verdict.
pub fn review(verdict: Value) -> Vec<Turn> {
    vec![act().bash("git log --oneline -1"), act().structured(verdict), say("Verdict delivered.")]
}

fn followed_by_edit(first: Turn) -> Vec<Turn> {
    [vec![first], edit_success()].concat()
}

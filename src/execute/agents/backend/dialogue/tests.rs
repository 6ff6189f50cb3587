//! What is written and what is read, whole.

use super::*;
use crate::execute::agents::event::Finish;

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn hear(dialogue: &mut dyn Dialogue, line: &str) -> (bool, Vec<AgentEvent>, String) {
    let (mut out, mut answer) = (Vec::new(), Vec::new());
    let taken = dialogue.hear(line.as_bytes(), &mut out, &mut answer);
    (taken, out, text(answer))
}

#[test]
fn claude_is_told_in_messages_and_gives_each_back() {
    let mut claude = ClaudeDialogue::new("do \"it\"\n");
    let user = |text: &str| {
        format!(
            r#"{{"type":"user","message":{{"role":"user","content":[{{"type":"text","text":"{text}"}}]}}}}"#
        )
    };
    assert_eq!(text(claude.open()), user(r#"do \"it\"\n"#) + "\n");
    assert_eq!(text(claude.say("stop")), user("stop") + "\n");
    let interrupt =
        r#"{"type":"control_request","request_id":"interrupt-1","request":{"subtype":"interrupt"}}"#;
    assert_eq!(text(claude.interrupt()), format!("{interrupt}\n"));

    let taken = (false, vec![], String::new());
    let replay = r#"{"type":"user","message":{"role":"user","content":[]},"isReplay":true}"#;
    assert_eq!(hear(&mut claude, replay), taken);
    assert_eq!(claude.on_their_way(), ["stop".to_owned()]);
    assert_eq!(hear(&mut claude, replay), taken);
    assert_eq!(claude.on_their_way(), [""; 0]);
}

#[test]
fn claude_lines_of_the_run_are_left_to_the_parser() {
    let mut claude = ClaudeDialogue::new("x");
    for line in [
        r#"{"type":"user","message":{"content":[{"type":"tool_result","content":"\"isReplay\":true"}]}}"#,
        r#"{"type":"user","message":{"content":[{"text":"x","isReplay":true}]}}"#,
        r#"{"type":"user","isReplay":true"#,
        r#"{"type":"result"}"#,
    ] {
        assert_eq!(hear(&mut claude, line), (false, vec![], String::new()), "{line}");
    }
}

#[test]
fn claude_is_refused_what_it_asks() {
    let mut claude = ClaudeDialogue::new("x");
    let asked = r#"{"type":"control_request","request_id":"7","request":{"subtype":"can_use_tool"}}"#;
    let refusal = r#"{"type":"control_response","response":{"subtype":"error","request_id":"7","error":"not supported"}}"#;
    let notice =
        AgentEvent::Notice { message: "the agent asked for `can_use_tool`, which was refused".to_owned() };
    assert_eq!(hear(&mut claude, asked), (true, vec![notice], format!("{refusal}\n")));
}

#[test]
fn pi_is_asked_for_its_session_and_answers_by_id() {
    let mut pi = PiDialogue::new("go");
    let opening = "{\"id\":\"state\",\"type\":\"get_state\"}\n{\"id\":\"prompt\",\"type\":\"prompt\",\"message\":\"go\"}\n";
    assert_eq!(text(pi.open()), opening);
    let taken = r#"{"id":"prompt","type":"response","command":"prompt","success":true}"#;
    assert_eq!(hear(&mut pi, taken), (false, vec![], String::new()));

    let said =
        "{\"id\":\"say-0\",\"type\":\"prompt\",\"message\":\"wait\",\"streamingBehavior\":\"steer\"}\n";
    assert_eq!(text(pi.say("wait")), said);
    assert_eq!(pi.on_their_way(), ["wait".to_owned()]);
    hear(&mut pi, r#"{"id":"say-0","type":"response","command":"prompt","success":true}"#);
    assert_eq!(pi.on_their_way(), [""; 0]);
    assert_eq!(hear(&mut pi, r#"{"type":"agent_settled"}"#), (false, vec![], String::new()));
}

#[test]
fn a_prompt_that_pi_refuses_is_the_end() {
    let mut pi = PiDialogue::new("go");
    let refusal = r#"{"id":"prompt","type":"response","command":"prompt","success":false,"error":"no key"}"#;
    let done = AgentEvent::Done(Finish { reason: Some("no key".to_owned()), ..Finish::default() });
    assert_eq!(hear(&mut pi, refusal), (false, vec![done], String::new()));
}

#[test]
fn an_extension_that_asks_a_person_is_cancelled() {
    let mut pi = PiDialogue::new("go");
    let asked = r#"{"type":"extension_ui_request","id":"u","method":"confirm","title":"Sure?"}"#;
    let notice = AgentEvent::Notice {
        message: "an extension asked `Sure?` (confirm); nobody can answer, it was cancelled".to_owned(),
    };
    let answer = "{\"type\":\"extension_ui_response\",\"id\":\"u\",\"cancelled\":true}\n";
    assert_eq!(hear(&mut pi, asked), (false, vec![notice], answer.to_owned()));
    let told = r#"{"type":"extension_ui_request","id":"v","method":"notify","message":"hi"}"#;
    assert_eq!(hear(&mut pi, told), (false, vec![], String::new()));
}

fn codex(resume: Option<&str>) -> CodexDialogue {
    CodexDialogue::new(CodexOpening {
        prompt: "go".to_owned(),
        folder: "/w".to_owned(),
        sandbox: "danger-full-access",
        model: Some("m".to_owned()),
        resume: resume.map(str::to_owned),
        schema: None,
    })
}

/// What is written when `line` is heard.
fn written(dialogue: &mut dyn Dialogue, line: &str) -> String {
    hear(dialogue, line).2
}

const THREAD_ANSWER: &str = r#"{"id":"thread","result":{"thread":{"id":"t1"},"model":"m"}}"#;
const TURN_STARTED: &str = r#"{"method":"turn/started","params":{"threadId":"t1","turn":{"id":"u1"}}}"#;
const TURN_COMPLETED: &str =
    r#"{"method":"turn/completed","params":{"threadId":"t1","turn":{"id":"u1","status":"completed"}}}"#;

#[test]
fn codex_is_opened_step_by_step_and_steered_in_its_turn() {
    let mut codex = codex(None);
    assert!(
        text(codex.open()).starts_with(r#"{"id":"initialize","method":"initialize","params":{"clientInfo":"#)
    );
    assert_eq!(text(codex.say("early")), "", "there is no thread yet");
    let thread = r#"{"id":"thread","method":"thread/start","params":{"cwd":"/w","sandbox":"danger-full-access","approvalPolicy":"never","model":"m"}}"#;
    assert_eq!(
        written(&mut codex, r#"{"id":"initialize","result":{}}"#),
        format!("{{\"method\":\"initialized\"}}\n{thread}\n")
    );
    let session = AgentEvent::Session { id: "t1".to_owned(), model: Some("m".to_owned()), version: None };
    let turn = |text: &str| {
        format!(
            r#"{{"id":"turn","method":"turn/start","params":{{"threadId":"t1","input":[{{"type":"text","text":"{text}"}}]}}}}"#
        ) + "\n"
    };
    assert_eq!(hear(&mut codex, THREAD_ANSWER), (true, vec![session], turn("go")));
    let steer = |text: &str| {
        format!(
            r#"{{"id":"steer","method":"turn/steer","params":{{"threadId":"t1","expectedTurnId":"u1","input":[{{"type":"text","text":"{text}"}}]}}}}"#
        ) + "\n"
    };
    assert_eq!(written(&mut codex, TURN_STARTED), steer("early"));
    assert_eq!(text(codex.say("late")), steer("late"));
    assert_eq!(hear(&mut codex, r#"{"id":"steer","result":{"turnId":"u1"}}"#), (true, vec![], String::new()));
    assert_eq!(codex.on_their_way(), ["late".to_owned()]);
    // The turn ended first: it is another one's beginning, and on its way until that has begun.
    assert_eq!(written(&mut codex, TURN_COMPLETED), "");
    assert_eq!(
        written(&mut codex, r#"{"id":"steer","error":{"code":-32600,"message":"no turn"}}"#),
        turn("late")
    );
    assert_eq!(written(&mut codex, r#"{"id":"turn","result":{"turn":{"id":"u2"}}}"#), "");
    assert_eq!(codex.on_their_way(), ["late".to_owned()]);
    assert_eq!(written(&mut codex, &TURN_STARTED.replace("u1", "u2")), "");
    assert_eq!(codex.on_their_way(), [""; 0]);
    let interrupt =
        r#"{"id":"interrupt","method":"turn/interrupt","params":{"threadId":"t1","turnId":"u2"}}"#;
    assert_eq!(text(codex.interrupt()), format!("{interrupt}\n"));
}

#[test]
fn codex_goes_on_with_a_thread_and_says_why_it_cannot() {
    let mut codex = codex(Some("t0"));
    codex.open();
    let asked = written(&mut codex, r#"{"id":"initialize","result":{}}"#);
    assert!(asked.contains(r#""method":"thread/resume""#) && asked.contains(r#""threadId":"t0""#), "{asked}");
    let done = AgentEvent::Done(Finish { reason: Some("no such thread".to_owned()), ..Finish::default() });
    let refused = r#"{"id":"thread","error":{"code":-32600,"message":"no such thread"}}"#;
    assert_eq!(hear(&mut codex, refused), (true, vec![done], String::new()));
}

#[test]
fn codex_is_refused_what_it_asks() {
    let mut codex = codex(None);
    let notice = |method: &str| {
        vec![AgentEvent::Notice { message: format!("the agent asked for `{method}`, which was refused") }]
    };
    let method = "item/commandExecution/requestApproval";
    let asked = format!(r#"{{"method":"{method}","id":4,"params":{{}}}}"#);
    let reply = "{\"id\":4,\"result\":{\"decision\":\"decline\"}}\n".to_owned();
    assert_eq!(hear(&mut codex, &asked), (true, notice(method), reply));
    let asked = r#"{"id":"x","method":"item/tool/call","params":{}}"#;
    let reply = "{\"id\":\"x\",\"error\":{\"code\":-32601,\"message\":\"not supported\"}}\n".to_owned();
    assert_eq!(hear(&mut codex, asked), (true, notice("item/tool/call"), reply));
    let delta = r#"{"method":"item/agentMessage/delta","params":{"itemId":"i","delta":"\"id\":7"}}"#;
    assert_eq!(hear(&mut codex, delta), (false, vec![], String::new()));
}

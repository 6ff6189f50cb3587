//! Command lines and environments, whole.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::execute::agents::session::Limits;
use crate::execute::environment::{Environment, Given};
use crate::execute::fence::Fence;

fn job(kind: AgentKind, scratch: &Path) -> AgentJob {
    AgentJob {
        kind,
        settings: AgentSettings {
            model: Some("M".to_owned()),
            args: vec!["--extra".to_owned()],
            ..AgentSettings::default()
        },
        prompt: "Do it.".to_owned(),
        folder: "/worktree".into(),
        env: Vec::new(),
        files: vec!["src/a b.rs".to_owned()],
        resume: Some("c-1".to_owned()),
        before: None,
        schema: Some(json!({"type": "object"})),
        scratch: scratch.to_owned(),
        limits: Limits {
            timeout: std::time::Duration::from_secs(60),
            silence: None,
            tokens: None,
            usd: None,
            grace: std::time::Duration::from_secs(1),
        },
        fence: Fence::default(),
    }
}

/// The command line in words, the scratch folder as `SCRATCH`, and what is read at once.
fn command(job: &AgentJob) -> (Vec<String>, Option<String>) {
    let scratch = job.scratch.to_string_lossy().into_owned();
    let launch = launch(job).unwrap();
    let words = [&launch.program].into_iter().chain(&launch.arguments);
    let words = words.map(|word| word.to_string_lossy().replace(&scratch, "SCRATCH")).collect();
    let input = match launch.input {
        Input::Nothing => None,
        Input::Bytes(bytes) => Some(String::from_utf8(bytes).unwrap()),
        Input::Live(mut dialogue) => Some(String::from_utf8(dialogue.open()).unwrap()),
    };
    (words, input)
}

fn words(line: &str) -> Vec<String> {
    line.split('|')
        .flat_map(|part| if part.contains('"') { vec![part] } else { part.split(' ').collect() })
        .map(str::to_owned)
        .collect()
}

const ASKED: &str = "Do it.\n\nEnd with one JSON object as your last message, without any text around it, that is valid \
                     against this JSON schema:\n{\"type\":\"object\"}\n";

#[test]
fn claude_reads_a_stream_and_is_given_the_schema_as_text() {
    let scratch = tempfile::tempdir().unwrap();
    let line = "claude -p --input-format stream-json --replay-user-messages --output-format stream-json --verbose \
                --include-partial-messages --permission-mode acceptEdits \
                --allowedTools Bash,Edit,Write,NotebookEdit,Read,Glob,Grep \
                --disallowedTools EnterWorktree,ExitWorktree,CronCreate,CronDelete,CronList,ScheduleWakeup \
                --setting-sources user,project --strict-mcp-config --model M --resume c-1 \
                --json-schema|{\"type\":\"object\"}|--extra";
    let input = "{\"type\":\"user\",\"message\":{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Do it.\"}]}}\n";
    assert_eq!(command(&job(AgentKind::Claude, scratch.path())), (words(line), Some(input.to_owned())));
}

#[test]
fn codex_has_its_own_sandbox_only_without_ours() {
    let scratch = tempfile::tempdir().unwrap();
    let mut job = job(AgentKind::Codex, scratch.path());
    job.settings.stream = Some("exec".to_owned());
    let line = |sandbox: &str| {
        format!(
            "codex exec resume c-1 --json --skip-git-repo-check -c|sandbox_mode=\"{sandbox}\"|-c \
             check_for_update_on_startup=false -c analytics.enabled=false -c feedback.enabled=false --model M \
             --output-schema SCRATCH/schema.json --extra -"
        )
    };
    assert_eq!(command(&job), (words(&line("workspace-write")), Some("Do it.".to_owned())));
    let schema = std::fs::read_to_string(scratch.path().join("schema.json")).unwrap();
    assert_eq!(schema, "{\"type\":\"object\"}");
    job.fence.writable = vec!["/worktree".into()];
    assert_eq!(command(&job).0, words(&line("danger-full-access")));
    job.resume = None;
    assert_eq!(command(&job).0[..3], words("codex exec --json"));
}

#[test]
fn codex_is_served_unless_it_is_asked_for_once_a_round() {
    let scratch = tempfile::tempdir().unwrap();
    let mut job = job(AgentKind::Codex, scratch.path());
    let line = "codex app-server -c check_for_update_on_startup=false -c analytics.enabled=false -c \
                feedback.enabled=false --extra";
    assert_eq!(command(&job).0, words(line));
    assert_eq!(hearing(AgentKind::Codex, &job.settings), Hearing::Live);
    job.settings.stream = Some("exec".to_owned());
    assert_eq!(hearing(AgentKind::Codex, &job.settings), Hearing::NextRound);
}

#[test]
fn pi_is_spoken_to_in_commands() {
    let scratch = tempfile::tempdir().unwrap();
    let line = "pi --mode rpc --no-approve --no-prompt-templates --no-themes --model M --session c-1 --extra";
    let prompt = serde_json::to_string(ASKED).unwrap();
    let input = format!(
        "{{\"id\":\"state\",\"type\":\"get_state\"}}\n{{\"id\":\"prompt\",\"type\":\"prompt\",\"message\":{prompt}}}\n"
    );
    assert_eq!(command(&job(AgentKind::Pi, scratch.path())), (words(line), Some(input)));
}

#[test]
fn opencode_and_gemini_read_their_prompt_to_its_end() {
    let scratch = tempfile::tempdir().unwrap();
    let line = "opencode run --format json --thinking --auto --model M --session c-1 --extra";
    assert_eq!(command(&job(AgentKind::OpenCode, scratch.path())), (words(line), Some(ASKED.to_owned())));
    let line =
        "gemini --output-format stream-json --skip-trust --approval-mode yolo --model M --resume c-1 --extra";
    assert_eq!(command(&job(AgentKind::Gemini, scratch.path())), (words(line), Some(ASKED.to_owned())));
}

#[test]
fn aider_is_given_files_and_resumes_from_its_history() {
    let scratch = tempfile::tempdir().unwrap();
    let mut job = job(AgentKind::Aider, scratch.path());
    job.resume = None;
    job.folder = scratch.path().join("work");
    std::fs::create_dir_all(job.folder.join("src")).unwrap();
    std::fs::write(job.folder.join("src/a b.rs"), "").unwrap();
    // It would make files of these names.
    job.files.extend(["new.rs", "src", "src/*.rs"].map(str::to_owned));
    let launch = launch(&job).unwrap();
    let history = scratch.path().join("agent/aider.chat.md").to_string_lossy().into_owned();
    assert_eq!(launch.conversation, Some(history.clone()));
    let line = |history: &str, restore: &str| {
        let mut line = words(&format!(
            "aider --yes-always --no-auto-commits --no-gitignore --no-pretty --no-fancy-input --no-detect-urls \
             --no-suggest-shell-commands --no-show-model-warnings --no-show-release-notes --no-check-update \
             --analytics-disable --model M --input-history-file SCRATCH/agent/aider.input --llm-history-file \
             SCRATCH/agent/aider.llm --chat-history-file {history}{restore} --message-file SCRATCH/prompt.txt --extra --"
        ));
        line.push("src/a b.rs".to_owned());
        line
    };
    assert_eq!(command(&job), (line("SCRATCH/agent/aider.chat.md", ""), None));
    assert_eq!(std::fs::read_to_string(scratch.path().join("prompt.txt")).unwrap(), ASKED);
    job.resume = Some("/earlier/aider.chat.md".to_owned());
    assert_eq!(command(&job).0, line("/earlier/aider.chat.md", " --restore-chat-history"));
}

#[test]
fn a_custom_template_is_filled_without_a_shell() {
    let scratch = tempfile::tempdir().unwrap();
    let mut job = job(AgentKind::Custom, scratch.path());
    job.schema = None;
    job.prompt = "say {model}; rm $HOME".to_owned();
    let template =
        ["mine", "--in={worktree}", "--say", "{prompt}", "--model", "{model}", "--go-on", "{resume}", "{x}"];
    job.settings.args = template.map(str::to_owned).to_vec();
    let want =
        ["mine", "--in=/worktree", "--say", "say {model}; rm $HOME", "--model", "M", "--go-on", "c-1", "{x}"];
    assert_eq!(command(&job), (want.map(str::to_owned).to_vec(), None));
    job.resume = None;
    job.settings.model = None;
    job.prompt = "--dash".to_owned();
    let want = ["mine", "--in=/worktree", "--say", "--dash", "{x}"];
    assert_eq!(command(&job), (want.map(str::to_owned).to_vec(), None));

    job.settings.args = ["mine", "{prompt_file}"].map(str::to_owned).to_vec();
    assert_eq!(command(&job), (words("mine SCRATCH/prompt.txt"), None));
    assert_eq!(std::fs::read_to_string(scratch.path().join("prompt.txt")).unwrap(), "--dash");

    job.settings.program = Some("/bin/mine".to_owned());
    job.settings.args = vec!["--read".to_owned()];
    assert_eq!(command(&job), (words(" --read"), Some("--dash".to_owned())));
}

#[test]
fn a_link_where_a_file_belongs_is_replaced_not_followed() {
    let scratch = tempfile::tempdir().unwrap();
    let elsewhere = scratch.path().join("elsewhere");
    std::fs::write(&elsewhere, "mine").unwrap();
    std::os::unix::fs::symlink(&elsewhere, scratch.path().join("schema.json")).unwrap();
    let mut job = job(AgentKind::Codex, scratch.path());
    job.settings.stream = Some("exec".to_owned());
    command(&job);
    assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "mine");
}

fn vars(vars: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    vars.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

#[test]
fn an_agent_gets_what_is_allowed_and_nothing_else() {
    let all = vars(&[
        ("ANTHROPIC_API_KEY", "sk-ant"),
        ("AWS_SECRET_ACCESS_KEY", "aws"),
        ("CLAUDE_CODE_MAX_RETRIES", "9"),
        ("GH_TOKEN", "gh"),
        ("GIT_DIR", "/elsewhere"),
        ("HOME", "/home/me"),
        ("LC_ALL", "C.UTF-8"),
        ("MY_TOKEN", "mine"),
        ("OPENAI_API_KEY", "sk-oai"),
        ("PATH", "/bin"),
        ("PATHS", "x"),
        ("SSH_AUTH_SOCK", "/agent"),
        ("https_proxy", "http://proxy"),
    ]);
    let settings = AgentSettings {
        env: BTreeMap::from([("DISABLE_TELEMETRY".to_owned(), "0".to_owned())]),
        env_keys: vec!["MY_TOKEN".to_owned()],
        ..AgentSettings::default()
    };
    let want = vars(&[
        ("ANTHROPIC_API_KEY", "sk-ant"),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
        ("CLAUDE_CODE_MAX_RETRIES", "9"),
        ("DISABLE_AUTOUPDATER", "1"),
        ("DISABLE_ERROR_REPORTING", "1"),
        ("DISABLE_TELEMETRY", "0"),
        ("HOME", "/home/me"),
        ("KORU_TICKET", "PLF-1"),
        ("LC_ALL", "C.UTF-8"),
        ("MY_TOKEN", "mine"),
        ("PATH", "/bin"),
        ("https_proxy", "http://proxy"),
    ]);
    let given = all.into_iter().collect::<Environment>().for_agent(
        AgentKind::Claude,
        &settings,
        &[],
        &[],
        &[("KORU_TICKET", "PLF-1")],
    );
    let withheld =
        ["AWS_SECRET_ACCESS_KEY", "GH_TOKEN", "GIT_DIR", "OPENAI_API_KEY", "PATHS", "SSH_AUTH_SOCK"];
    assert_eq!(given, Given { vars: want, withheld: withheld.map(str::to_owned).to_vec() });
}

#[test]
fn state_folders_follow_the_variables_that_move_them() {
    let home = vars(&[("HOME", "/h")]);
    let none = AgentSettings::default();
    let folders = |kind, env: &[(OsString, OsString)]| -> Vec<String> {
        writable(kind, &none, env).iter().map(|path| path.to_string_lossy().into_owned()).collect()
    };
    assert_eq!(folders(AgentKind::Claude, &home), ["/h/.cache/claude", "/h/.claude", "/h/.claude.json"]);
    assert_eq!(folders(AgentKind::Claude, &vars(&[("HOME", "/h"), ("CLAUDE_CONFIG_DIR", "/c")])), ["/c"]);
    assert_eq!(folders(AgentKind::Codex, &home), ["/h/.codex"]);
    assert_eq!(folders(AgentKind::Pi, &home), ["/h/.pi"]);
    let opencode =
        ["/h/.cache/opencode", "/h/.config/opencode", "/h/.local/share/opencode", "/h/.local/state/opencode"];
    assert_eq!(folders(AgentKind::OpenCode, &home), opencode);
    assert_eq!(folders(AgentKind::Gemini, &home), ["/h/.gemini"]);
    let more =
        AgentSettings { writable: vec!["~/x".to_owned(), "/y".to_owned(), "z".to_owned()], ..none.clone() };
    assert_eq!(writable(AgentKind::Custom, &more, &home), [PathBuf::from("/h/x"), PathBuf::from("/y")]);
}

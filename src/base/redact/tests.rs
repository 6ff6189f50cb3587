//! Tests of `base::redact`: what goes, what stays. The tokens here were made up for these tests.

mod plain;

use super::*;
use proptest::prelude::*;

fn clean(text: &str) -> String {
    Redactor::default().clean(text).into_owned()
}

#[test]
fn secrets_go() {
    let cases = [
        ("export OPENAI_API_KEY=sk-proj-abcDEF123456789012345", "export OPENAI_API_KEY=[redacted]"),
        ("password=hunter2 next", "password=[redacted] next"),
        ("password: hunter2", "password: [redacted]"),
        ("DB_PASSWORD='it is long'", "DB_PASSWORD='[redacted]'"),
        (r#"{"client_secret": "abc-def", "id": 1}"#, r#"{"client_secret": "[redacted]", "id": 1}"#),
        ("login --password s3cret --user me", "login --password [redacted] --user me"),
        ("--token=abc123def456", "--token=[redacted]"),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer [redacted]"),
        ("curl -H 'x: Bearer abcdefghij1234567890'", "curl -H 'x: Bearer [redacted]'"),
        ("AWS AKIAIOSFODNN7EXAMPLE here", "AWS [redacted] here"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345.", "[redacted]."),
        ("token github_pat_11ABCDEFG0abcdefghij_klmnop", "token [redacted]"),
        ("https://me:pw@example.invalid/x", "https://[redacted]@example.invalid/x"),
        (
            "git clone https://ghx0123456789abcdef@example.invalid/x",
            "git clone https://[redacted]@example.invalid/x",
        ),
        ("postgres://app:pa@ss@db:5432/x", "postgres://[redacted]@db:5432/x"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghijk", "jwt [redacted]"),
        ("q7Xf2LmZ9aKdPw4RtB8sVnY3cGhJ6uEo", "[redacted]"),
        ("key=Zm9vYmFyMTIzNDU2Nzg5MGFiY2RlZkdISUo1Njc4OQ==", "key=[redacted]"),
        ("session_token: 9f8e7d6c5b4a39281706", "session_token: [redacted]"),
    ];
    for (text, expected) in cases {
        assert_eq!(clean(text), expected, "{text}");
        assert_eq!(clean(expected), expected, "twice: {text}");
    }
}

#[test]
fn what_an_operator_needs_stays() {
    for text in [
        "commit 3f9c2e1a7b8d9e0f1a2b3c4d5e6f708192a3b4c5",
        "id 123e4567-e89b-12d3-a456-426614174000",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "integrity sha512-oKHk0mH0z1sV9bZ2xQ8yT7uW6vR5eP4aN3cM2dL1fK0jH9gF8dS7aQ6wE5rT4yU3iO2pA1sD0fG9hJ8kL7zX6c==",
        "error: unexpected token: identifier",
        "let token = self.lexer.next();",
        "max_tokens: 4096, tokens=12000",
        "password: $DB_PASSWORD and token: <token>",
        "password=***",
        "if password == other.password {",
        "secret = config.secret_name",
        "get_token(password)",
        "ssh://git@example.invalid/repo.git and git@example.invalid:me/repo",
        "src/AuthenticationControllerTest2/getUserByIdAndPasswordToken.java",
        "target/debug/deps/koru_tui-3ba169949d25333c",
        "thread 'execute::tests::aVeryLongCamelCaseTestNameWithNumbers12' panicked",
        "sk-learn and task-management-service-2 and risk-assessment-2024",
        "https://example.invalid/a/b?c=d#e@f",
        "The quick brown fox jumps over the lazy dog.",
        "2026-11-21T07:00:00.000000Z PLF-074 in_progress",
    ] {
        assert!(matches!(Redactor::default().clean(text), Cow::Borrowed(_)), "{text} -> {}", clean(text));
    }
}

#[test]
fn known_values_go_wherever_they_stand() {
    let redactor = Redactor::with_values(
        ["swordfish", "short", "swordfish-long", "-----BEGIN-----\nabcdefghij\n-----END-----"]
            .map(str::to_owned),
    );
    assert_eq!(redactor.clean("a swordfish-long b swordfish c short"), "a [redacted] b [redacted] c short");
    assert_eq!(redactor.clean("xswordfishx"), "x[redacted]x");
    assert_eq!(redactor.clean("line abcdefghij alone"), "line [redacted] alone");
    assert_eq!(Redactor::default().clean("a swordfish"), "a swordfish");
}

#[test]
fn values_that_overlap_go_both_and_appending_is_cleaning() {
    let redactor = Redactor::with_values(["abcdef", "defghi"].map(str::to_owned));
    let mut out = "x ".to_owned();
    redactor.clean_into("abcdefghi, password=hunter2 and no more", &mut out);
    assert_eq!(out, "x [redacted], password=[redacted] and no more");
}

#[test]
fn urls_lose_user_and_password_only() {
    for (url, expected) in [
        ("https://me:pw@example.invalid/x.git", "https://example.invalid/x.git"),
        ("ssh://git@example.invalid/x", "ssh://example.invalid/x"),
        ("git@example.invalid:me/x", "git@example.invalid:me/x"),
        ("https://example.invalid/@x", "https://example.invalid/@x"),
        ("/local/path", "/local/path"),
    ] {
        assert_eq!(without_credentials(url), expected);
    }
}

proptest! {
    #[test]
    fn any_text_can_be_cleaned_and_twice_is_once(text in ".{0,80}") {
        let once = clean(&text);
        prop_assert_eq!(clean(&once), once);
    }

    #[test]
    fn keys_and_values_around_each_other_are_stable(
        text in "((password|token|api_key|x)[ \"']?[=: ]{0,2}[\"'`]?[a-zA-Z0-9$@/:.=_-]{0,30}[\"'` ,;)&]?){0,4}",
    ) {
        let once = clean(&text);
        prop_assert_eq!(clean(&once), once);
    }
}

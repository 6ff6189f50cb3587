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
fn ids_stay_and_secrets_beside_them_go() {
    let uuid = "0199a213-81c0-7800-8aa1-bbab2a035a53";
    let commit = "3f9c2e1a7b8d9e0f1a2b3c4d5e6f708192a3b4c5";
    for id in [
        uuid,
        commit,
        "ses_6dd2a1f0bffe3X9vQm2Lk8PzRt",
        "PLF-007-20261121T140211Z-0",
        "Api-x_1-20261121T140211Z-12",
        "msg_01XFDUDYJgAACzvnptvVoYEL",
        "toolu_01A09q90qw90lq917835lq9X",
        "req_011CSHoEeqs5C35K2UUqR7Fy",
        "call_9aQ2bR7cT4dV1eX8fZ3gY6hW",
    ] {
        for text in [
            format!(r#"{{"type":"system","session_id":"{id}","uuid":"{uuid}"}}"#),
            format!(r#"{{"sessionID":"{id}"}}"#),
            format!("session {id}, model m"),
            format!("session={id}"),
            format!("{id} {commit}"),
        ] {
            assert_eq!(clean(&text), text);
        }
    }
    for (text, expected) in [
        (format!("api_key={uuid}"), "api_key=[redacted]"),
        (format!("token: {commit}"), "token: [redacted]"),
        (format!("Authorization: Bearer {uuid}"), "Authorization: Bearer [redacted]"),
        ("Cookie: sessionid=38afes7a8x9y; theme=dark".to_owned(), "Cookie: [redacted]; theme=dark"),
        ("session_id: 9f8e7d6c5b4a39281706".to_owned(), "session_id: [redacted]"),
        ("session=PLF-7-20261121T140211-0x9".to_owned(), "session=[redacted]"),
        ("msg_01XFDUDYJgAACzvnptvVoYEL/q7Xf2LmZ9aKdPw4RtB8sVnY3cGhJ6".to_owned(), "[redacted]"),
    ] {
        assert_eq!(clean(&text), expected, "{text}");
    }
}

#[test]
fn the_beginning_of_a_secret_goes_where_a_text_was_cut() {
    let known = ["swordfish-one", "correct horse battery"].map(str::to_owned);
    let redactor = Redactor::with_values(known);
    for (text, expected) in [
        ("x swordfish-o … [line cut: 9 more bytes]", "x [redacted] … [line cut: 9 more bytes]"),
        ("x swordfi… more", "x [redacted]… more"),
        ("say correct horse… [3 more bytes]", "say [redacted]… [3 more bytes]"),
        ("x sk-proj-ab1c …", "x [redacted] …"),
        ("a=https://x/ghp_01ab …", "a=https://x/[redacted] …"),
        ("key q7Xf2LmZ9aKd …", "key [redacted] …"),
        ("jwt eyJhbGciOiJI… [5 more]", "jwt [redacted]… [5 more]"),
        // Too little to tell, and what is none.
        ("x sword…", "x sword…"),
        ("see src/AuthController2/getUser …", "see src/AuthController2/getUser …"),
        ("sk-learn … and task-management-service-2 …", "sk-learn … and task-management-service-2 …"),
        ("commit 3f9c2e1a7b8d …", "commit 3f9c2e1a7b8d …"),
        ("session 0199a213-81c0-78…", "session 0199a213-81c0-78…"),
    ] {
        assert_eq!(redactor.clean(text), expected, "{text}");
        assert_eq!(redactor.clean(expected), expected, "twice: {text}");
    }
    assert_eq!(redactor.clean("x swordfish-o"), "x swordfish-o");
    assert_eq!(redactor.clean_unfinished("x swordfish-o"), "x [redacted]");
    assert_eq!(redactor.clean_unfinished("x swordfish-one y"), "x [redacted] y");
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

//! Names of variables and settings that say that their value is a secret.

/// Parts of a name that do.
const PARTS: [&str; 12] = [
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "API_KEY",
    "APIKEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
    "CREDENTIAL",
    "CONNECTION_STRING",
    "AUTHORIZATION",
];

/// Ends of a name that do.
const ENDS: [&str; 3] = ["_AUTH", "_PAT", "COOKIE"];

/// Whether the name of a variable says that its value is a secret, in whatever case it is written.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_uppercase();
    PARTS.iter().any(|part| name.contains(part)) || ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in [
            "GITHUB_TOKEN",
            "db_passphrase",
            "AZURE_CONNECTION_STRING",
            "npm_config__auth",
            "GH_PAT",
            "COOKIE",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["PATH", "AUTHOR", "KEYBOARD_LAYOUT", "PATTERN", "COOKIE_JAR"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}

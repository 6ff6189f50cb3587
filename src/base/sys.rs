//! The only module with `unsafe`: the few system calls that std, nix and tokio do not offer safely.

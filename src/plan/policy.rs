//! The policy file `.planfile/.koru/policy.yaml` (koru §2.4, §4.5): missing or malformed means strictest.

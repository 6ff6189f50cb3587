//! What was done and what came of it, recorded once: the audit now, telemetry and tuning later.

pub mod audit;

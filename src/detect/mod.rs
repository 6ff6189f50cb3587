//! Detecting what is wrong: doctor (later scan and probes).

pub mod doctor;

//! Running one ticket: shell, api and human executors, live output, transcript on disk, result.

//! Parses the command line and hands over to the console or to a verb. Nothing else.

fn main() {}

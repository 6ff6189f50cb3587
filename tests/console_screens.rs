//! Whole screens of the console at three sizes, and every screen at every size.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod console_support;

use console_support::{Bench, busy, empty, output};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn busy_bench(width: u16, height: u16) -> Bench {
    let mut bench = Bench::new(busy(), width, height);
    bench.hear(output(
        "r1",
        &[
            "   Compiling parser v0.3.1",
            "running 14 tests",
            "test crlf ... \u{1b}[32mok\u{1b}[0m",
            "error: one of them is slow",
        ],
    ));
    bench
}

#[test]
fn the_busy_board() {
    for (width, height) in SIZES {
        insta::assert_snapshot!(format!("board_busy_{width}x{height}"), busy_bench(width, height).screen());
    }
}

#[test]
fn the_empty_board() {
    for (width, height) in SIZES {
        insta::assert_snapshot!(
            format!("board_empty_{width}x{height}"),
            Bench::new(empty(), width, height).screen()
        );
    }
}

//! The gallery to look at: every screen as a file of text with colours, for `cat` in a terminal of that size.

use std::fmt::Write as _;
use std::path::PathBuf;

use koru_tui::console::{Depth, Settings};
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use crate::scenes::SCENES;

/// A screen with the colours of 24 bits, line by line.
fn coloured(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut last = None;
        for x in 0..buffer.area.width {
            let cell = &buffer[(x, y)];
            if last != Some((cell.fg, cell.bg, cell.modifier)) {
                out.push_str("\u{1b}[0");
                for (color, ground) in [(cell.fg, 38), (cell.bg, 48)] {
                    if let Color::Rgb(r, g, b) = color {
                        let _ = write!(out, ";{ground};2;{r};{g};{b}");
                    }
                }
                for (modifier, code) in [
                    (Modifier::BOLD, 1),
                    (Modifier::DIM, 2),
                    (Modifier::ITALIC, 3),
                    (Modifier::UNDERLINED, 4),
                    (Modifier::REVERSED, 7),
                ] {
                    if cell.modifier.contains(modifier) {
                        let _ = write!(out, ";{code}");
                    }
                }
                out.push('m');
                last = Some((cell.fg, cell.bg, cell.modifier));
            }
            out.push_str(cell.symbol());
        }
        out.push_str("\u{1b}[0m\n");
    }
    out
}

/// Run by hand: `cargo test --test console_gallery -- --ignored`, then look into `target/tmp/gallery`.
#[test]
#[ignore = "draws files to look at and asserts nothing"]
fn draw_the_gallery() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("gallery");
    for (theme, ascii, depth) in [
        ("koru-dark", false, Depth::True),
        ("koru-light", false, Depth::True),
        ("high-contrast", false, Depth::True),
        ("monochrome", true, Depth::None),
    ] {
        for (width, height) in [(80, 24), (120, 40), (200, 60)] {
            let folder = folder.join(theme).join(format!("{width}x{height}"));
            std::fs::create_dir_all(&folder).unwrap();
            for scene in SCENES {
                let settings = Settings { theme: theme.to_owned(), ascii, depth, ..Settings::default() };
                let mut bench = scene.bench(settings, width, height);
                let file = folder.join(format!("{}.ans", scene.name.replace('/', "-")));
                std::fs::write(file, coloured(&bench.buffer())).unwrap();
            }
        }
    }
}

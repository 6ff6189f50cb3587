//! What holds on every screen: nothing is lost at the edges, hints are true, there is a way out, all text can be read.

use std::collections::BTreeSet;

use koru_tui::console::{Depth, Key, Settings};
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use crate::console_support::{Bench, text};
use crate::scenes::{SCENES, Scene};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];
const THEMES: [&str; 6] =
    ["koru-dark", "koru-light", "high-contrast", "monochrome", "catppuccin-mocha", "gruvbox-dark"];

fn dressed(theme: &str, depth: Depth) -> Settings {
    Settings { theme: theme.to_owned(), depth, ..Settings::default() }
}

fn plain(scene: &Scene, (width, height): (u16, u16)) -> Bench {
    scene.bench(Settings::default(), width, height)
}

/// Every scene at these sizes; collects what `wrong` says of it, so that one run names all that is wrong. Sizes are
/// chosen by what they change: a footer by its width, colours not at all.
fn on_every_screen(sizes: &[(u16, u16)], wrong: impl Fn(&Scene, (u16, u16)) -> Vec<String>) {
    let mut found = BTreeSet::new();
    for scene in SCENES {
        for size in sizes.iter().copied() {
            found.extend(
                wrong(scene, size)
                    .into_iter()
                    .map(|what| format!("{} at {}x{}: {what}", scene.name, size.0, size.1)),
            );
        }
    }
    assert!(found.is_empty(), "{} wrong:\n{}", found.len(), found.into_iter().collect::<Vec<_>>().join("\n"));
}

/// The keys that the last row offers, with what they are said to do; none while something is said there.
fn hints(screen: &str) -> Vec<(String, String)> {
    let footer = screen.lines().last().unwrap_or_default();
    let mut hints = Vec::new();
    for part in footer.split("   ").map(str::trim).filter(|part| !part.is_empty()) {
        match part.split_once(' ') {
            Some((key, title)) if named(key).is_some() => {
                hints.push((key.to_owned(), title.trim().to_owned()))
            }
            _ => {}
        }
    }
    hints
}

/// The key of a name as the console shows it.
fn named(shown: &str) -> Option<Key> {
    if !shown.is_ascii() {
        return None;
    }
    let lower = shown.to_lowercase();
    let name = match lower.as_str() {
        "pgup" => "pageup",
        "pgdn" => "pagedown",
        _ if shown.chars().count() == 1 => shown,
        other => other,
    };
    Key::parse(name).ok()
}

#[test]
fn no_screen_breaks_at_any_size_in_any_theme() {
    let tiny = [(1, 1), (20, 5), (40, 10), (59, 14), (60, 15), (100, 30), (119, 20), (120, 20), (300, 90)];
    for scene in SCENES {
        let mut bench = plain(scene, (120, 40));
        for (width, height) in SIZES.into_iter().chain(tiny) {
            bench.resize(width, height);
            let screen = bench.screen();
            assert_eq!(
                screen.lines().count().max(1),
                usize::from(height),
                "{} at {width}x{height}",
                scene.name
            );
            for line in screen.lines() {
                let columns = unicode_width::UnicodeWidthStr::width(line);
                assert!(columns <= usize::from(width), "{} at {width}x{height}: {line}", scene.name);
            }
        }
    }
}

#[test]
fn every_hint_of_the_footer_does_something() {
    on_every_screen(&SIZES[1..2], |scene, size| {
        let mut wrong = Vec::new();
        let looks = plain(scene, size).buffer();
        let before = text(&looks);
        for (key, title) in hints(&before) {
            let mut bench = plain(scene, size);
            bench.effects.clear();
            bench.keys(named(&key).unwrap().to_string().as_str());
            let after = bench.buffer();
            if after == looks && bench.effects.is_empty() {
                wrong.push(format!("{key} {title}: nothing happens"));
            }
            let after = text(&after);
            let said = after.lines().last().unwrap_or_default();
            if said.contains('✕') && !before.contains(said) {
                wrong.push(format!("{key} {title}: it is refused: {}", said.trim()));
            }
        }
        wrong
    });
}

#[test]
fn where_esc_does_something_the_footer_says_so() {
    on_every_screen(&SIZES[..2], |scene, size| {
        let mut bench = plain(scene, size);
        let mut before = bench.buffer();
        let footer = text(&before).lines().last().unwrap_or_default().to_owned();
        if hints(&footer).is_empty() || footer.contains('✕') {
            // A message stands there; it goes with the next key, or by itself.
            bench.keys("f12");
            bench.pass(10_000);
            before = bench.buffer();
        }
        let offered = hints(&text(&before));
        bench.effects.clear();
        bench.keys("esc");
        let leads = bench.buffer() != before || !bench.effects.is_empty();
        let names = |key: &str| offered.iter().any(|(offered, _)| offered == key);
        match (leads, names("Esc")) {
            (true, false) => vec![format!("Esc leads away and is not named: {offered:?}")],
            (false, true) => vec!["Esc is named and does nothing".to_owned()],
            // Where nothing is to be left, `?` lists every key, `q` among them.
            (false, false) if !names("?") => vec![format!("no way out is named: {offered:?}")],
            _ => Vec::new(),
        }
    });
}

/// Relative luminance (WCAG 2.1).
fn luminance(color: [u8; 3]) -> f64 {
    let part = |value: u8| {
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(color[0]) + 0.7152 * part(color[1]) + 0.0722 * part(color[2])
}

fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Lines and frames: they part what is text and are none.
fn is_line(symbol: &str) -> bool {
    symbol.chars().all(|c| ('\u{2500}'..='\u{259f}').contains(&c) || c == ' ')
}

/// The dim ink of a theme.
fn dim_of(theme: &str) -> Option<[u8; 3]> {
    let path = format!("{}/themes/{theme}.yaml", env!("CARGO_MANIFEST_DIR"));
    let file: serde_yaml::Value = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let hex = file.get("palette")?.get("dim")?.as_str()?.strip_prefix('#')?.to_owned();
    let part = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    Some([part(0), part(2), part(4)])
}

fn rgb(color: Color) -> Option<[u8; 3]> {
    match color {
        Color::Rgb(r, g, b) => Some([r, g, b]),
        _ => None,
    }
}

/// The texts on a screen whose contrast is under the limit: 4.5, of dim ones 3.0.
fn unreadable(buffer: &Buffer, dim: Option<[u8; 3]>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for y in 0..buffer.area.height {
        let mut run = String::new();
        for x in 0..=buffer.area.width {
            let bad = (x < buffer.area.width).then(|| &buffer[(x, y)]).and_then(|cell| {
                let (mut ink, mut paper) = (rgb(cell.fg)?, rgb(cell.bg)?);
                if cell.modifier.contains(Modifier::REVERSED) {
                    std::mem::swap(&mut ink, &mut paper);
                }
                let least = if Some(ink) == dim { 3.0 } else { 4.5 };
                (!is_line(cell.symbol()) && contrast(ink, paper) < least).then(|| cell.symbol())
            });
            match bad {
                Some(symbol) => run.push_str(symbol),
                None if !run.is_empty() => drop(found.insert(std::mem::take(&mut run))),
                None => {}
            }
        }
    }
    found
}

#[test]
fn all_text_can_be_read_in_every_theme() {
    on_every_screen(&SIZES[1..2], |scene, (width, height)| {
        let mut wrong = Vec::new();
        for theme in THEMES {
            let mut bench = scene.bench(dressed(theme, Depth::True), width, height);
            let buffer = bench.buffer();
            wrong.extend(
                unreadable(&buffer, dim_of(theme)).into_iter().map(|text| format!("{theme}: {text:?}")),
            );
        }
        wrong
    });
}

#[test]
fn a_theme_changes_no_text() {
    on_every_screen(&SIZES[..1], |scene, (width, height)| {
        let screen = |theme, depth| scene.bench(dressed(theme, depth), width, height).screen();
        let dark = screen("koru-dark", Depth::True);
        let others =
            [("high-contrast", Depth::True), ("koru-light", Depth::Ansi16), ("monochrome", Depth::None)];
        let differs = others.into_iter().filter(|(theme, depth)| screen(theme, *depth) != dark);
        differs.map(|(theme, depth)| format!("{theme} at {depth:?} draws other text")).collect()
    });
}

#[test]
fn in_ascii_every_shape_has_a_shape() {
    on_every_screen(&SIZES[1..2], |scene, (width, height)| {
        let rich = plain(scene, (width, height)).buffer();
        let ascii = Settings { ascii: true, depth: Depth::None, ..Settings::default() };
        let poor = scene.bench(ascii, width, height).buffer();
        let mut wrong = BTreeSet::new();
        if !text(&poor).is_ascii() {
            wrong.insert("it is not ASCII".to_owned());
        }
        for (rich, poor) in rich.content().iter().zip(poor.content()) {
            if poor.symbol() == "?" && rich.symbol() != "?" && !rich.symbol().is_ascii() {
                wrong.insert(format!("{:?} has no shape in ASCII", rich.symbol()));
            }
        }
        wrong.into_iter().collect()
    });
}

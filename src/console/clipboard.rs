//! The terminal's clipboard through OSC 52, written by hand; only a key of the operator leads here.
//!
//! Owns no data. The payload is base64, so that no byte of the text can act as a control.

/// Terminals drop longer sequences, and say nothing; we refuse instead of claiming a copy.
pub(crate) const LIMIT: usize = 74_994;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The sequence that asks the terminal to put `text` on its clipboard.
pub(crate) fn osc52(text: &str) -> String {
    format!("\x1b]52;c;{}\x07", base64(text.as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let sextet = (group >> (18 - 6 * index)) & 63;
            let character = if index <= chunk.len() { ALPHABET[sextet as usize] } else { b'=' };
            out.push(char::from(character));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_in_rfc_4648() {
        let answers = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        for (length, answer) in answers.into_iter().enumerate() {
            assert_eq!(base64(&b"foobar"[..length]), answer);
        }
    }

    #[test]
    fn the_sequence_holds_no_byte_of_the_text() {
        assert_eq!(osc52("\x1b\x07"), "\x1b]52;c;Gwc=\x07");
    }
}

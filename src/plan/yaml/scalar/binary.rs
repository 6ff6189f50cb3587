//! `!!binary`: whether Python decodes a text as base64.

/// Whether `base64.decodebytes` takes the text. It passes over everything that is not of its alphabet, and ends at the
/// padding of a full group.
pub(super) fn is_base64(text: &str) -> bool {
    if !text.is_ascii() {
        return false;
    }
    let (mut digits, mut pads) = (0, 0);
    for byte in text.bytes() {
        match byte {
            b'=' if digits < 2 => {}
            b'=' => {
                pads += 1;
                if digits + pads >= 4 {
                    return true;
                }
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => {
                pads = 0;
                digits = (digits + 1) % 4;
            }
            _ => {}
        }
    }
    digits == 0
}

//! What a tool gave back, as output. Everything in here is foreign.
//!
//! Texts are the output. Pictures, sounds and files are named and not dumped into a transcript; of a file that is text
//! the beginning is shown, because many servers hand over their answer that way.

use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use serde_json::Value;

use crate::execute::tail::head_chars;

/// Characters of a text file that are shown.
const SHOWN: usize = 4000;

/// What is kept of a result.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Answer {
    /// Its texts, one below the other, and its structured content where no text says the same.
    pub(super) text: String,
    /// What else there was, in our words.
    pub(super) attachments: Vec<String>,
    /// Its structured content.
    pub(super) structured: Option<Value>,
    /// Whether the tool says that it failed.
    pub(super) failed: bool,
}

impl Answer {
    /// Takes a result apart.
    pub(super) fn of(result: CallToolResult) -> Answer {
        let mut answer = Answer {
            structured: result.structured_content.filter(|content| !content.is_null()),
            failed: result.is_error == Some(true),
            ..Answer::default()
        };
        for block in result.content {
            answer.block(block);
        }
        if let Some(structured) = &answer.structured
            && serde_json::from_str::<Value>(answer.text.trim()).ok().as_ref() != Some(structured)
        {
            let pretty = serde_json::to_string_pretty(structured).unwrap_or_else(|_| structured.to_string());
            answer.add(&pretty);
        }
        answer
    }

    fn block(&mut self, block: ContentBlock) {
        match block {
            ContentBlock::Text(text) => self.add(&text.text),
            ContentBlock::Image(image) => self.encoded("picture", &image.mime_type, &image.data),
            ContentBlock::Audio(audio) => self.encoded("sound", &audio.mime_type, &audio.data),
            ContentBlock::ResourceLink(link) => self.attach(format!("link {} ({})", link.uri, link.name)),
            ContentBlock::Resource(embedded) => match embedded.resource {
                ResourceContents::TextResourceContents { uri, text, .. } => {
                    self.attach(format!("file {uri} ({} bytes of text)", text.len()));
                    let shown = head_chars(&text, SHOWN);
                    self.add(shown);
                    if shown.len() < text.len() {
                        self.add(&format!("… [{} more bytes are not shown]", text.len() - shown.len()));
                    }
                }
                ResourceContents::BlobResourceContents { uri, blob, .. } => self.encoded("file", &uri, &blob),
                // What a later version of the protocol adds.
                _ => self.attach("a resource of a kind that this version does not know".to_owned()),
            },
            _ => self.attach("content of a kind that this version does not know".to_owned()),
        }
    }

    fn add(&mut self, text: &str) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.text.push_str(text);
    }

    fn attach(&mut self, what: String) {
        self.attachments.push(what);
    }

    /// Names bytes that came as base64.
    fn encoded(&mut self, what: &str, kind: &str, data: &str) {
        let bytes = data.trim_end_matches('=').len() * 3 / 4;
        self.attach(format!("{what} ({kind}, {bytes} bytes)"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(result: Value) -> Answer {
        Answer::of(serde_json::from_value(result).unwrap())
    }

    #[test]
    fn texts_are_joined_and_what_is_no_text_is_named() {
        let long = "é".repeat(SHOWN + 1);
        let result = json!({"content": [
            {"type": "text", "text": "a"},
            {"type": "image", "data": "AAAA", "mimeType": "image/png"},
            {"type": "audio", "data": "AA==", "mimeType": "audio/wav"},
            {"type": "resource", "resource": {"uri": "file:///b", "text": "b\n"}},
            {"type": "resource", "resource": {"uri": "file:///c", "text": long}},
            {"type": "resource", "resource": {"uri": "file:///d", "blob": "AAAAAAA="}},
            {"type": "resource_link", "uri": "file:///e", "name": "e"},
        ]});
        let attachments = [
            "picture (image/png, 3 bytes)",
            "sound (audio/wav, 1 bytes)",
            "file file:///b (2 bytes of text)",
            "file file:///c (8002 bytes of text)",
            "file (file:///d, 5 bytes)",
            "link file:///e (e)",
        ];
        let want = Answer {
            text: format!("a\nb\n{}\n… [2 more bytes are not shown]", "é".repeat(SHOWN)),
            attachments: attachments.map(str::to_owned).to_vec(),
            ..Answer::default()
        };
        assert_eq!(answer(result), want);
    }

    #[test]
    fn structured_content_is_shown_unless_a_text_says_the_same() {
        let structured = Some(json!({"n": 1}));
        let want = Answer {
            text: "{\n  \"n\": 1\n}".to_owned(),
            structured: structured.clone(),
            failed: true,
            ..Answer::default()
        };
        assert_eq!(answer(json!({"content": [], "structuredContent": {"n": 1}, "isError": true})), want);
        let same =
            json!({"content": [{"type": "text", "text": "{\"n\": 1}"}], "structuredContent": {"n": 1}});
        let want = Answer { text: "{\"n\": 1}".to_owned(), structured, ..Answer::default() };
        assert_eq!(answer(same), want);
    }
}

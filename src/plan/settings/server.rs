//! A configured MCP server, and the variables that its headers name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::reader::is_variable;

/// An MCP server: a program that speaks on its standard streams, or a URL. Exactly one of the two is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct McpServer {
    /// Program and arguments. In the file also as a text, split as a shell would, and with `args` beside it.
    pub command: Vec<String>,
    /// Variables for the program.
    pub env: BTreeMap<String, String>,
    /// Variables of koru-tui's own environment that the program gets.
    pub env_keys: Vec<String>,
    /// Streamable HTTP endpoint.
    pub url: Option<String>,
    /// Headers for the endpoint. `${NAME}` in a value stands for a variable of koru-tui's own environment, so that no key
    /// need stand in the file: see [`McpServer::header`].
    pub headers: BTreeMap<String, String>,
}

impl McpServer {
    /// The value of the header `name`, its variables filled in.
    ///
    /// # Errors
    /// The name of a variable that `variable` does not know.
    pub fn header(&self, name: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
        let text = self.headers.get(name).map(String::as_str).unwrap_or_default();
        let mut filled = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Variable(name) => filled.push_str(&variable(name).ok_or_else(|| name.to_owned())?),
            }
        }
        Ok(filled)
    }

    /// Names of the variables that its headers need.
    pub fn header_variables(&self) -> impl Iterator<Item = &str> {
        self.headers.values().flat_map(|value| pieces(value)).filter_map(|piece| match piece {
            Piece::Variable(name) => Some(name),
            Piece::Text(_) => None,
        })
    }
}

/// A part of a header's value.
#[derive(Debug, PartialEq)]
enum Piece<'a> {
    Text(&'a str),
    Variable(&'a str),
}

/// The parts of a value. What only looks like a variable (`${}`, `${a b}`, an open brace) is text.
fn pieces(value: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut text, mut from) = (0, 0);
    while let Some(at) = value[from..].find("${").map(|at| from + at) {
        let Some(end) = value[at..].find('}').map(|end| at + end) else { break };
        let name = &value[at + 2..end];
        from = at + 2;
        if is_variable(name) {
            pieces.push(Piece::Text(&value[text..at]));
            pieces.push(Piece::Variable(name));
            (text, from) = (end + 1, end + 1);
        }
    }
    pieces.push(Piece::Text(&value[text..]));
    pieces.retain(|piece| *piece != Piece::Text(""));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_between_text() {
        use Piece::{Text, Variable};
        assert_eq!(pieces("Bearer ${A_1}"), [Text("Bearer "), Variable("A_1")]);
        assert_eq!(pieces("${A}${B}-"), [Variable("A"), Variable("B"), Text("-")]);
        assert_eq!(pieces("$A ${} ${a b} ${${C} ${"), [Text("$A ${} ${a b} ${"), Variable("C"), Text(" ${")]);
        assert_eq!(pieces(""), []);
    }

    #[test]
    fn a_header_is_filled_in_or_says_what_is_missing() {
        let headers =
            [("A".to_owned(), "Bearer ${KEY}".to_owned()), ("B".to_owned(), "${GONE}".to_owned())].into();
        let server = McpServer { headers, ..McpServer::default() };
        let variable = |name: &str| (name == "KEY").then(|| "k".to_owned());
        assert_eq!(server.header("A", &variable), Ok("Bearer k".to_owned()));
        assert_eq!(server.header("B", &variable), Err("GONE".to_owned()));
        assert_eq!(server.header_variables().collect::<Vec<_>>(), ["KEY", "GONE"]);
    }
}

//! All that a server has stored about somebody, passed on as it comes, since there is no limit to its size.

use std::io::Write;

use crate::http::Conversation;
use crate::{Error, Server, Session};

impl Session {
    /// Writes all that the server has stored about this user to `out`, as one JSON object. Nothing is buffered, so it
    /// may be of any size.
    ///
    /// # Errors
    /// If there is no link or it is lost on the way, if the server refuses, or if what it sends is no JSON. Text that
    /// is no JSON could contain commands to a terminal. What was written until then is incomplete.
    pub async fn export(&self, server: &Server, out: &mut impl Write) -> Result<(), Error> {
        let mut plain = Plain::default();
        let mut talk = Conversation::with(server);
        let take = |piece: &[u8]| {
            if !plain.takes(piece) {
                return Err(server.odd("its answer has control characters"));
            }
            Ok(out.write_all(piece)?)
        };
        talk.pass_on("me", &self.token, take).await?;
        match (plain.first, plain.last) {
            (Some(b'{'), Some(b'}')) => Ok(out.flush()?),
            _ => Err(server.odd("its answer is not understood")),
        }
    }
}

/// Searches a UTF-8 text for control characters, which a terminal would obey.
#[derive(Debug, Default)]
struct Plain {
    /// The first and the last byte that are no space.
    first: Option<u8>,
    last: Option<u8>,
    /// The last byte.
    before: u8,
}

impl Plain {
    /// Whether the next piece has none.
    fn takes(&mut self, piece: &[u8]) -> bool {
        piece.iter().all(|&byte| {
            // U+0080 to U+009F are two bytes, the first of which is C2.
            let second = std::mem::replace(&mut self.before, byte) == 0xc2;
            if !byte.is_ascii_whitespace() {
                self.first.get_or_insert(byte);
                self.last = Some(byte);
            }
            let command = byte < 0x20 && byte != b'\n' || byte == 0x7f || second && byte < 0xa0;
            !command
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a text is taken, whole and byte by byte.
    fn takes(text: &str) -> bool {
        let (mut whole, mut cut) = (Plain::default(), Plain::default());
        let taken = whole.takes(text.as_bytes());
        assert_eq!(taken, text.as_bytes().chunks(1).all(|byte| cut.takes(byte)), "{text:?}");
        taken
    }

    #[test]
    fn nothing_that_commands_a_terminal_is_passed_on() {
        assert!(takes("{\"handle\":\"\u{a0}\u{c2}\u{e9}Žaklina 🚚\"\n}\n"));
        for command in ["\u{1b}[2J", "\u{7}", "\r", "\t", "\u{7f}", "\u{9b}2J", "\u{85}"] {
            assert!(!takes(&format!("{{\"handle\":\"{command}\"}}")), "{command:?}");
        }
    }
}

//! The server's end of the radio's WebSocket: what a client may send, and how voice is framed.

use tenfour_core::voice::Prefix;
use tenfour_protocol::limits::{CONTROL_BYTES, VOICE_MESSAGE_BYTES};
use tenfour_websocket::Peer;

pub(crate) use tenfour_websocket::{Event, Violation, close, close_plain, ping, pong, text};

/// Takes the bytes of one client apart.
pub(crate) type Decoder = tenfour_websocket::Decoder<Client>;

/// Who sends there.
pub(crate) enum Client {}

impl Peer for Client {
    const MASKS: bool = true;
    const TEXT_BYTES: usize = CONTROL_BYTES;
    const BINARY_BYTES: usize = VOICE_MESSAGE_BYTES;
}

/// The header of a binary frame with `message` bytes: the framing of voice.
pub(crate) fn voice_framing(message: usize) -> Prefix {
    Prefix::new(tenfour_websocket::binary_header(message).as_bytes())
}

/// Whether a client that closes with `code` has left for good: 1000 is a normal end, 1001 a page
/// that was closed.
pub(crate) fn is_good_bye(code: u16) -> bool {
    matches!(code, 1000 | 1001)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_largest_voice_frame_is_taken_and_that_is_framed() {
        let mut largest = vec![0x82, 0x80 | 126, 16, 0, 0, 0, 0, 0];
        largest.resize(largest.len() + Client::BINARY_BYTES, 7);
        let mut came = 0;
        let mut sink = |event: Event<'_>| came += usize::from(event == Event::Binary(&[7; 4096]));
        Decoder::default().feed(&mut largest.clone(), &mut sink).unwrap();
        assert_eq!(came, 1);
        largest[3] += 1;
        assert_eq!(Decoder::default().feed(&mut largest, |_| {}), Err(Violation::TooLarge));
        assert_eq!(voice_framing(92).as_bytes(), [0x82, 92]);
        assert_eq!(voice_framing(412).as_bytes(), [0x82, 126, 1, 156]);
    }
}

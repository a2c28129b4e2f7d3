//! What the fuzz targets call: decoders that are nobody else's business.

use crate::worker::codec::{Decoder, Event};

/// The WebSocket decoder takes `data` in pieces as it takes it whole, whatever it is. The first
/// byte says how long the pieces are.
pub fn websocket(data: &[u8]) {
    let Some((piece, bytes)) = data.split_first() else { return };
    assert_eq!(decode(bytes, usize::from(*piece).max(1)), decode(bytes, bytes.len().max(1)));
}

/// What came out, as text, and how it ended.
fn decode(bytes: &[u8], piece: usize) -> (Vec<String>, Option<u16>) {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    for piece in bytes.chunks(piece) {
        let fed = decoder.feed(&mut piece.to_vec(), |event: Event<'_>| events.push(format!("{event:?}")));
        if let Err(violation) = fed {
            return (events, Some(violation.close_code()));
        }
    }
    (events, None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_of_garbage_are_decoded_like_the_whole(
            first in prop::sample::select(vec![0x00u8, 0x01, 0x02, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8a, 0xc1]),
            length in 0x80u8..,
            rest in prop::collection::vec(any::<u8>(), 0..600),
            piece in any::<u8>(),
        ) {
            super::websocket(&[&[piece, first, length], &rest[..]].concat());
        }
    }
}

//! One connection of a virtual user, for each kind of server.

pub(crate) mod floor;
pub(crate) mod mqtt;
pub(crate) mod mumble;
pub(crate) mod nats;
mod stream;
pub(crate) mod tenfour;
pub(crate) mod tls;

use std::os::fd::BorrowedFd;

use anyhow::Result;

pub(crate) use stream::Stream;

// Opcodes of RFC 6455.
pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

/// A line to a server. It is opened with blocking calls and read without.
pub(crate) trait Line: Send {
    /// The sockets to wait for; [`Line::read`] takes the index of one.
    fn sockets(&self) -> Vec<BorrowedFd<'_>>;

    /// Reads what has come, and gives each payload to `take`.
    fn read(&mut self, socket: usize, scratch: &mut [u8], take: &mut dyn FnMut(&[u8])) -> Result<()>;

    /// Of a listener: how many bursts it was told to begin, and to end. None when that is not known.
    fn told(&self) -> Option<(u32, u32)> {
        None
    }

    /// Before the first frame.
    fn press(&mut self) -> Result<()> {
        Ok(())
    }

    /// The next frame of a talker.
    fn say(&mut self, payload: &[u8]) -> Result<()>;

    /// After the last frame.
    fn release(&mut self) -> Result<()> {
        Ok(())
    }

    /// Says good-bye, so that the server does not wait for it to come back.
    fn leave(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The first whole frame of a server's WebSocket: opcode, and where its payload is.
pub(crate) fn websocket_frame(bytes: &[u8]) -> Option<(u8, std::ops::Range<usize>)> {
    let [first, second, rest @ ..] = bytes else { return None };
    let (start, length) = match (second & 0x7f, rest) {
        (126, [high, low, ..]) => (4, usize::from(u16::from_be_bytes([*high, *low]))),
        (127, [0, 0, 0, 0, a, b, c, d, ..]) => (10, u32::from_be_bytes([*a, *b, *c, *d]) as usize),
        (126 | 127, _) => return None,
        (short, _) => (2, usize::from(short)),
    };
    (bytes.len() >= start + length).then_some((first & 0x0f, start..start + length))
}

/// A client's WebSocket frame. Its mask is all zeros, which servers accept: masks protect proxies from scripts in
/// browsers, and here is neither.
pub(crate) fn masked_frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match u8::try_from(payload.len()) {
        Ok(short @ 0..126) => frame.push(0x80 | short),
        _ => {
            frame.push(0x80 | 126);
            frame.extend((payload.len() as u16).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend_from_slice(payload);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_websocket_frame_is_found_only_when_it_is_whole() {
        let long = [&[0x82, 126, 1, 0][..], &[7; 256]].concat();
        assert_eq!(websocket_frame(&long), Some((2, 4..260)));
        assert_eq!(websocket_frame(&long[..259]), None);
        assert_eq!(websocket_frame(&[0x81, 2, b'o', b'k', 0x81]), Some((1, 2..4)));
    }

    #[test]
    fn a_clients_frame_is_masked_with_zeros() {
        assert_eq!(masked_frame(2, &[5, 6]), [0x82, 0x82, 0, 0, 0, 0, 5, 6]);
        assert_eq!(masked_frame(1, &[0; 200])[..4], [0x81, 0xfe, 0, 200]);
    }
}

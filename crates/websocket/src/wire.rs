//! What both directions need: the numbers of a frame's first bytes, masks, and buffers that leave no copy behind.

/// Largest payload of a control frame (ping, pong, close): RFC 6455, 5.5.
pub const CONTROL_FRAME_BYTES: usize = 125;

pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;
pub(crate) const FINAL: u8 = 0x80;
pub(crate) const RESERVED: u8 = 0x70;
pub(crate) const MASKED: u8 = 0x80;

/// Puts a mask on, or takes it off.
pub(crate) fn mask(payload: &mut [u8], mask: [u8; 4]) {
    let (words, rest) = payload.as_chunks_mut::<4>();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(mask)).to_ne_bytes();
    }
    rest.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
}

/// Makes room for `more` bytes by moving to a larger buffer and wiping the old one: a buffer that the
/// allocator moves leaves a copy behind.
pub(crate) fn grow(buffer: &mut Vec<u8>, more: usize) {
    let length = buffer.len() + more;
    if length > buffer.capacity() {
        let mut larger = Vec::with_capacity(length.next_power_of_two().max(64));
        larger.extend_from_slice(buffer);
        zeroize::Zeroize::zeroize(buffer);
        *buffer = larger;
    }
}

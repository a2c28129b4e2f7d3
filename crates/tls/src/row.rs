//! Bytes that go out together.

use std::ops::Range;

use zeroize::Zeroize;

/// A buffer of a fixed size, filled from the front and wiped after each use. It never grows: a buffer that
/// grows leaves copies behind.
pub struct Row {
    bytes: Box<[u8]>,
    used: usize,
}

impl Row {
    /// Room for so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self { bytes: vec![0; bytes].into(), used: 0 }
    }

    /// Adds `pieces`, one after the other, and returns where they are. If they do not fit, adds nothing and returns
    /// none.
    pub fn add<'a>(&mut self, pieces: impl IntoIterator<Item = &'a [u8]>) -> Option<Range<usize>> {
        let start = self.used;
        for piece in pieces {
            let end = self.used + piece.len();
            let Some(room) = self.bytes.get_mut(self.used..end) else {
                self.bytes[start..self.used].zeroize();
                self.used = start;
                return None;
            };
            room.copy_from_slice(piece);
            self.used = end;
        }
        Some(start..self.used)
    }

    /// What lies there.
    ///
    /// # Panics
    /// When nothing was put there.
    pub fn get(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[..self.used][range]
    }

    /// Everything that was added.
    pub fn filled(&self) -> &[u8] {
        &self.bytes[..self.used]
    }

    /// Overwrites only what was used: wiping all of it would often take longer than the send.
    pub fn wipe(&mut self) {
        self.bytes[..self.used].zeroize();
        self.used = 0;
    }

    /// The room that is left.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.used..]
    }

    /// The caller has filled this many bytes of the room. Returns where they are.
    pub(crate) fn filled_more(&mut self, bytes: usize) -> Range<usize> {
        let start = self.used;
        self.used += bytes;
        start..self.used
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        self.wipe();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_not_added_and_what_was_used_is_wiped() {
        let mut row = Row::new(6);
        assert_eq!(row.add([&b"ab"[..], b"c"]), Some(0..3));
        assert_eq!(row.add([&b"de"[..], b"fg"]), None);
        assert_eq!(row.bytes[3..], [0; 3], "nothing of it stays");
        assert_eq!(row.add([&b"def"[..]]), Some(3..6));
        assert_eq!((row.get(0..3), row.filled()), (&b"abc"[..], &b"abcdef"[..]));
        row.wipe();
        assert_eq!((row.filled(), &row.bytes[..]), (&b""[..], &[0; 6][..]));
    }
}

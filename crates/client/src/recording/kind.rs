//! What a recording is, by its first bytes: a name says nothing, and what is taken for sound without being it is
//! noise at full scale in everybody's ear.

/// This many bytes, or all that there are, tell one kind from another. Three frames of MPEG audio fit, and a live
/// source of samples produces them in 60 ms.
pub const FIRST_BYTES: usize = 5760;
/// Fewer bytes than this may be sound that happens to look like text.
const TEXT_BYTES: usize = 16;

/// The kind of a recording, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A header and samples, most of the time.
    Wav,
    Aiff,
    Flac,
    Mp3,
    /// Vorbis, Opus or FLAC in pages.
    Ogg,
    /// MPEG-4: what a telephone records.
    Mp4,
    /// Matroska: what a browser records.
    Matroska,
    Caf,
    /// AAC in frames of its own.
    Adts,
    /// Characters.
    Text,
    /// A known kind that we cannot read, by its name.
    Other(&'static str),
    /// Unknown first bytes, such as samples without a header.
    Unknown,
}

/// Magic bytes of kinds, and at which offset they are.
const MAGIC: [(usize, &[u8], Kind); 40] = [
    (0, b"fLaC", Kind::Flac),
    (28, b"Speex   ", Kind::Other("Ogg with Speex in it")),
    (0, b"OggS", Kind::Ogg),
    (0, b"ID3", Kind::Mp3),
    (0, b"caff", Kind::Caf),
    (0, b"\x1aE\xdf\xa3", Kind::Matroska),
    (4, b"ftyp", Kind::Mp4),
    (0, b"RIFX", Kind::Other("big-endian wav (RIFX)")),
    (0, b"riff\x2e\x91\xcf\x11", Kind::Other("Wave64")),
    (0, b".snd", Kind::Other("Sun audio (au)")),
    (0, b"#!AMR", Kind::Other("AMR")),
    (0, b"#!SILK", Kind::Other("SILK")),
    (0, b"wvpk", Kind::Other("WavPack")),
    (0, b"MAC ", Kind::Other("Monkey's Audio")),
    (0, b"TTA1", Kind::Other("True Audio")),
    (0, b"MThd", Kind::Other("MIDI")),
    (0, b"DSD ", Kind::Other("DSD")),
    (0, b"FRM8", Kind::Other("DSD")),
    (0, b"Creative Voice File", Kind::Other("Creative Voice")),
    (0, b"NIST_1A", Kind::Other("NIST Sphere")),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Kind::Other("Windows Media")),
    (0, b"FLV\x01", Kind::Other("Flash video")),
    (0, b"\x89PNG", Kind::Other("PNG")),
    (0, b"\xff\xd8\xff", Kind::Other("JPEG")),
    (0, b"GIF8", Kind::Other("GIF")),
    (0, b"%PDF", Kind::Other("PDF")),
    (0, b"PK\x03\x04", Kind::Other("zip")),
    (0, b"\x1f\x8b\x08", Kind::Other("gzip")),
    (0, b"BZh", Kind::Other("bzip2")),
    (0, b"\xfd7zXZ\0", Kind::Other("xz")),
    (0, b"\x28\xb5\x2f\xfd", Kind::Other("Zstandard")),
    (0, b"7z\xbc\xaf\x27\x1c", Kind::Other("7-Zip")),
    (0, b"Rar!\x1a\x07", Kind::Other("RAR")),
    (257, b"ustar", Kind::Other("tar")),
    (0, b"\x7fELF", Kind::Other("ELF")),
    (0, b"MZ\x90\0", Kind::Other("Windows program")),
    (0, b"SQLite format 3\0", Kind::Other("SQLite")),
    (0, b"\0\0\x01\xba", Kind::Other("MPEG video")),
    (0, b"\0\0\x01\xb3", Kind::Other("MPEG video")),
    (0, b"\0asm", Kind::Other("WebAssembly")),
];

impl Kind {
    /// By the first [`FIRST_BYTES`] bytes.
    pub(super) fn of(first: &[u8]) -> Self {
        let form = first.get(8..12);
        match (first.get(..4), form) {
            (Some(b"RIFF" | b"RF64" | b"BW64"), Some(b"WAVE")) => return Self::Wav,
            (Some(b"RIFF"), Some(b"AVI ")) => return Self::Other("AVI"),
            (Some(b"RIFF"), Some(b"WEBP")) => return Self::Other("WebP"),
            (Some(b"RIFF" | b"RF64"), Some(_)) => return Self::Other("RIFF without a wav in it"),
            (Some(b"FORM"), Some(b"AIFF" | b"AIFC")) => return Self::Aiff,
            (Some(b"FORM"), Some(_)) => return Self::Other("IFF without an AIFF in it"),
            _ => {}
        }
        let is = |at: usize, bytes: &[u8]| first.get(at..).is_some_and(|rest| rest.starts_with(bytes));
        let known = MAGIC.iter().find(|(at, bytes, _)| is(*at, bytes));
        match known {
            Some((_, _, kind)) => *kind,
            None if is_followed(first, mpeg_frame) => Self::Mp3,
            None if is_followed(first, adts_frame) => Self::Adts,
            None if is_text(first) => Self::Text,
            None => Self::Unknown,
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Wav => "wav",
            Self::Aiff => "AIFF",
            Self::Flac => "FLAC",
            Self::Mp3 => "MPEG audio",
            Self::Ogg => "Ogg",
            Self::Mp4 => "MPEG-4",
            Self::Matroska => "WebM",
            Self::Caf => "CAF",
            Self::Adts => "AAC",
            Self::Text => "text",
            Self::Other(name) => name,
            Self::Unknown => "nothing that is known",
        })
    }
}

/// Three frames, each where the one before it ends: two bytes of samples can look like one.
fn is_followed(first: &[u8], frame: fn(&[u8]) -> Option<usize>) -> bool {
    let mut at = 0;
    for _ in 0..3 {
        let Some(bytes) = first.get(at..).and_then(frame) else { return false };
        at += bytes;
    }
    true
}

/// The length of the MPEG audio frame that begins here: ISO 11172-3, 2.4.2.3.
fn mpeg_frame(at: &[u8]) -> Option<usize> {
    const KBITS: [[usize; 14]; 4] = [
        [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
        [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
        // MPEG 2, layers II and III.
        [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    ];
    let &[0xff, second, third, _] = at.first_chunk()? else { return None };
    if second < 0xe0 {
        return None;
    }
    let (version, layer) = (second >> 3 & 3, second >> 1 & 3);
    let rate = *[44_100, 48_000, 32_000].get(usize::from(third >> 2 & 3))?;
    let (rate, first) = match version {
        3 => (rate, true),
        2 => (rate / 2, false),
        0 => (rate / 4, false),
        _ => return None,
    };
    let padding = usize::from(third >> 1 & 1);
    let kbits = usize::from(third >> 4).checked_sub(1)?;
    let bits = |row: usize| Some(1000 * KBITS[row].get(kbits)?);
    match layer {
        3 => Some((12 * bits(if first { 0 } else { 3 })? / rate + padding) * 4),
        2 => Some(144 * bits(if first { 1 } else { 3 })? / rate + padding),
        1 if first => Some(144 * bits(2)? / rate + padding),
        1 => Some(72 * bits(3)? / rate + padding),
        _ => None,
    }
}

/// The length of the AAC frame that begins here: ISO 13818-7, 6.2.
fn adts_frame(at: &[u8]) -> Option<usize> {
    let &[0xff, second, _, fourth, fifth, sixth, _] = at.first_chunk()? else { return None };
    let bytes = usize::from(fourth & 3) << 11 | usize::from(fifth) << 3 | usize::from(sixth >> 5);
    (second & 0xf6 == 0xf0 && bytes > 7).then_some(bytes)
}

/// Whole characters, none of them a control character: samples have bytes of every kind.
fn is_text(first: &[u8]) -> bool {
    let whole = std::str::from_utf8(first).map_or_else(|error| error.valid_up_to(), str::len);
    let text = std::str::from_utf8(&first[..whole]).unwrap_or_default();
    let printed = |c: char| !c.is_control() || matches!(c, '\t' | '\r' | '\n' | '\u{1b}');
    // The last character may be cut.
    first.len() >= TEXT_BYTES && first.len() - whole < 4 && text.chars().all(printed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_nothing_that_is_known_whatever_they_are() {
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..20_000 {
            let noise: Vec<u8> = (0..512).map(|_| random.u8(..)).collect();
            assert_eq!(Kind::of(&noise), Kind::Unknown, "{:?}", &noise[..16]);
        }
        for still in [0i16, 1, -1, -2] {
            let bytes: Vec<u8> = (0..960).flat_map(|_| still.to_le_bytes()).collect();
            assert_eq!(Kind::of(&bytes), Kind::Unknown, "{still}");
        }
    }

    #[test]
    fn what_is_no_sound_is_known_by_its_name() {
        for (bytes, name) in [
            (&b"\x89PNG\r\n\x1a\n"[..], "PNG"),
            (b"%PDF-1.7", "PDF"),
            (b"PK\x03\x04\x14\0", "zip"),
            (b".snd\0\0\0\x18", "Sun audio (au)"),
            (b"RIFF\0\0\0\0AVI ", "AVI"),
        ] {
            assert_eq!(Kind::of(bytes), Kind::Other(name));
        }
        assert_eq!(Kind::of(b"The road to Zlatibor is closed.\n"), Kind::Text);
    }
}

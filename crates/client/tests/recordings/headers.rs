//! Headers as programs write them that do not know the length, pad, or forget.

use tenfour_client::recording;

use crate::tone::{differs, tone};

const SECONDS: f32 = 1.0;

/// A wav, part by part.
struct Wav {
    riff: u32,
    format: Vec<u8>,
    between: Vec<u8>,
    data: u32,
    sound: Vec<u8>,
    behind: Vec<u8>,
}

impl Wav {
    /// 16 bit, mono, 48 kHz, whose header says what is there.
    fn honest() -> Self {
        let sound: Vec<u8> =
            tone(48_000, SECONDS).iter().flat_map(|x| ((x * 32767.0) as i16).to_le_bytes()).collect();
        let data = sound.len() as u32;
        Self {
            riff: data + 36,
            format: format(1, 48_000, 2, 16),
            between: vec![],
            data,
            sound,
            behind: vec![],
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let fmt = (self.format.len() as u32).to_le_bytes();
        let (riff, data) = (self.riff.to_le_bytes(), self.data.to_le_bytes());
        [
            &b"RIFF"[..],
            &riff,
            b"WAVE",
            b"fmt ",
            &fmt,
            &self.format,
            &self.between,
            b"data",
            &data,
            &self.sound,
            &self.behind,
        ]
        .concat()
    }

    #[track_caller]
    fn assert_is_the_tone(&self) {
        let heard = recording::decode(self.bytes()).unwrap();
        assert_eq!(differs(&heard, SECONDS, 0.001, 0.001), None);
    }
}

fn format(tag: u16, rate: u32, block: u16, bits: u16) -> Vec<u8> {
    let bytes = rate * u32::from(block);
    [
        &tag.to_le_bytes()[..],
        &[1, 0],
        &rate.to_le_bytes(),
        &bytes.to_le_bytes(),
        &block.to_le_bytes(),
        &bits.to_le_bytes(),
    ]
    .concat()
}

/// The same with an extension: bits that count, where the channel is, and the tag's long name.
fn extended(tag: u16, rate: u32, block: u16, bits: u16, valid: u16) -> Vec<u8> {
    let mut all = format(0xfffe, rate, block, bits);
    all.extend_from_slice(&22u16.to_le_bytes());
    all.extend_from_slice(&valid.to_le_bytes());
    all.extend_from_slice(&4u32.to_le_bytes());
    all.extend_from_slice(&tag.to_le_bytes());
    all.extend_from_slice(b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71");
    all
}

#[test]
fn sizes_that_nobody_knew_are_all_that_is_there() {
    for (riff, data) in
        [(u32::MAX, u32::MAX), (0x7fff_f024, 0x7fff_f000), (0, 0), (36, 0), (0x8000_0024, 0x8000_0000)]
    {
        Wav { riff, data, ..Wav::honest() }.assert_is_the_tone();
    }
}

#[test]
fn parts_of_odd_size_have_a_byte_behind_them_that_is_not_counted() {
    let odd = [&b"LIST"[..], &5u32.to_le_bytes(), b"INFOx\0"].concat();
    let honest = Wav::honest();
    Wav { riff: honest.riff + 14, between: odd.clone(), behind: odd, ..honest }.assert_is_the_tone();
}

#[test]
fn what_stands_behind_the_sound_is_not_heard() {
    let honest = Wav::honest();
    let behind = [&b"LIST"[..], &4000u32.to_le_bytes(), &[0x7f; 4000]].concat();
    Wav { riff: honest.riff + 4008, behind, ..honest }.assert_is_the_tone();
}

#[test]
fn a_recording_that_is_cut_short_is_heard_up_to_there() {
    let mut cut = Wav::honest();
    cut.sound.truncate(48_001);
    let heard = recording::decode(cut.bytes()).unwrap();
    assert_eq!(differs(&heard, 0.5, 0.001, 0.001), None);
}

#[test]
fn samples_stand_on_the_left_of_their_room() {
    let shifted = |shift: u32, bytes: usize| -> Vec<u8> {
        let wide = |x: &f32| ((x * 8_388_607.0) as i32) << shift;
        tone(48_000, SECONDS).iter().flat_map(|x| wide(x).to_le_bytes()[..bytes].to_vec()).collect()
    };
    for (format, sound) in [
        (extended(1, 48_000, 4, 32, 24), shifted(8, 4)),
        (format(1, 48_000, 4, 24), shifted(8, 4)),
        (extended(1, 48_000, 3, 24, 24), shifted(0, 3)),
        (format(1, 48_000, 3, 24), shifted(0, 3)),
        (extended(1, 48_000, 3, 24, 20), shifted(0, 3)),
    ] {
        Wav { data: sound.len() as u32, format, sound, ..Wav::honest() }.assert_is_the_tone();
    }
}

#[test]
fn an_exchange_records_with_a_header_of_any_length() {
    // The segments of ITU-T G.711, by search: the byte whose value is nearest.
    let value = |byte: u8| {
        let (segment, step) = (u32::from(!byte >> 4 & 7), i32::from(!byte & 15));
        let size = (((step << 1) + 33) << segment) - 33;
        if byte & 0x80 == 0 { -size } else { size }
    };
    let nearest =
        |x: &f32| (0..=255u8).min_by_key(|byte| (value(*byte) - (x * 8159.0) as i32).abs()).unwrap();
    let sound: Vec<u8> = tone(8000, SECONDS).iter().map(nearest).collect();
    let plain = format(7, 8000, 1, 8);
    for (format, bits) in
        [(plain.clone(), 8), ([&plain[..], &[0, 0]].concat(), 8), (format(7, 8000, 1, 16), 16)]
    {
        let wav = Wav { data: sound.len() as u32, format, sound: sound.clone(), ..Wav::honest() };
        let heard = recording::decode(wav.bytes()).unwrap();
        assert_eq!(differs(&heard, SECONDS, 0.001, 0.01), None, "{bits}");
    }
}

#[test]
fn no_sound_is_refused_and_never_heard_as_noise() {
    let empty =
        Wav { riff: 36 + 4008, data: 0, sound: [&b"LIST"[..], &[0x55; 4004]].concat(), ..Wav::honest() };
    for (bytes, why) in [
        (vec![], "it is empty"),
        (empty.bytes(), "no sound in it"),
        (b"RIFF".to_vec(), "recognised"),
        (Wav::honest().bytes()[..30].to_vec(), "ends before"),
        (Wav { format: format(0x31, 8000, 65, 0), ..Wav::honest() }.bytes(), "GSM"),
        (Wav { format: format(1, 48_000, 0, 4), ..Wav::honest() }.bytes(), "4 bits"),
        (Wav { format: format(1, 1, 2, 16), ..Wav::honest() }.bytes(), "1 Hz"),
        (b"<!doctype html><title>Hotel</title><p>Please accept the terms to go on.".to_vec(), "text"),
        (vec![0x42; 20_000], "text"),
    ] {
        let refusal = recording::decode(bytes).unwrap_err();
        assert!(refusal.contains(why), "{refusal} ({why})");
    }
}

#[test]
fn sides_that_cancel_each_other_out_are_told() {
    let sides = |x: &f32| [(x * 32767.0) as i16, (x * -32767.0) as i16].map(i16::to_le_bytes).concat();
    let sound: Vec<u8> = tone(48_000, SECONDS).iter().flat_map(sides).collect();
    let mut format = format(1, 48_000, 4, 16);
    format[2] = 2;
    let refusal = recording::decode(Wav { data: sound.len() as u32, format, sound, ..Wav::honest() }.bytes());
    assert!(refusal.unwrap_err().contains("cancel each other out"));
}

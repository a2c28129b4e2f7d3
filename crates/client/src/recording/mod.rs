//! Reads recordings of all usual kinds as 48 kHz mono, whole or while they are being made.

mod header;
mod kind;
mod mono;

use std::fs::File;
use std::io::{Cursor, ErrorKind, Read};
use std::path::Path;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_OPUS, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as Symphonia;
use symphonia::core::formats::probe::{Hint, Probe};
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, ReadOnlySource};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::default::{formats, get_codecs, meta};
use tenfour_protocol::limits::SAMPLE_RATE;

use crate::Error;
use crate::opus::Decoder;
use header::Header;
pub use kind::FIRST_BYTES;
use kind::Kind;
use mono::Mono;

/// Longest recording that is read whole: twice the longest talk limit.
const LONGEST_SECONDS: u32 = 1200;
/// Samples of the longest Opus packet, 120 ms: RFC 6716, 3.2.5.
const MAX_OPUS_SAMPLES: usize = 5760;
/// After this many packets in a row that cannot be decoded, we give up.
const MAX_BROKEN: u32 = 50;

/// A recording that is read block by block.
pub struct Recording {
    format: Box<dyn FormatReader>,
    track: u32,
    codec: Codec,
    mono: Option<Mono>,
    /// The decoded samples, channels interleaved.
    samples: Vec<f32>,
    broken: u32,
    ended: bool,
}

enum Codec {
    Any(Box<dyn AudioDecoder>),
    /// The channels are mixed by the codec; so many samples at the beginning are none of the sound.
    Opus(Decoder, usize),
}

/// Reads a recording whole: wav, AIFF, FLAC, MP3, Ogg (Vorbis, Opus, FLAC), MPEG-4, WebM or CAF, of any number of
/// channels (mixed to one), any usual rate.
pub fn read(path: &Path) -> Result<Vec<f32>, Error> {
    let named = |why: String| Error::Recording(format!("{}: {why}", path.display()));
    let file = File::open(path).map_err(|error| named(error.to_string()))?;
    if file.metadata().is_ok_and(|file| file.is_dir()) {
        return Err(named("it is a folder. Name one recording in it".into()));
    }
    Recording::of(file).and_then(Recording::whole).map_err(named)
}

/// Reads a recording whole, as [`read`] does, or says in words why it cannot.
pub fn decode(bytes: Vec<u8>) -> Result<Vec<f32>, String> {
    Recording::of(Cursor::new(bytes)).and_then(Recording::whole)
}

impl Recording {
    /// A recording that is there whole.
    fn of(mut source: impl MediaSource + 'static) -> Result<Self, String> {
        let mut first = Vec::new();
        let read =
            |source: &mut dyn Read, first: &mut Vec<u8>| source.take(FIRST_BYTES as u64).read_to_end(first);
        read(&mut source, &mut first).map_err(|error| error.to_string())?;
        source.rewind().map_err(|error| error.to_string())?;
        match Kind::of(&first) {
            _ if first.is_empty() => Err("it is empty".into()),
            Kind::Wav => Self::wav(source),
            Kind::Unknown => Err("it is no recording that can be recognised. \
                Samples without a header go to standard input: tenfour talk - < FILE"
                .into()),
            kind => Self::begin(kind, Box::new(source)),
        }
    }

    /// A recording that comes through a pipe, of which `first` was read already. None if these are samples without a
    /// header, or of an unknown kind.
    pub fn through_pipe(
        first: Vec<u8>,
        rest: impl Read + Send + Sync + 'static,
    ) -> Option<Result<Self, String>> {
        let kind = Kind::of(&first);
        let both = Cursor::new(first).chain(rest);
        match kind {
            Kind::Unknown => None,
            Kind::Wav => Some(Self::wav(both)),
            // Such files say only at their end where the sound is.
            Kind::Mp4 | Kind::Caf => {
                Some(Err(format!("{kind} cannot be read from a pipe. Name the file instead")))
            }
            kind => Some(Self::begin(kind, Box::new(ReadOnlySource::new(both)))),
        }
    }

    /// A wav, whose header is repaired first.
    fn wav(mut source: impl Read + Send + Sync + 'static) -> Result<Self, String> {
        let header = Header::read(&mut source)?;
        let tidy = Cursor::new(header.bytes).chain(source.take(header.sound));
        Self::begin(Kind::Wav, Box::new(ReadOnlySource::new(tidy)))
    }

    fn begin(kind: Kind, source: Box<dyn MediaSource>) -> Result<Self, String> {
        let stream = MediaSourceStream::new(source, Default::default());
        let format = readers_of(kind)?
            .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(|error| words(kind, &error))?;
        let track =
            format.default_track(TrackType::Audio).ok_or("there is no sound in it that can be read")?;
        let codec = Codec::of(track)?;
        let track = track.id;
        Ok(Self { format, track, codec, mono: None, samples: Vec::new(), broken: 0, ended: false })
    }

    /// The next block of sound, 48 kHz mono; none at the end.
    pub fn block(&mut self) -> Result<Option<Vec<f32>>, String> {
        while !self.ended {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Err(Symphonia::IoError(error)) if error.kind() != ErrorKind::UnexpectedEof => {
                    return Err(error.to_string());
                }
                // A recording that is cut short has sound up to there.
                Ok(None) | Err(Symphonia::IoError(_) | Symphonia::ResetRequired) => {
                    self.ended = true;
                    let rest = self.mono.as_mut().map_or(Ok(Vec::new()), Mono::end)?;
                    return Ok((!rest.is_empty()).then_some(rest));
                }
                Err(error) => return Err(format!("it is broken ({error})")),
            };
            if packet.track_id != self.track {
                continue;
            }
            let mono = self.decode(&packet)?;
            if !mono.is_empty() {
                return Ok(Some(mono));
            }
        }
        Ok(None)
    }

    /// Whether its channels have been each other's negative so far, so that mixed to one they are silent.
    pub fn cancels(&self) -> bool {
        self.mono.as_ref().is_some_and(Mono::cancels)
    }

    fn decode(&mut self, packet: &Packet) -> Result<Vec<f32>, String> {
        let spec = match self.codec.decode(packet, &mut self.samples) {
            Ok(spec) => spec,
            Err(why) => {
                self.broken += 1;
                // One bad packet is a click. If all are bad, there is no sound.
                return if self.broken < MAX_BROKEN {
                    Ok(Vec::new())
                } else {
                    Err(format!("it is broken ({why})"))
                };
            }
        };
        self.broken = 0;
        if self.mono.is_none() {
            self.mono = Some(Mono::new(spec.0, spec.1)?);
        }
        self.mono.as_mut().map_or(Ok(Vec::new()), |mono| mono.take(&self.samples))
    }

    fn whole(mut self) -> Result<Vec<f32>, String> {
        let mut all = Vec::new();
        while let Some(more) = self.block()? {
            all.extend(more);
            if all.len() > (LONGEST_SECONDS * SAMPLE_RATE) as usize {
                return Err(format!("it is longer than {} minutes", LONGEST_SECONDS / 60));
            }
        }
        if self.cancels() {
            return Err(CANCELS.into());
        }
        if all.is_empty() {
            return Err("there is no sound in it".into());
        }
        Ok(all)
    }
}

/// What to tell if channels cancel each other out, and what to do about it.
pub const CANCELS: &str = "its left and right side cancel each other out (one is the other upside down), and mixed to \
    one they are silence. Keep one of them, for example with: sox FILE left.wav remix 1";

impl Codec {
    fn of(track: &Track) -> Result<Self, String> {
        let Some(CodecParameters::Audio(audio)) = &track.codec_params else {
            return Err("there is no sound in it that can be read".into());
        };
        if audio.codec == CODEC_ID_OPUS {
            let decoder = Decoder::new().map_err(|error| error.to_string())?;
            return Ok(Self::Opus(decoder, pre_skip(audio)));
        }
        let decoder = get_codecs().make_audio_decoder(audio, &AudioDecoderOptions::default());
        decoder.map(Self::Any).map_err(|_| match audio.codec {
            CODEC_ID_VORBIS => "its Vorbis header is broken".into(),
            _ => "its sound is coded in a way that is not read. Convert it first: ffmpeg -i FILE sound.wav"
                .into(),
        })
    }

    /// The samples of one packet, interleaved; the number of channels, and the rate.
    fn decode(&mut self, packet: &Packet, samples: &mut Vec<f32>) -> Result<(usize, u32), String> {
        match self {
            Self::Any(decoder) => {
                let buffer = decoder.decode(packet).map_err(|error| error.to_string())?;
                let (channels, rate) = (buffer.spec().channels().count(), buffer.spec().rate());
                buffer.copy_to_vec_interleaved(samples);
                Ok((channels, rate))
            }
            Self::Opus(decoder, skip) => {
                *samples =
                    decoder.decode_all(&packet.data, MAX_OPUS_SAMPLES).map_err(|error| error.to_string())?;
                let end = usize::try_from(packet.trim_end.get()).unwrap_or(usize::MAX);
                samples.truncate(samples.len().saturating_sub(end));
                let first = (*skip).min(samples.len());
                *skip -= first;
                samples.drain(..first);
                Ok((1, SAMPLE_RATE))
            }
        }
    }
}

/// Samples of an Opus stream before its sound: RFC 7845, 5.1.
fn pre_skip(audio: &AudioCodecParameters) -> usize {
    let head = audio.extra_data.as_deref().and_then(|head| head.get(10..12));
    head.map_or(0, |bytes| u16::from_le_bytes([bytes[0], bytes[1]]).into())
}

/// Only the readers of this kind. Others might take it for something else.
fn readers_of(kind: Kind) -> Result<Probe, String> {
    let mut probe = Probe::new();
    match kind {
        Kind::Wav => probe.register_format::<formats::WavReader<'_>>(),
        Kind::Aiff => probe.register_format::<formats::AiffReader<'_>>(),
        Kind::Flac => probe.register_format::<formats::FlacReader<'_>>(),
        Kind::Mp3 => {
            probe.register_metadata::<meta::Id3v2Reader<'_>>();
            probe.register_format::<formats::MpaReader<'_>>();
        }
        Kind::Ogg => probe.register_format::<formats::OggReader<'_>>(),
        Kind::Mp4 => probe.register_format::<formats::IsoMp4Reader<'_>>(),
        Kind::Matroska => probe.register_format::<formats::MkvReader<'_>>(),
        Kind::Caf => probe.register_format::<formats::CafReader<'_>>(),
        Kind::Adts => probe.register_format::<formats::AdtsReader<'_>>(),
        Kind::Text => return Err("it is text, and no sound".into()),
        Kind::Other(name) => return Err(other(name)),
        Kind::Unknown => return Err("it is no recording that can be recognised".into()),
    }
    Ok(probe)
}

fn other(name: &str) -> String {
    format!(
        "it is {name}, which Tenfour does not read. If there is sound in it, convert it first: ffmpeg -i FILE sound.wav"
    )
}

fn words(kind: Kind, error: &Symphonia) -> String {
    match error {
        Symphonia::IoError(_) => format!("it begins as {kind}, and has no sound in it that can be read"),
        error => format!("it cannot be read as {kind} ({error})"),
    }
}

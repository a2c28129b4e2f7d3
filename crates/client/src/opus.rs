//! Opus, 48 kHz mono: the only module that calls into the codec, which is libopus.

use opusic_c::{Application, Bitrate, Channels, ErrorCode, SampleRate};
use tenfour_protocol::control::FrameTime;
use tenfour_protocol::limits::VOICE_PAYLOAD_BYTES;

/// The codec failed; the text is the codec's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Opus: {0}")]
pub struct OpusError(&'static str);

impl From<ErrorCode> for OpusError {
    fn from(code: ErrorCode) -> Self {
        Self(code.message())
    }
}

/// How voice is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quality {
    /// Sound in one packet.
    pub frame_ms: FrameTime,
    /// Bits a second.
    pub bitrate: u32,
}

impl Quality {
    /// 20 ms, 32 kbit/s.
    pub const NORMAL: Self = Self { frame_ms: FrameTime::Ms20, bitrate: 32_000 };
    /// 60 ms, 12 kbit/s.
    pub const LOW_DATA: Self = Self { frame_ms: FrameTime::Ms60, bitrate: 12_000 };
}

/// Makes packets out of samples.
pub struct Encoder {
    codec: opusic_c::Encoder,
    samples: usize,
    lookahead: usize,
}

/// Makes samples out of packets.
pub struct Decoder(opusic_c::Decoder);

impl Encoder {
    /// An encoder for one burst.
    pub fn new(quality: Quality) -> Result<Self, OpusError> {
        let mut codec = opusic_c::Encoder::new(Channels::Mono, SampleRate::Hz48000, Application::Voip)?;
        codec.set_bitrate(Bitrate::Value(quality.bitrate))?;
        codec.set_complexity(8)?;
        codec.set_dtx(false)?;
        let lookahead = codec.get_look_ahead()? as usize;
        Ok(Self { codec, samples: quality.frame_ms.samples() as usize, lookahead })
    }

    /// Samples that [`encode`](Self::encode) takes.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// How many samples the decoded sound is delayed. Encode as many zeros after the last sample.
    pub fn lookahead(&self) -> usize {
        self.lookahead
    }

    /// Encodes one frame of [`samples`](Self::samples) samples, -1 to 1.
    ///
    /// # Panics
    /// When `pcm` has another length.
    pub fn encode(&mut self, pcm: &[f32]) -> Result<Vec<u8>, OpusError> {
        assert_eq!(pcm.len(), self.samples, "a whole frame");
        let mut packet = vec![0; VOICE_PAYLOAD_BYTES];
        let length = self.codec.encode_float_to_slice(pcm, &mut packet)?;
        packet.truncate(length);
        Ok(packet)
    }
}

impl Decoder {
    /// A decoder for one burst.
    pub fn new() -> Result<Self, OpusError> {
        Ok(Self(opusic_c::Decoder::new(Channels::Mono, SampleRate::Hz48000)?))
    }

    /// Decodes one packet into `samples` samples, as many as its burst announced. A shorter packet is filled up with
    /// silence. A longer one is an error; otherwise it could play for six times its time.
    pub fn decode(&mut self, packet: &[u8], samples: usize) -> Result<Vec<f32>, OpusError> {
        let mut pcm = self.decode_all(packet, samples)?;
        pcm.resize(samples, 0.0);
        Ok(pcm)
    }

    /// Decodes one packet into as many samples as it has; more than `most` are an error.
    pub fn decode_all(&mut self, packet: &[u8], most: usize) -> Result<Vec<f32>, OpusError> {
        // To libopus, an empty packet is a lost one.
        if packet.is_empty() {
            return Err(OpusError("the packet is empty"));
        }
        self.take(packet, most)
    }

    /// Conceals a lost packet with `samples` samples. If that is no multiple of 2.5 ms, makes the next multiple and
    /// cuts it.
    pub fn conceal(&mut self, samples: usize) -> Vec<f32> {
        let mut pcm = self.take(&[], samples.next_multiple_of(CONCEALED)).unwrap_or_default();
        pcm.resize(samples, 0.0);
        pcm
    }

    fn take(&mut self, packet: &[u8], most: usize) -> Result<Vec<f32>, OpusError> {
        let mut pcm = vec![0.0; most];
        let decoded = self.0.decode_float_to_slice(packet, &mut pcm, false)?;
        pcm.truncate(decoded);
        Ok(pcm)
    }
}

/// libopus conceals in steps of 2.5 ms (`opus_decode_float` in `opus.h`).
const CONCEALED: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_survives_and_a_lost_packet_is_made_up() {
        for quality in [Quality::NORMAL, Quality::LOW_DATA] {
            let (mut encoder, mut decoder) = (Encoder::new(quality).unwrap(), Decoder::new().unwrap());
            let n = encoder.samples();
            assert!(encoder.lookahead() > 0 && encoder.lookahead() < n);
            let harmonic =
                |i: usize, k: f32| (i as f32 * 140.0 * k * std::f32::consts::TAU / 48_000.0).sin() / k;
            let voice = |i: usize| (1..12).map(|k| 0.2 * harmonic(i, k as f32)).sum::<f32>();
            let sound: Vec<f32> = (0..n * 10).map(voice).collect();
            let mut energy = Vec::new();
            for (i, frame) in sound.chunks(n).enumerate() {
                let packet = encoder.encode(frame).unwrap();
                assert_eq!(
                    tenfour_protocol::opus::check(&packet).unwrap().as_millis(),
                    u128::from(quality.frame_ms.millis())
                );
                let pcm = if i == 5 { decoder.conceal(n) } else { decoder.decode(&packet, n).unwrap() };
                assert_eq!(pcm.len(), n);
                energy.push(pcm.iter().map(|x| x * x).sum::<f32>() / n as f32);
            }
            // Frame 5 is made up. libopus fades in what follows a loss, so frame 6 is left out.
            let mut heard = energy[1..6].iter().chain(&energy[7..]);
            assert!(heard.all(|e| (0.005..0.1).contains(e)), "{energy:?}");
        }
    }

    #[test]
    fn garbage_is_an_error_and_not_a_crash() {
        let mut decoder = Decoder::new().unwrap();
        assert!(decoder.decode(&[0xff; 3], 960).is_err());
        assert!(decoder.decode(&[], 960).is_err());
    }

    #[test]
    fn a_packet_sounds_for_as_long_as_was_announced() {
        let mut decoder = Decoder::new().unwrap();
        // Two frames of 60 ms, and one of 10: RFC 6716, table 2.
        let (long, short) = ([3 << 3 | 1, 0, 0], [0, 0]);
        assert!(decoder.decode(&long, 960).is_err());
        assert_eq!(decoder.decode(&long, 5760).unwrap().len(), 5760);
        assert_eq!(decoder.decode(&short, 960).unwrap().len(), 960);
    }
}

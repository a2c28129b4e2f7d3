//! Opus, 48 kHz mono: the only module that calls into the codec.
#![expect(unsafe_code, reason = "the codec is a translation of libopus, with its pointers")]

use opus::{
    OPUS_APPLICATION_VOIP, OPUS_GET_LOOKAHEAD_REQUEST, OPUS_SET_BITRATE_REQUEST, OPUS_SET_COMPLEXITY_REQUEST,
    OPUS_SET_DTX_REQUEST, OPUS_SET_VBR_REQUEST, OpusDecoder, OpusEncoder, opus_decode_float,
    opus_decoder_create, opus_decoder_destroy, opus_encode_float, opus_encoder_create, opus_encoder_ctl,
    opus_encoder_destroy, opus_strerror,
};
use tenfour_protocol::control::FrameTime;
use tenfour_protocol::limits::{SAMPLE_RATE, VOICE_PAYLOAD_BYTES};

use crate::conceal::Concealment;

/// The codec failed, in its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Opus: {0}")]
pub struct OpusError(&'static str);

impl OpusError {
    fn of(code: i32) -> Self {
        Self(opus_strerror(code))
    }
}

/// How voice is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quality {
    /// Sound in one packet.
    pub frame_ms: FrameTime,
    /// Bits a second.
    pub bitrate: i32,
}

impl Quality {
    /// 20 ms, 32 kbit/s.
    pub const NORMAL: Self = Self { frame_ms: FrameTime::Ms20, bitrate: 32_000 };
    /// 60 ms, 12 kbit/s.
    pub const LOW_DATA: Self = Self { frame_ms: FrameTime::Ms60, bitrate: 12_000 };
}

/// Makes packets out of samples.
pub struct Encoder {
    state: *mut OpusEncoder,
    samples: usize,
}

/// Makes samples out of packets.
pub struct Decoder {
    state: *mut OpusDecoder,
    concealment: Concealment,
}

// SAFETY: a state is plain memory that one owner uses at a time; nothing in it belongs to a thread.
unsafe impl Send for Encoder {}
// SAFETY: as above.
unsafe impl Send for Decoder {}

impl Encoder {
    /// An encoder for one burst.
    pub fn new(quality: Quality) -> Result<Self, OpusError> {
        let mut error = 0;
        // SAFETY: `error` outlives the call; the result is checked for null.
        let state = unsafe {
            opus_encoder_create(SAMPLE_RATE.cast_signed(), 1, OPUS_APPLICATION_VOIP, &raw mut error)
        };
        if state.is_null() {
            return Err(OpusError::of(error));
        }
        let samples = quality.frame_ms.samples() as usize;
        let encoder = Self { state, samples };
        encoder.set(OPUS_SET_BITRATE_REQUEST, quality.bitrate)?;
        encoder.set(OPUS_SET_COMPLEXITY_REQUEST, 8)?;
        encoder.set(OPUS_SET_DTX_REQUEST, 0)?;
        Ok(encoder)
    }

    /// An encoder whose packets all have `bytes` bytes.
    pub fn constant(frame_ms: FrameTime, bytes: u16) -> Result<Self, OpusError> {
        let bitrate = i32::from(bytes) * 8 * 1000 / i32::from(frame_ms.millis());
        let encoder = Self::new(Quality { frame_ms, bitrate })?;
        encoder.set(OPUS_SET_VBR_REQUEST, 0)?;
        Ok(encoder)
    }

    /// Samples that [`encode`](Self::encode) takes.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Samples by which the decoded sound is late: give as many zeros after the last sample.
    pub fn lookahead(&self) -> usize {
        let mut samples = 0i32;
        // SAFETY: the state is live, and this request writes one i32.
        let code = unsafe { opus_encoder_ctl!(self.state, OPUS_GET_LOOKAHEAD_REQUEST, &mut samples) };
        if code < 0 { 0 } else { samples.unsigned_abs() as usize }
    }

    /// Encodes one frame of [`samples`](Self::samples) samples, -1 to 1.
    ///
    /// # Panics
    /// When `pcm` has another length.
    pub fn encode(&mut self, pcm: &[f32]) -> Result<Vec<u8>, OpusError> {
        assert_eq!(pcm.len(), self.samples, "a whole frame");
        let mut packet = vec![0; VOICE_PAYLOAD_BYTES];
        // SAFETY: the state is live; `pcm` has the samples of one mono frame and `packet` the
        // bytes that are passed as its length.
        let length = unsafe {
            opus_encode_float(
                self.state,
                pcm.as_ptr(),
                i32::try_from(pcm.len()).expect("a frame is short"),
                packet.as_mut_ptr(),
                i32::try_from(packet.len()).expect("a packet is short"),
            )
        };
        packet.truncate(usize::try_from(length).map_err(|_| OpusError::of(length))?);
        Ok(packet)
    }

    fn set(&self, request: i32, value: i32) -> Result<(), OpusError> {
        // SAFETY: the state is live, and these requests take one i32.
        let code = unsafe { opus_encoder_ctl!(self.state, request, value) };
        if code < 0 { Err(OpusError::of(code)) } else { Ok(()) }
    }
}

impl Decoder {
    /// A decoder for one burst.
    pub fn new() -> Result<Self, OpusError> {
        let mut error = 0;
        // SAFETY: `error` outlives the call; the result is checked for null.
        let state = unsafe { opus_decoder_create(SAMPLE_RATE.cast_signed(), 1, &raw mut error) };
        if state.is_null() {
            return Err(OpusError::of(error));
        }
        Ok(Self { state, concealment: Concealment::default() })
    }

    /// Decodes one packet into `samples` samples, as many as its burst announced: one that has less to
    /// say is silent after that, one that has more is an error, or it would play for six times its time.
    pub fn decode(&mut self, packet: &[u8], samples: usize) -> Result<Vec<f32>, OpusError> {
        let mut pcm = self.decode_all(packet, samples)?;
        self.concealment.heard(&mut pcm);
        pcm.resize(samples, 0.0);
        Ok(pcm)
    }

    /// Decodes one packet into as many samples as it has; more than `most` are an error.
    pub fn decode_all(&mut self, packet: &[u8], most: usize) -> Result<Vec<f32>, OpusError> {
        if packet.is_empty() {
            return Err(OpusError("the packet is empty"));
        }
        let mut pcm = vec![0.0; most];
        // SAFETY: the state is live; `packet` has the bytes that are passed as its length, and
        // `pcm` has room for the samples that are passed as its length.
        let decoded = unsafe {
            opus_decode_float(
                self.state,
                packet.as_ptr(),
                i32::try_from(packet.len()).map_err(|_| OpusError("the packet is too long"))?,
                pcm.as_mut_ptr(),
                i32::try_from(most).map_err(|_| OpusError("no packet has so many samples"))?,
                0,
            )
        };
        pcm.truncate(usize::try_from(decoded).map_err(|_| OpusError::of(decoded))?);
        Ok(pcm)
    }

    /// Makes up `samples` samples for a packet that is lost.
    pub fn conceal(&mut self, samples: usize) -> Vec<f32> {
        self.concealment.make(samples)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: made by `opus_encoder_create`, and freed once.
        unsafe { opus_encoder_destroy(self.state) }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: made by `opus_decoder_create`, and freed once.
        unsafe { opus_decoder_destroy(self.state) }
    }
}

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
            assert!(energy[1..].iter().all(|e| (0.005..0.1).contains(e)), "{energy:?}");
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

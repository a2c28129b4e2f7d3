//! Raw sound in the order it is played: to standard output, or to the loudspeaker.

use std::io::Write;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use tenfour_client::Client;
use tenfour_client::opus::Decoder;
use tenfour_client::wav::to_i16;
use tenfour_core::radio::{HeardNo, SoundKind};
use tenfour_protocol::ChannelId;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::raw;

/// Most blocks that wait for the reader of the sound.
const BLOCKS: usize = 100;
/// The longest stall of this process that is filled up with silence.
const MAX_FILL: Duration = Duration::from_secs(1);

/// Takes samples, 48 kHz mono. It never waits: a reader that is too slow loses sound.
pub(crate) struct Sink {
    give: SyncSender<Vec<f32>>,
    /// The loudspeaker, open as long as this is.
    #[cfg(feature = "audio")]
    _device: Option<tenfour_client::audio::Open>,
}

impl Sink {
    /// 16-bit little-endian samples to standard output, from a thread of its own.
    pub(crate) fn standard_output() -> Self {
        let (give, take) = sync_channel::<Vec<f32>>(BLOCKS);
        std::thread::spawn(move || {
            // The sender notices that nobody reads any more.
            let Ok(mut out) = raw::standard_output() else { return };
            for block in take {
                let block = Zeroizing::new(block);
                let bytes = block.iter().flat_map(|sample| to_i16(*sample).to_le_bytes());
                if out.write_all(&Zeroizing::new(bytes.collect::<Vec<u8>>())).is_err() {
                    return;
                }
            }
        });
        Self {
            give,
            #[cfg(feature = "audio")]
            _device: None,
        }
    }

    /// Samples go to `give`, which belongs to `device`.
    #[cfg(feature = "audio")]
    pub(crate) fn to(give: SyncSender<Vec<f32>>, device: tenfour_client::audio::Open) -> Self {
        Self { give, _device: Some(device) }
    }

    /// Returns false if nobody takes sound any more.
    fn put(&self, samples: Vec<f32>) -> bool {
        !matches!(self.give.try_send(samples), Err(std::sync::mpsc::TrySendError::Disconnected(_)))
    }
}

/// Plays the channels one at a time: while one has something to say, the others wait.
pub(crate) struct Player {
    sink: Sink,
    /// Whether silence fills the time between bursts, so that the sound is as long as the time that passed.
    fill: bool,
    channels: Vec<ChannelId>,
    decoder: Option<(HeardNo, Decoder)>,
    /// When the next sound is due.
    due: Instant,
}

impl Player {
    pub(crate) fn new(sink: Sink, channels: Vec<ChannelId>, fill: bool) -> Self {
        Self { sink, fill, channels, decoder: None, due: Instant::now() }
    }

    /// Waits until more sound is due.
    pub(crate) async fn due(&self) {
        tokio::time::sleep_until(self.due).await;
    }

    /// Plays what is due. Returns false if nobody listens any more.
    pub(crate) fn play(&mut self, client: &mut Client) -> Result<bool, Failure> {
        for at in 0..self.channels.len() {
            let sound = client.pull(&self.channels[at]);
            let Some(heard) = sound.heard else { continue };
            // Ask the channel that plays first the next time.
            self.channels[..=at].rotate_right(1);
            let time = Duration::from_micros(u64::from(sound.samples) * 1000 / 48);
            self.due = self.after(time);
            let samples = self.sound(heard, sound.kind, sound.samples as usize)?;
            return Ok(self.sink.put(samples));
        }
        // Nothing is playing, so drop the decoder, which still has the end of the last burst in it.
        self.decoder = None;
        let time = Duration::from_millis(20);
        if self.fill {
            self.due = self.after(time);
            return Ok(self.sink.put(vec![0.0; 960]));
        }
        self.due = Instant::now() + time;
        Ok(true)
    }

    /// When the sound after this one is due. After a stall of this process it is due now; with `fill`, a short stall
    /// is made up for with silence.
    fn after(&self, time: Duration) -> Instant {
        let late = if self.fill { MAX_FILL } else { time };
        self.due.max(Instant::now() - late) + time
    }

    fn sound(&mut self, heard: HeardNo, kind: SoundKind, samples: usize) -> Result<Vec<f32>, Failure> {
        let decoder = match &mut self.decoder {
            Some((of, decoder)) if *of == heard => decoder,
            other => {
                let decoder = Decoder::new().map_err(|error| Failure::Failed(error.to_string()))?;
                &mut other.insert((heard, decoder)).1
            }
        };
        Ok(match kind {
            SoundKind::Frame(payload) => {
                decoder.decode(&payload, samples).unwrap_or_else(|_| decoder.conceal(samples))
            }
            SoundKind::Conceal => decoder.conceal(samples),
            SoundKind::Silence => vec![0.0; samples],
        })
    }
}

//! Microphone and loudspeaker: the system's default devices, 48 kHz.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, Stream, StreamConfig, SupportedStreamConfig};
use tenfour_protocol::limits::SAMPLE_RATE;

use crate::Error;

/// Blocks of sound that may wait for the loudspeaker.
const BLOCKS: usize = 100;

/// An open device; dropping it closes it.
pub struct Open {
    _stream: Stream,
}

/// Opens the microphone; `take` gets its samples, mono, on a thread of the system.
pub fn microphone(mut take: impl FnMut(Vec<f32>) + Send + 'static) -> Result<Open, Error> {
    let device = cpal::default_host().default_input_device().ok_or_else(|| none("microphone"))?;
    let config = config(&device.default_input_config().map_err(failed)?);
    let channels = usize::from(config.channels);
    let mix = move |samples: &[f32], _: &cpal::InputCallbackInfo| {
        take(samples.chunks_exact(channels).map(|all| all.iter().sum::<f32>() / channels as f32).collect());
    };
    let stream = device.build_input_stream(config, mix, told, None).map_err(failed)?;
    play(stream)
}

/// Opens the loudspeaker; it plays what is sent, mono, and is silent when nothing comes.
pub fn loudspeaker() -> Result<(Open, SyncSender<Vec<f32>>), Error> {
    let device = cpal::default_host().default_output_device().ok_or_else(|| none("loudspeaker"))?;
    let config = config(&device.default_output_config().map_err(failed)?);
    let channels = usize::from(config.channels);
    let (give, more) = sync_channel(BLOCKS);
    let mut waiting = VecDeque::new();
    let fill = move |samples: &mut [f32], _: &cpal::OutputCallbackInfo| {
        fetch(&more, &mut waiting, samples.len() / channels);
        for all in samples.chunks_exact_mut(channels) {
            all.fill(waiting.pop_front().unwrap_or(0.0));
        }
    };
    let stream = device.build_output_stream(config, fill, told, None).map_err(failed)?;
    Ok((play(stream)?, give))
}

fn fetch(more: &Receiver<Vec<f32>>, waiting: &mut VecDeque<f32>, samples: usize) {
    while waiting.len() < samples {
        match more.try_recv() {
            Ok(block) => waiting.extend(block),
            Err(_) => return,
        }
    }
}

fn config(default: &SupportedStreamConfig) -> StreamConfig {
    StreamConfig { channels: default.channels(), sample_rate: SAMPLE_RATE, buffer_size: BufferSize::Default }
}

fn play(stream: Stream) -> Result<Open, Error> {
    stream.play().map_err(failed)?;
    Ok(Open { _stream: stream })
}

/// A device with a passing error goes on. A device that is gone gives no more sound.
fn told(error: cpal::Error) {
    eprintln!("sound device: {error}");
}

fn none(what: &str) -> Error {
    Error::Io(std::io::Error::other(format!("This computer has no {what} that the system knows.")))
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Io(std::io::Error::other(format!("The sound device cannot be used at 48 kHz: {error}.")))
}

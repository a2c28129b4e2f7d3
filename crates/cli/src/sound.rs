//! Microphone and loudspeaker, when they were built in.

use crate::exit::Failure;
use crate::output::Sink;
use crate::source::Source;

/// Sound from the microphone.
#[cfg(feature = "audio")]
pub(crate) fn microphone() -> Result<Source, Failure> {
    let (give, more) = tokio::sync::mpsc::channel(50);
    // If the network is too slow, we drop sound here instead of using more memory.
    let device = tenfour_client::audio::microphone(move |samples| drop(give.try_send(Ok(samples))))?;
    Ok(Source::live(more, device))
}

/// Samples for the loudspeaker go where this says.
#[cfg(feature = "audio")]
pub(crate) fn loudspeaker() -> Result<Sink, Failure> {
    let (device, give) = tenfour_client::audio::loudspeaker()?;
    Ok(Sink::to(give, device))
}

/// Sound from the microphone.
#[cfg(not(feature = "audio"))]
pub(crate) fn microphone() -> Result<Source, Failure> {
    Err(without("arecord -q -f S16_LE -r 48000 -c 1 -t raw | tenfour talk -"))
}

/// Samples for the loudspeaker go where this says.
#[cfg(not(feature = "audio"))]
pub(crate) fn loudspeaker() -> Result<Sink, Failure> {
    Err(without("tenfour listen --out - | aplay -q -f S16_LE -r 48000 -c 1 -t raw"))
}

#[cfg(not(feature = "audio"))]
fn without(instead: &str) -> Failure {
    Failure::WrongUse(format!(
        "This tenfour was built without microphone and loudspeaker. Build it with `cargo build --release --features audio` \
         (on Debian after `apt install libasound2-dev`), or use a pipe: {instead}"
    ))
}

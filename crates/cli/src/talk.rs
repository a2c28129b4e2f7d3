//! `tenfour talk`: one burst, from a recording, a pipe or the microphone.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;
use tenfour_client::opus::{Encoder, Quality};
use tenfour_client::{Client, Options};
use tenfour_core::radio::{Event, Input, LinkState};
use tenfour_protocol::control::{EndReason, Outcome};
use tenfour_protocol::{BurstNo, ChannelId, Code, Range, Ranges, Refusal};
use tokio::time::MissedTickBehavior;

use crate::exit::{self, Failure};
use crate::meter::Meter;
use crate::place::{self, At};
use crate::source::{Frame, Source};
use crate::station::{self, Station, Tuned};

/// Says something on a channel.
#[derive(Debug, clap::Args)]
pub(crate) struct Talk {
    #[command(flatten)]
    station: Station,
    /// Where to talk: 1 to 40, or a name
    #[arg(long, short, default_value = "19")]
    channel: ChannelId,
    #[command(flatten)]
    at: At,
    /// How far you are heard: 10km, 25km, 50km, 100km, 250km, 500km, 1000km or unlimited; all but the last need --at
    #[arg(long, value_name = "RANGE", default_value_t)]
    range: Range,
    /// 60 ms a packet at a low bit rate
    #[arg(long)]
    low_data: bool,
    /// Tells the receipt as JSON
    #[arg(long)]
    json: bool,
    /// Talks from the microphone, until Ctrl-C
    #[arg(long, conflicts_with = "file")]
    mic: bool,
    /// A wav file, or - for 48 kHz 16-bit mono samples on standard input
    #[arg(value_name = "FILE", required_unless_present = "mic")]
    file: Option<PathBuf>,
}

/// What became of the burst, as JSON.
#[derive(Serialize)]
struct Line<'a> {
    channel: &'a ChannelId,
    /// Frames that were sent.
    sent: u32,
    /// In seconds.
    duration: f64,
    #[serde(flatten)]
    outcome: &'a Outcome,
}

/// A burst under way.
struct OnTheAir {
    client: Client,
    source: Source,
    /// Until the release: it has the last sound in it.
    encoder: Option<Encoder>,
    quality: Quality,
    meter: Meter,
    sent: u32,
}

impl Talk {
    pub(crate) fn run(self) -> ExitCode {
        exit::run(self.talk())
    }

    async fn talk(self) -> Result<(), Failure> {
        // A recording that cannot be used is found out before anybody is bothered.
        let mut source = self.source()?;
        let ranges = Ranges { tx: self.range, ..Ranges::default() };
        let cell = self.at.cell(ranges)?;
        let login = self.station.log_in().await?;
        let program = station::program();
        let options = Options { program, economy: self.low_data, place: cell, ranges, ..Options::default() };
        let Tuned { mut client, talk_limit: limit, refused } =
            login.tune(std::slice::from_ref(&self.channel), options).await?;
        refused.map_or(Ok(()), |refusal| self.without_place(&refusal))?;
        if let Some(seconds) = source.seconds().filter(|seconds| *seconds > limit.as_secs_f64()) {
            tell!("The recording has {seconds:.1} s; the server cuts at {:.0} s.", limit.as_secs_f64());
        }
        source.ready().await?;
        let quality = if self.low_data { Quality::LOW_DATA } else { Quality::NORMAL };
        client.handle(Input::Press { channel: self.channel.clone(), frame_ms: quality.frame_ms });
        let encoder = Some(Encoder::new(quality).map_err(failed)?);
        let meter = Meter::new(&format!("Talking on channel {}", self.channel));
        let mut air = OnTheAir { client, source, encoder, quality, meter, sent: 0 };
        let outcome = air.until_receipt().await;
        station::leave(&air.client).await;
        let outcome = outcome?;
        self.report(&air, outcome)
    }

    fn source(&self) -> Result<Source, Failure> {
        match &self.file {
            Some(file) if file.as_os_str() == "-" => Ok(Source::standard_input()),
            Some(file) => Source::recording(file),
            None => crate::sound::microphone(),
        }
    }

    /// The server took no place. What should be heard nearby is not said to everybody.
    fn without_place(&self, refusal: &Refusal) -> Result<(), Failure> {
        let words = place::refused(refusal);
        if self.range == Range::Unlimited {
            tell!("tenfour: {words} Going on without a place.");
            return Ok(());
        }
        Err(Failure::Refused(format!("{words} Nothing was said: without a place everybody would hear it.")))
    }

    /// Tells the receipt. Done is only what was aired whole and ended by the release.
    fn report(&self, air: &OnTheAir, outcome: Outcome) -> Result<(), Failure> {
        let duration = f64::from(air.sent) * f64::from(air.quality.frame_ms.millis()) / 1000.0;
        if self.json {
            let line = Line { channel: &self.channel, sent: air.sent, duration, outcome: &outcome };
            show!("{}", serde_json::to_string(&line).map_err(failed)?);
        }
        let (frames, ended) = match outcome {
            Outcome::Refused { refusal } if refusal.code == Code::LinkLost => {
                return Err(Failure::NoLink(
                    "The link was lost before the burst was through. Say it again when the server is back."
                        .into(),
                ));
            }
            Outcome::Refused { refusal } => return Err(refusal.into()),
            Outcome::Aired { frames, ended } => (frames, ended),
        };
        let sent = air.sent;
        match ended {
            EndReason::Released if frames == sent => {
                if !self.json {
                    let within = self.range.km().map_or(String::new(), |km| format!(" within {km} km"));
                    show!("Aired on channel {}{within}: {duration:.1} s, {frames} frames.", self.channel);
                }
                Ok(())
            }
            EndReason::Released => {
                Err(Failure::Failed(format!("Only {frames} of {sent} frames were relayed.")))
            }
            EndReason::TalkLimit => Err(Failure::Refused(format!(
                "Cut at the talk limit after {frames} frames. Say less at a time."
            ))),
            EndReason::Courtesy => Err(Failure::Refused(format!(
                "Cut after {frames} frames, since others waited. Wait three seconds, then go on."
            ))),
            EndReason::Silent => Err(Failure::Failed(
                "The server ended the burst, since no sound came for a second. Feed the pipe without pauses."
                    .into(),
            )),
            EndReason::Untuned => {
                Err(Failure::Refused("The burst ended because the channel was left.".into()))
            }
            EndReason::TalkerLost | EndReason::OutOfRange => {
                Err(Failure::NoLink("The link was lost. Try again.".into()))
            }
            EndReason::GoingAway => {
                Err(Failure::NoLink("The server stops. It will be back; try again then.".into()))
            }
        }
    }
}

impl OnTheAir {
    /// Sends at the pace of the sound, until the receipt comes.
    async fn until_receipt(&mut self) -> Result<Outcome, Failure> {
        let period = Duration::from_millis(self.quality.frame_ms.millis().into());
        let mut ticks = tokio::time::interval(period);
        // After a pause of this process the frames that are due leave at once.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut mine: Option<BurstNo> = None;
        let stop = exit::asked_to_stop();
        tokio::pin!(stop);
        let mut stopped = false;
        loop {
            tokio::select! {
                event = self.client.next() => match event {
                    Event::Pressed { burst, .. } => mine = Some(burst),
                    Event::OthersWait { limit, .. } => {
                        tell!("Somebody else talks now, too: {:.0} s are left.", limit.as_secs_f64());
                    }
                    Event::Receipt { burst, outcome } if Some(burst) == mine => return Ok(outcome),
                    Event::Link(LinkState::Gone { refusal }) => return Err(refusal.into()),
                    _ => {}
                },
                _ = ticks.tick(), if self.encoder.is_some() => self.frame()?,
                () = &mut stop, if !stopped => {
                    stopped = true;
                    self.source.stop();
                }
            }
        }
    }

    fn frame(&mut self) -> Result<(), Failure> {
        let Some(encoder) = &mut self.encoder else { return Ok(()) };
        match self.source.frame(encoder.samples(), encoder.lookahead())? {
            Frame::NotYet => {}
            Frame::Sound(samples) => {
                self.meter.show(&samples);
                let payload = encoder.encode(&samples).map_err(failed)?;
                let media_time = self.sent * self.quality.frame_ms.samples();
                self.client.handle(Input::Frame { media_time, payload });
                self.sent += 1;
            }
            Frame::End => {
                self.encoder = None;
                self.client.handle(Input::Release);
            }
        }
        Ok(())
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Failed(error.to_string())
}

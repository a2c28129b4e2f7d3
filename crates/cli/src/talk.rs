//! `tenfour talk`: one burst, from a recording, a pipe or the microphone.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;
use tenfour_client::Options;
use tenfour_client::opus::Quality;
use tenfour_protocol::control::{EndReason, Outcome};
use tenfour_protocol::{ChannelId, Code, Range, Ranges, Refusal};

use crate::exit::{self, Failure};
use crate::on_the_air::{OnTheAir, Said};
use crate::place::{self, At};
use crate::source::Source;
use crate::station::{self, Station, Tuned};
use crate::vox::Vox;

/// How long to wait after a refused call, if the server names no time.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

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
    /// Makes a burst of each call: what is heard, up to a pause. For - and --mic
    #[arg(long)]
    vox: bool,
    /// What is heard with --vox, in decibels of full scale
    #[arg(long, value_name = "DB", default_value_t = -40.0, allow_negative_numbers = true, value_parser = level, requires = "vox")]
    vox_level: f32,
    /// How long a pause ends a call with --vox, at most 900ms
    #[arg(long, value_name = "TIME", default_value = "600ms", value_parser = pause, requires = "vox")]
    vox_pause: Duration,
    /// A recording, or - for standard input: a recording, or 48 kHz 16-bit mono samples without a header
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

impl Talk {
    pub(crate) fn run(self) -> ExitCode {
        exit::run(self.talk())
    }

    async fn talk(self) -> Result<(), Failure> {
        if self.vox && self.file.as_ref().is_some_and(|file| file.as_os_str() != "-") {
            return Err(Failure::WrongUse("A recording is one burst. --vox goes with - or --mic.".into()));
        }
        // Check the recording before we connect.
        let mut source = self.source()?;
        let ranges = Ranges { tx: self.range, ..Ranges::default() };
        let cell = self.at.cell(ranges)?;
        let login = self.station.log_in().await?;
        let program = station::program();
        let options = Options { program, economy: self.low_data, place: cell, ranges, ..Options::default() };
        let Tuned { client, talk_limit: limit, refused } =
            login.tune(std::slice::from_ref(&self.channel), options).await?;
        refused.map_or(Ok(()), |refusal| self.without_place(&refusal))?;
        if let Some(seconds) = source.seconds().filter(|seconds| *seconds > limit.as_secs_f64()) {
            tell!("The recording has {seconds:.1} s; the server cuts at {:.0} s.", limit.as_secs_f64());
        }
        let quality = if self.low_data { Quality::LOW_DATA } else { Quality::NORMAL };
        if !self.vox {
            source.ready().await?;
        }
        let mut air = OnTheAir::new(client, source, self.channel.clone(), quality);
        let done = if self.vox { self.calls(&mut air).await } else { self.burst(&mut air).await };
        station::leave(&air.client).await;
        done
    }

    async fn burst(&self, air: &mut OnTheAir) -> Result<(), Failure> {
        let said = air.burst().await?;
        let said = air.late_receipt(said).await;
        self.report(said)
    }

    /// Makes a burst of each call. Reports one that is refused or cut, and tries the next.
    async fn calls(&self, air: &mut OnTheAir) -> Result<(), Failure> {
        tell!("Ready: talks on channel {} when something is heard.", self.channel);
        while air.call().await? {
            let said = air.burst().await?;
            let wait = match &said.outcome {
                Outcome::Refused { refusal } => {
                    refusal.retry_after_ms.map(|wait| Duration::from_millis(wait.into()))
                }
                Outcome::Aired { .. } => Some(Duration::ZERO),
            };
            if let Err(failure) = self.report(said) {
                tell!("tenfour: {}", failure.words());
            }
            let wait = wait.unwrap_or(RETRY_INTERVAL);
            if !wait.is_zero() {
                air.miss(wait).await?;
            }
        }
        Ok(())
    }

    fn source(&self) -> Result<Source, Failure> {
        let source = match &self.file {
            Some(file) if file.as_os_str() == "-" => Source::standard_input(),
            Some(file) => Source::recording(file)?,
            None => crate::sound::microphone()?,
        };
        let vox = Vox::new(self.vox_level, self.vox_pause);
        Ok(if self.vox { source.with_vox(vox) } else { source })
    }

    /// The server took no place, so we do not talk: what was meant for people nearby must not go to everybody.
    fn without_place(&self, refusal: &Refusal) -> Result<(), Failure> {
        let words = place::refused(refusal);
        if self.range == Range::Unlimited {
            tell!("tenfour: {words} Going on without a place.");
            return Ok(());
        }
        Err(Failure::Refused(format!("{words} Nothing was said: without a place everybody would hear it.")))
    }

    /// Prints the receipt. The command has succeeded only if the burst was aired whole and ended by the release.
    fn report(&self, said: Said) -> Result<(), Failure> {
        let Said { sent, duration, outcome, late, .. } = said;
        if self.json {
            let line = Line { channel: &self.channel, sent, duration, outcome: &outcome };
            show!("{}", serde_json::to_string(&line).map_err(failed)?);
        }
        let (frames, ended, dropped) = match outcome {
            Outcome::Refused { refusal } if refusal.code == Code::LinkLost => {
                return Err(Failure::NoLink(
                    "The link was lost before the burst was through. Say it again when the server is back."
                        .into(),
                ));
            }
            Outcome::Refused { refusal } => return Err(refusal.into()),
            Outcome::Aired { frames, ended, dropped } => (frames, ended, dropped),
        };
        match ended {
            EndReason::Released if frames == sent => {
                if !self.json {
                    let within = self.range.km().map_or(String::new(), |km| format!(" within {km} km"));
                    show!("Aired on channel {}{within}: {duration:.1} s, {frames} frames.", self.channel);
                }
                Ok(())
            }
            EndReason::Released => {
                let why = dropped.map(|dropped| format!(" {}", dropped.refusal)).unwrap_or_default();
                Err(Failure::Failed(format!("Only {frames} of {sent} frames were relayed.{why}")))
            }
            EndReason::TalkLimit => Err(Failure::Refused(format!(
                "Cut at the talk limit after {frames} frames. Say less at a time."
            ))),
            EndReason::Courtesy => Err(Failure::Refused(format!(
                "Cut after {frames} frames, since others waited. Wait three seconds, then go on."
            ))),
            EndReason::Silent => Err(Failure::Failed(
                "The server ended the burst, since no sound came for a second. Feed the pipe without pauses, or talk \
                 with --vox, which makes a burst of each call."
                    .into(),
            )),
            EndReason::Untuned => {
                Err(Failure::Refused("The burst ended because the channel was left.".into()))
            }
            EndReason::TalkerLost if late => Err(Failure::NoLink(format!(
                "The link was lost: {frames} of {sent} frames were relayed before. Say the rest again."
            ))),
            EndReason::TalkerLost => Err(Failure::NoLink(format!(
                "Your link stalled for more than three seconds: {frames} of {sent} frames were aired. Say the rest again."
            ))),
            EndReason::OutOfRange => Err(Failure::NoLink("The link was lost. Try again.".into())),
            EndReason::GoingAway => {
                Err(Failure::NoLink("The server stops. It will be back; try again then.".into()))
            }
        }
    }
}

/// A level for clap.
fn level(text: &str) -> Result<f32, String> {
    let level = text.trim_end_matches("dB").trim().parse().ok();
    level
        .filter(|level| (-90.0..=-3.0).contains(level))
        .ok_or_else(|| "a level is -90 to -3, in decibels".into())
}

/// A pause for clap. After a second without a frame the server ends a burst by itself.
fn pause(text: &str) -> Result<Duration, String> {
    let millis = text.strip_suffix("ms").and_then(|number| number.trim().parse().ok());
    let pause = millis.filter(|millis| (100..=900).contains(millis)).map(Duration::from_millis);
    pause.ok_or_else(|| "a pause is 100ms to 900ms".into())
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Failed(error.to_string())
}

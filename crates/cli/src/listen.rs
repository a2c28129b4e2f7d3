//! `tenfour listen`: hears channels, writes what is said.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use tenfour_client::{Client, Options};
use tenfour_core::radio::limits::LAG_LIMIT_RANGE;
use tenfour_core::radio::{Event, HeardNo, LinkState};
use tenfour_protocol::{ChannelId, Range, Ranges};

use crate::exit::{self, Failure};
use crate::lines;
use crate::output::{Player, Sink};
use crate::place::{self, At};
use crate::recorder::{Line, Recorder};
use crate::station::{self, Station, Tuned, island};

/// Hears one channel or several.
#[derive(Debug, clap::Args)]
pub(crate) struct Listen {
    #[command(flatten)]
    station: Station,
    /// What to hear: 1 to 40, or a name; give it again to scan several
    #[arg(long = "channel", short, default_value = "19")]
    channels: Vec<ChannelId>,
    #[command(flatten)]
    at: At,
    /// How far you hear: 10km, 25km, 50km, 100km, 250km, 500km, 1000km or unlimited; all but the last need --at
    #[arg(long, value_name = "RANGE", default_value_t)]
    rx_range: Range,
    /// Ends after this time, e.g. 10s, 5m
    #[arg(long = "for", value_name = "TIME", value_parser = period)]
    time: Option<Duration>,
    /// Ends after this many bursts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    bursts: Option<u32>,
    /// Writes each burst to a wav file in this folder; - writes raw 48 kHz 16-bit samples to standard output
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What stands between bursts with --out -: nothing, or silence, so that a stream has the length of the time
    #[arg(long, value_name = "WITH", value_enum, default_value_t)]
    fill: Fill,
    /// Plays what is heard
    #[arg(long)]
    speaker: bool,
    /// Leaves out what could not begin to play within this time of being said, 5s to 60s
    #[arg(long, value_name = "TIME", value_parser = lag_limit, default_value = "12s")]
    lag_limit: Duration,
    /// Hears what you say elsewhere, too, with the same key
    #[arg(long)]
    hear_self: bool,
    /// Fewer, larger packets: up to 60 ms of sound come at once
    #[arg(long)]
    low_data: bool,
    /// One JSON object a line for each burst: started, channel, talker, tag, frames, gaps, duration (s), reason; country and grade
    /// (S-meter, 0 to 5) when they are known; file with --out
    #[arg(long)]
    json: bool,
}

/// What stands between bursts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Fill {
    #[default]
    Nothing,
    Silence,
}

/// A listener at work.
struct Hearing<'a> {
    folder: Option<&'a Path>,
    json: bool,
    /// The link is up and the channels are tuned.
    up: bool,
    /// The person was told that the server has taken no place.
    unplaced: bool,
    /// Standard output carries sound.
    raw: bool,
    open: BTreeMap<HeardNo, Recorder>,
    finished: u32,
    /// What is heard is also played.
    plays: bool,
    /// Bursts that are still to be played, and their talkers.
    unplayed: BTreeMap<HeardNo, String>,
}

impl Listen {
    pub(crate) fn run(self) -> ExitCode {
        exit::run(self.listen())
    }

    async fn listen(self) -> Result<(), Failure> {
        let ranges = Ranges { rx: self.rx_range, ..Ranges::default() };
        let cell = self.at.cell(ranges)?;
        let raw = self.out.as_deref().is_some_and(|out| out.as_os_str() == "-");
        let fill = self.fill == Fill::Silence;
        if fill && !raw {
            return Err(Failure::WrongUse("--fill silence goes with --out -.".into()));
        }
        let folder = self.out.as_deref().filter(|_| !raw);
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)
                .map_err(|error| Failure::Failed(format!("{}: {error}", folder.display())))?;
        }
        let sink = match (raw, self.speaker) {
            (_, true) => Some(crate::sound::loudspeaker()?),
            (true, false) => Some(Sink::standard_output()),
            (false, false) => None,
        };
        let login = self.station.log_in().await?;
        let (origin, me) = (login.server.origin().to_owned(), login.session.me.clone());
        let program = station::program();
        let (economy, playout) = (self.low_data, sink.is_some());
        let hear_self = self.hear_self;
        let lag_limit = Some(self.lag_limit);
        let options = Options { program, economy, hear_self, playout, lag_limit, place: cell, ranges };
        let Tuned { mut client, refused, .. } = login.tune(&self.channels, options).await?;
        let unplaced = refused.is_some();
        if let Some(refusal) = refused {
            let words = place::refused(&refusal);
            tell!("tenfour: {words} Until then you hear those who talk without a limit.");
        }
        let names: Vec<String> = self.channels.iter().map(ToString::to_string).collect();
        tell!("Ready: {} ({}) hears channel {} at {origin}.", me.handle, me.tag, names.join(", "));

        let mut player = sink.map(|sink| Player::new(sink, self.channels.clone(), fill));
        let (json, plays, open, unplayed) = (self.json, playout, BTreeMap::new(), BTreeMap::new());
        let mut hearing =
            Hearing { folder, json, up: true, unplaced, raw, open, finished: 0, plays, unplayed };
        let heard = self.until_done(&mut client, &mut player, &mut hearing);
        let end = tokio::time::sleep(self.time.unwrap_or(Duration::MAX));
        let done = tokio::select! {
            done = heard => Some(done),
            () = end => None,
            () = exit::asked_to_stop() => None,
        };
        station::leave(&client).await;
        if let Some(done) = done {
            return done;
        }
        hearing.stop()?;
        match self.bursts {
            Some(wanted) if hearing.finished < wanted => {
                Err(Failure::Failed(format!("Heard {} of {wanted} bursts.", hearing.finished)))
            }
            _ => Ok(()),
        }
    }

    /// Hears until the wanted bursts are over, and played if they are played.
    async fn until_done(
        &self,
        client: &mut Client,
        player: &mut Option<Player>,
        hearing: &mut Hearing<'_>,
    ) -> Result<(), Failure> {
        loop {
            // Nobody reads what was heard, and it goes nowhere else.
            if lines::are_lost() && hearing.folder.is_none() && player.is_none() {
                return Ok(());
            }
            if self.bursts.is_some_and(|wanted| hearing.finished >= wanted) && hearing.unplayed.is_empty() {
                return Ok(());
            }
            tokio::select! {
                event = client.next() => hearing.event(event)?,
                () = due(player) => {
                    let Some(player) = player else { continue };
                    if !player.play(client)? {
                        return Ok(());
                    }
                }
            }
        }
    }
}

impl Hearing<'_> {
    fn event(&mut self, event: Event) -> Result<(), Failure> {
        match event {
            Event::Link(LinkState::Gone { refusal }) | Event::TuneRefused { refusal, .. } => {
                return Err(refusal.into());
            }
            // Told once, not after each failed try.
            Event::Link(LinkState::ComingBack { going_away, .. }) if self.up => {
                self.up = false;
                let stops = "The server stops; coming back when it does.";
                tell!("{}", if going_away { stops } else { "Link lost; coming back." });
            }
            Event::Tuned { .. } | Event::Link(LinkState::OnTheAir { resumed: true, .. }) if !self.up => {
                self.up = true;
                tell!("Ready again.");
            }
            Event::Island { alone } => tell!("{}", island(alone)),
            Event::Refused { refusal } => {
                self.unplaced |= place::is_about_place(&refusal);
                tell!("tenfour: {}", place::refused(&refusal));
            }
            Event::Located { shared: true, country, effective_in: None } if self.unplaced => {
                self.unplaced = false;
                tell!("{}", place::located(country));
            }
            Event::BurstStarted { heard, channel, talker, frame_ms, grade, .. } => {
                if self.plays {
                    self.unplayed.insert(heard, format!("{} ({})", talker.person.handle, talker.person.tag));
                }
                self.open.insert(heard, Recorder::begin(channel, talker, frame_ms, grade, self.folder)?);
            }
            Event::Voice { heard, media_time, payload, .. } => {
                if let Some(recorder) = self.open.get_mut(&heard) {
                    recorder.voice(media_time, &payload)?;
                }
            }
            Event::Gap { heard, from, to } => {
                if let Some(recorder) = self.open.get_mut(&heard) {
                    recorder.gap(u32::from(to - from));
                }
            }
            Event::BurstEnded { heard, received, lost, reason } => {
                if let Some(recorder) = self.open.remove(&heard) {
                    self.finished += 1;
                    // A burst without a frame is never played.
                    if received == 0 {
                        self.unplayed.remove(&heard);
                    }
                    let line = recorder.end(received, lost, reason)?;
                    self.tell(&line)?;
                }
            }
            Event::PlayEnded { heard, .. } => {
                self.unplayed.remove(&heard);
            }
            Event::PlayMissed { heard } => {
                let talker = self.unplayed.remove(&heard).unwrap_or_default();
                tell!("Missed {talker}: it could not begin in time. --lag-limit waits for longer.");
            }
            _ => {}
        }
        Ok(())
    }

    /// The program has to end: finishes open bursts as they are, and reports them like others.
    fn stop(&mut self) -> Result<(), Failure> {
        let open = std::mem::take(&mut self.open);
        // If one file cannot be finished, the others still are.
        let lines: Vec<_> = open.into_values().map(Recorder::cut).collect();
        lines.into_iter().try_for_each(|line| self.tell(&line?))
    }

    fn tell(&self, line: &Line) -> Result<(), Failure> {
        let text = if self.json {
            serde_json::to_string(line).map_err(|error| Failure::Failed(error.to_string()))?
        } else {
            line.words()
        };
        if self.raw {
            tell!("{text}");
        } else {
            show!("{text}");
        }
        Ok(())
    }
}

async fn due(player: &Option<Player>) {
    match player {
        Some(player) => player.due().await,
        None => std::future::pending().await,
    }
}

fn lag_limit(text: &str) -> Result<Duration, String> {
    let time = period(text)?;
    if LAG_LIMIT_RANGE.contains(&time) { Ok(time) } else { Err("between 5s and 60s".into()) }
}

/// A time like `500ms`, `10s`, `5m` or `1h`.
fn period(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| "write it like 10s or 5m".to_owned())?;
    let millis = match unit {
        "ms" => 1,
        "s" | "" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("units are ms, s, m and h".into()),
    };
    Ok(Duration::from_millis(number.saturating_mul(millis)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_number_and_a_unit() {
        for (text, millis) in
            [("250ms", 250), ("10s", 10_000), ("10", 10_000), ("2m", 120_000), ("1h", 3_600_000)]
        {
            assert_eq!(period(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for bad in ["", "s", "-1s", "1.5s", "10 s", "3d"] {
            assert!(period(bad).is_err(), "{bad:?}");
        }
    }
}

//! One burst, as it is heard: counted, and written to a wav file when asked for.
//!
//! It is decoded as it comes in, not as it is played, so that a stall of the network loses no sound. The radio bounds
//! its length, since it gives each frame its position.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tenfour_client::opus::Decoder;
use tenfour_client::wav;
use tenfour_core::radio::HeardEnd;
use tenfour_protocol::control::{EndReason, FrameTime};
use tenfour_protocol::limits::SAMPLE_RATE;
use tenfour_protocol::{ChannelId, Country, Participant, SignalGrade};
use time::UtcDateTime;
use time::format_description::well_known::Rfc3339;

use crate::exit::Failure;

/// The longest loss at the end of a burst that is filled with sound. So a recording is never longer than the talk
/// limit and four seconds ([`HEARD_AHEAD`](tenfour_protocol::limits::HEARD_AHEAD)).
const LONGEST_TAIL: u32 = SAMPLE_RATE / 2;

/// A burst that is over, as one line of JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    /// When it began here: RFC 3339, UTC.
    pub(crate) started: String,
    pub(crate) channel: ChannelId,
    pub(crate) talker: String,
    pub(crate) tag: String,
    /// The talker's country, if they share a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<Country>,
    /// The S-meter, when both share a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) grade: Option<SignalGrade>,
    /// Frames that came.
    pub(crate) frames: u32,
    /// Frames that were lost.
    pub(crate) gaps: u32,
    /// In seconds, pauses and losses included.
    pub(crate) duration: f64,
    pub(crate) reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<PathBuf>,
}

pub(crate) struct Recorder {
    started: UtcDateTime,
    channel: ChannelId,
    talker: Participant,
    grade: Option<SignalGrade>,
    frame: u32,
    /// Position of the next sample; unknown before the first frame.
    at: Option<u32>,
    /// Frames that were reported lost and are not concealed yet.
    missing: u32,
    received: u32,
    lost: u32,
    samples: u64,
    file: Option<(PathBuf, wav::Writer, Decoder)>,
}

impl Recorder {
    /// Begins a burst; with `folder`, also a file there.
    pub(crate) fn begin(
        channel: ChannelId,
        talker: Participant,
        frame_ms: FrameTime,
        grade: Option<SignalGrade>,
        folder: Option<&Path>,
    ) -> Result<Self, Failure> {
        let started = UtcDateTime::now();
        let file = match folder {
            Some(folder) => {
                let path = free_name(folder, started, &channel, &talker)?;
                let decoder = Decoder::new().map_err(|error| Failure::Failed(error.to_string()))?;
                Some((path.clone(), wav::Writer::create(&path)?, decoder))
            }
            None => None,
        };
        let frame = frame_ms.samples();
        let (at, missing, received, lost, samples) = (None, 0, 0, 0, 0);
        Ok(Self { started, channel, talker, grade, frame, at, missing, received, lost, samples, file })
    }

    /// A frame came, whose position is `media_time`.
    pub(crate) fn voice(&mut self, media_time: u32, payload: &[u8]) -> Result<(), Failure> {
        self.received += 1;
        let pause = self.at.map_or(0, |at| media_time.saturating_sub(at));
        let lost = (std::mem::take(&mut self.missing) * self.frame).min(pause);
        self.conceal(lost)?;
        self.silence(pause - lost)?;
        self.at = Some(media_time.saturating_add(self.frame));
        self.samples += u64::from(self.frame);
        if let Some((_, writer, decoder)) = &mut self.file {
            // A frame that cannot be decoded counts as lost.
            let samples = self.frame as usize;
            let sound = decoder.decode(payload, samples).unwrap_or_else(|_| decoder.conceal(samples));
            writer.write(&sound)?;
        }
        Ok(())
    }

    /// Frames will not come.
    pub(crate) fn gap(&mut self, frames: u32) {
        self.lost += frames;
        if self.at.is_some() {
            self.missing += frames;
        }
    }

    /// The burst is over.
    pub(crate) fn end(mut self, received: u32, lost: u32, reason: HeardEnd) -> Result<Line, Failure> {
        let missing = (self.missing * self.frame).min(LONGEST_TAIL);
        self.conceal(missing)?;
        (self.received, self.lost) = (received, lost);
        self.line(word(reason))
    }

    /// Nobody listens any more: finishes the recording as it is.
    pub(crate) fn cut(self) -> Result<Line, Failure> {
        self.line("stopped")
    }

    fn line(self, reason: &'static str) -> Result<Line, Failure> {
        let file = match self.file {
            Some((path, writer, _)) => {
                writer.finish()?;
                Some(path)
            }
            None => None,
        };
        Ok(Line {
            started: told(self.started)?,
            channel: self.channel,
            talker: self.talker.person.handle.to_string(),
            tag: self.talker.person.tag.to_string(),
            country: self.talker.person.country,
            grade: self.grade,
            frames: self.received,
            gaps: self.lost,
            duration: self.samples as f64 / f64::from(SAMPLE_RATE),
            reason,
            file,
        })
    }

    fn conceal(&mut self, samples: u32) -> Result<(), Failure> {
        self.samples += u64::from(samples);
        match &mut self.file {
            Some((_, writer, decoder)) => Ok(writer.write(&decoder.conceal(samples as usize))?),
            None => Ok(()),
        }
    }

    fn silence(&mut self, samples: u32) -> Result<(), Failure> {
        self.samples += u64::from(samples);
        match &mut self.file {
            Some((_, writer, _)) => Ok(writer.write(&vec![0.0; samples as usize])?),
            None => Ok(()),
        }
    }
}

impl Line {
    /// The line for people.
    pub(crate) fn words(&self) -> String {
        let Self { started: _, channel, talker, tag, country, grade, frames, gaps, duration, reason, file } =
            self;
        let mut words = format!("{channel:>4}  {talker} ({tag})");
        if let Some(country) = country {
            words.push_str(&format!("  {}", country.as_str()));
        }
        if let Some(grade) = grade {
            words.push_str(&format!("  S{}", u8::from(*grade)));
        }
        words.push_str(&format!("  {duration:.1} s, {frames} frames"));
        if *gaps > 0 {
            words.push_str(&format!(", {gaps} lost"));
        }
        if *reason != "released" {
            words.push_str(&format!(", ended: {}", reason.replace('_', " ")));
        }
        if let Some(file) = file {
            words.push_str(&format!("  {}", file.display()));
        }
        words
    }
}

/// To the second: RFC 3339.
fn told(time: UtcDateTime) -> Result<String, Failure> {
    let time = time.truncate_to_second();
    time.format(&Rfc3339).map_err(|error| Failure::Failed(error.to_string()))
}

/// The protocol's words for reasons, and two of the listener's own.
fn word(reason: HeardEnd) -> &'static str {
    match reason {
        HeardEnd::Ended(EndReason::Released) => "released",
        HeardEnd::Ended(EndReason::Silent) => "silent",
        HeardEnd::Ended(EndReason::TalkLimit) => "talk_limit",
        HeardEnd::Ended(EndReason::Courtesy) => "courtesy",
        HeardEnd::Ended(EndReason::TalkerLost) => "talker_lost",
        HeardEnd::Ended(EndReason::Untuned) => "untuned",
        HeardEnd::Ended(EndReason::OutOfRange) => "out_of_range",
        HeardEnd::Ended(EndReason::GoingAway) => "going_away",
        HeardEnd::LinkLost => "link_lost",
        HeardEnd::Untuned => "left",
    }
}

/// A name that is not taken yet: `0001-20261130T114500Z-19-Roadrunner-k7f2.wav`. Of the handle only letters and
/// digits of ASCII are kept, since others choose it.
fn free_name(
    folder: &Path,
    started: UtcDateTime,
    channel: &ChannelId,
    talker: &Participant,
) -> Result<PathBuf, Failure> {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let handle: String = talker.person.handle.as_str().chars().map(safe).take(24).collect();
    let taken = fs::read_dir(folder)
        .map_err(|error| Failure::Failed(format!("{}: {error}", folder.display())))?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.split('-').next()?.parse::<u32>().ok())
        .max()
        .unwrap_or(0);
    let time = told(started)?.replace(['-', ':'], "");
    Ok(folder.join(format!("{:04}-{time}-{channel}-{handle}-{}.wav", taken + 1, talker.person.tag)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenfour_protocol::{Handle, ParticipantNo, Person, UserId};

    fn talker(handle: &str) -> Participant {
        let tag = UserId::of_key(&[1; 32]).tag();
        let person = Person { handle: Handle::parse(handle).unwrap(), tag, description: None, country: None };
        Participant { id: ParticipantNo(1), person }
    }

    #[test]
    fn a_handle_cannot_lead_out_of_the_folder_and_no_file_is_written_twice() {
        let folder = tempfile::tempdir().unwrap();
        let channel: ChannelId = "19".parse().unwrap();
        let started = UtcDateTime::from_unix_timestamp(1_795_435_200).unwrap();
        for expected in
            ["0001-20261123T120000Z-19-____etc_passwd-", "0002-20261123T120000Z-19-____etc_passwd-"]
        {
            let path = free_name(
                folder.path(),
                started,
                &channel,
                &talker("../ /etc/passwd".replace(' ', "").as_str()),
            )
            .unwrap();
            assert_eq!(path.parent(), Some(folder.path()));
            assert!(path.file_name().unwrap().to_str().unwrap().starts_with(expected), "{path:?}");
            fs::write(path, "").unwrap();
        }
    }

    #[test]
    fn losses_and_pauses_keep_their_length() {
        let channel: ChannelId = "19".parse().unwrap();
        let mut recorder = Recorder::begin(channel, talker("A"), FrameTime::Ms20, None, None).unwrap();
        recorder.voice(0, &[8]).unwrap();
        recorder.gap(2);
        recorder.voice(960 * 3, &[8]).unwrap();
        recorder.voice(960 * 3 + 960 + 4800, &[8]).unwrap();
        recorder.gap(1);
        let line = recorder.end(3, 3, HeardEnd::LinkLost).unwrap();
        assert!((line.duration - 0.22).abs() < 1e-9, "{}", line.duration);
        assert_eq!(line.reason, "link_lost");
    }
}

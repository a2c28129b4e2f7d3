//! One burst: takes sound from a source and sends it in real time.

use std::pin::Pin;
use std::time::Duration;

use tenfour_client::Client;
use tenfour_client::opus::{Encoder, Quality};
use tenfour_core::radio::{Event, Input, LinkState};
use tenfour_protocol::control::Outcome;
use tenfour_protocol::{BurstNo, ChannelId, Code};
use tokio::time::{Instant, MissedTickBehavior, timeout_at};

use crate::exit::{self, Failure};
use crate::meter::Meter;
use crate::source::{Frame, Source};

/// How long to wait for a lost link to come back.
const RECONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait after that for the receipt of the burst that was cut.
const LATE_TIME: Duration = Duration::from_secs(2);

/// A radio, and what is said with it.
pub(crate) struct OnTheAir {
    pub(crate) client: Client,
    pub(crate) source: Source,
    pub(crate) channel: ChannelId,
    pub(crate) quality: Quality,
    meter: Meter,
    stop: Pin<Box<dyn Future<Output = ()>>>,
    /// The person, or the system, wants the program to end.
    stopped: bool,
}

/// What became of a burst.
pub(crate) struct Said {
    /// Frames that were sent.
    pub(crate) sent: u32,
    /// In seconds.
    pub(crate) duration: f64,
    pub(crate) outcome: Outcome,
    /// The link was lost during the burst, and the outcome came after the resume.
    pub(crate) late: bool,
    number: BurstNo,
}

/// One burst, until its receipt.
struct Burst {
    number: Option<BurstNo>,
    begun: Instant,
    /// None after the release. It has the last sound.
    encoder: Option<Encoder>,
    sent: u32,
}

impl OnTheAir {
    pub(crate) fn new(client: Client, source: Source, channel: ChannelId, quality: Quality) -> Self {
        let meter = Meter::new(&format!("Talking on channel {channel}"));
        let stop = Box::pin(exit::asked_to_stop());
        Self { client, source, channel, quality, meter, stop, stopped: false }
    }

    /// Presses, and sends at the pace of the sound until the receipt comes.
    pub(crate) async fn burst(&mut self) -> Result<Said, Failure> {
        let (channel, frame_ms) = (self.channel.clone(), self.quality.frame_ms);
        self.client.handle(Input::Press { channel, frame_ms });
        let encoder = Some(Encoder::new(self.quality).map_err(failed)?);
        let mut burst = Burst { number: None, begun: Instant::now(), encoder, sent: 0 };
        let mut ticks = tokio::time::interval(self.period());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.client.next() => match event {
                    Event::Pressed { burst: number, .. } => burst.number = Some(number),
                    Event::OthersWait { limit, .. } => {
                        tell!("Somebody else talks now, too: {:.0} s are left.", limit.as_secs_f64());
                    }
                    Event::Receipt { burst: number, outcome } if Some(number) == burst.number => {
                        let duration = f64::from(burst.sent) * f64::from(self.quality.frame_ms.millis()) / 1000.0;
                        return Ok(Said { sent: burst.sent, duration, outcome, late: false, number });
                    }
                    Event::Link(LinkState::Gone { refusal }) => return Err(refusal.into()),
                    _ => {}
                },
                _ = ticks.tick(), if burst.encoder.is_some() => self.send_what_is_due(&mut burst)?,
                () = &mut self.stop, if !self.stopped => {
                    self.stopped = true;
                    self.source.stop();
                }
            }
        }
    }

    /// After a lost link, the server tells at the resume how much of the burst was relayed. Without a resume this
    /// stays unknown.
    pub(crate) async fn late_receipt(&mut self, said: Said) -> Said {
        if !matches!(&said.outcome, Outcome::Refused { refusal } if refusal.code == Code::LinkLost) {
            return said;
        }
        let mut until = Instant::now() + RECONNECT_TIMEOUT;
        while let Ok(event) = timeout_at(until, self.client.next()).await {
            match event {
                Event::LateReceipt { burst, outcome } if burst == said.number => {
                    return Said { outcome, late: true, ..said };
                }
                Event::Link(LinkState::OnTheAir { resumed: true, .. }) => until = Instant::now() + LATE_TIME,
                Event::Link(LinkState::OnTheAir { .. } | LinkState::Gone { .. }) => break,
                _ => {}
            }
        }
        said
    }

    /// Waits until the source has something to say. Returns false if it has ended, or the program has to end.
    pub(crate) async fn call(&mut self) -> Result<bool, Failure> {
        while !self.stopped {
            tokio::select! {
                event = self.client.next() => if let Event::Link(LinkState::Gone { refusal }) = event {
                    return Err(refusal.into());
                },
                call = self.source.call() => return call,
                () = &mut self.stop => self.stopped = true,
            }
        }
        Ok(false)
    }

    /// Drops what is said for this long, since nobody could hear it.
    pub(crate) async fn miss(&mut self, time: Duration) -> Result<(), Failure> {
        let until = Instant::now() + time;
        loop {
            tokio::select! {
                event = self.client.next() => if let Event::Link(LinkState::Gone { refusal }) = event {
                    return Err(refusal.into());
                },
                missed = self.source.miss_until(until) => return missed,
                () = &mut self.stop, if !self.stopped => {
                    self.stopped = true;
                    return Ok(());
                }
            }
        }
    }

    fn period(&self) -> Duration {
        Duration::from_millis(self.quality.frame_ms.millis().into())
    }

    /// Sends as many frames as real time since the press allows. After a stall of the source or of this process, what
    /// was delayed leaves at once, so that the rest is not late.
    fn send_what_is_due(&mut self, burst: &mut Burst) -> Result<(), Failure> {
        let due = burst.begun.elapsed().as_micros() / self.period().as_micros() + 1;
        while u128::from(burst.sent) < due && self.send(burst)? {}
        Ok(())
    }

    /// Returns whether a frame was sent.
    fn send(&mut self, burst: &mut Burst) -> Result<bool, Failure> {
        let Some(encoder) = &mut burst.encoder else { return Ok(false) };
        match self.source.frame(encoder.samples(), encoder.lookahead())? {
            Frame::NotYet => Ok(false),
            Frame::Sound(samples) => {
                self.meter.show(&samples);
                let payload = encoder.encode(&samples).map_err(failed)?;
                let media_time = burst.sent * self.quality.frame_ms.samples();
                self.client.handle(Input::Frame { media_time, payload });
                burst.sent += 1;
                Ok(true)
            }
            Frame::End => {
                burst.encoder = None;
                self.client.handle(Input::Release);
                Ok(false)
            }
        }
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Failed(error.to_string())
}

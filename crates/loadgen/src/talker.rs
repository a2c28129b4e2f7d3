//! A virtual talker.

use std::time::Duration;

use anyhow::{Result, bail};
use tenfour_protocol::control::{Codec, EndReason, FrameTime, Outcome};
use tenfour_protocol::{BurstNo, ChannelId, ClientMessage, ServerMessage, VoiceFrame};
use tokio::time::{Instant, MissedTickBehavior};

use crate::listener::greet;
use crate::score::Score;
use crate::socket::{Message, Socket};

/// Between two bursts.
const BREATH: Duration = Duration::from_millis(200);
/// Time for the receipt.
const RECEIPT: Duration = Duration::from_secs(10);

pub(crate) struct Talker {
    socket: Socket,
    score: Score,
    number: usize,
    channel: ChannelId,
    frame_ms: FrameTime,
    /// Packets of real speech-like sound, said in turn.
    packets: std::rc::Rc<[Vec<u8>]>,
    /// Listeners on the channel.
    listeners: u64,
    /// Frames sent so far. Media time goes on from burst to burst, so that a frame is known by it.
    frames: u32,
}

/// How long to talk.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// Begin of the first frame.
    pub(crate) begin: Instant,
    /// No frame is due after this.
    pub(crate) end: Instant,
    /// Longest burst.
    pub(crate) burst: Duration,
}

impl Talker {
    /// Connects and tunes.
    #[expect(clippy::too_many_arguments, reason = "a talker is what it was given")]
    pub(crate) async fn tune(
        authority: &str,
        token: &str,
        score: Score,
        number: usize,
        channel: ChannelId,
        frame_ms: FrameTime,
        packets: std::rc::Rc<[Vec<u8>]>,
        listeners: u64,
    ) -> Result<Self> {
        let mut socket = Socket::open(authority, token).await?;
        let me = greet(&mut socket, &channel).await?;
        score.counts().talker_is(number, me);
        Ok(Self { socket, score, number, channel, frame_ms, packets, listeners, frames: 0 })
    }

    /// Talks until the end of the plan.
    pub(crate) async fn talk(mut self, plan: Plan) -> Result<()> {
        let mut begin = plan.begin;
        for burst in 1.. {
            let end = plan.end.min(begin + plan.burst);
            self.burst(BurstNo(burst), begin, end).await?;
            begin = Instant::now() + BREATH;
            if begin >= plan.end {
                break;
            }
        }
        Ok(())
    }

    async fn burst(&mut self, burst: BurstNo, begin: Instant, end: Instant) -> Result<()> {
        let period = Duration::from_millis(self.frame_ms.millis().into());
        let mut ticks = tokio::time::interval_at(begin, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut seq = 0;
        let mut receipt = None;
        while receipt.is_none() {
            tokio::select! {
                due = ticks.tick() => {
                    if due >= end {
                        break;
                    }
                    if seq == 0 {
                        let (channel, frame_ms) = (self.channel.clone(), self.frame_ms);
                        let codec = Codec::Opus;
                        self.socket.send_text(&ClientMessage::BurstStart { channel, burst, codec, frame_ms }).await?;
                    }
                    self.frame(burst, seq, due).await?;
                    seq += 1;
                }
                open = self.socket.receive(|message| receipt = receipt.take().or_else(|| outcome(message, burst))) => {
                    if !open? {
                        bail!("a talker's connection was closed");
                    }
                }
            }
        }
        if receipt.is_none() {
            self.socket.send_text(&ClientMessage::BurstEnd { burst, frames: seq.into() }).await?;
        }
        let outcome = match receipt {
            Some(outcome) => outcome,
            None => tokio::time::timeout(RECEIPT, self.receipt(burst)).await??,
        };
        if !matches!(outcome, Outcome::Aired { ended: EndReason::Released, .. }) {
            self.score.counts().refused += 1;
            eprintln!("tenfour-load: a burst was not aired to its end: {outcome:?}");
        }
        Ok(())
    }

    async fn frame(&mut self, burst: BurstNo, seq: u16, due: Instant) -> Result<()> {
        let payload = &self.packets[self.frames as usize % self.packets.len()];
        let media_time = self.frames * self.frame_ms.samples();
        self.frames += 1;
        self.score.counts().sent(self.number, due, self.listeners);
        let frame = VoiceFrame { burst, seq, media_time, last: false, payload };
        self.socket.send_voice(&frame.to_bytes()).await
    }

    async fn receipt(&mut self, burst: BurstNo) -> Result<Outcome> {
        let mut receipt = None;
        while receipt.is_none() {
            if !self
                .socket
                .receive(|message| receipt = receipt.take().or_else(|| outcome(message, burst)))
                .await?
            {
                bail!("a talker's connection was closed");
            }
        }
        receipt.ok_or_else(|| anyhow::anyhow!("no receipt"))
    }
}

fn outcome(message: Message<'_>, of: BurstNo) -> Option<Outcome> {
    let Message::Text(text) = message else { return None };
    match serde_json::from_slice(text) {
        Ok(ServerMessage::Receipt { burst, outcome, late: false }) if burst == of => Some(outcome),
        _ => None,
    }
}

//! A virtual listener.

use anyhow::{Result, bail};
use tenfour_protocol::{ChannelId, ClientMessage, ServerMessage, VoiceFrame};
use tokio::time::Instant;

use crate::score::Score;
use crate::socket::{Message, Socket};

pub(crate) struct Listener {
    socket: Socket,
    score: Score,
    /// Samples in one frame.
    samples: u32,
    /// Bursts on the air: server's number, talker, next sequence number.
    bursts: Vec<(u32, usize, u16)>,
}

impl Listener {
    /// Connects and tunes.
    pub(crate) async fn tune(
        authority: &str,
        token: &str,
        channel: &ChannelId,
        samples: u32,
        score: Score,
    ) -> Result<Self> {
        let mut socket = Socket::open(authority, token).await?;
        greet(&mut socket, channel).await?;
        Ok(Self { socket, score, samples, bursts: Vec::new() })
    }

    /// Hears until the connection ends.
    pub(crate) async fn hear(mut self) {
        let Self { socket, score, samples, bursts } = &mut self;
        loop {
            let heard = socket.receive(|message| match message {
                Message::Voice(bytes) => voice(bytes, *samples, bursts, score),
                Message::Text(text) if text.starts_with(br#"{"type":"burst."#) => {
                    control(text, bursts, score);
                }
                Message::Text(_) => {}
            });
            if !heard.await.unwrap_or(false) {
                score.counts().dropped += 1;
                return;
            }
        }
    }
}

fn voice(bytes: &[u8], samples: u32, bursts: &mut [(u32, usize, u16)], score: &Score) {
    let mut counts = score.counts();
    let Ok(frame) = VoiceFrame::parse(bytes) else {
        counts.foreign += 1;
        return;
    };
    let Some((_, talker, next)) = bursts.iter_mut().find(|burst| burst.0 == frame.burst.0) else {
        counts.foreign += 1;
        return;
    };
    if frame.seq != *next {
        counts.disorder += 1;
    }
    *next = frame.seq.wrapping_add(1);
    counts.delivered(*talker, (frame.media_time / samples) as usize, Instant::now());
}

fn control(text: &[u8], bursts: &mut Vec<(u32, usize, u16)>, score: &Score) {
    let mut counts = score.counts();
    match serde_json::from_slice(text) {
        Ok(ServerMessage::BurstStarted { burst, talker, .. }) => {
            if let Some(talker) = counts.talker(talker.id.0) {
                bursts.push((burst.0, talker, 0));
            }
        }
        Ok(ServerMessage::BurstGap { burst, from, to }) => {
            counts.gaps += u64::from(to.saturating_sub(from));
            if let Some((.., next)) = bursts.iter_mut().find(|open| open.0 == burst.0) {
                *next = to;
            }
        }
        Ok(ServerMessage::BurstEnded { burst, .. }) => bursts.retain(|open| open.0 != burst.0),
        _ => {}
    }
}

/// Says hello and tunes; returns the participant number.
pub(crate) async fn greet(socket: &mut Socket, channel: &ChannelId) -> Result<u32> {
    let client = format!("tenfour-load {}", env!("CARGO_PKG_VERSION"));
    let hello = ClientMessage::Hello {
        client,
        resume: None,
        economy: false,
        // Several users of a load share a key.
        hear_self: true,
        place: None,
        range: None,
        device: None,
    };
    socket.send_text(&hello).await?;
    socket.send_text(&ClientMessage::Tune { channel: channel.clone(), catch_up: false }).await?;
    let (mut me, mut tuned, mut refused) = (None, false, None);
    while !tuned {
        let open = socket.receive(|message| {
            let Message::Text(text) = message else { return };
            match serde_json::from_slice(text) {
                Ok(ServerMessage::Welcome { you, .. }) => me = Some(you.id.0),
                Ok(ServerMessage::Tuned { .. }) => tuned = true,
                Ok(ServerMessage::Error { refusal }) => refused = Some(refusal),
                _ => {}
            }
        });
        let open = open.await?;
        if let Some(refusal) = refused {
            bail!("refused: {refusal}");
        }
        if !open {
            bail!("the server closed the connection");
        }
    }
    me.ok_or_else(|| anyhow::anyhow!("tuned without a welcome"))
}

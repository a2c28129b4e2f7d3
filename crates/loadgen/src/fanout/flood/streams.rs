//! Floods on radio sockets: messages without end, as fast as the server reads them.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Result;
use tenfour_protocol::control::{Codec, FrameTime};
use tenfour_protocol::{BurstNo, ClientMessage, VoiceFrame};

use super::ground::{Ground, text};
use crate::lines::{BINARY, CONTINUATION, PING, PONG, TEXT, masked_frame};

const THREADS: usize = 8;
/// Of a thread whose sockets take nothing.
const PAUSE: Duration = Duration::from_millis(1);
const MESSAGES_PER_CHUNK: usize = 50;
/// The bit of the last fragment.
const FIN: u8 = 0x80;

/// What each socket says again and again.
#[derive(Clone, Copy)]
pub(super) struct Stream {
    pub(super) sockets: usize,
    /// Channel of socket `number`.
    pub(super) channel: fn(usize) -> String,
    /// The next chunk of socket `number`, and how many it has said before.
    pub(super) chunk: fn(usize, u32) -> Result<Vec<u8>>,
}

struct Slot {
    number: usize,
    tcp: Option<TcpStream>,
    said: u32,
    /// The part of the chunk that the socket did not take yet.
    rest: Vec<u8>,
}

pub(super) fn run(ground: &Ground, stream: Stream) {
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                let numbers = (thread..stream.sockets).step_by(THREADS);
                let slot = |number| Slot { number, tcp: None, said: 0, rest: Vec::new() };
                let mut slots: Vec<_> = numbers.map(slot).collect();
                while !ground.is_over() {
                    let taken = slots.iter_mut().filter_map(|slot| slot.turn(ground, stream)).count();
                    if taken == 0 {
                        std::thread::sleep(PAUSE);
                    }
                }
            });
        }
    });
}

impl Slot {
    /// Writes what the socket takes. None when it takes nothing, or could not be opened.
    fn turn(&mut self, ground: &Ground, stream: Stream) -> Option<()> {
        let mut tcp = match self.tcp.take() {
            Some(tcp) => tcp,
            None => self.open(ground, stream)?,
        };
        let wrote = self.write(&mut tcp, ground, stream).and_then(|wrote| discard(&mut tcp).map(|()| wrote));
        match wrote {
            Ok(wrote) => {
                self.tcp = Some(tcp);
                wrote.then_some(())
            }
            Err(error) => {
                ground.tally.refused(|| format!("{error:#}"));
                None
            }
        }
    }

    fn open(&mut self, ground: &Ground, stream: Stream) -> Option<TcpStream> {
        (self.said, self.rest) = (0, Vec::new());
        let tcp = ground.tuned(self.number, &(stream.channel)(self.number));
        match tcp.and_then(|tcp| Ok(tcp.set_nonblocking(true).map(|()| tcp)?)) {
            Ok(tcp) => Some(tcp),
            Err(error) => {
                ground.tally.refused(|| format!("{error:#}"));
                std::thread::sleep(PAUSE * 10);
                None
            }
        }
    }

    fn write(&mut self, tcp: &mut TcpStream, ground: &Ground, stream: Stream) -> Result<bool> {
        if self.rest.is_empty() {
            self.rest = (stream.chunk)(self.number, self.said)?;
            self.said += 1;
        }
        match tcp.write(&self.rest) {
            Ok(bytes) => {
                self.rest.drain(..bytes);
                ground.tally.sent(bytes);
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn discard(tcp: &mut TcpStream) -> Result<()> {
    match tcp.read(&mut [0; 64 * 1024]) {
        Ok(0) => anyhow::bail!("closed"),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The forty numbered channels in turn.
pub(super) fn numbered(number: usize) -> String {
    (1 + number % 40).to_string()
}

/// The large channel of honest users. Attackers press on the numbered channels, where its talker would have to let go
/// after 8 seconds.
pub(super) const LARGE: &str = "plaza";

pub(super) fn large(_: usize) -> String {
    LARGE.into()
}

pub(super) fn pings(_: usize, _: u32) -> Result<Vec<u8>> {
    Ok(masked_frame(PING, b"").repeat(MESSAGES_PER_CHUNK))
}

pub(super) fn pongs(_: usize, _: u32) -> Result<Vec<u8>> {
    Ok(masked_frame(PONG, b"").repeat(MESSAGES_PER_CHUNK))
}

/// One message that never ends.
pub(super) fn empty_fragments(_: usize, said: u32) -> Result<Vec<u8>> {
    let fragment = |opcode| {
        let mut frame = masked_frame(opcode, b"");
        frame[0] &= !FIN;
        frame
    };
    let begin = if said == 0 { fragment(TEXT) } else { Vec::new() };
    Ok([begin, fragment(CONTINUATION).repeat(MESSAGES_PER_CHUNK)].concat())
}

pub(super) fn bad_json(_: usize, _: u32) -> Result<Vec<u8>> {
    Ok(masked_frame(TEXT, br#"{"type":"tune","channel":"#).repeat(MESSAGES_PER_CHUNK))
}

/// As large as a message may be, and deeply nested.
pub(super) fn large_json(_: usize, _: u32) -> Result<Vec<u8>> {
    let deep = format!(r#"{{"type":"ping","n":{}{}}}"#, "[".repeat(2000), "]".repeat(2000));
    Ok(masked_frame(TEXT, deep.as_bytes()).repeat(4))
}

fn start(number: usize, burst: u32) -> Result<Vec<u8>> {
    let (channel, burst) = (numbered(number).parse()?, BurstNo(burst));
    text(&ClientMessage::BurstStart { channel, burst, codec: Codec::Opus, frame_ms: FrameTime::Ms20 })
}

fn frame(burst: u32, seq: u16, media_time: u32, payload: &[u8]) -> Vec<u8> {
    let frame = VoiceFrame { burst: BurstNo(burst), seq, media_time, last: false, payload };
    masked_frame(BINARY, &frame.to_bytes())
}

/// A packet that passes the server's check of Opus.
const PACKET: [u8; 40] = [9 << 3; 40];

pub(super) fn presses(number: usize, said: u32) -> Result<Vec<u8>> {
    start(number, said + 1)
}

pub(super) fn start_stop(number: usize, said: u32) -> Result<Vec<u8>> {
    let burst = said + 1;
    let end = ClientMessage::BurstEnd { burst: BurstNo(burst), frames: 1 };
    Ok([start(number, burst)?, frame(burst, 0, 0, &PACKET), text(&end)?].concat())
}

/// Frames of no burst.
pub(super) fn dead_voice(_: usize, _: u32) -> Result<Vec<u8>> {
    Ok(frame(999, 0, 0, &PACKET).repeat(MESSAGES_PER_CHUNK))
}

/// Payloads of more bytes than a frame may have, in a burst.
pub(super) fn oversize_voice(number: usize, said: u32) -> Result<Vec<u8>> {
    let begin = if said == 0 { start(number, 1)? } else { Vec::new() };
    Ok([begin, frame(1, said as u16, said.wrapping_mul(960), &[9 << 3; 1000]).repeat(4)].concat())
}

/// Each frame says that it is hours after the one before.
pub(super) fn media_time_jumps(number: usize, said: u32) -> Result<Vec<u8>> {
    let begin = if said == 0 { start(number, 1)? } else { Vec::new() };
    Ok([begin, frame(1, said as u16, said.wrapping_mul(1 << 30), &PACKET)].concat())
}

pub(super) fn participants(_: usize, said: u32) -> Result<Vec<u8>> {
    text(&ClientMessage::Participants { channel: LARGE.parse()?, page: said % 12 })
}

//! `tenfour-floor`: the least that a server of voice can do, to measure others against.
//!
//! One thread, epoll, and for each frame one plain `write` of a ready WebSocket frame to each listener. There are no
//! channels, log-ins or control messages. The first byte of a connection is `L` for a listener or `T` for a talker,
//! whose frames are a length (16 bits, big-endian) and so many bytes. A listener whose socket is full misses the frame.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::ExitCode;

use rustix::buffer::spare_capacity;
use rustix::event::epoll;

/// The listening socket's number among the events; connections count from 1.
const DOOR: u64 = 0;
/// What is read from a socket at once.
const READ_BYTES: usize = 16 * 1024;

fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".into());
    match serve(&address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tenfour-floor: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(address: &str) -> io::Result<()> {
    let door = TcpListener::bind(address)?;
    door.set_nonblocking(true)?;
    println!("The floor is at {}", door.local_addr()?);
    Floor::new(door)?.run()
}

struct Floor {
    door: TcpListener,
    epoll: std::os::fd::OwnedFd,
    /// Connections that have not sent their first byte.
    strangers: BTreeMap<u64, TcpStream>,
    /// In a row, so that a write needs no look-up.
    listeners: Vec<(u64, TcpStream)>,
    /// Each with the bytes that are no whole frame yet.
    talkers: BTreeMap<u64, (TcpStream, Vec<u8>)>,
    next: u64,
    scratch: Vec<u8>,
    /// The frame that goes out, with its header.
    frame: Vec<u8>,
}

impl Floor {
    fn new(door: TcpListener) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &door, epoll::EventData::new_u64(DOOR), epoll::EventFlags::IN)?;
        Ok(Self {
            door,
            epoll,
            strangers: BTreeMap::new(),
            listeners: Vec::new(),
            talkers: BTreeMap::new(),
            next: DOOR + 1,
            scratch: vec![0; READ_BYTES],
            frame: Vec::new(),
        })
    }

    fn run(mut self) -> io::Result<()> {
        let mut events = Vec::with_capacity(256);
        loop {
            match epoll::wait(&self.epoll, spare_capacity(&mut events), None) {
                Err(rustix::io::Errno::INTR) => continue,
                waited => waited?,
            };
            for event in events.drain(..) {
                match event.data.u64() {
                    DOOR => self.accept()?,
                    number => self.read(number),
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            match self.door.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    stream.set_nodelay(true)?;
                    let (data, flags) = (epoll::EventData::new_u64(self.next), epoll::EventFlags::IN);
                    epoll::add(&self.epoll, stream.as_fd(), data, flags)?;
                    self.strangers.insert(self.next, stream);
                    self.next += 1;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn read(&mut self, number: u64) {
        if let Some((stream, waiting)) = self.talkers.get_mut(&number) {
            match read(stream, &mut self.scratch) {
                Some(count) => waiting.extend_from_slice(&self.scratch[..count]),
                None => drop(self.talkers.remove(&number)),
            }
            return self.spread(number);
        }
        let Some(mut stream) = self.strangers.remove(&number) else {
            // A listener sends nothing more, so it has gone.
            return self.listeners.retain(|(listener, _)| *listener != number);
        };
        match read(&mut stream, &mut self.scratch) {
            Some(_) if self.scratch[0] == b'L' => self.listeners.push((number, stream)),
            Some(count @ 1..) => drop(self.talkers.insert(number, (stream, self.scratch[1..count].to_vec()))),
            Some(_) => drop(self.strangers.insert(number, stream)),
            None => {}
        }
    }

    /// Gives each whole frame of a talker to everybody.
    fn spread(&mut self, talker: u64) {
        let Some((_, waiting)) = self.talkers.get_mut(&talker) else { return };
        let mut at = 0;
        while let Some((header, rest)) = waiting[at..].split_first_chunk::<2>() {
            let length = usize::from(u16::from_be_bytes(*header));
            let Some(payload) = rest.get(..length) else { break };
            at += 2 + length;
            frame_of(payload, &mut self.frame);
            let frame = &self.frame;
            self.listeners.retain_mut(|(_, listener)| match listener.write(frame) {
                // After half a frame the rest would be nonsense.
                Ok(wrote) => wrote == frame.len(),
                Err(error) => error.kind() == ErrorKind::WouldBlock,
            });
        }
        waiting.drain(..at);
    }
}

/// How many bytes have come, or None at the end of the connection.
fn read(stream: &mut TcpStream, scratch: &mut [u8]) -> Option<usize> {
    match stream.read(scratch) {
        Ok(count) if count > 0 => Some(count),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Some(0),
        _ => None,
    }
}

/// A server's binary frame of RFC 6455.
fn frame_of(payload: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.push(0x82);
    match u8::try_from(payload.len()) {
        Ok(short @ 0..126) => out.push(short),
        _ => {
            out.push(126);
            out.extend((payload.len() as u16).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_the_header_of_rfc_6455() {
        let mut frame = Vec::new();
        frame_of(&[7, 8], &mut frame);
        assert_eq!(frame, [0x82, 2, 7, 8]);
        frame_of(&[9; 300], &mut frame);
        assert_eq!((&frame[..4], frame.len()), (&[0x82, 126, 1, 44][..], 304));
    }
}

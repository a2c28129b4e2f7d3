//! A proxy that keeps all that passes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use rustls::ServerConfig;

use crate::line::{Door, Line, Mode};
use crate::socket::FINAL_BINARY;

/// Bytes of both directions of one connection.
#[derive(Default)]
struct Conversation {
    up: Mutex<Vec<u8>>,
    down: Mutex<Vec<u8>>,
}

/// Takes connections, and passes them on to the server once it has been told which. Either side may be
/// plain or TLS; what is kept is what was said.
#[derive(Clone)]
pub(crate) struct Recorder {
    front: Door,
    back: Arc<OnceLock<Back>>,
    kept: Arc<Mutex<Vec<Arc<Conversation>>>>,
}

/// The server, and what is shown in front of it under TLS.
struct Back {
    door: Door,
    shown: Option<Arc<ServerConfig>>,
}

impl Recorder {
    /// Clients talk to it by `mode`. Its address is known before the server starts, which has to allow its
    /// origin.
    pub(crate) fn start(mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let front = Door { address: listener.local_addr().expect("an address"), mode };
        let recorder = Self { front, back: Arc::default(), kept: Arc::default() };
        let own = recorder.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let own = own.clone();
                thread::spawn(move || own.serve(client));
            }
        });
        recorder
    }

    /// To a server with its data, and so its certificate, in `data`.
    pub(crate) fn pass_on_to(&self, door: Door, data: &std::path::Path) {
        let back = Back { door, shown: self.front.mode.server(data) };
        assert!(self.back.set(back).is_ok(), "told once");
    }

    /// Where clients find it.
    pub(crate) fn door(&self) -> Door {
        self.front
    }

    /// Everything that went either way so far: the bytes, and what they say without their mask.
    pub(crate) fn traffic(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for conversation in self.conversations() {
            let up = conversation.up.lock().expect("whole");
            all.extend_from_slice(&up);
            all.extend(unmasked(&up).into_iter().flat_map(|(_, payload)| [payload, vec![b'\n']].concat()));
            all.extend_from_slice(&conversation.down.lock().expect("whole"));
        }
        all
    }

    /// The frames of voice that clients have sent so far.
    pub(crate) fn spoken(&self) -> Vec<Vec<u8>> {
        let up = |conversation: Arc<Conversation>| unmasked(&conversation.up.lock().expect("whole"));
        let frames = self.conversations().into_iter().flat_map(up);
        frames.filter(|(first, _)| *first == FINAL_BINARY).map(|(_, frame)| frame).collect()
    }

    /// The session token that was shown last.
    pub(crate) fn newest_token(&self) -> Option<String> {
        let said = String::from_utf8_lossy(&self.traffic()).into_owned();
        Some(said.rsplit_once("earer ")?.1.split_once("\r\n")?.0.to_owned())
    }

    fn conversations(&self) -> Vec<Arc<Conversation>> {
        self.kept.lock().expect("whole").clone()
    }

    fn serve(&self, client: TcpStream) {
        let Some(Back { door, shown }) = self.back.get() else { return };
        client.set_nodelay(true).expect("an option");
        // A client that does not like the certificate.
        let Ok(client) = Line::accept(client, shown.clone()) else { return };
        let server = door.connect();
        let conversation = Arc::<Conversation>::default();
        self.kept.lock().expect("whole").push(conversation.clone());
        for line in [&client, &server] {
            // Nobody has to say anything.
            line.tcp().set_read_timeout(None).expect("an option");
        }
        let (client_too, server_too, up) = (client.clone(), server.clone(), conversation.clone());
        thread::spawn(move || copy(client, server_too, &up.up));
        copy(server, client_too, &conversation.down);
    }
}

/// Until one side ends; what was read is kept before it is passed on.
fn copy(mut from: Line, mut to: Line, kept: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        if read == 0 {
            break;
        }
        kept.lock().expect("whole").extend_from_slice(&buffer[..read]);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    // The other side may have gone.
    let _ = to.finish();
}

/// The first byte and the payload of each of a client's WebSocket frames, if these bytes are an upgrade and
/// what follows it.
fn unmasked(up: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let Some(end) = up.windows(4).position(|four| four == b"\r\n\r\n") else { return Vec::new() };
    if !String::from_utf8_lossy(&up[..end]).to_lowercase().contains("upgrade: websocket") {
        return Vec::new();
    }
    let (mut rest, mut out) = (&up[end + 4..], Vec::new());
    while let [first, length, after @ ..] = rest {
        let (length, after) = match (length & 0x7f, after) {
            (126, [high, low, after @ ..]) => (usize::from(u16::from_be_bytes([*high, *low])), after),
            (short @ 0..126, after) => (usize::from(short), after),
            _ => panic!("no message of a client is that long"),
        };
        let Some((mask, after)) = after.split_first_chunk::<4>() else { break };
        let (payload, after) = after.split_at(length.min(after.len()));
        out.push((*first, payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect()));
        rest = after;
    }
    out
}

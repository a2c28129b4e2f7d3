//! A proxy that keeps all that passes.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

/// Bytes of both directions of one connection.
#[derive(Default)]
struct Conversation {
    up: Mutex<Vec<u8>>,
    down: Mutex<Vec<u8>>,
}

/// Takes connections, and passes them on to the server once it has been told which.
#[derive(Clone)]
pub(crate) struct Recorder {
    address: SocketAddr,
    server: Arc<OnceLock<SocketAddr>>,
    kept: Arc<Mutex<Vec<Arc<Conversation>>>>,
}

impl Recorder {
    /// Its address is known before the server starts, which has to allow its origin.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let recorder = Self { address, server: Arc::default(), kept: Arc::default() };
        let own = recorder.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                own.serve(client);
            }
        });
        recorder
    }

    pub(crate) fn pass_on_to(&self, server: SocketAddr) {
        self.server.set(server).expect("told once");
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that went either way so far: the bytes, and what they say without their mask.
    pub(crate) fn traffic(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for conversation in self.kept.lock().expect("whole").iter() {
            let up = conversation.up.lock().expect("whole");
            all.extend_from_slice(&up);
            all.extend(unmasked(&up));
            all.extend_from_slice(&conversation.down.lock().expect("whole"));
        }
        all
    }

    fn serve(&self, client: TcpStream) {
        let Some(server) = self.server.get() else { return };
        let server = TcpStream::connect(server).expect("the server listens");
        let conversation = Arc::<Conversation>::default();
        self.kept.lock().expect("whole").push(conversation.clone());
        let (client_too, server_too) =
            (client.try_clone().expect("a handle"), server.try_clone().expect("a handle"));
        let down = conversation.clone();
        thread::spawn(move || copy(client, server_too, &conversation.up));
        thread::spawn(move || copy(server, client_too, &down.down));
    }
}

/// Until one side ends; what was read is kept before it is passed on.
fn copy(mut from: TcpStream, mut to: TcpStream, kept: &Mutex<Vec<u8>>) {
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
    let _ = to.shutdown(Shutdown::Write);
}

/// The payloads of a client's WebSocket frames, if these bytes are an upgrade and what follows it.
fn unmasked(up: &[u8]) -> Vec<u8> {
    let Some(end) = up.windows(4).position(|four| four == b"\r\n\r\n") else { return Vec::new() };
    if !String::from_utf8_lossy(&up[..end]).to_lowercase().contains("upgrade: websocket") {
        return Vec::new();
    }
    let (mut rest, mut out) = (&up[end + 4..], Vec::new());
    while let [_, length, after @ ..] = rest {
        let (length, after) = match (length & 0x7f, after) {
            (126, [high, low, after @ ..]) => (usize::from(u16::from_be_bytes([*high, *low])), after),
            (short @ 0..126, after) => (usize::from(short), after),
            _ => panic!("no message of a client is that long"),
        };
        let Some((mask, after)) = after.split_first_chunk::<4>() else { break };
        let (payload, after) = after.split_at(length.min(after.len()));
        out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        out.push(b'\n');
        rest = after;
    }
    out
}

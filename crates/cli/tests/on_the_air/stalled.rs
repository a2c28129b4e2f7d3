//! Networks that stall: what they held back is heard, and what they lost is told.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::host::{Host, Running};
use crate::recorded::seconds;
use crate::speech::{speech, write};
use crate::voice::value;

/// A wire to the server that can be stopped: nothing goes up or down then, and nothing is lost.
struct Wire {
    url: String,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    stopped: Mutex<bool>,
    goes: Condvar,
}

impl Wire {
    /// From an address that the server knows as its own.
    fn to(server: &str, listener: TcpListener) -> Self {
        let server = server.trim_start_matches("http://").to_owned();
        let url = url(&listener);
        let gate = Arc::new(Gate::default());
        let all = gate.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&server) else { return };
                let ends = [(&client, &server), (&server, &client)];
                for (from, to) in ends.map(|(from, to)| (from.try_clone().unwrap(), to.try_clone().unwrap()))
                {
                    let gate = all.clone();
                    std::thread::spawn(move || gate.carry(from, to));
                }
            }
        });
        Self { url, gate }
    }

    fn stop(&self, time: Duration) {
        *self.gate.stopped.lock().unwrap() = true;
        std::thread::sleep(time);
        *self.gate.stopped.lock().unwrap() = false;
        self.gate.goes.notify_all();
    }
}

fn url(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().unwrap())
}

impl Gate {
    fn carry(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut bytes = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            let stopped = self.goes.wait_while(self.stopped.lock().unwrap(), |stopped| *stopped).unwrap();
            drop(stopped);
            if to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        // It may have gone already.
        let _ = to.shutdown(Shutdown::Both);
    }
}

/// A talker of 8 s behind a wire that stops after two of them, and who hears them.
fn talk_and_stop(time: Duration) -> (Host, Running, Running) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = Host::start_with(&[("TENFOUR_ORIGINS", url(&listener).leak())]);
    write(&host.path("said.wav"), &speech(8.0));
    let folder = host.path("heard");
    let bob = host.listen("Bob", &["--bursts", "1", "--json", "--out", folder.to_str().unwrap()]);
    let wire = Wire::to(&host.url, listener);
    let mut talk = crate::host::tenfour();
    talk.args(["talk", "--server", &wire.url, "--handle", "Ann", "--json", "--key"])
        .arg(host.path("Ann.key"));
    talk.arg(host.path("said.wav"));
    let talk = Running::start(talk);
    let begin = Instant::now();
    loop {
        let file = std::fs::read_dir(&folder).unwrap().next().map(|entry| entry.unwrap().path());
        if file.is_some_and(|file| seconds(&file) >= 2.0) {
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(40), "nothing is heard");
        std::thread::yield_now();
    }
    wire.stop(time);
    (host, bob, talk)
}

#[test]
fn a_network_that_stalls_for_two_seconds_loses_nothing() {
    let (_host, mut listener, talk) = talk_and_stop(Duration::from_secs(2));
    let line = listener.line();
    let heard = (value(&line, "frames"), value(&line, "gaps"), value(&line, "reason"));
    assert_eq!(heard, (401.into(), 0.into(), "released".into()));
    let talk = talk.end();
    assert_eq!(talk.code, Some(0), "{}", talk.err);
    assert_eq!((value(&talk.out, "sent"), value(&talk.out, "frames")), (401.into(), 401.into()));
}

#[test]
fn a_network_that_stalls_for_six_seconds_is_told_to_both_sides() {
    let (_host, mut listener, talk) = talk_and_stop(Duration::from_secs(6));
    let line = listener.line();
    assert_eq!(value(&line, "reason"), "talker_lost");
    let talk = talk.end();
    assert_eq!(talk.code, Some(4), "{}", talk.err);
    // The receipt may come before the last frame.
    assert!(value(&talk.out, "sent").as_u64().unwrap() > 300, "{}", talk.out);
    assert_eq!(value(&talk.out, "frames"), value(&line, "frames"));
    assert!(talk.err.contains("stalled for more than three seconds"), "{}", talk.err);
}

//! A link that is cut in the middle of a burst and comes back: the talker is told how much was heard.

use std::io::Read;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::host::{Ended, Host, Running, tenfour};
use crate::speech::{speech, write};
use crate::voice::value;

/// Passes on what comes, until it is told to cut.
struct Line {
    url: &'static str,
    /// Where to, once that is known.
    server: Arc<Mutex<String>>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Line {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound")).leak();
        let line = Self { url, server: Arc::default(), open: Arc::default() };
        let (server, open) = (line.server.clone(), line.open.clone());
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let far = TcpStream::connect(&*server.lock().unwrap()).expect("the server");
                let ends = [&near, &far].map(|end| end.try_clone().expect("a second handle"));
                open.lock().unwrap().extend(ends);
                for (from, to) in [(near.try_clone(), far.try_clone()), (Ok(far), Ok(near))] {
                    let (mut from, mut to) = (from.expect("a handle"), to.expect("a handle"));
                    thread::spawn(move || {
                        std::io::copy(&mut from, &mut to).ok();
                        to.shutdown(Shutdown::Write).ok();
                    });
                }
            }
        });
        line
    }

    /// Every connection so far ends; new ones are passed on.
    fn cut(&self) {
        for end in self.open.lock().unwrap().drain(..) {
            end.shutdown(Shutdown::Both).ok();
        }
    }
}

/// A burst of five seconds that is cut when half a second of it has been heard.
fn cut_burst(json: bool) -> Ended {
    let line = Line::start();
    let host = Host::start_with(&[("TENFOUR_ORIGINS", line.url)]);
    *line.server.lock().unwrap() = host.url.trim_start_matches("http://").to_owned();
    write(&host.path("said.wav"), &speech(5.0));
    let mut witness = host.listen("Witness", &["--out", "-"]);
    let mut sound = witness.bytes();
    let mut talk = tenfour();
    talk.args(["talk", "--server", line.url, "--handle", "Ann", "--key"]).arg(host.path("Ann.key"));
    talk.arg(host.path("said.wav")).args(json.then_some("--json"));
    let talk = Running::start(talk);
    sound.read_exact(&mut [0; 48_000]).expect("half a second of sound");
    line.cut();
    talk.end()
}

#[test]
fn who_comes_back_says_how_much_of_the_burst_was_heard() {
    let talk = cut_burst(false);
    assert_eq!(talk.code, Some(4), "{}", talk.err);
    assert!(talk.err.contains("frames were relayed before"), "{}", talk.err);
}

#[test]
fn who_comes_back_says_so_as_json() {
    let talk = cut_burst(true);
    assert_eq!((talk.code, value(&talk.out, "ended")), (Some(4), "talker_lost".into()), "{}", talk.err);
    let (frames, sent) = (value(&talk.out, "frames"), value(&talk.out, "sent"));
    assert!(
        (20..251).contains(&frames.as_u64().unwrap()) && sent.as_u64() >= frames.as_u64(),
        "{}",
        talk.out
    );
}

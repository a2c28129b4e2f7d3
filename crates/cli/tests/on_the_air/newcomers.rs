//! Many newcomers behind one address, with the client as it is: all of them come in, by themselves.

use std::time::{Duration, Instant};

use tenfour_client::{Identity, Server, Waiting, log_in_telling};
use tenfour_protocol::limits::REGISTRATIONS_AN_HOUR;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy};
use tokio::net::{TcpListener, TcpStream};

use crate::host::{Host, Running, tenfour};

/// Where all of them come from, as the proxy says.
const CLUB_HOUSE: &str = "203.0.113.9";

/// A server, and the operator's proxy before it.
struct House {
    host: Host,
    url: String,
    listener: std::net::TcpListener,
}

impl House {
    fn open() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        // A test has one, until it ends.
        let origin: &str = Box::leak(url.clone().into_boxed_str());
        let host = Host::start_with(&[("TENFOUR_ORIGINS", origin), ("TENFOUR_TRUSTED_PROXIES", "127.0.0.1")]);
        Self { host, url, listener }
    }

    /// Lets everybody through, as somebody from the club house.
    fn let_in(&self) {
        let listener = self.listener.try_clone().unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let server = self.host.url.trim_start_matches("http://").to_owned();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                // Either end may go at any moment.
                tokio::spawn(async move { forward(client, server).await.ok() });
            }
        });
    }
}

/// Adds whose each request is; answers go back as they are.
async fn forward(mut client: TcpStream, mut server: TcpStream) -> std::io::Result<()> {
    let (from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let requests = async {
        let mut from_client = BufReader::new(from_client);
        let mut line = String::new();
        while from_client.read_line(&mut line).await? > 0 {
            let mut head = format!("{line}x-forwarded-for: {CLUB_HOUSE}\r\n");
            let mut length = 0;
            loop {
                line.clear();
                from_client.read_line(&mut line).await?;
                head.push_str(&line);
                match line.split_once(": ") {
                    Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                        length = value.trim().parse().unwrap();
                    }
                    Some(_) => {}
                    None => break,
                }
            }
            line.clear();
            let mut body = vec![0; length];
            from_client.read_exact(&mut body).await?;
            to_server.write_all(&[head.as_bytes(), &body].concat()).await?;
        }
        to_server.shutdown().await
    };
    let answers = async { copy(&mut from_server, &mut to_client).await.map(drop) };
    // When one end hangs up, so does the other.
    tokio::select! {
        ended = requests => ended,
        ended = answers => ended,
    }
}

/// What one of them was told.
#[derive(Default)]
struct Told {
    waits: usize,
    works: usize,
}

async fn come_in(server: Server, number: usize) -> Told {
    let identity = Identity::generate().unwrap();
    let mut told = Told::default();
    let tell = |waiting| match waiting {
        Waiting::Turn(_) => told.waits += 1,
        Waiting::Work => told.works += 1,
    };
    let session = log_in_telling(&server, &identity, Some(&format!("Newcomer {number}")), tell).await;
    let session = session.unwrap_or_else(|error| panic!("newcomer {number}: {error}"));
    assert!(session.registered);
    told
}

/// How long it takes until all are in.
async fn all_come_in(house: &House, number: usize) -> Duration {
    let server = Server::new(&house.url, None).unwrap();
    let begun = Instant::now();
    let everybody: Vec<_> = (0..number).map(|n| tokio::spawn(come_in(server.clone(), n))).collect();
    let mut all = Vec::new();
    for one in everybody {
        all.push(one.await.unwrap());
    }
    let took = begun.elapsed();
    let (waited, worked) =
        (all.iter().filter(|told| told.waits > 0).count(), all.iter().filter(|told| told.works > 0).count());
    println!("{number} newcomers came in within {took:.1?}: {waited} waited, {worked} worked");
    assert!(waited > 0, "they came at once");
    assert!(worked >= number - REGISTRATIONS_AN_HOUR, "each but the first ones");
    took
}

#[tokio::test]
async fn eighty_newcomers_of_one_address_all_come_in_by_themselves() {
    let house = House::open();
    house.let_in();
    all_come_in(&house, 80).await;
    // The binary works for its place, too, and says so.
    let mut program = tenfour();
    program.args(["whoami", "--server", &house.url, "--handle", "Latecomer", "--key"]);
    program.arg(house.host.path("latecomer.key"));
    let ended = tokio::task::spawn_blocking(|| Running::start(program).end()).await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.contains("Many people registered from your network"), "{}", ended.err);
    assert!(ended.err.contains("Registered at"), "{}", ended.err);
}

/// By hand: `cargo nextest run -p tenfour-cli --test on_the_air --run-ignored only -E 'test(three_hundred)' --no-capture`.
#[tokio::test]
#[ignore = "takes half a minute"]
async fn three_hundred_newcomers_of_one_address_are_in_within_two_minutes() {
    let house = House::open();
    house.let_in();
    let took = all_come_in(&house, 300).await;
    assert!(took <= Duration::from_secs(120), "{took:?}");
}

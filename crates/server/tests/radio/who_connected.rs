//! Who connected, from where and on what: nobody reads it but of themselves, whatever they ask for.

use std::cmp::Reverse;

use serde_json::{Value, json};
use tenfour_protocol::Code;
use tenfour_server::connection_log::{Rules, aggregate, parse_day};
use tenfour_server::openapi;
use tokio::net::{TcpSocket, TcpStream};

use crate::desk::{Desk, Key};
use crate::http::{Reply, request};
use crate::radio::Radio;

/// People whose connections are looked for.
const PEOPLE: u8 = 12;
/// Who looks; was connected too.
const READER: u8 = 1;

/// What an interface of before, a debugger, a framework or a hurry might have left behind. The
/// words in braces stand for what a curious one may know of somebody.
const GUESSES: &[&str] = &[
    "/",
    "/admin",
    "/admin/log",
    "/api",
    "/api/v1",
    "/api/v1/admin",
    "/api/v1/channels/19",
    "/api/v1/channels/19/participants",
    "/api/v1/connections",
    "/api/v1/connections?last=10",
    "/api/v1/devices",
    "/api/v1/health",
    "/api/v1/inbox",
    "/api/v1/last",
    "/api/v1/log",
    "/api/v1/logs",
    "/api/v1/me/{user}",
    "/api/v1/me?user={user}",
    "/api/v1/me/connections",
    "/api/v1/metrics",
    "/api/v1/participants",
    "/api/v1/recent",
    "/api/v1/sessions",
    "/api/v1/stats",
    "/api/v1/stats?threshold=0&epsilon=1000",
    "/api/v1/user/{user}",
    "/api/v1/users",
    "/api/v1/users/{user}",
    "/api/v1/users/{handle}",
    "/api/v1/users/{user}/connections",
    "/api/v1/users?handle={handle}",
    "/api/v1/who",
    "/api/v1/whoami?user={user}",
    "/api/v2/me",
    "/connections",
    "/console",
    "/data/log/",
    "/debug",
    "/debug/pprof/",
    "/debug/vars",
    "/dump",
    "/events",
    "/health",
    "/health?verbose=1",
    "/health/connections",
    "/index.html",
    "/last",
    "/log",
    "/log/",
    "/log/{hour}.jsonl",
    "/log/{day}.jsonl",
    "/../log/{hour}.jsonl",
    "/%2e%2e/log/{hour}.jsonl",
    "/..%2flog%2f{hour}.jsonl",
    "//log/{hour}.jsonl",
    "/logs",
    "/metrics",
    "/metrics?name[]=last",
    "/metrics/last",
    "/openapi.json",
    "/private",
    "/sessions",
    "/stats",
    "/status",
    "/tenfour.db",
    "/%2e%2e/tenfour.db",
    "/trace",
    "/users",
    "/users/{user}",
    "/.well-known/tenfour",
    "/who",
];

fn handle(seed: u8) -> String {
    format!("Quail{seed:02}")
}

fn address(seed: u8) -> String {
    format!("127.17.0.{}", 100 + seed)
}

fn device(seed: u8) -> Value {
    let name = |what: &str| format!("{what}{seed:02}");
    json!({ "manufacturer": name("Maker"), "model": name("Model"), "platform": name("System"),
            "version": name("Version") })
}

/// What is in the log of somebody, but the time.
fn traces(seed: u8) -> Vec<String> {
    let device = device(seed);
    let said = device.as_object().unwrap().values().map(|value| value.as_str().unwrap().to_owned());
    said.chain([handle(seed), address(seed), Key::new(seed).user().to_string()]).collect()
}

fn has(bytes: &[u8], trace: &str) -> bool {
    bytes.windows(trace.len()).any(|window| window == trace.as_bytes())
}

/// A connection from another address of loopback.
pub(crate) async fn from(desk: &Desk, address: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
    socket.connect(desk.address()).await.unwrap()
}

/// Everybody connects, talks to nobody, and half of them stay.
async fn connected(desk: &Desk) -> Vec<Radio> {
    let mut there = Vec::new();
    for seed in 1..=PEOPLE {
        let token = desk.register(seed, &handle(seed));
        let stream = from(desk, &address(seed)).await;
        let mut radio = Radio::over(stream, desk.url(), &token, json!({ "device": device(seed) })).await;
        radio.tune("19").await;
        if seed % 2 == 0 { there.push(radio) } else { radio.leave().await }
    }
    there
}

/// The whole answer, of which the head may tell something as well.
fn told(reply: Reply) -> Vec<u8> {
    [reply.head.into_bytes(), reply.body].concat()
}

/// Nothing of anybody is in an answer, but of the one who may know.
fn names_nobody(answer: &[u8], but: Option<u8>, question: &str) {
    for seed in (1..=PEOPLE).filter(|seed| Some(*seed) != but) {
        for trace in traces(seed) {
            assert!(!has(answer, &trace), "{question} names {trace}: {}", String::from_utf8_lossy(answer));
        }
    }
}

/// The requests that the OpenAPI document has, reading ones first and the erasure of who asks last.
fn documented() -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let methods = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
    };
    let mut requests: Vec<_> = paths.flat_map(methods).collect();
    requests.sort_by_key(|(method, path)| (method != "GET", method == "DELETE", Reverse(path.len())));
    requests
}

/// A path in which words stand for somebody, as whoever knows all of these would ask.
fn filled_in(path: &str, seed: u8, hour: &str) -> String {
    path.replace("{user}", &Key::new(seed).user().to_string())
        .replace("{handle}", &handle(seed))
        .replace("{hour}", hour)
        .replace("{day}", &hour[..10])
}

#[tokio::test]
async fn nobody_reads_of_a_connection_that_is_not_their_own() {
    let desk = Desk::new();
    let there = connected(&desk).await;
    let own = desk.ask("GET", "/api/v1/me", &desk.log_in(READER), &Value::Null);
    let rows = own.json()["connections"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 1);
    let own = told(own);
    assert!(traces(READER).iter().all(|trace| has(&own, trace)), "one's own is shown: {rows:?}");
    let hour = &rows[0]["time"].as_str().unwrap()[..13];

    let requests = documented();
    assert!(requests.len() >= 9, "{requests:?}");
    let guesses = GUESSES.iter().map(|path| ("GET".to_owned(), (*path).to_owned()));
    let mut answered = 0;
    for (method, path) in guesses.chain(requests) {
        let victim = 2 + (answered as u8 % (PEOPLE - 1));
        let path = filled_in(&path, victim, hour);
        let question = format!("{method} {path}");
        let stranger = request(desk.address(), &method, &path, &[], b"{}");
        names_nobody(&hide(&told(stranger), &path), None, &format!("{question} of a stranger"));
        let other = desk.ask(&method, &path, &desk.log_in(READER), &json!({}));
        names_nobody(&hide(&told(other), &path), Some(READER), &format!("{question} of a user"));
        let operator = request(desk.ops_address(), &method, &path, &[], b"{}");
        names_nobody(&hide(&told(operator), &path), None, &format!("{question} of the operator"));
        answered += 1;
    }
    assert!(answered > 70, "{answered}");
    drop(there);
}

/// What was asked for may be repeated in the answer: the one who asks knew it.
fn hide(answer: &[u8], path: &str) -> Vec<u8> {
    String::from_utf8_lossy(answer).replace(path, "…").into_bytes()
}

#[tokio::test]
async fn what_is_counted_names_nobody_whatever_the_rules() {
    let mut desk = Desk::new();
    let there = connected(&desk).await;
    let own = desk.ask("GET", "/api/v1/me", &desk.log_in(READER), &Value::Null).json();
    let day = parse_day(&own["connections"][0]["time"].as_str().unwrap()[..10]).unwrap();
    drop(there);
    desk.stop();
    for rules in [Rules::default(), Rules { epsilon: 10.0, threshold: 2 }] {
        let counts = serde_json::to_string(&aggregate(desk.data(), &[day], 7, rules).unwrap()).unwrap();
        assert!(counts.contains("running"), "a day that is not over is not told: {counts}");
        names_nobody(counts.as_bytes(), None, "the counts");
    }
}

/// Figures of the operator, by name; one of them is told by the code of the protocol.
const CODED: &str = "tenfour_closes_total{code=\"";
/// Histograms of time, over everybody: buckets are told apart by their bound, and the sum is in seconds.
const TIMES: [&str; 2] = ["tenfour_hub_wait_seconds_", "tenfour_login_seconds_"];

#[tokio::test]
async fn figures_of_the_operator_carry_no_names() {
    let desk = Desk::new();
    let there = connected(&desk).await;
    let text = desk.ops("/metrics");
    assert!(text.ends_with("# EOF\n"), "{text}");
    let mut figures = 0;
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(comment) = line.strip_prefix("# ") {
            let (kind, _) = comment.split_once(" tenfour_").unwrap_or_else(|| panic!("{line}"));
            assert!(["HELP", "TYPE", "UNIT"].contains(&kind), "{line}");
            continue;
        }
        let (name, number) = line.rsplit_once(' ').expect("a name and a number");
        if let Some(of_time) = TIMES.iter().find_map(|time| name.strip_prefix(time)) {
            number.parse::<f64>().unwrap_or_else(|error| panic!("{line}: {error}"));
            let bound = of_time.strip_prefix("bucket{le=\"").and_then(|rest| rest.strip_suffix("\"}"));
            let is_bound = bound.is_some_and(|bound| bound.parse::<f64>().is_ok());
            assert!(is_bound || ["sum", "count"].contains(&of_time), "{line}");
            continue;
        }
        number.parse::<u64>().unwrap_or_else(|error| panic!("{line}: {error}"));
        let code = name.strip_prefix(CODED).and_then(|rest| rest.strip_suffix("\"}"));
        let word = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        match code {
            Some(code) => assert!(serde_json::from_value::<Code>(code.into()).is_ok(), "{line}"),
            None => assert!(name.starts_with("tenfour_") && word(name), "{line}"),
        }
        figures += 1;
    }
    assert!(figures > 10, "{text}");
    names_nobody(text.as_bytes(), None, "the figures");
    assert_eq!(desk.ops("/health"), "on the air\n");
    drop(there);
}

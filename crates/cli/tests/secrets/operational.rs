//! What the operational log may say, written down a second time: sentences word for word, the fields
//! that may stand beside each, and what these may be. Whatever else is in it is a finding.

use serde_json::{Map, Value};

/// Sentences of a server that works, and of one whose clients or whose disk do not.
const SENTENCES: [(&str, &[&str]); 7] = [
    ("the server is on the air", &["workers", "tls"]),
    ("the server has confined itself", &["writes", "calls", "memory"]),
    (
        "the server has confined itself as far as this kernel can; nothing else depends on it",
        &["writes", "calls", "memory"],
    ),
    ("the server has stopped", &[]),
    ("an HTTP connection broke", &["reason"]),
    (
        "the connection log cannot be written: make room on the disk, or check its rights; the service goes on without it",
        &["reason"],
    ),
    ("the connection log is written again; rows were lost", &["count"]),
];
/// The only texts that are no sentence of ours: what the system or a library says went wrong.
const REASONS: [&str; 14] = [
    "No space left on device (os error 28)",
    "connection closed before message completed",
    "connection error",
    "error reading a body from connection",
    "error shutting down connection",
    "error writing a body to connection",
    "invalid HTTP header parsed",
    "invalid HTTP method parsed",
    "invalid HTTP version parsed",
    "invalid HTTP version parsed (found HTTP2 preface)",
    "invalid URI",
    "invalid content-length parsed",
    "message head is too large",
    "read header from client timeout",
];
/// What the program says to whoever started it.
const ASIDES: [&str; 2] = [
    "Stopping. Press Ctrl-C again to stop at once.",
    "The certificate is self-signed: a browser warns once. Its SHA-256 fingerprint is",
];
const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// How lines are written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format {
    Json,
    Text,
}

impl Format {
    /// As the operator sets it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
        }
    }
}

/// One line that may be said.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) sentence: &'static str,
    pub(crate) fields: Map<String, Value>,
}

/// The lines of a log, in which no byte is left over.
pub(crate) fn lines(log: &[u8], format: Format) -> Vec<Line> {
    let text = std::str::from_utf8(log).expect("text");
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is torn");
    let said = text.split_terminator('\n').filter(|line| !is_aside(line));
    let read = |line| match format {
        Format::Json => in_json(line),
        Format::Text => in_text(line),
    };
    said.map(|line| read(line).unwrap_or_else(|wrong| panic!("{wrong}: {line}"))).collect()
}

/// Not for the log, but for a person who started the server: among these, its address as a picture, and the
/// fingerprint of its certificate.
fn is_aside(line: &str) -> bool {
    let picture = line.chars().all(|c| matches!(c, ' ' | '▀' | '▄' | '█'));
    let fingerprint = line.len() == 95 && line.split(':').all(|byte| u8::from_str_radix(byte, 16).is_ok());
    ASIDES.contains(&line) || picture || fingerprint
}

fn in_json(line: &str) -> Result<Line, String> {
    let mut fields: Map<String, Value> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let mut take = |name| match fields.remove(name) {
        Some(Value::String(text)) => Ok(text),
        other => Err(format!("{name} is {other:?}")),
    };
    let (time, level, message) = (take("time")?, take("level")?, take("message")?);
    judge(&time, &level, &message, fields)
}

/// `TIME LEVEL sentence name=value`, where a value is JSON.
fn in_text(line: &str) -> Result<Line, String> {
    let (time, rest) = line.split_once(' ').ok_or("one word")?;
    let (level, rest) = rest.split_once(' ').ok_or("two words")?;
    let rest = rest.trim_start_matches(' ');
    let (message, mut rest) = SENTENCES
        .iter()
        .find_map(|(sentence, _)| Some((*sentence, rest.strip_prefix(sentence)?)))
        .ok_or("an unknown sentence")?;
    let mut fields = Map::new();
    while !rest.is_empty() {
        let (name, value) = rest.strip_prefix(' ').and_then(|rest| rest.split_once('=')).ok_or("no field")?;
        let mut values = serde_json::Deserializer::from_str(value).into_iter::<Value>();
        let read = values.next().ok_or("no value")?.map_err(|error| error.to_string())?;
        fields.insert(name.to_owned(), read);
        rest = &value[values.byte_offset()..];
    }
    judge(time, &level.to_ascii_lowercase(), message, fields)
}

fn judge(time: &str, level: &str, message: &str, fields: Map<String, Value>) -> Result<Line, String> {
    let figures = |c: char| if c.is_ascii_digit() { '0' } else { c };
    if time.chars().map(figures).collect::<String>() != "0000-00-00T00:00:00.000000Z" {
        return Err(format!("{time} is no time"));
    }
    if !LEVELS.contains(&level) {
        return Err(format!("{level} is no level"));
    }
    let known = SENTENCES.iter().find(|(sentence, _)| *sentence == message);
    let (sentence, allowed) = known.ok_or_else(|| format!("{message} is nothing it says"))?;
    for (name, value) in &fields {
        let fits = match value {
            Value::Number(_) | Value::Bool(_) => true,
            Value::String(reason) => name == "reason" && REASONS.contains(&reason.as_str()),
            _ => false,
        };
        if !allowed.contains(&name.as_str()) || !fits {
            return Err(format!("{name} is {value}"));
        }
    }
    Ok(Line { sentence, fields })
}

#[test]
fn a_line_with_a_word_too_many_is_noticed() {
    let time = "2026-11-23T22:18:02.123456Z";
    let good = format!("{time} INFO  the server is on the air workers=4 tls=false\n");
    assert_eq!(lines(good.as_bytes(), Format::Text)[0].fields["workers"], 4);
    let begin = format!(r#"{{"time":"{time}","level":"info","message":"the server is on the air""#);
    let in_json = begin + ",\"workers\":4}\n";
    assert_eq!(lines(in_json.as_bytes(), Format::Json)[0].sentence, "the server is on the air");
    let is_noticed =
        |line: String, format| std::panic::catch_unwind(|| lines(line.as_bytes(), format)).is_err();
    for (from, to) in [
        ("workers=4", "workers=4 channel=19"),
        ("workers=4", r#"workers="Roadrunner""#),
        ("the air", "the air Roadrunner"),
        ("INFO", "SHOUT"),
        (time, "yesterday"),
        ("tls=false\n", "tls=false"),
    ] {
        assert!(is_noticed(good.replace(from, to), Format::Text), "{to}");
    }
    for (from, to) in [
        (r#""workers":4"#, r#""workers":4,"handle":"Roadrunner""#),
        (r#""workers":4"#, r#""workers":"127.0.0.1""#),
        ("the air", "the air of Roadrunner"),
        ("}", "},"),
    ] {
        assert!(is_noticed(in_json.replace(from, to), Format::Json), "{to}");
    }
}

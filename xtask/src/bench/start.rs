//! From the start of the server to its first answer, and the size of the binary.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::gates;
use super::report::Section;
use super::servers::{Ours, Server};
use super::statistics::Spread;
use crate::shell::target;

const RUNS: usize = 11;

pub(super) fn run() -> Result<Section> {
    let times: Result<Vec<f64>> = (0..RUNS).map(|_| first_answer()).collect();
    let times = Spread::of(times?);
    let binary = target().join("release/tenfour");
    let size = size_of(&binary)?;
    let text = format!(
        "From `tenfour serve` with an empty data folder to the whole of the first page: {} ms, median of {RUNS}. The \
         binary of `cargo build --release` has {size:.1} MB.\n",
        times.text(1)
    );
    let verdicts = vec![gates::P10_START.judge(times.median), gates::P10_SIZE.judge(size)];
    Ok(Section { name: "start", title: "Start", text, verdicts, keep: true })
}

fn size_of(file: &Path) -> Result<f64> {
    Ok(fs::metadata(file).with_context(|| file.display().to_string())?.len() as f64 / 1e6)
}

/// In milliseconds, from before the process is made.
fn first_answer() -> Result<f64> {
    let begin = Instant::now();
    let server = Server::ours(Ours::PLAIN)?;
    let authority = server.at.trim_start_matches("http://");
    let mut stream = TcpStream::connect(authority)?;
    write!(stream, "GET / HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let took = begin.elapsed();
    ensure!(answer.starts_with(b"HTTP/1.1 200"), "the first answer is {}", String::from_utf8_lossy(&answer));
    Ok(took.as_secs_f64() * 1000.0)
}

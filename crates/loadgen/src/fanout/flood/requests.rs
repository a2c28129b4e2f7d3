//! Floods of connections, requests and upgrades that are soon over.

use std::io::Write;
use std::net::TcpStream;

use anyhow::Result;
use tenfour_protocol::control::Resume;

use super::call::{log_in, post, register};
use super::ground::{Ground, hello, text, until};
use super::streams::LARGE;

/// Each makes one attempt after the other, as fast as the server answers.
const THREADS: usize = 16;
/// Requests on one connection before the next is made.
const ON_ONE: usize = 100;

/// One attempt, with its number.
pub(super) type Attempt = fn(&Ground, usize) -> Result<()>;

pub(super) fn run(ground: &Ground, attempt: Attempt) {
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for number in (thread..).step_by(THREADS) {
                    if ground.is_over() {
                        return;
                    }
                    if let Err(error) = attempt(ground, number) {
                        ground.tally.refused(|| format!("{error:#}"));
                    }
                }
            });
        }
    });
}

pub(super) fn connects(ground: &Ground, number: usize) -> Result<()> {
    ground.connect(number)?;
    ground.tally.sent(0);
    Ok(())
}

pub(super) fn good_log_ins(ground: &Ground, number: usize) -> Result<()> {
    let who = &ground.people[number % ground.people.len()];
    on_one(ground, number, |tcp| log_in(ground, tcp, who, true))
}

pub(super) fn bad_log_ins(ground: &Ground, number: usize) -> Result<()> {
    let who = &ground.people[number % ground.people.len()];
    on_one(ground, number, |tcp| log_in(ground, tcp, who, false))
}

pub(super) fn registrations(ground: &Ground, number: usize) -> Result<()> {
    on_one(ground, number, |tcp| register(ground, tcp))
}

pub(super) fn nonces(ground: &Ground, number: usize) -> Result<()> {
    on_one(ground, number, |tcp| {
        let (status, body) = post(ground, tcp, "nonce", &())?;
        if status != 200 {
            ground.tally.refused(|| String::from_utf8_lossy(&body).into_owned());
        }
        Ok(())
    })
}

fn on_one(ground: &Ground, number: usize, request: impl Fn(&mut TcpStream) -> Result<()>) -> Result<()> {
    let mut tcp = ground.connect(number)?;
    for _ in 0..ON_ONE {
        if ground.is_over() {
            break;
        }
        request(&mut tcp)?;
    }
    Ok(())
}

pub(super) fn upgrades(ground: &Ground, number: usize) -> Result<()> {
    ground.upgraded(number)?;
    ground.tally.sent(0);
    Ok(())
}

/// Resumes a session that never was: the server has to look for it.
pub(super) fn resumes(ground: &Ground, number: usize) -> Result<()> {
    let mut tcp = ground.upgraded(number)?;
    let resume = Resume { token: format!("{number:032}"), newest: None, have: Vec::new() };
    let hello = text(&hello(Some(resume)))?;
    tcp.write_all(&hello)?;
    ground.tally.sent(hello.len());
    until(&mut tcp, br#"{"type":"welcome""#).map(drop)
}

/// The reset comes while the server writes voice.
pub(super) fn resets(ground: &Ground, number: usize) -> Result<()> {
    ground.tuned(number, LARGE)?;
    ground.tally.sent(0);
    Ok(())
}

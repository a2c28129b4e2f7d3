//! HTTP requests of attackers, who do not wait when the server tells them to, as the client's own code would.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, bail};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::Serialize;
use tenfour_client::Identity;
use tenfour_protocol::auth::signed_bytes;
use tenfour_protocol::http::{Login, Nonce, Proof, Register, SessionKind};

use super::ground::{Ground, until};

/// A request, and the status of its answer with the body.
pub(super) fn post(
    ground: &Ground,
    tcp: &mut TcpStream,
    path: &str,
    body: &impl Serialize,
) -> Result<(u16, Vec<u8>)> {
    let body = serde_json::to_string(body)?;
    let request = format!(
        "POST /api/v1/{path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        ground.address,
        body.len()
    );
    tcp.write_all(request.as_bytes())?;
    ground.tally.sent(request.len());
    let mut answer = until(tcp, b"\r\n\r\n")?;
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n").context("no head")? + 4;
    let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
    let status = text.get(9..12).and_then(|status| status.parse().ok()).context("no status")?;
    let length: usize = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
        .unwrap_or_default();
    let mut piece = [0; 4096];
    while answer.len() < head + length {
        match tcp.read(&mut piece)? {
            0 => bail!("closed in an answer"),
            read => answer.extend_from_slice(&piece[..read]),
        }
    }
    Ok((status, answer.split_off(head)))
}

/// A nonce, signed with the key. None when the server gives no nonce.
pub(super) fn prove(ground: &Ground, tcp: &mut TcpStream, identity: &Identity) -> Result<Option<Proof>> {
    let (status, body) = post(ground, tcp, "nonce", &())?;
    if status != 200 {
        ground.tally.refused(|| String::from_utf8_lossy(&body).into_owned());
        return Ok(None);
    }
    let Nonce { nonce, expiry, .. } = serde_json::from_slice(&body)?;
    let bytes = BASE64URL_NOPAD.decode(nonce.as_bytes())?.try_into().ok().context("a nonce of 32 bytes")?;
    let signature = identity.sign(&signed_bytes(&ground.origin, &bytes, expiry, &identity.user()));
    Ok(Some(Proof {
        key: BASE64URL_NOPAD.encode(&identity.public_key()),
        nonce,
        expiry,
        signature: BASE64URL_NOPAD.encode(&signature),
        session: SessionKind::Bearer,
    }))
}

/// Logs in, with a good signature or a bad one.
pub(super) fn log_in(ground: &Ground, tcp: &mut TcpStream, identity: &Identity, good: bool) -> Result<()> {
    let Some(mut proof) = prove(ground, tcp, identity)? else { return Ok(()) };
    if !good {
        proof.signature = BASE64URL_NOPAD.encode(&[7; 64]);
    }
    granted(ground, post(ground, tcp, "login", &Login { proof })?)
}

/// Registers a key that nobody has seen, and does no work for it.
pub(super) fn register(ground: &Ground, tcp: &mut TcpStream) -> Result<()> {
    let identity = Identity::generate()?;
    let Some(proof) = prove(ground, tcp, &identity)? else { return Ok(()) };
    let handle = format!("Flood {}", HEXLOWER.encode(&identity.public_key()[..8]));
    granted(
        ground,
        post(ground, tcp, "register", &Register { handle, description: None, work: None, proof })?,
    )
}

fn granted(ground: &Ground, (status, body): (u16, Vec<u8>)) -> Result<()> {
    if !(200..300).contains(&status) {
        ground.tally.refused(|| String::from_utf8_lossy(&body).into_owned());
    }
    Ok(())
}

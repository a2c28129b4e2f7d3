//! TLS.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use tenfour_server::config::Settings;
use tokio::net::TcpStream;

use crate::desk::{Desk, Key};
use crate::http::{Reply, connect, exchange};
use crate::radio::{Radio, frame};

pub(crate) fn trusting(certificate: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

pub(crate) fn name() -> ServerName<'static> {
    ServerName::try_from("127.0.0.1").unwrap()
}

fn post(desk: &Desk, config: &Arc<ClientConfig>, path: &str, body: &Value) -> Reply {
    let session = ClientConnection::new(config.clone(), name()).unwrap();
    let mut stream = StreamOwned::new(session, connect(desk.address()));
    let host = desk.address().to_string();
    exchange(&mut stream, &host, "POST", path, &[], body.to_string().as_bytes())
}

/// Registers a key under a handle.
pub(crate) fn enter(desk: &Desk, config: &Arc<ClientConfig>, seed: u8, handle: &str, session: &str) -> Reply {
    let nonce = post(desk, config, "/api/v1/nonce", &json!({})).json();
    let proof = Key::new(seed).prove(&nonce, desk.url(), session);
    post(desk, config, "/api/v1/register", &json!({ "handle": handle, "proof": proof }))
}

fn make(cert: &Path, key: &Path) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(key, made.signing_key.serialize_pem()).unwrap();
    std::fs::write(cert, made.cert.pem()).unwrap();
}

#[tokio::test]
async fn the_radio_works_over_tls_with_a_self_signed_certificate() {
    let desk = Desk::with(Settings { tls: Some("self-signed".into()), ..Settings::default() });
    assert!(desk.url().starts_with("https://127.0.0.1:"));
    let config = trusting(&desk.data().join("self-signed.pem"));
    let browser = enter(&desk, &config, 9, "Browser", "cookie");
    assert_eq!(browser.header("connection"), Some("close"), "hyper would keep the cookie");
    assert_eq!(browser.header("strict-transport-security"), Some("max-age=63072000"));
    let cookie = browser.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-tenfour=") && cookie.ends_with("SameSite=Strict; Secure"), "{cookie}");
    let mut radios = Vec::new();
    for (seed, handle) in [(1, "Talker"), (2, "Listener"), (3, "Listener")] {
        let token =
            enter(&desk, &config, seed, handle, "bearer").json()["token"].as_str().unwrap().to_owned();
        let tcp = TcpStream::connect(desk.address()).await.unwrap();
        let tls = tenfour_tls::connect(tcp, config.clone(), name()).await.unwrap();
        let mut radio = Radio::over(tls, desk.url(), &token, json!({})).await;
        radio.tune("19").await;
        radios.push(radio);
    }
    let mut talker = radios.remove(0);
    talker.press(1).await;
    for seq in 0..100 {
        talker.voice(frame(1, seq, 200, false)).await;
    }
    talker.release(1, 100).await;
    for listener in &mut radios {
        let (_, frames, ended) = listener.burst().await;
        assert_eq!((frames.len(), &ended["frames"]), (100, &json!(100)));
    }
}

#[test]
fn the_self_signed_certificate_stays_and_its_key_is_for_the_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let mut desk = Desk::with(Settings { tls: Some("self-signed".into()), ..Settings::default() });
    let fingerprint = desk.server().fingerprint().unwrap().unwrap();
    assert_eq!(fingerprint.split(':').count(), 32);
    let key = std::fs::metadata(desk.data().join("self-signed.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    desk.stop();
    desk.start();
    assert_eq!(desk.server().fingerprint().unwrap().unwrap(), fingerprint);
}

#[test]
fn a_certificate_that_changes_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    make(&cert, &key);
    let settings =
        Settings { tls_cert: Some(cert.clone()), tls_key: Some(key.clone()), ..Settings::default() };
    let desk = Desk::with(settings);
    let shakes_hands = |config: &Arc<ClientConfig>| {
        let mut session = ClientConnection::new(config.clone(), name()).unwrap();
        let mut socket = connect(desk.address());
        session.complete_io(&mut socket).is_ok()
    };
    let old = trusting(&cert);
    assert!(shakes_hands(&old));
    std::fs::write(&cert, "half written").unwrap();
    make(&cert, &key);
    let new = trusting(&cert);
    // The server looks every two seconds.
    let deadline = Instant::now() + Duration::from_secs(8);
    while !shakes_hands(&new) {
        assert!(Instant::now() < deadline, "the new certificate is not shown");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(!shakes_hands(&old));
}

#[test]
fn certificates_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let start = || {
        let settings = Settings {
            listen: Some("127.0.0.1:0".parse().unwrap()),
            data: Some(folder.path().to_owned()),
            tls_cert: Some(cert.clone()),
            tls_key: Some(key.clone()),
            ..Settings::default()
        };
        let config = tenfour_server::config::Config::new(settings).unwrap();
        tenfour_server::Server::start(config).unwrap_err().to_string()
    };
    assert!(start().contains("cert.pem"));
    make(&cert, &key);
    std::fs::write(&key, "no key").unwrap();
    assert!(start().contains("key.pem has no private key"));
    make(&folder.path().join("other.pem"), &key);
    assert!(start().contains("do not work together"));
}

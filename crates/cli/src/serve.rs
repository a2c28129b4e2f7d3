//! `tenfour serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde::Serialize;
use tenfour_server::config::{Config, Settings, Tls};
use tenfour_server::confine::confine;
use tenfour_server::nats::NatsAddress;
use tenfour_server::{Server, Sinks};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::hangups_are_ignored;

/// Flags of `tenfour serve`. What is not given here is taken from the environment
/// (`TENFOUR_LISTEN` and so on), then from the file, then from the defaults.
#[derive(Debug, clap::Args, Serialize)]
pub(crate) struct Serve {
    /// Where people connect [default: 127.0.0.1:27185]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    listen: Option<SocketAddr>,
    /// Where /metrics and /health are [default: nowhere]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    ops: Option<SocketAddr>,
    /// Folder of the store [default: the platform's data folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Configuration; deploy/tenfour.toml explains every key
    #[arg(long, value_name = "FILE", env = "TENFOUR_CONFIG")]
    #[serde(skip)]
    config: Option<PathBuf>,
    /// Servers of NATS, when this is one of several nodes [default: this is the only one]
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    nats: Option<Vec<NatsAddress>>,
    /// Who we are for NATS: a .creds file, or a file with one line like user:password
    #[arg(long, value_name = "FILE")]
    nats_creds: Option<PathBuf>,
    /// What nodes of the cluster know and NATS does not: a file with the line that `openssl rand -hex 32` makes
    #[arg(long, value_name = "FILE")]
    #[serde(rename = "cluster_secret_file")]
    cluster_secret: Option<PathBuf>,
    /// First word of our subjects: two clusters on one NATS have two [default: tenfour]
    #[arg(long, value_name = "WORD")]
    nats_prefix: Option<String>,
    /// Name of this node, one of a kind in its cluster [default: the name of the machine]
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// Certificate chain, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Makes and keeps a certificate, for a local network
    #[arg(long, value_name = "self-signed", value_parser = ["self-signed"], conflicts_with = "tls_cert")]
    tls: Option<String>,
}

impl Serve {
    /// Serves until it is told to stop.
    pub(crate) fn run(self) -> ExitCode {
        match self.serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tell!("tenfour: {error:#}");
                ExitCode::FAILURE
            }
        }
    }

    fn serve(self) -> Result<()> {
        let config = self.config()?;
        let self_signed = config.tls == Tls::SelfSigned;
        let reachable_by_browsers =
            config.tls != Tls::Off || config.listen.ip().is_loopback() || !config.origins.is_empty();
        std::fs::create_dir_all(&config.data)
            .with_context(|| format!("cannot create the data folder {}", config.data.display()))?;
        // This must come before any other thread starts.
        let ports: Vec<u16> =
            config.nats.iter().flat_map(|nats| &nats.servers).map(|server| server.port).collect();
        let sinks = Sinks::open(config.workers);
        let confinement = confine(&config.data, &ports);
        let mut signals = Signals::new()?;
        let server = Server::start_with(config, sinks)?;
        confinement.tell();
        if self_signed {
            introduce(&server)?;
        }
        if !reachable_by_browsers {
            tell!("Browsers give the microphone to https and loopback only. Add --tls self-signed, or");
            tell!("certificate files, or put a proxy with a certificate in front and name its origin.");
        }
        show!("Tenfour is on the air: {}", server.url());
        if let Some(url) = server.ops_url() {
            tell!("For the operator: {url}/metrics and {url}/health");
        }
        signals.wait();
        tell!("Stopping. Press Ctrl-C again to stop at once.");
        std::thread::spawn(move || {
            signals.wait();
            std::process::exit(130);
        });
        server.stop();
        Ok(())
    }

    fn config(&self) -> Result<Config> {
        let file = self.config.as_deref().map(Settings::from_file).transpose()?.unwrap_or_default();
        let environment = Settings::from_env(variables())?;
        Ok(Config::new(Settings::from_flags(self)?.over(environment).over(file))?)
    }
}

/// Says in words what `--listen` expects, for people who give it a host name or a URL.
fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write an address and a port up to 65535, like 127.0.0.1:27185".to_owned())
}

/// The environment, as far as it is text.
pub(crate) fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// What a phone needs on a local network: its microphone works under https only, and nobody
/// has signed for this certificate.
fn introduce(server: &Server) -> Result<()> {
    let fingerprint = server.fingerprint()?.unwrap_or_default();
    let code = QrCode::new(server.url()).context("the address does not fit into a QR code")?;
    // Most terminals are dark, so we print the light parts of the code.
    tell!("{}", code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build());
    tell!("The certificate is self-signed: a browser warns once. Its SHA-256 fingerprint is");
    tell!("{fingerprint}");
    Ok(())
}

/// SIGINT, SIGTERM, and SIGHUP unless it is ignored. Signals are noticed as soon as this exists.
struct Signals {
    runtime: Runtime,
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl Signals {
    fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let inside = runtime.enter();
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let hangup = (!hangups_are_ignored()).then(|| signal(SignalKind::hangup())).transpose()?;
        drop(inside);
        Ok(Self { runtime, interrupt, terminate, hangup })
    }

    fn wait(&mut self) {
        let hangup = self.hangup.as_mut();
        self.runtime.block_on(async {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
                Some(_) = async { Some(hangup?.recv().await) } => {}
            }
        });
    }
}

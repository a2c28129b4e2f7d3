//! `tenfour serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use tenfour_server::Server;
use tenfour_server::config::{Config, Settings};

/// Flags of `tenfour serve`. What is not given here is taken from the environment
/// (`TENFOUR_LISTEN` and so on), then from the file, then from the defaults.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Where people connect [default: 127.0.0.1:27185]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Where /metrics and /health are [default: nowhere]
    #[arg(long, value_name = "ADDR")]
    ops: Option<SocketAddr>,
    /// Folder of the store [default: the platform's data folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Configuration; deploy/tenfour.toml explains every key
    #[arg(long, value_name = "FILE", env = "TENFOUR_CONFIG")]
    config: Option<PathBuf>,
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
        match self.config().and_then(|config| Ok(Server::start(config)?.run_until_signal()?)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("tenfour: {error:#}");
                ExitCode::FAILURE
            }
        }
    }

    fn config(self) -> Result<Config> {
        let file = self.config.as_deref().map(Settings::from_file).transpose()?.unwrap_or_default();
        let environment = Settings::from_env(variables())?;
        let flags = Settings {
            listen: self.listen,
            ops: self.ops,
            data: self.data,
            tls: self.tls,
            tls_cert: self.tls_cert,
            tls_key: self.tls_key,
            ..Settings::default()
        };
        Ok(Config::new(flags.over(environment).over(file))?)
    }
}

/// The environment, as far as it is text.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

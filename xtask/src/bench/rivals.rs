//! Servers that people use today, where they are installed.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::servers::{SERVER_CORE, Server, pinned};
use crate::packages;

/// A server of others that does the same work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rival {
    Mumble,
    Nats,
    Mosquitto,
}

impl Rival {
    pub(super) const ALL: [Self; 3] = [Self::Mumble, Self::Nats, Self::Mosquitto];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Mumble => "Mumble (UDP, OCB2)",
            Self::Nats => "NATS",
            Self::Mosquitto => "Mosquitto (QoS 0)",
        }
    }

    /// What the virtual users call it.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Mumble => "mumble",
            Self::Nats => "nats",
            Self::Mosquitto => "mqtt",
        }
    }

    /// Debian's package and the program in it.
    fn package(self) -> (&'static str, &'static str) {
        match self {
            Self::Mumble => ("mumble-server", "/usr/sbin/murmurd"),
            Self::Nats => ("nats-server", "/usr/sbin/nats-server"),
            Self::Mosquitto => ("mosquitto", "/usr/sbin/mosquitto"),
        }
    }

    pub(super) fn start(self) -> Result<Server> {
        Server::at_free_port(|address, data| self.command(address, data))
    }

    fn command(self, address: SocketAddr, data: &Path) -> Result<Command> {
        let mut command = pinned(SERVER_CORE, Path::new(self.package().1));
        match self {
            Self::Mumble => {
                let settings = data.join("murmur.ini");
                fs::write(&settings, murmur(address, data))?;
                command.args(["-fg", "-ini"]).arg(settings);
            }
            Self::Nats => {
                command.args(["-a", &address.ip().to_string(), "-p", &address.port().to_string()]);
            }
            Self::Mosquitto => {
                let settings = data.join("mosquitto.conf");
                fs::write(&settings, mosquitto(address)).context("mosquitto.conf")?;
                command.arg("-c").arg(settings);
            }
        }
        Ok(command)
    }
}

/// The rivals that are installed, after an attempt to install all.
pub(super) fn present() -> Result<Vec<Rival>> {
    let packages = Rival::ALL.map(Rival::package);
    packages::install_if_possible(&packages)?;
    let (present, missing): (Vec<_>, Vec<_>) =
        Rival::ALL.into_iter().partition(|rival| Path::new(rival.package().1).exists());
    for rival in missing {
        eprintln!("{} is not installed and left out (Debian: {}).", rival.name(), rival.package().0);
    }
    Ok(present)
}

/// No timeout by silence, no ban for many log-ins from one address, no limits that matter.
fn murmur(address: SocketAddr, data: &Path) -> String {
    let (host, port, data) = (address.ip(), address.port(), data.display());
    format!(
        "database={data}/murmur.sqlite\nhost={host}\nport={port}\nusers=5000\nusersperchannel=0\ntimeout=600\n\
         bandwidth=200000\nautobanAttempts=0\nbonjour=False\nlogfile={data}/murmur.log\ncertrequired=False\n\
         welcometext=\nuname=root\n"
    )
}

/// Without Nagle's algorithm, as all servers here.
fn mosquitto(address: SocketAddr) -> String {
    let (host, port) = (address.ip(), address.port());
    format!("listener {port} {host}\nallow_anonymous true\nset_tcp_nodelay true\nuser root\nlog_type error\n")
}

//! The policy of this server: the clause table, with what the server is set to.

use axum::body::Bytes;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tenfour_core::mutant;
use tenfour_policy::{Facts, Table, page};
use tenfour_protocol::limits::CONTACT_KEPT;

use crate::config::Config;
use crate::connection_log::Rules;

/// The page, made once: it changes with the configuration, which changes with a restart.
#[derive(Debug)]
pub(crate) struct Privacy {
    pub(crate) html: Bytes,
    /// For browsers that have it already.
    pub(crate) tag: String,
}

impl Privacy {
    pub(crate) fn of(config: &Config) -> Self {
        let html = page(&Table::published(), &facts(config));
        mutant!(crate::mutants::active(), EditText => let html = crate::mutants::edited(&html));
        let tag = format!("\"{}\"", &HEXLOWER.encode(&Sha256::digest(&html))[..24]);
        Self { html: html.into(), tag }
    }
}

fn facts(config: &Config) -> Facts {
    let Rules { threshold, .. } = config.stats;
    Facts {
        host: config.host.clone(),
        operator: config.operator.clone(),
        hold: config.hold,
        log_days: config.connection_log.then_some(config.connection_log_days),
        threshold: usize::try_from(threshold).unwrap_or(usize::MAX),
        message_days: CONTACT_KEPT.as_secs() / 86_400,
        visitor_cookie: config.visitor_cookie,
        cluster: config.nats.is_some(),
        shared_store: config.nats.as_ref().is_some_and(|nats| nats.store),
    }
}

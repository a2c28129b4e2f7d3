//! The settings of a server that the policy mentions.

use std::time::Duration;

use serde::Deserialize;

/// The settings on which sentences depend.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Name of the host.
    pub host: String,
    /// Who runs the server, in the operator's own words.
    pub operator: Option<String>,
    /// How long a frame of voice is kept.
    pub hold: Duration,
    /// Days that connections are logged, if they are.
    pub log_days: Option<usize>,
    /// The smallest count of people that is told.
    pub threshold: usize,
    /// Days that a message to the operator is kept at most.
    pub message_days: u64,
    /// Whether visitors of the page get a cookie.
    pub visitor_cookie: bool,
    /// Whether the radio runs on several machines, which meet over NATS.
    pub cluster: bool,
    /// Whether users are kept by NATS, for all of them.
    pub shared_store: bool,
}

/// A server with default settings.
impl Default for Facts {
    fn default() -> Self {
        Self {
            host: "Tenfour".into(),
            operator: None,
            hold: Duration::from_secs(10),
            log_days: Some(7),
            threshold: 50,
            message_days: 90,
            visitor_cookie: false,
            cluster: false,
            shared_store: false,
        }
    }
}

/// A way in which a server may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Connections are not logged.
    NoConnectionLog,
    /// Visitors get a cookie.
    VisitorCookie,
    /// They get none.
    NoVisitorCookie,
    /// The radio runs on several machines.
    Cluster,
    /// Data of users is stored for all machines together.
    SharedStore,
}

impl Facts {
    /// Whether the server is set that way.
    pub fn are(&self, when: When) -> bool {
        match when {
            When::NoConnectionLog => self.log_days.is_none(),
            When::VisitorCookie => self.visitor_cookie,
            When::NoVisitorCookie => !self.visitor_cookie,
            When::Cluster => self.cluster,
            When::SharedStore => self.shared_store,
        }
    }

    /// A sentence with its numbers.
    pub fn fill(&self, sentence: &str) -> String {
        let days = |days: u64| counted(days, "day", "days");
        let log_days = days(self.log_days.unwrap_or_default() as u64);
        sentence
            .trim()
            .replace("{hold}", &seconds(self.hold))
            .replace("{log_days}", &log_days)
            .replace("{threshold}", &self.threshold.to_string())
            .replace("{message_days}", &days(self.message_days))
    }
}

/// `10 seconds`, or `2.5 seconds`.
fn seconds(time: Duration) -> String {
    if time.subsec_millis() == 0 {
        return counted(time.as_secs(), "second", "seconds");
    }
    format!("{} seconds", time.as_millis() as f64 / 1000.0)
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_have_the_numbers_of_the_server() {
        let facts = Facts { hold: Duration::from_millis(2500), log_days: Some(1), ..Facts::default() };
        assert_eq!(facts.fill("{hold}, {log_days}, {threshold}"), "2.5 seconds, 1 day, 50");
        assert_eq!(Facts::default().fill(" {hold} and {message_days}\n"), "10 seconds and 90 days");
    }

    #[test]
    fn a_server_is_one_thing_or_the_other() {
        let facts = Facts { log_days: None, visitor_cookie: true, ..Facts::default() };
        assert!(facts.are(When::NoConnectionLog) && facts.are(When::VisitorCookie));
        assert!(!facts.are(When::NoVisitorCookie) && !Facts::default().are(When::NoConnectionLog));
    }
}

//! Logs. Only allow-listed fields are written, and only what this program says itself: a
//! handle, an address or a description has no way into a line.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::Mutex;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::config::{LogFormat, LogLevel};

/// Fields that may be written. Think before you add one.
const ALLOWED: [&str; 19] = [
    "back_in_ms",
    "bytes",
    "code",
    "connections",
    "count",
    "limit",
    "listen",
    "millis",
    "nats",
    "node",
    "ops",
    "path",
    "purpose",
    "reason",
    "replicas",
    "sessions",
    "tls",
    "version",
    "workers",
];

/// Where lines go.
type Sink = Box<dyn Write + Send>;

/// Writes the log to standard error from now on, for the whole process. The first call
/// counts; later ones are for servers in the same process and change nothing.
pub(crate) fn start(level: LogLevel, format: LogFormat) {
    let lines = subscriber(level, format, Box::new(std::io::stderr()));
    // An error says that a subscriber is set already: this was a later call.
    tracing::subscriber::set_global_default(lines).ok();
}

/// A subscriber that writes allow-listed lines to `sink`.
pub fn subscriber(level: LogLevel, format: LogFormat, sink: Sink) -> impl Subscriber + Send + Sync {
    let level = match level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
        LogLevel::Trace => Level::TRACE,
    };
    tracing_subscriber::registry().with(Lines { level, format, sink: Mutex::new(sink) })
}

struct Lines {
    level: Level,
    format: LogFormat,
    sink: Mutex<Sink>,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        // Libraries may log anything, so their lines are dropped.
        *metadata.level() <= self.level && metadata.target().starts_with("tenfour")
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        let level = *event.metadata().level();
        let mut line = match self.format {
            LogFormat::Text => said.text(level),
            LogFormat::Json => said.json(level),
        };
        line.push('\n');
        if let Ok(mut sink) = self.sink.lock() {
            // When standard error is gone, there is nobody to tell.
            sink.write_all(line.as_bytes()).ok();
        }
    }
}

/// What an event says, as far as it may.
#[derive(Default)]
struct Said {
    message: String,
    fields: Vec<(&'static str, serde_json::Value)>,
}

impl Said {
    fn text(&self, level: Level) -> String {
        let mut line = format!("{} {level:5} {}", now(), self.message);
        for (name, value) in &self.fields {
            // Writing to a string cannot fail.
            write!(line, " {name}={value}").ok();
        }
        line
    }

    fn json(&self, level: Level) -> String {
        let mut object = serde_json::Map::new();
        object.insert("time".into(), now().into());
        object.insert("level".into(), level.as_str().to_ascii_lowercase().into());
        object.insert("message".into(), self.message.clone().into());
        object.extend(self.fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        serde_json::Value::Object(object).to_string()
    }

    fn put(&mut self, field: &Field, value: impl Into<serde_json::Value>) {
        if ALLOWED.contains(&field.name()) {
            self.fields.push((field.name(), value.into()));
        }
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.put(field, format!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}

fn now() -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    SystemTime.format_time(&mut Writer::new(&mut text)).ok();
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn lines(format: LogFormat, say: impl FnOnce()) -> String {
        let kept = Kept::default();
        tracing::subscriber::with_default(subscriber(LogLevel::Info, format, Box::new(kept.clone())), say);
        String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn only_allowed_fields_of_our_own_lines_are_written() {
        let say = || {
            tracing::info!(target: "tenfour_server::test", count = 3, handle = "Roadrunner", "counted");
            tracing::info!(target: "hyper::proto", count = 3, "127.0.0.1 said hello");
            tracing::debug!(target: "tenfour_server::test", "too small");
        };
        let text = lines(LogFormat::Text, say);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains(" INFO  counted count=3") && !text.contains("Roadrunner"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&lines(LogFormat::Json, say)).unwrap();
        assert_eq!((&json["level"], &json["count"]), (&"info".into(), &3.into()));
        assert!(json.get("handle").is_none());
    }
}

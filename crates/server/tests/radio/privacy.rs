//! The page `/privacy`: what the table says, with the numbers of this server, and nothing else.

use serde_json::json;
use tenfour_server::config::Settings;

use crate::desk::Desk;
use crate::http::request;
use crate::radio::Radio;

const TABLE: &str = include_str!("../../../../docs/privacy/clauses.toml");

/// The texts of all elements that begin with `open`, as they are shown.
fn texts(html: &str, open: &str) -> Vec<String> {
    let shown = |text: &str| {
        let text = text.split('<').next().unwrap_or_default();
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
    };
    html.split(open).skip(1).map(shown).collect()
}

fn page(desk: &Desk) -> String {
    let reply = desk.get("/privacy", &[]);
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/html; charset=utf-8")));
    String::from_utf8(reply.body).unwrap()
}

#[test]
fn it_says_what_the_table_says_and_nothing_else() {
    let table: toml::Table = TABLE.parse().unwrap();
    let said = |value: &toml::Value| {
        let text = value.as_str().unwrap().trim();
        text.replace("{hold}", "10 seconds").replace("{log_days}", "7 days").replace("{threshold}", "50")
    };
    let clauses = table["clause"].as_array().unwrap();
    let promises = clauses.iter().map(|clause| {
        let also = clause.get("also").and_then(|also| also.get("no_visitor_cookie"));
        let sentences: Vec<_> = std::iter::once(&clause["text"]).chain(also).map(said).collect();
        sentences.join(" ")
    });
    let html = page(&Desk::new());
    assert_eq!(texts(&html, "<p class=\"promise\">"), promises.collect::<Vec<_>>());
    let limits = clauses.iter().filter_map(|clause| clause.get("limit")).map(said);
    assert_eq!(texts(&html, "<p class=\"limit\">"), limits.collect::<Vec<_>>());
    assert_eq!(texts(&html, "<p class=\"lead\">"), [said(&table["lead"])]);
    let paragraphs = html.matches("<p").count();
    assert_eq!(
        paragraphs,
        clauses.len() * 3 + 3 + texts(&html, "<p class=\"limit\">").len(),
        "each clause has three"
    );
    let newest = &table["change"][0];
    let dated = format!("Version {}, {}", newest["version"], newest["date"].as_str().unwrap());
    assert_eq!(texts(&html, "<p class=\"dated\">"), [dated]);
}

/// The numbers on the page are those that the server goes by.
#[tokio::test]
async fn it_states_what_the_server_is_set_to() {
    let settings = Settings {
        hold: Some("3s".parse().unwrap()),
        host: Some("R&D <1>".into()),
        operator: Some("Radio Club, radio@example.org".into()),
        connection_log: Some(false),
        ..Settings::default()
    };
    let desk = Desk::with(settings);
    let html = page(&desk);
    assert_eq!(texts(&html, "<h1>"), ["Privacy at R&D <1>"]);
    assert!(html.contains("This server is run by Radio Club, radio@example.org."));
    assert!(html.contains("overwritten on the server 3 seconds after it came"), "{html}");
    assert!(html.contains("does not write down who connects") && !html.contains("line of eight"));
    let radio = Radio::open(&desk, &desk.register(1, "Roadrunner")).await;
    assert_eq!(radio.welcome["hold_ms"], json!(3000));
    let log = desk.data().join("log");
    assert!(!log.exists() || std::fs::read_dir(log).unwrap().next().is_none(), "nothing is written down");
}

#[test]
fn it_is_sent_again_only_when_it_changed() {
    let mut desk = Desk::with(Settings { connection_log_days: Some(30), ..Settings::default() });
    let first = desk.get("/privacy", &[]);
    let tag = first.header("etag").unwrap();
    assert_eq!(first.header("cache-control"), Some("no-cache"));
    assert_eq!(desk.get("/privacy", &[("if-none-match", tag)]).status, 304);
    let head = request(desk.address(), "HEAD", "/privacy", &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(request(desk.address(), "POST", "/privacy", &[], b"").status, 405);
    desk.stop();
    desk.start();
    assert_eq!(desk.get("/privacy", &[("if-none-match", tag)]).status, 304, "the same after a restart");
    let other = Desk::new().get("/privacy", &[("if-none-match", tag)]);
    assert_eq!(other.status, 200, "another server is set otherwise");
}

//! The tables of `docs/protocol.md`: what fields, codes and limits there are, from the code that checks them.

mod limits;

use anyhow::{Context, Result, bail};
use tenfour_protocol::Code;
use tenfour_protocol::fields::{self, Field, Kind, Object};

/// The text with its tables written anew: each stands between `<!-- generated: NAME -->` and `<!-- end -->`.
pub(crate) fn with_tables(text: &str) -> Result<String> {
    let tables = [
        ("up", objects(fields::UP.iter())),
        ("down", objects(fields::DOWN.iter())),
        ("objects", objects(fields::OBJECTS.iter().copied())),
        ("bodies", objects(fields::BODIES.iter().copied())),
        ("codes", codes()),
        ("limits", limits::table()?),
    ];
    tables.iter().try_fold(text.to_owned(), |text, (name, table)| replaced(&text, name, table))
}

fn replaced(text: &str, name: &str, table: &str) -> Result<String> {
    let begin = format!("<!-- generated: {name} -->\n");
    let (before, rest) =
        text.split_once(&begin).with_context(|| format!("no place for the table `{name}`"))?;
    let Some((_, after)) = rest.split_once("<!-- end -->") else { bail!("the table `{name}` has no end") };
    Ok(format!("{before}{begin}\n{table}\n<!-- end -->{after}"))
}

fn objects<'a>(objects: impl Iterator<Item = &'a Object>) -> String {
    objects.map(object).collect::<Vec<_>>().join("\n")
}

fn object(Object { name, about, fields }: &Object) -> String {
    let rows: String = fields.iter().map(row).collect();
    format!("**`{name}`** {about}\n\n| field | what may stand there | | meaning |\n|---|---|---|---|\n{rows}")
}

fn row(Field { name, kind, optional, about }: &Field) -> String {
    let need = if *optional { "may be absent" } else { "required" };
    format!("| `{name}` | {} | {need} | {about} |\n", words(kind))
}

/// What may stand in a field; objects have a table of their own.
fn words(kind: &Kind) -> String {
    match kind {
        Kind::Object(object) => format!("`{}`", object.name),
        Kind::List(kind) => format!("a list of: {}", words(kind)),
        Kind::OrNull(kind) => format!("null, or {}", words(kind)),
        Kind::Words(texts) => texts.iter().map(|text| format!("`\"{text}\"`")).collect::<Vec<_>>().join(", "),
        other => other.words(),
    }
}

/// Codes that end a connection.
fn closes(code: Code) -> bool {
    match code {
        Code::MessageTooLarge | Code::GoingAway | Code::HelloExpected | Code::TooManyMessages => true,
        code => code.close_code() >= 4000,
    }
}

/// Codes that clients use for what happens on their side.
const OF_CLIENTS: [Code; 3] = [Code::LinkLost, Code::TalkLimit, Code::Unsupported];

fn codes() -> String {
    let head = "| code | HTTP | close | what happened | what to do |\n|---|---|---|---|---|\n";
    let rows = Code::ALL.into_iter().filter(|code| !OF_CLIENTS.contains(code)).map(|code| {
        let name = serde_json::to_value(code).expect("a code is a string");
        let close = if closes(code) { code.close_code().to_string() } else { String::new() };
        let (message, hint) = code.words();
        format!(
            "| `{}` | {} | {close} | {message} | {hint} |\n",
            name.as_str().unwrap_or_default(),
            code.http_status()
        )
    });
    head.to_owned() + &rows.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_written_in_its_place_and_the_rest_stays() {
        let text = "a\n<!-- generated: x -->\nold\n<!-- end -->\nb <!-- end -->";
        let new = replaced(text, "x", "| new |\n").unwrap();
        assert_eq!(new, "a\n<!-- generated: x -->\n\n| new |\n\n<!-- end -->\nb <!-- end -->");
        assert_eq!(replaced(&new, "x", "| new |\n").unwrap(), new);
        assert!(replaced(text, "y", "").is_err() && replaced("<!-- generated: x -->\n", "x", "").is_err());
    }
}

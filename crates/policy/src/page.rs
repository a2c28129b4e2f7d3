//! The page `/privacy`. Plain HTML: no script, one style sheet, whole on a phone.

use std::fmt::Write;

use crate::facts::Facts;
use crate::proof::Proof;
use crate::table::{Change, Clause, Table, Words};

/// Where the page's style is.
const STYLE: &str = "/privacy.css";

/// The policy of a server with these facts, as an HTML document.
pub fn page(table: &Table, facts: &Facts) -> String {
    let mut page = Page { html: String::new(), facts, words: &table.words };
    page.head();
    page.lead(table);
    page.clauses(table);
    page.kept(table);
    page.list(&table.words.beyond, table.beyond.iter().map(|beyond| beyond.text.clone()));
    let changes = table.changes.iter().map(|change| format!("{}: {}", page.dated(change), change.text));
    let changes: Vec<_> = changes.collect();
    page.list(&table.words.changes, changes);
    page.raw("</main>\n</body>\n</html>\n");
    page.html
}

struct Page<'a> {
    html: String,
    facts: &'a Facts,
    words: &'a Words,
}

impl Page<'_> {
    fn head(&mut self) {
        let title = self.words.at.replace("{host}", &self.facts.host);
        self.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        self.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        self.raw("<meta name=\"color-scheme\" content=\"dark light\">\n");
        self.element("title", "", &title);
        self.raw("<link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\">\n");
        self.raw(&format!(
            "<link rel=\"stylesheet\" href=\"{STYLE}\">\n</head>\n<body>\n<nav><a href=\"/\">"
        ));
        self.text(&self.words.back);
        self.raw("</a></nav>\n<main>\n");
        self.element("h1", "", &title);
    }

    fn lead(&mut self, table: &Table) {
        self.element("p", "lead", &self.facts.fill(&table.lead));
        if let Some(operator) = &self.facts.operator {
            self.element("p", "", &self.words.operator.replace("{operator}", operator));
        }
        self.element("p", "", table.contact.trim());
        self.element("p", "dated", &self.dated(table.newest()));
    }

    fn dated(&self, change: &Change) -> String {
        self.words.dated.replace("{version}", &change.version.to_string()).replace("{date}", &change.date)
    }

    fn clauses(&mut self, table: &Table) {
        let mut topic = "";
        for clause in &table.clauses {
            if clause.topic != topic {
                topic = &clause.topic;
                self.element("h2", "", topic);
            }
            self.clause(clause);
        }
    }

    fn clause(&mut self, clause: &Clause) {
        self.raw("<section class=\"clause\" id=\"");
        self.text(&clause.id);
        self.raw("\">\n<h3><a href=\"#");
        self.text(&clause.id);
        self.raw("\">");
        self.text(&clause.id);
        self.raw("</a> ");
        self.text(&clause.title);
        self.raw("</h3>\n");
        self.element("p", "promise", &clause.said(self.facts));
        if let Some(limit) = &clause.limit {
            self.element("p", "limit", &self.facts.fill(limit));
        }
        self.raw("<details>\n");
        self.element("summary", "", &self.words.prove);
        self.element("p", "", &self.facts.fill(&clause.proof));
        self.raw("<ul>\n");
        clause.tests.iter().for_each(|test| self.test(test));
        self.raw("</ul>\n");
        self.element("p", "", &self.words.broken);
        self.raw("<ul>\n");
        for mutant in &clause.mutants {
            self.raw("<li><code>");
            self.text(&mutant.name);
            self.raw("</code> ");
            self.text(&mutant.breaks);
            self.raw("</li>\n");
        }
        self.raw("</ul>\n</details>\n</section>\n");
    }

    fn test(&mut self, test: &Proof) {
        self.raw("<li><code>");
        self.text(&test.to_string());
        self.raw("</code></li>\n");
    }

    fn kept(&mut self, table: &Table) {
        let [heading, columns @ ..] = &self.words.kept;
        self.element("h2", "", heading);
        self.raw("<table>\n<thead><tr>");
        columns.iter().for_each(|column| self.element("th", "", column));
        self.raw("</tr></thead>\n<tbody>\n");
        for kept in table.kept.iter().filter(|kept| !kept.unless.is_some_and(|when| self.facts.are(when))) {
            self.raw("<tr>");
            for cell in [&kept.what, &kept.place, &kept.until] {
                self.element("td", "", &self.facts.fill(cell));
            }
            self.raw("</tr>\n");
        }
        self.raw("</tbody>\n</table>\n");
    }

    fn list(&mut self, heading: &str, items: impl IntoIterator<Item = String>) {
        self.element("h2", "", heading);
        self.raw("<ul>\n");
        items.into_iter().for_each(|item| self.element("li", "", &item));
        self.raw("</ul>\n");
    }

    fn element(&mut self, name: &str, class: &str, text: &str) {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        self.raw(&format!("<{name}{class}>"));
        self.text(text);
        self.raw(&format!("</{name}>\n"));
    }

    /// Text as it is shown.
    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.raw("&amp;"),
                '<' => self.raw("&lt;"),
                '>' => self.raw("&gt;"),
                '"' => self.raw("&quot;"),
                // A string grows without failing.
                _ => self.html.write_char(c).expect("a string"),
            }
        }
    }

    fn raw(&mut self, html: &str) {
        self.html.push_str(html);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_of_the_table_is_on_the_page() {
        let (table, facts) = (Table::published(), Facts::default());
        let html = page(&table, &facts).replace("&quot;", "\"");
        for clause in &table.clauses {
            assert!(html.contains(&clause.said(&facts)), "{}", clause.id);
            assert!(clause.tests.iter().all(|test| html.contains(&test.to_string())), "{}", clause.id);
        }
        assert!(table.beyond.iter().all(|beyond| html.contains(&beyond.text)));
        assert!(html.contains(&format!("Version {}", table.newest().version)));
    }

    #[test]
    fn the_names_that_an_operator_chose_are_shown_as_they_are() {
        let facts =
            Facts { host: "<b>R&D</b>".into(), operator: Some("\"us\" <script>".into()), ..Facts::default() };
        let html = page(&Table::published(), &facts);
        assert!(html.contains("Privacy at &lt;b&gt;R&amp;D&lt;/b&gt;") && !html.contains("<script"));
        assert!(html.contains("run by &quot;us&quot; &lt;script&gt;."));
    }
}

//! `tenfour stats`: what the connection log may tell.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use tenfour_server::config::{Config, Settings};
use tenfour_server::connection_log::{Aggregates, Cell, DayOfUse, Told, aggregate, last_days, parse_day};
use tenfour_server::store::Day;
use unicode_width::UnicodeWidthStr;

use crate::lines;
use crate::serve::variables;

/// Letters of the longest bar, and of one that is too short to tell anything.
const LONGEST_BAR: usize = 40;
const SHORTEST_BAR: usize = 8;
/// Columns to assume if the terminal does not say.
const COLUMNS: usize = 80;
/// Stands for what a client did not tell.
const UNKNOWN: &str = "-";

/// Counts users by platform, version and model, with noise; reads the data folder of a server on
/// this machine.
#[derive(Debug, clap::Args)]
pub(crate) struct Stats {
    /// Folder of the store [default: the platform's data folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Configuration of the server
    #[arg(long, value_name = "FILE", env = "TENFOUR_CONFIG")]
    config: Option<PathBuf>,
    /// One day, UTC
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day, conflicts_with = "since")]
    day: Option<Day>,
    /// The last days that are over [default: all that are kept]
    #[arg(long, value_name = "DAYS")]
    since: Option<usize>,
    /// As one JSON object
    #[arg(long)]
    json: bool,
}

impl Stats {
    /// Prints the counts.
    pub(crate) fn run(self) -> ExitCode {
        match self.show() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tell!("tenfour: {error:#}");
                ExitCode::FAILURE
            }
        }
    }

    fn show(self) -> Result<()> {
        let file = self.config.as_deref().map(Settings::from_file).transpose()?.unwrap_or_default();
        let mut settings = Settings::from_env(variables())?.over(file);
        settings.data = self.data.or(settings.data);
        let config = Config::new(settings)?;
        anyhow::ensure!(
            config.data.is_dir(),
            "there is no data folder {}: name the server's with --data DIR",
            config.data.display()
        );
        let kept = config.connection_log_days;
        let days = self.day.map_or_else(|| last_days(self.since.unwrap_or(kept), kept), |day| vec![day]);
        let told = aggregate(&config.data, &days, kept, config.stats)?;
        if self.json {
            show!("{}", serde_json::to_string(&told).context("counts are no JSON")?);
        } else {
            lines::result(format_args!("{}", page(&told, columns())));
        }
        Ok(())
    }
}

fn day(text: &str) -> Result<Day, String> {
    parse_day(text).ok_or_else(|| "write a day like 2026-11-23".to_owned())
}

/// How wide the terminal is; none if standard output is no terminal.
fn columns() -> Option<usize> {
    let terminal = std::io::stdout();
    if !terminal.is_terminal() {
        return None;
    }
    let columns = rustix::termios::tcgetwinsize(&terminal).map_or(0, |size| usize::from(size.ws_col));
    Some(if columns == 0 { COLUMNS } else { columns })
}

/// The counts for people; with bars on a terminal of so many columns, as far as they fit.
fn page(told: &Aggregates, columns: Option<usize>) -> String {
    let cells = || told.days.iter().flat_map(cells_of);
    let most = cells().map(|cell| cell.users).max().unwrap_or(1);
    let width = |of: fn(&Cell) -> &str| cells().map(|cell| shown(of(cell)).width()).max().unwrap_or(0);
    let widths = [width(|cell| &cell.platform), width(|cell| &cell.version), width(|cell| &cell.model)];
    let mut page = String::new();
    for day in &told.days {
        // Writing to a string cannot fail.
        writeln!(page, "{}{}", day.day, remark(day)).ok();
        for cell in cells_of(day) {
            let line = line(cell, widths);
            let room = columns.unwrap_or(0).saturating_sub(line.width() + 2).min(LONGEST_BAR);
            page += &line;
            if room >= SHORTEST_BAR {
                page += "  ";
                page += &bar(cell.users, most, room);
            }
            page.push('\n');
        }
    }
    page + &rules(told)
}

/// A cell and its count, in columns. Letters of some scripts are two columns wide.
fn line(cell: &Cell, widths: [usize; 3]) -> String {
    let mut line = String::from("  ");
    for (text, width) in [&cell.platform, &cell.version, &cell.model].into_iter().zip(widths) {
        let text = shown(text);
        line += text;
        line += &" ".repeat(width - text.width() + 2);
    }
    line + &format!("{:>7}", cell.users)
}

/// A bar of eighths of a letter, of which the longest has `room` letters.
fn bar(users: u64, most: u64, room: usize) -> String {
    let eighths = (users * room as u64 * 8 / most).max(1) as usize;
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    "█".repeat(eighths / 8) + rest
}

fn cells_of(day: &DayOfUse) -> &[Cell] {
    match &day.told {
        Told::Counted { cells } => cells,
        Told::Running | Told::Expired | Told::Cut => &[],
    }
}

fn remark(day: &DayOfUse) -> &'static str {
    match &day.told {
        Told::Counted { cells } if cells.is_empty() => "  nothing above the threshold",
        Told::Counted { .. } => "",
        Told::Running => "  is not over: days are counted when they are",
        Told::Expired => "  is no longer held",
        Told::Cut => {
            "  had more rows than connection_log_mb has room for: the oldest went, and it is not counted"
        }
    }
}

fn rules(told: &Aggregates) -> String {
    let (epsilon, threshold, delta) = (told.rules.epsilon, told.rules.threshold, told.delta);
    format!(
        "\nUsers a day (UTC) by platform, version and model; each user counts once a day, with the first\n\
         connection. Noise is in each count: two-sided geometric, epsilon {epsilon} a day, the same each time\n\
         you ask. Counts below {threshold}, noise included, are not told (delta {delta:.1e}). The country is not\n\
         in the log.\n"
    )
}

fn shown(text: &str) -> &str {
    if text.is_empty() { UNKNOWN } else { text }
}

#[cfg(test)]
mod tests {
    use tenfour_server::connection_log::Rules;

    use super::*;

    #[test]
    fn a_page_has_bars_that_fit_a_terminal_and_always_its_rules() {
        let cell = |platform: &str, model: &str, users| Cell {
            platform: platform.into(),
            version: "tenfour 0.1.0".into(),
            model: model.into(),
            users,
        };
        let cells = vec![cell("Android", "", 200), cell("iOS", "", 101), cell("iOS", "山田", 50)];
        let counted = Told::Counted { cells };
        let days = vec![
            DayOfUse { day: parse_day("2026-11-21").unwrap(), told: counted },
            DayOfUse { day: parse_day("2026-11-22").unwrap(), told: Told::Counted { cells: vec![] } },
            DayOfUse { day: parse_day("2026-11-23").unwrap(), told: Told::Running },
        ];
        let told = Aggregates { rules: Rules::default(), delta: 1.5e-22, days };
        let page_with_bars = page(&told, Some(80));
        let lines: Vec<_> = page_with_bars.lines().collect();
        assert_eq!(lines[0], "2026-11-21");
        assert_eq!(lines[1], format!("  Android  tenfour 0.1.0  -         200  {}", "█".repeat(39)));
        assert_eq!(lines[2], format!("  iOS      tenfour 0.1.0  -         101  {}▋", "█".repeat(19)));
        assert_eq!(lines[3], format!("  iOS      tenfour 0.1.0  山田       50  {}▊", "█".repeat(9)));
        assert_eq!(lines[4], "2026-11-22  nothing above the threshold");
        assert!(lines[5].starts_with("2026-11-23  is not over"));
        let plain = page(&told, None);
        assert!(!plain.contains('█') && plain.contains("  200\n"));
        assert!(!page(&told, Some(48)).contains('█'), "no room for bars");
        assert!(
            page(&told, Some(300)).contains(&format!("200  {}\n", "█".repeat(LONGEST_BAR))),
            "no longer than this"
        );
        for stated in ["epsilon 1 a day", "below 50", "1.5e-22", "once a day"] {
            assert!(plain.contains(stated), "{stated}");
        }
    }
}

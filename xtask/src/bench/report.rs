//! `docs/benchmarks.md`: one section for each benchmark, each replaced by its own run.

use std::fs;

use anyhow::{Context, Result};

use super::gates::Verdict;
use super::servers::all_go_first;

pub(super) const REPORT: &str = "docs/benchmarks.md";
/// The sections in their order, each with what writes it: `cargo xtask bench ...`.
const SECTIONS: [(&str, &str); 8] = [
    ("fanout", "fanout"),
    ("profile", "fanout --profile"),
    ("stalled", "stalled"),
    ("soak", "soak"),
    ("latency", "latency"),
    ("hub", "hub"),
    ("storm", "storm"),
    ("start", "start"),
];

/// What one benchmark says.
pub(super) struct Section {
    /// Its name in [`SECTIONS`].
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// Markdown: what was done, tables.
    pub(super) text: String,
    pub(super) verdicts: Vec<Verdict>,
    /// False for a run that is not written down.
    pub(super) keep: bool,
}

impl Section {
    pub(super) fn markdown(&self) -> String {
        let Self { name, title, text, verdicts, .. } = self;
        let realtime = if all_go_first() { " --realtime" } else { "" };
        let command =
            SECTIONS.iter().find(|(section, _)| section == name).map_or(*name, |(_, command)| command);
        let machine = std::thread::available_parallelism().map_or(1, usize::from);
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split_whitespace().next().unwrap_or("unknown").to_owned();
        let mut out = format!(
            "## {title}\n\n`cargo xtask bench {command}{realtime}`, {machine} cores, load {load} at the end.\n\n{text}"
        );
        if !verdicts.is_empty() {
            out += "\n| gate | what | wanted | measured | | why this number |\n|---|---|---|---|---|---|\n";
        }
        for verdict in verdicts {
            out += &format!("{}\n", verdict.row());
        }
        out
    }

    pub(super) fn failed(&self) -> impl Iterator<Item = String> {
        let failed = self.verdicts.iter().filter(|verdict| !verdict.met());
        failed.map(|verdict| format!("{} is {:.2}", verdict.gate.id, verdict.value))
    }
}

/// Puts a section into the report, in the place of its last run.
pub(super) fn replace(section: &Section) -> Result<()> {
    let old = fs::read_to_string(REPORT).unwrap_or_default();
    fs::write(REPORT, replaced(&old, section.name, &section.markdown())).context(REPORT)?;
    println!("written: {REPORT}");
    Ok(())
}

fn replaced(report: &str, name: &str, text: &str) -> String {
    let mut out = String::from(
        "# Benchmarks\n\nWritten by `cargo xtask bench`; each section has its command. Release builds, server and \
         users on the same machine over loopback, each on a core of its own. A frame's latency counts from when it \
         was due. Wall time on a shared machine is noisy: what counts are the ratios, each taken within a round. \
         The floor is the least that a server can do: one thread, epoll, one plain write of a ready WebSocket frame \
         for each listener (`crates/loadgen/src/floor`). About half of it is the receiver's half of loopback, \
         which a real network card does not charge.\n",
    );
    for (section, _) in SECTIONS {
        let (begin, end) = (format!("<!-- {section} -->\n"), format!("<!-- end of {section} -->\n"));
        let old = report.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end)).map(|(text, _)| text);
        let text = if section == name { Some(text) } else { old };
        if let Some(text) = text {
            out += &format!("\n{begin}{text}{end}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_replaced_and_the_others_stay_in_their_order() {
        let one = replaced("# an older report", "hub", "## Hub\none\n");
        let two = replaced(&one, "fanout", "## Fan-out\n");
        let three = replaced(&two, "hub", "## Hub\ntwo\n");
        assert!(three.contains("## Hub\ntwo\n") && !three.contains("one\n") && !three.contains("older"));
        assert!(three.find("## Fan-out").unwrap() < three.find("## Hub").unwrap());
        assert_eq!(replaced(&three, "hub", "## Hub\ntwo\n"), three);
    }
}

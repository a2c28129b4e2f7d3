//! The chart of a fan-out, as an SVG that reads on light and dark pages.

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};

use super::statistics::Spread;
use super::turns::{Rounds, Turn};

/// Beside the report.
pub(super) const FILE: &str = "benchmarks.svg";

const WIDTH: f64 = 760.0;
/// Where the bars begin.
const LEFT: f64 = 260.0;
/// Room for the number behind the longest bar.
const RIGHT: f64 = 150.0;
const ROW: f64 = 26.0;
const HEAD: f64 = 34.0;

/// A bar: a name, a value with its spread, whether it is ours.
struct Bar {
    name: &'static str,
    value: Spread,
    ours: bool,
}

/// Writes `docs/benchmarks.svg`.
pub(super) fn write(rounds: &Rounds) -> Result<()> {
    let bars = |value: &dyn Fn(Turn) -> Option<Spread>| -> Vec<Bar> {
        let bar = |&turn: &Turn| {
            let ours = !matches!(turn, Turn::Floor | Turn::Rival(_));
            Some(Bar { name: turn.name(), value: value(turn)?, ours })
        };
        rounds.turns.iter().filter_map(bar).collect()
    };
    let ratio = |turn| rounds.ratio(turn, Turn::Floor, "cpu_us_per_listener_second");
    let late = |turn: Turn| turn.has_latency().then(|| rounds.spread(turn, "channel.p99_ms"));
    let svg = drawn(&[
        ("CPU for one listener and second of speech, floor = 1", bars(&ratio), ""),
        ("p99 of latency, from when a frame was due", bars(&late), " ms"),
    ]);
    fs::write(format!("docs/{FILE}"), svg).context("docs/benchmarks.svg")
}

fn drawn(panels: &[(&str, Vec<Bar>, &str)]) -> String {
    let rows: usize = panels.iter().map(|(_, bars, _)| bars.len()).sum();
    let height = panels.len() as f64 * (HEAD + 14.0) + rows as f64 * ROW;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         font-family=\"system-ui, sans-serif\" font-size=\"14\">\n<title>Tenfour beside the floor and other \
         servers</title>\n<style>text{{fill:#222}}.o{{fill:#c2410c}}.t{{fill:#64748b}}.s{{stroke:#222}}\
         @media(prefers-color-scheme:dark){{text{{fill:#eee}}.s{{stroke:#eee}}}}</style>\n"
    );
    let mut top = 0.0;
    for (title, bars, unit) in panels {
        top += HEAD;
        line(
            &mut svg,
            format_args!("<text x=\"8\" y=\"{:.0}\" font-weight=\"600\">{title}</text>", top - 12.0),
        );
        let longest = bars.iter().map(|bar| bar.value.most).fold(f64::MIN_POSITIVE, f64::max);
        for bar in bars {
            row(&mut svg, bar, top, (WIDTH - LEFT - RIGHT) / longest, unit);
            top += ROW;
        }
        top += 14.0;
    }
    svg + "</svg>\n"
}

fn row(svg: &mut String, bar: &Bar, top: f64, scale: f64, unit: &str) {
    let Spread { median, least, most } = bar.value;
    let (middle, text) = (top + ROW / 2.0, top + ROW / 2.0 + 5.0);
    let class = if bar.ours { "o" } else { "t" };
    line(
        svg,
        format_args!("<text x=\"{}\" y=\"{text}\" text-anchor=\"end\">{}</text>", LEFT - 8.0, bar.name),
    );
    line(
        svg,
        format_args!(
            "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{}\" width=\"{:.1}\" height=\"{}\"/>",
            top + 4.0,
            median * scale,
            ROW - 8.0
        ),
    );
    let (from, to) = (LEFT + least * scale, LEFT + most * scale);
    line(svg, format_args!("<path class=\"s\" d=\"M{from:.1} {middle}H{to:.1}\"/>"));
    line(svg, format_args!("<text x=\"{:.1}\" y=\"{text}\">{median:.2}{unit}</text>", to + 8.0));
}

fn line(svg: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(svg, "{text}").expect("a string takes all");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_values_and_the_chart_is_well_formed() {
        let bar =
            |name, median| Bar { name, value: Spread { median, least: median, most: median }, ours: true };
        let svg = drawn(&[("A title", vec![bar("one", 1.0), bar("two", 2.0)], " ms")]);
        let tree = roxmltree::Document::parse(&svg).unwrap();
        let widths: Vec<f64> = tree
            .descendants()
            .filter(|node| node.has_tag_name("rect"))
            .map(|rect| rect.attribute("width").unwrap().parse().unwrap())
            .collect();
        assert_eq!(widths, [175.0, 350.0]);
        assert!(svg.contains("2.00 ms"));
    }
}

//! The chart of what brokers pass on, as SVG: both axes logarithmic.

use std::fmt::Write as _;

use super::Cost;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;

/// Frames a second that brokers pass on, by users: with regional routing and with broadcast.
pub fn chart(costs: &[Cost]) -> String {
    let decade = |value: f64| value.max(1.0).log10();
    let (first, last) = (decade(costs[0].users as f64), decade(costs[costs.len() - 1].users as f64));
    let most = costs.iter().map(|cost| decade(cost.broadcast()).ceil()).fold(1.0, f64::max);
    let x = |users: u64| LEFT + (decade(users as f64) - first) / (last - first) * (WIDTH - LEFT - RIGHT);
    let y = |frames: f64| HEIGHT - BOTTOM - decade(frames) / most * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<title>Frames a second that brokers pass on</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"22\">Frames a second that brokers pass on</text>\n"
    );
    for power in 0..=most as i32 {
        let at = y(10_f64.powi(power));
        let end = WIDTH - RIGHT;
        let label = LEFT - 8.0;
        let _ = writeln!(svg, "<path d=\"M{LEFT} {at:.1}H{end}\" stroke=\"#ddd\"/>");
        let _ =
            writeln!(svg, "<text x=\"{label}\" y=\"{at:.1}\" dy=\"4\" text-anchor=\"end\">1e{power}</text>");
    }
    for cost in costs {
        let (at, below) = (x(cost.users), HEIGHT - BOTTOM + 20.0);
        let users = decade(cost.users as f64);
        let _ = writeln!(svg, "<text x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">1e{users:.0}</text>");
    }
    let (middle, foot) = ((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 10.0);
    let _ = writeln!(svg, "<text x=\"{middle}\" y=\"{foot}\" text-anchor=\"middle\">users</text>");
    for (name, colour, of) in [
        ("broadcast", "#a33", Cost::broadcast as fn(&Cost) -> f64),
        ("regional routing", "#27a", Cost::delivered),
    ] {
        let points: Vec<_> =
            costs.iter().map(|cost| format!("{:.1},{:.1}", x(cost.users), y(of(cost)))).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            points.join(" ")
        );
        let (at, end) = (WIDTH - RIGHT + 8.0, y(of(&costs[costs.len() - 1])));
        let _ = writeln!(svg, "<text x=\"{at}\" y=\"{end:.1}\" dy=\"4\" fill=\"{colour}\">{name}</text>");
    }
    svg + "</svg>\n"
}

//! A flame graph, as an SVG that reads on light and dark pages: a box is as wide as its function's
//! share of the time, and stands on the function that called it.

use std::fmt::Write;

use super::fold::{Function, Node};

const WIDTH: f64 = 1200.0;
const ROW: f64 = 18.0;
const HEAD: f64 = 40.0;
/// Narrower boxes cannot be seen, nor can what stands on them.
const NARROWEST: f64 = 0.8;
/// Of a letter.
const LETTER: f64 = 6.7;
/// Shorter names say nothing.
const FEWEST_LETTERS: usize = 3;

/// The graph of all stacks.
pub(super) fn flame(title: &str, root: &Node) -> String {
    let scale = WIDTH / root.samples.max(1) as f64;
    let height = HEAD + ROW * rows(root, scale) as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         font-family=\"ui-monospace, monospace\" font-size=\"11\">\n<title>{title}</title>\n\
         <style>text{{fill:#111}}.h{{fill:#222;font:600 14px system-ui,sans-serif}}rect{{stroke:#fff}}\
         .k{{fill:#b6c2d1}}.o{{fill:#fb9a5b}}.l{{fill:#e7d5a8}}\
         @media(prefers-color-scheme:dark){{.h{{fill:#eee}}rect{{stroke:#111}}}}</style>\n\
         <text class=\"h\" x=\"8\" y=\"24\">{title}</text>\n",
        title = escaped(title)
    );
    let mut flame = Flame { svg: &mut svg, all: root.samples, scale };
    flame.callees(root, 0.0, height);
    svg + "</svg>\n"
}

/// How many boxes stand on each other at most.
fn rows(node: &Node, scale: f64) -> usize {
    let drawn = node.callees.values().filter(|callee| callee.samples as f64 * scale >= NARROWEST);
    drawn.map(|callee| 1 + rows(callee, scale)).max().unwrap_or(0)
}

struct Flame<'a> {
    svg: &'a mut String,
    all: usize,
    /// Width of a sample.
    scale: f64,
}

impl Flame<'_> {
    /// Boxes side by side on a line, each with what stands on it.
    fn callees(&mut self, node: &Node, mut left: f64, bottom: f64) {
        for (function, callee) in &node.callees {
            let width = callee.samples as f64 * self.scale;
            if width >= NARROWEST {
                self.function(function, callee.samples, left, bottom - ROW);
                self.callees(callee, left, bottom - ROW);
            }
            left += width;
        }
    }

    fn function(&mut self, function: &Function, samples: usize, left: f64, top: f64) {
        let class = match function {
            Function { kernel: true, .. } => "k",
            Function { name, .. } if name.contains("tenfour") => "o",
            Function { .. } => "l",
        };
        let width = samples as f64 * self.scale;
        let share = 100.0 * samples as f64 / self.all as f64;
        let (name, label) = (escaped(&function.name), escaped(&label(&function.name, width)));
        let text = format!("<text x=\"{:.1}\" y=\"{:.1}\">{label}</text>", left + 3.0, top + 13.0);
        writeln!(
            self.svg,
            "<g><title>{name}: {share:.1} %, {samples} samples</title><rect class=\"{class}\" x=\"{left:.1}\" \
             y=\"{top:.1}\" width=\"{width:.1}\" height=\"{ROW}\"/>{}</g>",
            if label.is_empty() { "" } else { &text }
        )
        .expect("a string takes all");
    }
}

/// As much of the name as there is room for.
fn label(name: &str, width: f64) -> String {
    let room = ((width - 6.0) / LETTER).max(0.0) as usize;
    if name.chars().count() <= room {
        return name.to_owned();
    }
    if room < FEWEST_LETTERS {
        return String::new();
    }
    name.chars().take(room - 1).chain(['…']).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str) -> Function {
        Function { name: name.to_owned(), kernel: false }
    }

    fn leaf(samples: usize) -> Node {
        Node { samples, ..Node::default() }
    }

    #[test]
    fn boxes_are_as_wide_as_their_share_and_stand_on_their_caller() {
        let main = Node { samples: 4, callees: [(function("<A as B>::put"), leaf(3))].into() };
        let root = Node { samples: 4, callees: [(function("main"), main)].into() };
        let svg = flame("A & B", &root);
        let tree = roxmltree::Document::parse(&svg).unwrap();
        let number =
            |node: roxmltree::Node<'_, '_>, name| node.attribute(name).unwrap().parse::<f64>().unwrap();
        let boxes: Vec<_> = tree
            .descendants()
            .filter(|node| node.has_tag_name("rect"))
            .map(|rect| (number(rect, "width"), number(rect, "y")))
            .collect();
        assert_eq!(boxes, [(1200.0, HEAD + ROW), (900.0, HEAD)]);
        assert!(svg.contains("&lt;A as B&gt;::put: 75.0 %, 3 samples"));
    }

    #[test]
    fn what_cannot_be_seen_is_left_out_and_leaves_its_room() {
        let callees = [(function("a"), leaf(1)), (function("b"), leaf(9_999))].into();
        let svg = flame("t", &Node { samples: 10_000, callees });
        assert!(!svg.contains(">a: ") && svg.contains("x=\"0.1\""), "{svg}");
    }

    #[test]
    fn a_name_is_cut_to_its_box() {
        assert_eq!(label("tcp_sendmsg", 200.0), "tcp_sendmsg");
        assert_eq!(label("tcp_sendmsg", 6.0 + 5.5 * LETTER), "tcp_…");
        assert_eq!(label("tcp_sendmsg", 10.0), "");
    }
}

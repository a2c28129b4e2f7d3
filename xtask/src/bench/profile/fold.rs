//! Stacks that `perf script` prints, folded into a tree.

use std::collections::BTreeMap;

/// A function on a stack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) kernel: bool,
}

/// Where a thread was when the clock struck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) thread: String,
    /// From the outermost function to the one that ran.
    pub(super) stack: Vec<Function>,
}

/// A function, called by those above it, and all that it called.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) samples: usize,
    pub(super) callees: BTreeMap<Function, Node>,
}

/// An address from which on the kernel lies.
const KERNEL: u64 = 1 << 63;
/// What `perf` prints where a stack ends.
const END: u64 = u64::MAX;

/// Reads `perf script --fields comm,ip,sym`: the thread's name in a line, then a function in each,
/// the one that ran first, then an empty line.
pub(super) fn samples(script: &str) -> Vec<Sample> {
    let blocks = script.split("\n\n").map(str::trim_end).filter(|block| !block.is_empty());
    let sample = |block: &str| {
        let mut lines = block.trim_start_matches('\n').lines();
        let thread = lines.next().unwrap_or_default().trim().to_owned();
        let mut stack: Vec<Function> = lines.filter_map(function).collect();
        stack.reverse();
        Sample { thread, stack }
    };
    blocks.map(sample).collect()
}

fn function(line: &str) -> Option<Function> {
    let (address, name) = line.trim().split_once(' ')?;
    let address = u64::from_str_radix(address, 16).ok().filter(|address| *address != END)?;
    Some(Function { name: name.to_owned(), kernel: address >= KERNEL })
}

impl Node {
    /// The tree of all stacks, threads first.
    pub(super) fn of(samples: &[Sample]) -> Self {
        let mut root = Self::default();
        for Sample { thread, stack } in samples {
            let thread = Function { name: thread.clone(), kernel: false };
            let mut node = &mut root;
            node.samples += 1;
            for function in std::iter::once(&thread).chain(stack) {
                node = node.callees.entry(function.clone()).or_default();
                node.samples += 1;
            }
        }
        root
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "\
tenfour-0 \n\tffffffff82033fd4 tcp_v4_rcv\n\t          10aba4 __send\n\t          a5df10 <A as B>::put\n\
\tffffffffffffffff [unknown]\n\n\
tenfour-0 \n\t          10aba4 __send\n\t          a5df10 <A as B>::put\n\n\
hub thread \n\t            9f0c main\n\n";

    #[test]
    fn stacks_are_read_from_the_outermost_function_to_the_one_that_ran() {
        let samples = samples(SCRIPT);
        assert_eq!(samples.len(), 3);
        let names: Vec<_> = samples[0].stack.iter().map(|function| function.name.as_str()).collect();
        assert_eq!(names, ["<A as B>::put", "__send", "tcp_v4_rcv"]);
        let kernel: Vec<_> = samples[0].stack.iter().map(|function| function.kernel).collect();
        assert_eq!(kernel, [false, false, true]);
        assert_eq!(samples[2].thread, "hub thread");
    }

    #[test]
    fn a_function_counts_what_it_called() {
        let tree = Node::of(&samples(SCRIPT));
        assert_eq!(tree.samples, 3);
        let sizes: Vec<_> =
            tree.callees.iter().map(|(function, node)| (function.name.as_str(), node.samples)).collect();
        assert_eq!(sizes, [("hub thread", 1), ("tenfour-0", 2)]);
        let worker = tree.callees.values().last().unwrap();
        let put = worker.callees.values().next().unwrap();
        let send = put.callees.values().next().unwrap();
        assert_eq!((put.samples, send.samples, send.callees.len()), (2, 2, 1));
    }
}

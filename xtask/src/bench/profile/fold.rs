//! Stacks that `perf script` prints, and the form that flame graph viewers read.

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

/// A line for each stack: the thread and its functions from the outermost on, and how often it was seen.
pub(super) fn folded(samples: &[Sample]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for Sample { thread, stack } in samples {
        let names = std::iter::once(thread).chain(stack.iter().map(|function| &function.name));
        *counts.entry(names.map(String::as_str).collect::<Vec<_>>().join(";")).or_default() += 1;
    }
    counts.into_iter().map(|(stack, count)| format!("{stack} {count}\n")).collect()
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
    fn equal_stacks_are_one_line_with_their_count() {
        let twice = samples(&SCRIPT.repeat(2));
        assert_eq!(
            folded(&twice),
            "hub thread;main 2\ntenfour-0;<A as B>::put;__send 2\ntenfour-0;<A as B>::put;__send;tcp_v4_rcv 2\n"
        );
    }
}

//! The share of each part of the work, and of each function.

use std::collections::BTreeMap;

use super::fold::{Function, Sample};

/// A part of the work.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    pub(super) name: &'static str,
    /// Kernel functions that begin it, by the beginnings of their names.
    functions: &'static [&'static str],
    /// What was done about its cost.
    pub(super) done: &'static str,
}

/// All that runs outside of the kernel.
pub(super) const PROGRAM: Part = Part {
    name: "the program with its libraries",
    functions: &[],
    done: "frames are lent by the log and not counted up and down; which sockets take frames stands in one short table, \
           so that connections are not touched; what goes out together lies in a row; what was sent is counted once for \
           all: beside the floor, 1.18 times its CPU became 0.9, with the single call for many (ADR 19 and 20)",
};
/// Parts of the kernel's work. A stack belongs to the first part that has one of its functions: the receiver's half of
/// loopback runs within the sender's call, so it comes first.
const KERNEL: [Part; 6] = [
    Part {
        name: "kernel: telling the receiver that there is something to read",
        functions: &["sock_def_readable"],
        done: "the benchmark's users stay awake, so that nobody is woken: over a network the server wakes nobody either",
    },
    Part {
        name: "kernel: the receiver's half of loopback",
        functions: &["do_softirq", "net_rx_action"],
        done: "fewer packets, see sending; a network card does not charge it",
    },
    Part {
        name: "kernel: TCP and IP, sending",
        functions: &["tcp_sendmsg"],
        done: "fewer packets: twos and threes in large channels and for who wishes them, with the listeners spread over \
               the ticks of a bundle, so that the work is even; 60 ms in one frame for low data",
    },
    Part { name: "kernel: reading from sockets", functions: &["__sys_recv", "tcp_recvmsg"], done: "" },
    Part {
        name: "kernel: waiting for work",
        functions: &["do_epoll", "__x64_sys_epoll"],
        done: "32 listeners are written to between two looks at the sockets",
    },
    Part {
        name: "kernel: entering it, finding the socket, leaving it",
        functions: &["entry_SYSCALL", "do_syscall", "syscall_", "io_"],
        done: "32 listeners are served with one call where the kernel allows io_uring (ADR 20); elsewhere one frame leaves by a \
               plain `send`, since a list of one costs half a microsecond more",
    },
];
/// Stacks in the kernel of no other part.
const INTERRUPTS: Part = Part { name: "kernel: interrupts, and the rest", functions: &[], done: "" };

/// Parts of the work with their shares, the largest first.
pub(super) fn parts(samples: &[Sample]) -> Vec<(&'static Part, f64)> {
    shares(samples.iter().map(part))
}

/// Functions with their own shares, without their callees, the largest first.
pub(super) fn functions(samples: &[Sample]) -> Vec<(Function, f64)> {
    shares(samples.iter().filter_map(|sample| sample.stack.last().cloned()))
}

/// The share of one part.
pub(super) fn share(parts: &[(&Part, f64)], wanted: &Part) -> f64 {
    parts.iter().find(|(part, _)| *part == wanted).map_or(0.0, |(_, share)| *share)
}

fn part(sample: &Sample) -> &'static Part {
    if !sample.stack.last().is_some_and(|function| function.kernel) {
        return &PROGRAM;
    }
    let begins = |part: &&Part| {
        let mut kernel = sample.stack.iter().filter(|function| function.kernel);
        kernel.any(|function| part.functions.iter().any(|beginning| function.name.starts_with(beginning)))
    };
    KERNEL.iter().find(begins).unwrap_or(&INTERRUPTS)
}

fn shares<T: Ord>(items: impl Iterator<Item = T>) -> Vec<(T, f64)> {
    let mut counts: BTreeMap<T, u32> = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    let all = f64::from(counts.values().sum::<u32>());
    let mut shares: Vec<(T, f64)> =
        counts.into_iter().map(|(item, count)| (item, f64::from(count) / all)).collect();
    shares.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Functions from the outermost on; those of the kernel begin with a `k:`.
    fn sample(stack: &[&str]) -> Sample {
        let function = |name: &&str| Function {
            kernel: name.starts_with("k:"),
            name: name.trim_start_matches("k:").to_owned(),
        };
        Sample { thread: "tenfour-0".to_owned(), stack: stack.iter().map(function).collect() }
    }

    #[test]
    fn the_receivers_half_is_told_from_the_call_that_it_runs_in() {
        let send = ["put", "k:entry_SYSCALL_64_after_hwframe", "k:tcp_sendmsg", "k:tcp_sendmsg_locked"];
        let half = [&send[..], &["k:do_softirq.part.0", "k:tcp_v4_rcv"]].concat();
        let told = [&half[..], &["k:sock_def_readable"]].concat();
        let parts = [&send[..2], &send, &half, &told].map(|stack| part(&sample(stack)));
        assert_eq!(parts, [&KERNEL[5], &KERNEL[2], &KERNEL[1], &KERNEL[0]]);
    }

    #[test]
    fn what_is_not_the_kernels_is_the_programs_and_an_interrupt_is_nobodys_call() {
        assert_eq!(part(&sample(&["main", "tcp_sendmsg"])), &PROGRAM);
        assert_eq!(part(&sample(&[])), &PROGRAM);
        assert_eq!(part(&sample(&["main", "k:asm_sysvec_apic_timer_interrupt"])), &INTERRUPTS);
    }

    #[test]
    fn shares_are_of_all_and_the_largest_is_first() {
        let samples = [sample(&["main", "put"]), sample(&["main", "put"]), sample(&["put", "k:tcp_sendmsg"])];
        let functions = functions(&samples);
        let named: Vec<_> = functions.iter().map(|(function, _)| function.name.as_str()).collect();
        assert_eq!(named, ["put", "tcp_sendmsg"]);
        assert!((functions[0].1 - 2.0 / 3.0).abs() < 1e-9);
        assert!((share(&parts(&samples), &PROGRAM) - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(share(&parts(&samples), &INTERRUPTS), 0.0);
    }
}

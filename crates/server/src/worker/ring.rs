//! Many sends with one system call: io_uring, where the kernel has it and allows it (docs/adr/0020).

#![expect(unsafe_code, reason = "the kernel is told by address what to send")]

use std::io::{self, ErrorKind};
use std::os::fd::RawFd;

use io_uring::{IoUring, opcode, types};
use rustix::net::SendFlags;

/// A send that does not block, and whose failure is an error and no signal.
const FLAGS: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);

/// Sends to many sockets at once.
pub(super) struct Ring {
    /// None where the kernel has none, or since it failed.
    ring: Option<IoUring>,
    answers: Vec<io::Result<usize>>,
}

impl Ring {
    /// For at most `most` sends at once, all from this thread. Many containers forbid it, and Linux before
    /// 6.1 does not know it: then everything is sent one by one.
    pub(super) fn new(most: u32) -> Self {
        let ring = IoUring::builder().setup_single_issuer().setup_defer_taskrun().build(most);
        let ring = ring.inspect_err(|error| tracing::debug!(%error, "frames are sent one by one")).ok();
        Self { ring, answers: Vec::new() }
    }

    /// Whether there is one.
    pub(super) fn works(&self) -> bool {
        self.ring.is_some()
    }

    /// Offers each socket its bytes, and waits for none: how many bytes each has taken, in the same order.
    /// [`ErrorKind::WouldBlock`] for a socket that is full or was not asked, which is the same: it has taken
    /// nothing. Fewer answers than sends: the rest was not asked.
    pub(super) fn send<'a>(
        &mut self,
        sends: impl Iterator<Item = (RawFd, &'a [u8])>,
    ) -> &[io::Result<usize>] {
        self.answers.clear();
        if let Some(ring) = &mut self.ring
            && let Err(error) = send_all(ring, sends, &mut self.answers)
        {
            tracing::warn!(%error, "io_uring failed: frames are sent one by one from now on");
            // Sends that were submitted and not done will not be done any more.
            self.ring = None;
        }
        &self.answers
    }
}

/// Returns when the kernel has answered all, or will answer nothing more.
fn send_all<'a>(
    ring: &mut IoUring,
    sends: impl Iterator<Item = (RawFd, &'a [u8])>,
    answers: &mut Vec<io::Result<usize>>,
) -> io::Result<()> {
    for (socket, bytes) in sends {
        let send = opcode::Send::new(types::Fd(socket), bytes.as_ptr(), bytes.len() as u32)
            .flags(FLAGS.bits() as i32)
            .build()
            .user_data(answers.len() as u64);
        // SAFETY: the bytes live until this function returns. By then the kernel has answered: a send
        // that does not wait is over when it is submitted. What was not submitted is never read.
        unsafe { ring.submission().push(&send) }.map_err(io::Error::other)?;
        answers.push(Err(ErrorKind::WouldBlock.into()));
    }
    let mut awaited = answers.len();
    while awaited > 0 {
        let submitted = ring.submit_and_wait(awaited);
        // Also after a failure: what was sent must not be sent again.
        for answer in ring.completion() {
            answers[answer.user_data() as usize] = match answer.result() {
                failed @ ..0 => Err(io::Error::from_raw_os_error(-failed)),
                bytes => Ok(bytes as usize),
            };
            awaited -= 1;
        }
        match submitted {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                forget(ring, answers, awaited);
                return Err(error);
            }
            _ => {}
        }
    }
    Ok(())
}

/// The kernel gives up with so many answers to come. What it took and did not answer may have been sent: that
/// is told as a failure, since nobody knows. It takes in order, so what it did not take is at the end.
fn forget(ring: &mut IoUring, answers: &mut [io::Result<usize>], awaited: usize) {
    let taken = answers.len() - ring.submission().len().min(answers.len());
    let blocked = |answer: &io::Result<usize>| matches!(answer, Err(error) if error.kind() == ErrorKind::WouldBlock && error.raw_os_error().is_none());
    let unknown = answers[..taken].iter_mut().filter(|answer| blocked(answer));
    unknown.take(awaited).for_each(|answer| *answer = Err(ErrorKind::Other.into()));
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

    use super::*;

    /// Two ends of a connection; neither waits.
    fn pair() -> (TcpStream, TcpStream) {
        let door = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = TcpStream::connect(door.local_addr().unwrap()).unwrap();
        let there = door.accept().unwrap().0;
        here.set_nonblocking(true).unwrap();
        (here, there)
    }

    #[test]
    fn each_socket_answers_for_itself() {
        let mut ring = Ring::new(4);
        if !ring.works() {
            return eprintln!("not tried: this system does not allow io_uring");
        }
        let (one, mut other) = pair();
        let (full, _takes_nothing) = pair();
        while socket2::SockRef::from(&full).send(&[0; 65536]).is_ok() {}
        let (broken, gone) = pair();
        socket2::SockRef::from(&gone).set_linger(Some(std::time::Duration::ZERO)).unwrap();
        drop(gone);
        for round in 0..3 {
            let sends =
                [(one.as_raw_fd(), &b"one"[..]), (full.as_raw_fd(), b"two"), (broken.as_raw_fd(), b"three")];
            let answers = ring.send(sends.into_iter());
            assert_eq!(answers.len(), 3);
            assert_eq!(*answers[0].as_ref().unwrap(), 3);
            assert_eq!(answers[1].as_ref().unwrap_err().kind(), ErrorKind::WouldBlock);
            let failed = answers[2].as_ref().unwrap_err().kind();
            assert_eq!(failed, if round == 0 { ErrorKind::ConnectionReset } else { ErrorKind::BrokenPipe });
        }
        let mut came = [0; 9];
        other.read_exact(&mut came).unwrap();
        assert_eq!(&came, b"oneoneone");
    }

    #[test]
    fn what_could_not_be_asked_was_not_taken() {
        let mut ring = Ring::new(1);
        if !ring.works() {
            return eprintln!("not tried: this system does not allow io_uring");
        }
        let (one, other) = pair();
        let socket = one.as_raw_fd();
        let answers = ring.send([(socket, &b"one"[..]), (socket, b"too many")].into_iter());
        assert!(answers.iter().all(|answer| answer.is_err()), "{answers:?}");
        assert!(!ring.works(), "and it is not asked again");
        drop(one);
        assert_eq!((&other).read(&mut [0; 9]).unwrap(), 0);
    }
}

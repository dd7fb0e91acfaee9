//! One end of a socket: frames out, frames in, descriptors beside them; it never blocks.

use crate::message::{FRAME_BYTES_MAX, HEAD_BYTES, Message};
use crate::segment::Segment;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use std::collections::VecDeque;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use windfall_core::{Error, Result};

/// Bytes read at a time: at least half of this.
const READ_BYTES: usize = 128 * 1024;
/// Descriptors that may come with one read: the kernel hands over those of one write at a time.
const DESCRIPTORS_MAX: usize = 4;

/// What waits to be sent.
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    /// How much of `bytes` is sent.
    sent: usize,
    /// Descriptors, each with the place in `bytes` that it goes with.
    segments: VecDeque<(usize, Segment)>,
}

impl Outbox {
    /// Adds a message.
    pub fn push(&mut self, message: &Message) {
        let start = self.bytes.len();
        if let Some(segment) = message.encode(&mut self.bytes) {
            self.segments.push_back((start, segment));
        }
    }

    /// What is not sent yet, in bytes.
    pub fn waiting_bytes(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// Sends what the socket takes at once; true if nothing is left.
    ///
    /// # Errors
    /// If the other end is gone.
    pub fn flush(&mut self, fd: BorrowedFd<'_>) -> std::io::Result<bool> {
        while self.sent < self.bytes.len() {
            match self.send_some(fd) {
                Ok(count) => self.sent += count,
                Err(Errno::AGAIN) => return Ok(false),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.bytes.clear();
        if self.bytes.capacity() > 4 * READ_BYTES {
            self.bytes.shrink_to(READ_BYTES);
        }
        self.sent = 0;
        Ok(true)
    }

    fn send_some(&mut self, fd: BorrowedFd<'_>) -> rustix::io::Result<usize> {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let next = self.segments.front().map(|(place, _)| *place);
        if next != Some(self.sent) {
            let end = next.unwrap_or(self.bytes.len());
            return rustix::net::send(fd, &self.bytes[self.sent..end], flags);
        }
        // A descriptor goes with the first byte of its frame; no other byte may go with it, so
        // that reader and writer count alike.
        let end = self.segments.get(1).map_or(self.bytes.len(), |(place, _)| *place);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let segment = self.segments[0].1.clone();
        let descriptors = [segment.fd()];
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
        let count = {
            let bytes = [IoSlice::new(&self.bytes[self.sent..end])];
            rustix::net::sendmsg(fd, &bytes, &mut control, flags)?
        };
        self.segments.pop_front();
        Ok(count)
    }
}

/// What came and is not read yet.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// How much of `bytes` was received.
    filled: usize,
    /// How much of that is taken.
    taken: usize,
    descriptors: VecDeque<OwnedFd>,
}

/// What reading found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// Bytes came; there may be more.
    Some,
    /// Nothing is there now.
    Nothing,
    /// The other end is gone.
    End,
}

impl Inbox {
    /// Reads what is there, once.
    pub fn read(&mut self, fd: BorrowedFd<'_>) -> Read {
        if self.taken == self.filled {
            (self.taken, self.filled) = (0, 0);
            if self.bytes.len() > 16 * READ_BYTES {
                self.bytes = Vec::new();
            }
        } else if self.taken > READ_BYTES / 2 {
            self.bytes.copy_within(self.taken..self.filled, 0);
            (self.taken, self.filled) = (0, self.filled - self.taken);
        }
        let room = (READ_BYTES / 2).max(self.missing());
        if self.bytes.len() < self.filled + room {
            self.bytes.resize((self.filled + room).max(READ_BYTES), 0);
        }
        let (count, read) = self.receive(fd);
        self.filled += count;
        read
    }

    fn receive(&mut self, fd: BorrowedFd<'_>) -> (usize, Read) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
        let received = loop {
            let mut buffers = [IoSliceMut::new(&mut self.bytes[self.filled..])];
            match rustix::net::recvmsg(fd, &mut buffers, &mut control, flags) {
                Err(Errno::INTR) => {}
                other => break other,
            }
        };
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                self.descriptors.extend(descriptors);
            }
        }
        match received.map(|message| message.bytes) {
            Ok(0) => (0, Read::End),
            Ok(count) => (count, Read::Some),
            Err(Errno::AGAIN) => (0, Read::Nothing),
            Err(_) => (0, Read::End),
        }
    }

    /// How many bytes the frame that has begun still lacks.
    fn missing(&self) -> usize {
        let have = &self.bytes[self.taken..self.filled];
        let Some(head) = have.first_chunk::<4>() else { return 0 };
        let length = (u32::from_le_bytes(*head) as usize).min(FRAME_BYTES_MAX);
        (HEAD_BYTES + length).saturating_sub(have.len())
    }

    /// Takes the next whole message; none if it has not come yet.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Wire`] if it cannot be read.
    pub fn take(&mut self) -> Result<Option<Message>> {
        let have = &self.bytes[self.taken..self.filled];
        let Some(head) = have.first_chunk::<HEAD_BYTES>() else { return Ok(None) };
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if length > FRAME_BYTES_MAX {
            return Err(Error::wire(format!("a message of {length} bytes")));
        }
        let Some(body) = have.get(HEAD_BYTES..HEAD_BYTES + length) else { return Ok(None) };
        let segment = match head[5] {
            0 => None,
            _ => {
                let fd = self.descriptors.pop_front();
                let fd = fd.ok_or_else(|| Error::wire("a message without its descriptor"))?;
                let segment = Segment::received(fd);
                Some(segment.map_err(|error| Error::wire(format!("a descriptor: {error}")))?)
            }
        };
        let message = Message::decode(head[4], body, segment)?;
        self.taken += HEAD_BYTES + length;
        Ok(Some(message))
    }
}

/// Both directions of one socket, for whoever serves many.
#[derive(Debug)]
pub struct Wire {
    fd: OwnedFd,
    /// What waits to be sent.
    pub outbox: Outbox,
    /// What came.
    pub inbox: Inbox,
}

impl Wire {
    /// A wire over a connected socket.
    pub fn new(fd: OwnedFd) -> Self {
        Self { fd, outbox: Outbox::default(), inbox: Inbox::default() }
    }

    /// The socket.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Sends what can be sent; true if nothing is left.
    ///
    /// # Errors
    /// If the other end is gone.
    pub fn flush(&mut self) -> std::io::Result<bool> {
        self.outbox.flush(self.fd.as_fd())
    }

    /// Reads what is there, once.
    pub fn read(&mut self) -> Read {
        self.inbox.read(self.fd.as_fd())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Bytes, Payload};
    use crate::os;

    fn pair() -> (Wire, Wire) {
        let (a, b) = os::pair().unwrap();
        (Wire::new(a), Wire::new(b))
    }

    #[test]
    fn messages_and_descriptors_keep_their_order() {
        let (mut from, mut to) = pair();
        for task in 0..40u64 {
            // Every third has a segment that holds its number.
            let segment = (task % 3 == 0).then(|| Segment::of(&[&task.to_le_bytes()]).unwrap());
            let body = Bytes::from(vec![task as u8; (task as usize % 7) * 100]);
            let payload = Payload { body, segment };
            from.outbox.push(&Message::Run { task, function: None, payload });
        }
        let mut seen = 0;
        while seen < 40 {
            let _ = from.flush().unwrap();
            to.read();
            while let Some(message) = to.inbox.take().unwrap() {
                let Message::Run { task, payload, .. } = message else { panic!("{message:?}") };
                assert_eq!(task, seen);
                assert_eq!(payload.body.len(), (task as usize % 7) * 100);
                assert_eq!(payload.segment.is_some(), task % 3 == 0);
                if let Some(segment) = payload.segment {
                    let mut number = [0; 8];
                    rustix::io::pread(segment.fd(), &mut number, 0).unwrap();
                    assert_eq!(u64::from_le_bytes(number), task);
                }
                seen += 1;
            }
        }
    }

    #[test]
    fn a_frame_larger_than_the_sockets_buffer_arrives() {
        let (mut from, mut to) = pair();
        let body = Bytes::from((0..5_000_000u32).map(|i| i as u8).collect::<Vec<_>>());
        from.outbox.push(&Message::Blob { name: [1; 16], body: body.clone() });
        loop {
            let _ = from.flush().unwrap();
            to.read();
            if let Some(Message::Blob { body: came, .. }) = to.inbox.take().unwrap() {
                assert!(came == body);
                break;
            }
        }
    }

    #[test]
    fn the_end_is_seen() {
        let (from, mut to) = pair();
        assert_eq!(to.read(), Read::Nothing);
        drop(from);
        assert_eq!(to.read(), Read::End);
    }
}

//! What controller, engines and clients say to one another, and its bytes.
//!
//! A frame is the length of its body (`u32`), a kind (`u8`), whether a descriptor comes with it
//! (`u8`), and the body; numbers are little-endian. What a payload means is between client and
//! engine: the controller passes it on unread.

use crate::codec::{Put, Take};
use crate::segment::Segment;
use std::sync::Arc;
use windfall_core::{Error, Result, Version};

/// Bytes that are handed on without a copy.
pub type Bytes = Arc<[u8]>;
/// The 128-bit hash of a function's bytes.
pub type Name = [u8; 16];
/// A task's number: unique in the cluster, `client << 40 | count`.
pub type TaskId = u64;
/// An engine's number; kept when the engine is replaced.
pub type EngineId = u32;
/// A client's number.
pub type ClientId = u32;

/// Bytes, and large buffers beside them.
#[derive(Clone, Debug, Default)]
pub struct Payload {
    /// What travels through the socket.
    pub body: Bytes,
    /// What only has its descriptor passed.
    pub segment: Option<Segment>,
}

impl Payload {
    /// Bytes alone.
    pub fn of(body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), segment: None }
    }

    /// What it takes, in bytes.
    pub fn nbytes(&self) -> usize {
        self.body.len() + self.segment.as_ref().map_or(0, Segment::nbytes)
    }
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Status {
    /// It returned.
    Ok = 0,
    /// It raised.
    Error = 1,
    /// It was taken back before it began.
    Aborted = 2,
    /// Its engine died.
    Lost = 3,
    /// What it depends on is not there on that engine.
    Unmet = 4,
    /// It took longer than it may.
    TimedOut = 5,
    /// Its dependencies can never be met.
    Impossible = 6,
    /// Given back unstarted, to be run elsewhere.
    Returned = 7,
}

impl Status {
    /// The status of that number.
    pub fn from_u8(code: u8) -> Option<Self> {
        use Status::{Aborted, Error, Impossible, Lost, Ok, Returned, TimedOut, Unmet};
        [Ok, Error, Aborted, Lost, Unmet, TimedOut, Impossible, Returned]
            .get(code as usize)
            .copied()
    }
}

/// Tasks to run, as a client submits them.
#[derive(Clone, Debug, Default)]
pub struct Submission {
    /// The number of the first; tasks for several engines have consecutive numbers.
    pub first: TaskId,
    /// The engines; none means all.
    pub targets: Option<Vec<EngineId>>,
    /// One task on whichever target is free first, rather than one on each.
    pub balanced: bool,
    /// The function's bytes, sent before.
    pub function: Option<Name>,
    /// What it is about, for people.
    pub label: String,
    /// How often it may be run again after a failure.
    pub retries: u32,
    /// The longest it may run, in microseconds; 0 for no limit.
    pub timeout_us: u64,
    /// What it waits for, as JSON (see [`crate::controller::Depends`]).
    pub depends: Option<String>,
    /// Arguments.
    pub payload: Payload,
}

/// A task's end, as its client learns it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which task.
    pub task: TaskId,
    /// How it ended.
    pub status: Status,
    /// Where.
    pub engine: EngineId,
    /// When it was submitted, began and ended: microseconds since 1970.
    pub times: [u64; 3],
    /// The result or the error.
    pub payload: Payload,
}

/// An engine as clients see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineNote {
    /// Its number.
    pub engine: EngineId,
    /// Its process.
    pub pid: u32,
    /// 0 starting, 1 ready, 2 failed.
    pub state: u8,
}

/// Everything that is said.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // The fields are those of the types above.
pub enum Message {
    /// A client's first word: whether the cluster ends with this client, and its version.
    Hello { is_owner: bool, version: Version },
    /// The answer to it: the client's number, and the controller's version. To an engine: the
    /// engine's number.
    Welcome { id: u32, version: Version },
    /// Tasks.
    Submit(Submission),
    /// A function's bytes.
    Blob { name: Name, body: Bytes },
    /// Anything rare, as JSON.
    Request { request: u32, json: String },
    /// Its answer, as JSON.
    Reply { request: u32, json: String },
    /// The end of a task, to its client.
    Result(Outcome),
    /// What a task printed or showed: stream 0 stdout, 1 stderr, 2 display, 3 published data,
    /// 4 a part of its result.
    Output { task: TaskId, engine: EngineId, stream: u8, payload: Payload },
    /// The engines there are.
    Engines(Vec<EngineNote>),
    /// An engine is there.
    Ready { pid: u32 },
    /// A task, to an engine.
    Run { task: TaskId, function: Option<Name>, payload: Payload },
    /// The end of a task, from its engine.
    Done { task: TaskId, status: Status, started_us: u64, ended_us: u64, payload: Payload },
    /// To an engine: give up these tasks if they have not begun.
    Abort { tasks: Vec<TaskId> },
    /// To an engine: give back whatever has not begun.
    Recall,
    /// To an engine: end. Of a rank of MPI: it has come to its end.
    Stop,
    /// The first word of an engine that the controller has not started, a rank of MPI: its number,
    /// its process, and the machine that it is on, which is empty for this one.
    Join { engine: EngineId, pid: u32, host: String },
    /// To a rank: have this signal, which cannot be sent from elsewhere.
    Signal { signal: u32 },
}

/// The stream of parts of a task's result, which come as they are made.
pub const STREAM_PART: u8 = 4;
/// The most bytes of one frame: larger data belongs in a segment.
pub const FRAME_BYTES_MAX: usize = 1 << 30;
/// The bytes before a frame's body.
pub const HEAD_BYTES: usize = 6;

impl Message {
    /// The first word of a client of this version.
    pub fn hello(is_owner: bool) -> Self {
        Self::Hello { is_owner, version: Version::here() }
    }

    /// The first word of a controller of this version.
    pub fn welcome(id: u32) -> Self {
        Self::Welcome { id, version: Version::here() }
    }

    /// Appends its frame to `out` and returns the segment whose descriptor goes with it.
    pub fn encode(&self, out: &mut Vec<u8>) -> Option<Segment> {
        let start = out.len();
        out.extend_from_slice(&[0; HEAD_BYTES]);
        let (kind, segment) = self.encode_body(&mut Put(out));
        let length = (out.len() - start - HEAD_BYTES) as u32;
        out[start..start + 4].copy_from_slice(&length.to_le_bytes());
        (out[start + 4], out[start + 5]) = (kind, u8::from(segment.is_some()));
        segment
    }

    fn encode_body(&self, put: &mut Put<'_>) -> (u8, Option<Segment>) {
        match self {
            Self::Hello { is_owner, version } => {
                put.u8(u8::from(*is_owner)).u64(version.word()).is(0)
            }
            Self::Welcome { id, version } => put.u32(*id).u64(version.word()).is(1),
            Self::Submit(submission) => put.submission(submission),
            Self::Blob { name, body } => put.bytes(name).bytes(body).is(3),
            Self::Request { request, json } => put.u32(*request).bytes(json.as_bytes()).is(4),
            Self::Reply { request, json } => put.u32(*request).bytes(json.as_bytes()).is(5),
            Self::Result(outcome) => {
                put.u64(outcome.task).u8(outcome.status as u8).u32(outcome.engine);
                outcome.times.iter().for_each(|&time| put.u64(time).done());
                put.bytes(&outcome.payload.body);
                (6, outcome.payload.segment.clone())
            }
            Self::Output { task, engine, stream, payload } => {
                put.u64(*task).u32(*engine).u8(*stream).bytes(&payload.body);
                (7, payload.segment.clone())
            }
            Self::Engines(notes) => {
                notes.iter().for_each(|n| put.u32(n.engine).u32(n.pid).u8(n.state).done());
                put.is(8)
            }
            Self::Ready { pid } => put.u32(*pid).is(9),
            Self::Run { task, function, payload } => {
                put.u64(*task).name(function.as_ref()).bytes(&payload.body);
                (10, payload.segment.clone())
            }
            Self::Done { task, status, started_us, ended_us, payload } => {
                put.u64(*task).u8(*status as u8).u64(*started_us).u64(*ended_us);
                put.bytes(&payload.body);
                (11, payload.segment.clone())
            }
            Self::Abort { tasks } => {
                tasks.iter().for_each(|&task| put.u64(task).done());
                put.is(12)
            }
            Self::Recall => put.is(13),
            Self::Stop => put.is(14),
            Self::Join { engine, pid, host } => {
                put.u32(*engine).u32(*pid).bytes(host.as_bytes()).is(15)
            }
            Self::Signal { signal } => put.u32(*signal).is(16),
        }
    }

    /// Reads the message of a frame.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Wire`] if it is not one that was written by this version.
    pub fn decode(kind: u8, body: &[u8], segment: Option<Segment>) -> Result<Self> {
        let mut take = Take(body);
        let message = match kind {
            0 => Self::Hello { is_owner: take.u8()? != 0, version: take.version()? },
            1 => Self::Welcome { id: take.u32()?, version: take.version()? },
            2 => Self::Submit(take.submission(segment)?),
            3 => Self::Blob { name: take.name()?, body: take.rest().into() },
            4 => Self::Request { request: take.u32()?, json: take.text()? },
            5 => Self::Reply { request: take.u32()?, json: take.text()? },
            6 => Self::Result(Outcome {
                task: take.u64()?,
                status: take.status()?,
                engine: take.u32()?,
                times: [take.u64()?, take.u64()?, take.u64()?],
                payload: Payload { body: take.rest().into(), segment },
            }),
            7 => Self::Output {
                task: take.u64()?,
                engine: take.u32()?,
                stream: take.u8()?,
                payload: Payload { body: take.rest().into(), segment },
            },
            8 => {
                let mut notes = Vec::new();
                while !take.0.is_empty() {
                    let (engine, pid, state) = (take.u32()?, take.u32()?, take.u8()?);
                    notes.push(EngineNote { engine, pid, state });
                }
                Self::Engines(notes)
            }
            9 => Self::Ready { pid: take.u32()? },
            10 => Self::Run {
                task: take.u64()?,
                function: take.optional_name()?,
                payload: Payload { body: take.rest().into(), segment },
            },
            11 => Self::Done {
                task: take.u64()?,
                status: take.status()?,
                started_us: take.u64()?,
                ended_us: take.u64()?,
                payload: Payload { body: take.rest().into(), segment },
            },
            12 => {
                let mut tasks = Vec::new();
                while !take.0.is_empty() {
                    tasks.push(take.u64()?);
                }
                Self::Abort { tasks }
            }
            13 => Self::Recall,
            14 => Self::Stop,
            15 => Self::Join { engine: take.u32()?, pid: take.u32()?, host: take.text()? },
            16 => Self::Signal { signal: take.u32()? },
            _ => return Err(Error::wire(format!("a message of kind {kind}"))),
        };
        Ok(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kind of message, with something in every field.
    fn all() -> Vec<Message> {
        let payload = || Payload::of(&b"body"[..]);
        let submission = Submission {
            first: 7 << 40,
            targets: Some(vec![0, 3]),
            balanced: true,
            function: Some([9; 16]),
            label: "f".into(),
            retries: 2,
            timeout_us: 5,
            depends: Some("{}".into()),
            payload: payload(),
        };
        let (started_us, ended_us, status) = (1, 2, Status::Unmet);
        vec![
            Message::hello(true),
            Message::welcome(3),
            Message::Submit(submission.clone()),
            Message::Submit(Submission { targets: None, function: None, ..submission }),
            Message::Blob { name: [1; 16], body: Bytes::from(&b"code"[..]) },
            Message::Request { request: 4, json: "{}".into() },
            Message::Reply { request: 4, json: "[]".into() },
            Message::Result(Outcome {
                task: 1,
                status,
                engine: 2,
                times: [1, 2, 3],
                payload: payload(),
            }),
            Message::Output { task: 1, engine: 2, stream: 1, payload: Payload::of(&b"hi"[..]) },
            Message::Engines(vec![EngineNote { engine: 0, pid: 11, state: 1 }]),
            Message::Ready { pid: 5 },
            Message::Run { task: 8, function: Some([2; 16]), payload: payload() },
            Message::Done { task: 8, status, started_us, ended_us, payload: payload() },
            Message::Abort { tasks: vec![1, 2] },
            Message::Recall,
            Message::Stop,
            Message::Join { engine: 1, pid: 9, host: "n1".into() },
            Message::Signal { signal: 2 },
        ]
    }

    #[test]
    fn every_message_comes_back_as_it_went() {
        for message in all() {
            let mut frame = Vec::new();
            assert!(message.encode(&mut frame).is_none());
            let length = u32::from_le_bytes(frame[..4].try_into().unwrap()) as usize;
            assert_eq!(frame.len(), HEAD_BYTES + length);
            let back = Message::decode(frame[4], &frame[HEAD_BYTES..], None).unwrap();
            assert_eq!(format!("{back:?}"), format!("{message:?}"));
        }
    }

    #[test]
    fn cut_frames_are_errors_and_no_panics() {
        for message in all() {
            let mut frame = Vec::new();
            message.encode(&mut frame);
            for end in HEAD_BYTES..frame.len() {
                let _ = Message::decode(frame[4], &frame[HEAD_BYTES..end], None);
            }
        }
        assert!(Message::decode(99, &[], None).is_err());
    }

    #[test]
    fn a_descriptor_goes_with_what_has_a_segment() {
        let segment = Some(Segment::zeros(8).unwrap());
        let run = Message::Run {
            task: 1,
            function: None,
            payload: Payload { segment, ..Payload::default() },
        };
        let mut frame = Vec::new();
        assert_eq!(run.encode(&mut frame).unwrap().nbytes(), 8);
        assert_eq!(frame[5], 1);
    }
}

//! The bytes of messages: numbers are little-endian, texts and lists are counted.

use crate::message::{Name, Payload, Status, Submission};
use crate::segment::Segment;
use windfall_core::{Error, Result, Version};

/// Appends to a frame.
pub(crate) struct Put<'a>(pub &'a mut Vec<u8>);

impl Put<'_> {
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }
    pub fn counted(&mut self, bytes: &[u8]) -> &mut Self {
        self.u32(bytes.len() as u32).bytes(bytes)
    }
    pub fn name(&mut self, name: Option<&Name>) -> &mut Self {
        match name {
            None => self.u8(0),
            Some(name) => self.u8(1).bytes(name),
        }
    }
    pub fn done(&mut self) {}
    pub fn is(&self, kind: u8) -> (u8, Option<Segment>) {
        (kind, None)
    }

    pub fn submission(&mut self, submission: &Submission) -> (u8, Option<Segment>) {
        let Submission { targets, label, depends, payload, .. } = submission;
        self.u64(submission.first).u8(u8::from(submission.balanced));
        match targets {
            None => self.u32(u32::MAX).done(),
            Some(targets) => {
                self.u32(targets.len() as u32);
                targets.iter().for_each(|&target| self.u32(target).done());
            }
        }
        self.name(submission.function.as_ref()).counted(label.as_bytes());
        self.u32(submission.retries).u64(submission.timeout_us);
        self.counted(depends.as_deref().unwrap_or("").as_bytes()).bytes(&payload.body);
        (2, payload.segment.clone())
    }
}

/// Takes from a frame's body.
pub(crate) struct Take<'a>(pub &'a [u8]);

impl<'a> Take<'a> {
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(short)?;
        self.0 = rest;
        Ok(taken)
    }
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.bytes(N)?.try_into().map_err(|_| short())
    }
    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }
    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }
    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }
    pub fn version(&mut self) -> Result<Version> {
        self.u64().map(Version::from_word)
    }
    pub fn name(&mut self) -> Result<Name> {
        self.array()
    }
    pub fn optional_name(&mut self) -> Result<Option<Name>> {
        if self.u8()? == 0 { Ok(None) } else { self.name().map(Some) }
    }
    pub fn status(&mut self) -> Result<Status> {
        let code = self.u8()?;
        Status::from_u8(code).ok_or_else(|| Error::wire(format!("a task's status {code}")))
    }
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
    pub fn counted(&mut self) -> Result<String> {
        let count = self.u32()? as usize;
        Take(self.bytes(count)?).text()
    }
    pub fn text(&mut self) -> Result<String> {
        let text = std::str::from_utf8(self.rest());
        text.map(str::to_owned).map_err(|_| Error::wire("text that is not UTF-8"))
    }

    pub fn submission(&mut self, segment: Option<Segment>) -> Result<Submission> {
        let (first, balanced) = (self.u64()?, self.u8()? != 0);
        let targets = match self.u32()? {
            u32::MAX => None,
            count => Some((0..count).map(|_| self.u32()).collect::<Result<_>>()?),
        };
        let (function, label) = (self.optional_name()?, self.counted()?);
        let (retries, timeout_us, depends) = (self.u32()?, self.u64()?, self.counted()?);
        let depends = (!depends.is_empty()).then_some(depends);
        let payload = Payload { body: self.rest().into(), segment };
        let (run, wait) = ((targets, balanced, function), (retries, timeout_us, depends));
        Ok(Submission {
            first,
            targets: run.0,
            balanced: run.1,
            function: run.2,
            label,
            retries: wait.0,
            timeout_us: wait.1,
            depends: wait.2,
            payload,
        })
    }
}

fn short() -> Error {
    Error::wire("a message that ends too early")
}

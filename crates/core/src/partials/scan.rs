//! The frames of a file, read from its start to its end, whatever became of some of its bytes.

use super::frame::{CHECK, Frame, HEAD, MAGIC, not_ours};
use crate::Error;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// What stands in a file from one place on.
#[derive(Debug)]
pub(super) enum Found {
    /// A whole frame; its partial begins at `place`.
    Frame { frame: Frame, place: u64, length: usize, check: [u8; CHECK] },
    /// Bytes that are no frame, up to the next one or to the end; what is wrong with the first.
    Damage { from: u64, fault: Fault },
}

/// Why bytes are no frame.
#[derive(Debug)]
pub(super) struct Fault {
    pub error: Error,
    /// Whether they may well be one, up to the end of the file.
    pub breaks_off: bool,
}

impl Fault {
    fn breaks_off() -> Self {
        Self { error: Error::wire("a partial that breaks off"), breaks_off: true }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self { error, breaks_off: false }
    }
}

/// Reads frames one after the other.
#[derive(Debug)]
pub(super) struct Scan<R> {
    file: BufReader<R>,
    /// Where the next frame should begin.
    at: u64,
    bytes: Vec<u8>,
}

impl<R: Read + Seek> Scan<R> {
    /// Reads `file` from its start.
    ///
    /// # Errors
    /// The system's.
    pub fn new(file: R) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(1 << 18, file);
        file.rewind()?;
        Ok(Self { file, at: 0, bytes: Vec::new() })
    }

    /// What comes next; none at the end.
    ///
    /// # Errors
    /// The system's.
    pub fn next(&mut self) -> io::Result<Option<Found>> {
        if self.file.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let fault = match self.frame()? {
            Ok(found) => return Ok(Some(found)),
            Err(fault) => fault,
        };
        let from = self.at;
        self.skip()?;
        Ok(Some(Found::Damage { from, fault }))
    }

    /// The frame that begins here.
    fn frame(&mut self) -> io::Result<Result<Found, Fault>> {
        self.bytes.clear();
        (&mut self.file).take(HEAD as u64).read_to_end(&mut self.bytes)?;
        let Some(head) = self.bytes.first_chunk() else {
            let known = self.bytes.len().min(MAGIC.len());
            return Ok(Err(match self.bytes[..known] == MAGIC[..known] {
                true => Fault::breaks_off(),
                false => not_ours().into(),
            }));
        };
        let (_, length) = match Frame::read_head(head) {
            Ok(read) => read,
            Err(error) => return Ok(Err(error.into())),
        };
        let whole = (length + CHECK) as u64;
        let read = (&mut self.file).take(whole).read_to_end(&mut self.bytes)?;
        if (read as u64) < whole {
            return Ok(Err(Fault::breaks_off()));
        }
        let (frame, partial) = match Frame::read(&self.bytes) {
            Ok(read) => read,
            Err(error) => return Ok(Err(error.into())),
        };
        let (place, length) = (self.at + HEAD as u64, partial.len());
        let check = *self.bytes.last_chunk().expect("a frame is longer");
        self.at += (HEAD + length + CHECK) as u64;
        Ok(Ok(Found::Frame { frame, place, length, check }))
    }

    /// Goes on to the next place behind this one where a frame may begin.
    fn skip(&mut self) -> io::Result<()> {
        self.at += 1;
        self.file.seek(SeekFrom::Start(self.at))?;
        loop {
            let bytes = self.file.fill_buf()?;
            if bytes.is_empty() {
                return Ok(());
            }
            // A magic may lie across the end of the buffer.
            let keep = MAGIC.len() - 1;
            let place = bytes.windows(MAGIC.len()).position(|window| window == MAGIC);
            let step = match place {
                Some(place) => place,
                None if bytes.len() > keep => bytes.len() - keep,
                None => bytes.len(),
            };
            self.at += step as u64;
            match place {
                Some(place) => {
                    self.file.consume(place);
                    return Ok(());
                }
                None => {
                    self.file.seek(SeekFrom::Start(self.at))?;
                }
            }
        }
    }
}

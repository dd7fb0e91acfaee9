//! Partials in files or memory, found again by job and shard.

use super::frame::{CHECK, Frame, Identity};
use super::keep::Framing;
use super::scan::{Fault, Found, Scan};
use crate::{Error, ErrorKind, Result, ShardSet};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// An index of the partials in any number of sources; the partials themselves stay there.
///
/// # Cost
/// One reading of each source, and 120 bytes of memory a partial.
#[derive(Debug, Default)]
pub struct Archive {
    sources: Vec<Kept>,
    jobs: HashMap<Identity, Vec<Place>>,
    /// The jobs that were asked for.
    asked: Mutex<HashSet<Identity>>,
    used: AtomicU64,
}

/// Something that holds partials.
#[derive(Debug)]
struct Kept {
    name: String,
    bytes: Mutex<Bytes>,
}

#[derive(Debug)]
enum Bytes {
    /// A file, and where its reader stands.
    File(BufReader<File>, u64),
    Memory(Vec<u8>),
}

/// Where a partial lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub frame: Frame,
    source: usize,
    at: u64,
    length: usize,
    check: [u8; CHECK],
}

/// Bytes of a source that are no partial.
#[derive(Debug)]
pub(super) struct Damage {
    pub from: u64,
    fault: Fault,
    /// Whether nothing good follows.
    pub is_tail: bool,
}

impl Damage {
    /// Whether it is what a writer leaves behind who was cut off: nothing is lost by it but the
    /// partial that was being written, and that is missing like any other.
    fn is_torn(&self) -> bool {
        self.fault.breaks_off && self.is_tail
    }

    /// Whether it is no damage but the partial of another version of Windfall.
    pub fn is_foreign(&self) -> bool {
        matches!(self.fault.error.kind(), ErrorKind::Invalid { .. })
    }

    /// The error that it is in the source called `name`.
    pub fn error(&self, name: &str) -> Error {
        let again = "write its partials again, or leave the file out and write what is missing";
        let (error, from) = (&self.fault.error, self.from);
        Error::io(name, format!("byte {from}: {}", error.kind()))
            .hint(error.remedy().unwrap_or(again))
    }
}

impl Archive {
    /// Adds the partials in the file at `path`. A frame that breaks off at its end, as one does
    /// whose writer was killed, is left out.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] with the path and the first byte at fault if the file cannot be
    /// read or holds anything else.
    pub fn add_file(&mut self, path: &Path) -> Result<()> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| Error::io(&name, error))?;
        refuse(&name, &self.add(name.clone(), file).map_err(|error| Error::io(&name, error))?)
    }

    /// Adds the partials in `bytes`, which came from what is called `name`.
    ///
    /// # Errors
    /// As [`Archive::add_file`].
    pub fn add_bytes(&mut self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let scan = Scan::new(Cursor::new(&bytes)).map_err(|error| Error::io(name, error))?;
        let damage = self.index(scan).map_err(|error| Error::io(name, error))?;
        let bytes = Mutex::new(Bytes::Memory(bytes));
        self.sources.push(Kept { name: name.to_owned(), bytes });
        refuse(name, &damage)
    }

    /// Adds what is whole in `file` and tells what is not.
    pub(super) fn add(&mut self, name: String, file: File) -> io::Result<Vec<Damage>> {
        let damage = self.index(Scan::new(&file)?)?;
        let mut reader = BufReader::with_capacity(1 << 18, file);
        reader.rewind()?;
        self.sources.push(Kept { name, bytes: Mutex::new(Bytes::File(reader, 0)) });
        Ok(damage)
    }

    fn index<R: Read + Seek>(&mut self, mut scan: Scan<R>) -> io::Result<Vec<Damage>> {
        let source = self.sources.len();
        let mut damage: Vec<Damage> = Vec::new();
        while let Some(found) = scan.next()? {
            match found {
                Found::Frame { frame, place: at, length, check } => {
                    let place = Place { frame, source, at, length, check };
                    self.jobs.entry(frame.job).or_default().push(place);
                    damage.iter_mut().for_each(|damage| damage.is_tail = false);
                }
                Found::Damage { from, fault } => {
                    damage.push(Damage { from, fault, is_tail: true });
                }
            }
        }
        Ok(damage)
    }

    /// Brings the partials of each job in order and drops those that are there twice.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Wire`] with both sources if one shard is there with different bytes.
    pub fn settle(&mut self) -> Result<()> {
        for places in self.jobs.values_mut() {
            places.sort_unstable();
            let twins = |pair: &&[Place]| pair[0].frame == pair[1].frame;
            if let Some([one, other]) =
                places.windows(2).find(|pair| twins(pair) && pair[0].check != pair[1].check)
            {
                let [one_name, other_name] =
                    [one, other].map(|place| &self.sources[place.source].name);
                let text = format!("{} differs in `{one_name}` and `{other_name}`", one.frame);
                return Err(Error::wire(text).hint("one of them was made from something else"));
            }
            places.dedup_by(|one, other| one.frame == other.frame);
        }
        Ok(())
    }

    /// The number of partials.
    pub fn len(&self) -> usize {
        self.jobs.values().map(Vec::len).sum()
    }

    /// How many partials were taken from here.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Whether there is any partial of `job`, which counts as asking for it: a search for a sample
    /// size has a main job that its rounds do without.
    pub fn holds(&self, job: Identity) -> bool {
        !self.of(job).is_empty()
    }

    /// The name of a source that holds partials of a job that nobody asked for.
    pub fn unasked(&self) -> Option<&str> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let mut places =
            self.jobs.iter().filter(|(job, _)| !asked.contains(job)).flat_map(|(_, all)| all);
        places.next().map(|place| self.sources[place.source].name.as_str())
    }

    /// The shards of a job that are here.
    pub fn shards(&self, framing: &Framing) -> ShardSet {
        let here = self.of(framing.job()).iter().map(|place| place.frame);
        here.filter(|frame| *frame == framing.frame(frame.shard.index))
            .map(|frame| frame.shard.index)
            .collect()
    }

    /// The partials of `job`, in order of their shards.
    pub(super) fn of(&self, job: Identity) -> &[Place] {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(job);
        self.jobs.get(&job).map_or(&[], Vec::as_slice)
    }

    /// The bytes of a partial.
    pub(super) fn read(&self, place: &Place) -> Result<Vec<u8>> {
        self.used.fetch_add(1, Ordering::Relaxed);
        let source = &self.sources[place.source];
        let mut bytes = vec![0; place.length];
        match &mut *source.bytes.lock().unwrap_or_else(PoisonError::into_inner) {
            Bytes::Memory(all) => bytes.copy_from_slice(&all[place.at as usize..][..place.length]),
            Bytes::File(file, at) => {
                let step = place.at.cast_signed() - at.cast_signed();
                let read = file.seek_relative(step).and_then(|()| file.read_exact(&mut bytes));
                *at = place.at + place.length as u64;
                read.map_err(|error| Error::io(&source.name, error))?;
            }
        }
        Ok(bytes)
    }
}

/// An error for the first damage of a source, if there is any.
fn refuse(name: &str, damage: &[Damage]) -> Result<()> {
    match damage.first() {
        Some(damage) if !damage.is_torn() => Err(damage.error(name)),
        _ => Ok(()),
    }
}

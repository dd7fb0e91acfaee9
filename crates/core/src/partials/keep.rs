//! The executor that runs only what is not kept already, and keeps what is run.

use super::archive::Archive;
use super::frame::{Basis, Frame, Identity};
use super::journal::Journal;
use crate::{
    Cancel, Capabilities, Carries, Executor, JobSpec, Result, ShardSet, Shards, Sink, Work, Yield,
};

/// Another executor, with partials that are there already and, perhaps, a journal for the others.
///
/// ```
/// use windfall_core::partials::{Archive, Basis, Keep};
/// use windfall_core::{Carries, Executor, Serial};
/// let archive = Archive::default();
/// let on = |basis| Keep { on: &Serial, archive: &archive, journal: None, basis };
/// assert_eq!(on(Basis::default()).capabilities().carries, Carries::Specs);
/// let named = Basis { code: Some("the mean, first version"), ..Basis::default() };
/// assert_eq!(on(named).capabilities().carries, Carries::Code);
/// ```
#[derive(Clone, Copy)]
pub struct Keep<'a> {
    /// Who runs what is missing.
    pub on: &'a dyn Executor,
    /// What is there already.
    pub archive: &'a Archive,
    /// Where what is run is kept.
    pub journal: Option<&'a Journal>,
    /// What the job stands on. A job with code is carried if its code has a name here.
    pub basis: Basis<'a>,
}

impl Executor for Keep<'_> {
    fn capabilities(&self) -> Capabilities {
        let named = if self.basis.code.is_some() { Carries::Code } else { Carries::Specs };
        let on = self.on.capabilities();
        Capabilities { carries: named.min(on.carries), ..on }
    }

    fn run(&self, work: &dyn Work, sink: &dyn Sink, tick: &mut dyn FnMut()) -> Result<()> {
        let spec = work.written(&self.capabilities().name)?;
        let framing = Framing::new(spec, self.basis, work.cut());
        let mut kept = Vec::new();
        for place in self.archive.of(framing.job) {
            let shard = place.frame.shard.index;
            if work.cancel().is_stopped() {
                return Ok(());
            }
            if work.shards().contains(shard) && place.frame == framing.frame(shard) {
                sink.put(shard, Yield::Bytes(self.archive.read(place)?))?;
                kept.push(shard);
                tick();
            }
        }
        let shards = work.shards().without(&ShardSet::from_iter(kept));
        let rest = Rest { work, shards: &shards };
        let Some(journal) = self.journal else { return self.on.run(&rest, sink, tick) };
        let sink = Keeping { work, sink, journal, framing };
        journal.during(|| self.on.run(&rest, &sink, tick))
    }
}

/// How the partials of one job are framed.
#[derive(Clone, Copy, Debug)]
pub struct Framing {
    job: Identity,
    cut: Shards,
    /// The mark of the job's length.
    tail: u64,
}

impl Framing {
    /// Frames for the job `spec`, which stands on `basis` and whose shards are those of `cut`.
    pub fn new(spec: &JobSpec, basis: Basis<'_>, cut: Shards) -> Self {
        let length = basis.grows_by.and_then(|key| spec.options.get(key));
        let text = length.map(|length| length.as_f64().unwrap_or(f64::NAN).to_string());
        let hash = blake3::hash(text.unwrap_or_default().as_bytes());
        let tail = u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("32 bytes")) | 1;
        Self { job: Identity::new(spec, basis), cut, tail }
    }

    /// The identity of the job.
    pub fn job(&self) -> Identity {
        self.job
    }

    /// The frame of the shard at `index`.
    pub fn frame(&self, index: u64) -> Frame {
        let tail = if index + 1 == self.cut.count() { self.tail } else { 0 };
        Frame { job: self.job, shard: self.cut.get(index), tail }
    }
}

/// The work that is left.
struct Rest<'a> {
    work: &'a dyn Work,
    shards: &'a ShardSet,
}

impl Work for Rest<'_> {
    fn shards(&self) -> &ShardSet {
        self.shards
    }
    fn cut(&self) -> Shards {
        self.work.cut()
    }
    fn run_shard(&self, shard: u64, worker: &str) -> Result<Yield> {
        self.work.run_shard(shard, worker)
    }
    fn to_bytes(&self, partial: &Yield) -> Result<Vec<u8>> {
        self.work.to_bytes(partial)
    }
    fn spec(&self) -> Option<&JobSpec> {
        self.work.spec()
    }
    fn learnt(&self) -> Option<Vec<u8>> {
        self.work.learnt()
    }
    fn cancel(&self) -> &Cancel {
        self.work.cancel()
    }
    fn has_long_shards(&self) -> bool {
        self.work.has_long_shards()
    }
}

/// Appends to the journal what goes into the sink.
struct Keeping<'a> {
    work: &'a dyn Work,
    sink: &'a dyn Sink,
    journal: &'a Journal,
    framing: Framing,
}

impl Sink for Keeping<'_> {
    fn put(&self, shard: u64, partial: Yield) -> Result<()> {
        // The partial of a shard that was told to stop may hold less than it should.
        if !self.work.cancel().is_stopped() {
            self.journal.append(&self.framing.frame(shard), &self.work.to_bytes(&partial)?)?;
        }
        self.sink.put(shard, partial)
    }
}

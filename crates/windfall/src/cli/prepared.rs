//! A job made ready: its problem, and what names its partials.

use super::job::Job;
use windfall::checkpoint::content;
use windfall::partials::{Basis, Framing};
use windfall::remote::Noting;
use windfall::{Error, ErrorKind, JobSpec, Problem, REGISTRY, Result, Source};

/// A problem with the content hash of the data that it has read.
pub(super) struct Prepared {
    pub problem: Box<dyn Problem>,
    /// Empty if it reads none.
    pub data: String,
}

impl Prepared {
    /// Checks the job and reads its data, with its distribution kept if that is `wanted`; an
    /// answer that is a table is written and drawn as it is.
    pub(super) fn new(job: &Job, wanted: bool) -> Result<Self> {
        let source = Noting::new(&job.folder);
        let problem = build(&job.spec, &source, wanted)?;
        let tables = source.into_given().tables;
        Ok(Self { problem, data: content(&tables) })
    }

    /// The job as a value.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it cannot be written down.
    pub(super) fn spec(&self) -> Result<&JobSpec> {
        self.problem
            .spec()
            .ok_or_else(|| Error::invalid("job", "a closure", "a job that can be written down"))
    }

    /// What the job stands on.
    pub(super) fn basis(&self) -> Basis<'_> {
        Basis { data: &self.data, code: None, grows_by: self.problem.grows_by() }
    }

    /// How the partials of the main job are framed.
    pub(super) fn framing(&self) -> Result<Framing> {
        Ok(Framing::new(self.spec()?, self.basis(), self.problem.shards()))
    }
}

fn build(spec: &JobSpec, source: &dyn Source, wanted: bool) -> Result<Box<dyn Problem>> {
    const KEY: &str = "distribution";
    if !wanted {
        return REGISTRY.build(spec, source);
    }
    let mut keeping = spec.clone();
    keeping.options.insert(KEY.into(), true.into());
    let error = match REGISTRY.build(&keeping, source) {
        Err(error) => error,
        built => return built,
    };
    match error.kind() {
        ErrorKind::Unknown { name, .. } if name == KEY => {
            let problem = REGISTRY.build(spec, source)?;
            if problem.is_tabular() {
                return Ok(problem);
            }
            let expected = "a problem that simulates a distribution";
            Err(Error::invalid("problem", &spec.problem, expected)
                .hint("leave out --out and --plot; --json prints the answer for programs"))
        }
        _ => Err(error),
    }
}

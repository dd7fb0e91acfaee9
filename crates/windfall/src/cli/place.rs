//! Where jobs run: on threads, on the engines of a cluster, or wherever another command says.

use super::flags::Common;
use windfall::cluster::jobs::Engines;
use windfall::files::Folder;
use windfall::machine::Workers;
use windfall::{Error, Executor, REGISTRY, Result, Source, Threads};

/// Workers that a command brings along, such as the ranks of MPI.
pub trait Place {
    /// What runs shards there, of jobs whose data `source` finds.
    fn executor<'a>(&'a self, source: &'a (dyn Source + Sync)) -> Box<dyn Executor + 'a>;

    /// How many workers there are, and what they are.
    fn workers(&self) -> Workers;
}

impl Common {
    /// What runs shards, and the workers to tell of.
    pub(super) fn executor<'a>(
        &self,
        place: Option<&'a dyn Place>,
        folder: &'a Folder,
    ) -> Result<(Box<dyn Executor + 'a>, Workers)> {
        if let Some(place) = place {
            let given = [("--workers", &self.workers), ("--on", &self.on)];
            for (flag, value) in given {
                if let Some(value) = value {
                    let workers = place.workers();
                    let (count, source) = (workers.count, workers.source);
                    let expected = format!("left out: shards run on {count} {source}");
                    return Err(Error::invalid(flag, value, &expected));
                }
            }
            return Ok((place.executor(folder), place.workers()));
        }
        let workers = self.workers()?;
        Ok(match &self.on {
            Some(name) => {
                let on = Engines::new(name, None, &REGISTRY, folder)?;
                let source = format!("engines of cluster {name}");
                let workers = Workers { count: on.workers(), source };
                (Box::new(on), workers)
            }
            None => (Box::new(Threads::new(workers.count)), workers),
        })
    }
}

//! What the modules share: jobs from text, without data.

use windfall_core::{Answer, Control, Error, JobSpec, Problem, Result, Source, Table, Threads};
use windfall_stats::REGISTRY;

/// Makes the problem of a job file that names no data.
pub fn build(text: &str) -> Result<Box<dyn Problem>> {
    struct NoData;
    impl Source for NoData {
        fn table(&self, path: &str) -> Result<Table> {
            Err(Error::io(path, "there is no data here"))
        }
    }
    REGISTRY.build(&JobSpec::from_toml(text)?, &NoData)
}

/// Solves such a job on two threads.
pub fn solve(text: &str) -> Result<Answer> {
    build(text)?.solve(&Threads::new(2), &Control::default())
}

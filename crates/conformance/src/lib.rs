//! What every executor must satisfy: one suite, instantiated once per executor.
//!
//! An executor's own tests hold one line:
//!
//! ```
//! windfall_conformance::conformance!(windfall_core::Threads::new(3));
//! ```
//!
//! Each check is a test of its own, so that a table of results shows which promise is broken.
//! What an executor declares it cannot do is checked to be refused, never skipped in silence. The
//! workers of one that leaves the process are made with [`REGISTRY`], which has a problem whose
//! tasks fail, panic and take their time as they are told.

mod jobs;
mod probe;
mod promises;
mod wire;

pub use jobs::{jobs, source};
pub use probe::{Probe, REGISTRY, Script};
pub use promises::*;
pub use wire::Wire;

use windfall_core::Executor;

/// Panics if the executor breaks it.
pub type Promise = fn(&dyn Executor);

/// All promises by their names, for programs that cannot be made of tests.
pub const PROMISES: &[(&str, Promise)] = conformance!(@promises list);

/// Instantiates the suite for the executor that the expression makes.
#[macro_export]
macro_rules! conformance {
    ($executor:expr) => {
        $crate::conformance!(@promises tests $executor);
    };
    (@promises $form:ident $($executor:expr)?) => {
        $crate::conformance! { @$form [$($executor)?]
            the_answers_are_those_of_the_serial_executor,
            what_cannot_travel_is_refused,
            every_shard_is_delivered_once,
            a_job_without_tasks_is_complete,
            a_failing_task_is_named_and_the_executor_lives,
            a_panicking_task_is_named_and_the_executor_lives,
            a_run_stopped_before_it_began_is_interrupted,
            a_run_stopped_in_the_middle_keeps_what_is_done,
            a_stopped_shard_is_kept_where_its_kernel_says_so,
            only_the_calling_thread_ticks,
            somebody_ticks_while_shards_are_long,
            tasks_under_way_are_shown,
            rounds_stop_where_the_serial_executor_stops,
            nothing_is_left_behind,
        }
    };
    (@list [] $($promise:ident,)*) => {
        &[$((stringify!($promise), $crate::$promise),)*]
    };
    (@tests [$executor:expr] $($promise:ident,)*) => {
        $(
            #[test]
            fn $promise() {
                $crate::$promise(&$executor);
            }
        )*
    };
}

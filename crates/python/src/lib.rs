//! `windfall._core`: tables, functions and problems for Python, behind one door.
//!
//! Everything long goes through [`door::enter`], the only place that releases the interpreter,
//! polls signals and maps errors. The friendly face is pure Python, in `python/windfall`.

mod answer;
mod arrow;
mod bits;
mod checkpoint;
mod cluster;
mod data;
mod door;
mod errors;
mod function;
mod inputs;
mod outer;
mod plan;
mod problem;

use pyo3::prelude::*;

#[pymodule(name = "_core", gil_used = true)]
mod core_module {
    #[pymodule_export]
    use crate::answer::Answer;
    #[pymodule_export]
    use crate::bits::StreamBits;
    #[pymodule_export]
    use crate::checkpoint::checkpoint_seed;
    #[pymodule_export]
    use crate::cluster::shared::{
        Barrier, Counter, Lock, SharedArray, SharedQueue, Value, shared_engine, shared_forked,
    };
    #[pymodule_export]
    use crate::cluster::{
        Caller, Claims, ClientLink, EngineLink, MapLoop, Segment, clusters, cores, current_item,
        dial, mapped_segment, now_us, serve, set_current_item, thread_variables,
    };
    #[pymodule_export]
    use crate::data::Table;
    #[pymodule_export]
    use crate::function::Function;
    #[pymodule_export]
    use crate::outer::{Round, run_order};
    #[pymodule_export]
    use crate::plan::{keep_run, order_s};
    #[pymodule_export]
    use crate::problem::Problem;

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        windfall::machine::limit_isa()
            .map_err(|error| crate::errors::to_python(module.py(), &error))?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}

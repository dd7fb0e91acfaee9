//! The executors of this crate under the conformance suite, and what is kept of a run.

mod keep;

mod serial {
    windfall_conformance::conformance!(windfall_core::Serial);
}

mod shuffled {
    windfall_conformance::conformance!(windfall_core::Shuffled(5u64.into()));
}

mod one_thread {
    windfall_conformance::conformance!(windfall_core::Threads::new(1));
}

mod three_threads {
    windfall_conformance::conformance!(windfall_core::Threads::new(3));
}

mod wire {
    windfall_conformance::conformance!(windfall_conformance::Wire::new(
        &windfall_conformance::source()
    ));
}

//! Hold the lanes to their contract: one meaning and the same bits on every instruction set.

mod lanes;
mod math;
mod sums;

//! windfall (being written).
pub mod files;
pub mod machine;
pub mod plot;
pub mod readable;

//! windfall (being written).
pub mod files;
pub mod machine;

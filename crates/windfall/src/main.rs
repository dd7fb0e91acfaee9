//! The windfall command (being written).
fn main() {}

//! windfall (to be written).

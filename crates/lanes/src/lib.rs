//! lanes (to be written).

//! Tests of the command (being written).

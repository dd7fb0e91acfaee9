//! core (to be written).

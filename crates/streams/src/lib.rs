//! streams (to be written).

//! A frame as one line of text, for streams of lines: Hadoop Streaming, Spark's `pipe`, xargs.

use super::frame::Frame;
use crate::{Error, Result};
use base64::prelude::{BASE64_STANDARD, Engine};

/// The line of a partial, without its end: the shard, a tab, the frame in base64.
pub fn to_line(frame: &Frame, partial: &[u8]) -> String {
    let mut bytes = Vec::new();
    frame.write(partial, &mut bytes);
    format!("{}\t{}", frame.shard.index, BASE64_STANDARD.encode(bytes))
}

/// The bytes of the frame in a line; what stands before the last tab is left out.
///
/// # Errors
/// [`crate::ErrorKind::Wire`] if it holds no base64.
pub fn from_line(line: &str) -> Result<Vec<u8>> {
    let text = line.trim_end().rsplit('\t').next().unwrap_or_default();
    BASE64_STANDARD.decode(text).map_err(|error| Error::wire(format!("a line: {error}")))
}

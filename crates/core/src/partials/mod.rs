//! Partials that are kept or sent: framed, checksummed, each with the hash of its job.
//!
//! A file of partials is a row of frames and nothing else, so that files can be written in any
//! order, put one behind the other, or broken off at any byte. As text, a frame is a line: the
//! shard, a tab, the frame in base64. A journal is a file of partials that grows.
//!
//! ```text
//! frame.rs     the bytes of one partial          text.rs     the same as a line
//! scan.rs      the frames of a file, whatever became of some of its bytes
//! archive.rs   partials in files, found by job and shard
//! journal.rs   the file that a run appends to    keep.rs     the executor that reads and appends
//! disk.rs      what makes a file outlive a power cut
//! ```

mod archive;
mod disk;
mod frame;
mod journal;
mod keep;
mod scan;
mod text;

pub use archive::Archive;
pub use disk::{make_folder, sync_name};
pub use frame::{Basis, FORMAT, Frame, Identity, canonical, checksum};
pub use journal::Journal;
pub use keep::{Framing, Keep};
pub use text::{from_line, to_line};

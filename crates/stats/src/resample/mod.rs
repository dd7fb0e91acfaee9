//! Draw resamples, and sums over resamples, at the speed of the machine's vectors.
//!
//! A bootstrap is a law of drawing rows ([`Design`]) and a statistic of what was drawn. Three
//! engines serve every statistic; which one, and which algorithm inside it, follows from the job
//! alone (rows, design, columns), never from the machine, and every instruction set draws the
//! same bits:
//!
//! ```text
//! Design      strata, clusters, blocks or Dirichlet weights; one resample as weights or as rows
//! Sums        weighted sums of columns over many resamples: every function of moments
//! OrderLaw    the exact law of a quantile of a resample: O(1) a resample, whatever its size
//!
//! design.rs   what may be drawn together       draw.rs     one resample of a design
//! law.rs      how a stratum's units are drawn  blocks.rs   runs of consecutive rows
//! counts.rs   multinomial counts by way of Poisson
//! sums.rs     which engine sums what           column.rs   numbers laid out for the lanes
//! counted.rs  sums by counts, many units       packed.rs   eight resamples of few units
//! abreast.rs  eight small resamples at once    bytes.rs    counts of a byte each
//! order.rs    the law of a quantile            cells.rs    the chance of each row
//! alias.rs    a discrete law in whole numbers
//! ```

mod abreast;
mod alias;
mod blocks;
mod bytes;
mod cells;
mod column;
mod counted;
mod counts;
mod design;
mod draw;
mod law;
mod order;
mod packed;
mod sums;

pub use blocks::{BlockKind, Blocks};
pub use design::{Design, DesignOptions};
pub use order::OrderLaw;
pub use sums::Sums;
pub(crate) use sums::at_once;

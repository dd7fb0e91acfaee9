//! Check by simulation what the answers claim of themselves: coverage of intervals, honest errors.
//!
//! Seeds are fixed, so a run always gives the same verdict. A band of five binomial standard
//! errors around the true coverage raises a false alarm once in 1.7 million, were the seed drawn
//! anew. The stated coverages are those of a run with 10 times as many data sets and another seed;
//! they are properties of the methods (in small skewed samples all but the studentised interval
//! cover too little, see Davison & Hinkley 1997, section 5.7), not goals.

#![expect(clippy::print_stdout, reason = "`--nocapture` shows each figure beside what is stated")]

mod chains;
mod coverage;
mod errors;
mod simulate;

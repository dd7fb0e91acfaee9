//! Designs: which rows are drawn together, apart, or in runs, and by which law.

use super::blocks::Blocks;
use super::counts::Counts;
use super::law::Law;
use std::collections::HashMap;
use std::ops::Range;
use windfall_core::{Error, Result};

/// How the rows of a sample were come by, hence how they must be resampled.
///
/// Codes are one number a row; equal codes belong together, as [`windfall_core::Labels::codes`]
/// gives them.
#[derive(Clone, Copy, Debug, Default)]
pub struct DesignOptions<'a> {
    /// The number of rows.
    pub rows: usize,
    /// Rows of equal code form a stratum; each stratum is resampled apart and keeps its size.
    pub strata: Option<&'a [u32]>,
    /// Rows of equal code form a cluster, drawn whole.
    pub clusters: Option<&'a [u32]>,
    /// Runs of consecutive rows are drawn, for rows that stand in order of time.
    pub blocks: Option<Blocks>,
    /// Dirichlet weights (Rubin's Bayesian bootstrap) in place of multinomial counts.
    pub bayesian: bool,
}

/// A law of resamples of some rows, checked and ready to draw from.
///
/// A resample gives each row a weight. Its units (rows, or clusters of rows) are drawn within
/// their stratum, as many as the stratum holds, with replacement. So weights sum to the number of
/// rows, except with clusters of unequal size: there the number of clusters is kept, and the
/// weights of a resample sum to however many rows the drawn clusters hold.
///
/// ```
/// use windfall_stats::resample::{Design, DesignOptions};
/// use windfall_streams::{Seed, Streams};
///
/// let strata = Some(&[0, 0, 0, 1, 1][..]);
/// let design = Design::new(DesignOptions { rows: 5, strata, ..Default::default() })?;
/// let mut stream = Streams::new(Seed::from(1_u64), "example").task(0);
/// let mut weights = [0.0; 5];
/// design.draw_weights(&mut stream, &mut weights);
/// assert_eq!(weights[..3].iter().sum::<f64>(), 3.0);
/// assert_eq!(weights[3..].iter().sum::<f64>(), 2.0);
/// # Ok::<(), windfall_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Design {
    pub(super) rows: usize,
    /// The rows stratum by stratum and cluster by cluster; none if they already stand so.
    pub(super) order: Option<Vec<u32>>,
    /// Where each cluster begins in that order, and the end; none if each row is a unit.
    pub(super) edges: Option<Vec<usize>>,
    pub(super) strata: Vec<Stratum>,
}

/// Units that are drawn from one another's midst.
#[derive(Clone, Debug)]
pub(super) struct Stratum {
    /// Their places among all units.
    pub units: Range<usize>,
    /// How they are drawn.
    pub law: Law,
}

impl Design {
    /// Draws `rows` rows from all rows, each as likely; the plain bootstrap.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::TooFew`] without rows.
    pub fn rows(rows: usize) -> Result<Self> {
        Self::new(DesignOptions { rows, ..Default::default() })
    }

    /// Checks the options and makes the design ready.
    ///
    /// # Cost
    /// One stable sort of the rows if there are strata or clusters, else constant.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::TooFew`] without rows. [`windfall_core::ErrorKind::Invalid`]
    /// if there are 2^32 rows or more, a code is missing, a cluster lies in two strata, a block
    /// does not fit its stratum, or blocks are combined with clusters or the Bayesian law.
    pub fn new(options: DesignOptions) -> Result<Self> {
        check(&options)?;
        let order = sorted(&options);
        let row_at = |place: usize| order.as_ref().map_or(place, |order| order[place] as usize);
        // Places where the code of the row changes: the first place of each run, and the end.
        let edges_of = |codes: &[u32]| {
            let change = |&at: &usize| at == 0 || codes[row_at(at)] != codes[row_at(at - 1)];
            (0..options.rows).filter(change).chain([options.rows]).collect::<Vec<_>>()
        };
        let edges = options.clusters.map(edges_of);
        let bounds = options.strata.map_or_else(|| vec![0, options.rows], edges_of);
        let unit_at = |place: usize| match &edges {
            Some(edges) => edges.partition_point(|&edge| edge < place),
            None => place,
        };
        let stratum = |bounds: &[usize]| {
            let units = unit_at(bounds[0])..unit_at(bounds[1]);
            let law = match (options.blocks, options.bayesian) {
                (Some(blocks), _) => {
                    blocks.check(units.len())?;
                    Law::Blocks(blocks)
                }
                (None, true) => Law::Dirichlet,
                (None, false) => Law::Multinomial(Counts::new(units.len())),
            };
            Ok(Stratum { units, law })
        };
        let strata = bounds.windows(2).map(stratum).collect::<Result<_>>()?;
        Ok(Self { rows: options.rows, order, edges, strata })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Never true: a design has a row.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// True of the plain bootstrap: rows, one stratum, multinomial. [`super::OrderLaw`] needs it.
    pub fn is_plain(&self) -> bool {
        let multinomial = |stratum: &Stratum| matches!(stratum.law, Law::Multinomial(_));
        self.edges.is_none() && self.strata.len() == 1 && self.strata.iter().all(multinomial)
    }

    /// True if a resample is rows, each some times; false for the weights of the Bayesian law.
    pub fn has_rows(&self) -> bool {
        !self.strata.iter().any(|stratum| matches!(stratum.law, Law::Dirichlet))
    }

    /// True if the weights of every resample sum to the number of rows.
    pub fn keeps_total(&self) -> bool {
        let size = |edges: &[usize]| edges[1] - edges[0];
        let Some(edges) = &self.edges else { return true };
        self.strata.iter().all(|stratum| {
            let edges = &edges[stratum.units.start..=stratum.units.end];
            edges.windows(2).all(|edge| size(edge) == size(&edges[..2]))
        })
    }

    /// The number of units: rows, or clusters of rows.
    pub(super) fn units(&self) -> usize {
        self.edges.as_ref().map_or(self.rows, |edges| edges.len() - 1)
    }

    /// True if each row is a unit and stands in its place.
    pub(super) fn is_in_place(&self) -> bool {
        self.order.is_none() && self.edges.is_none()
    }

    /// The row at a place of the order.
    #[inline]
    pub(super) fn row(&self, place: usize) -> usize {
        self.order.as_ref().map_or(place, |order| order[place] as usize)
    }

    /// The rows of a unit.
    #[inline]
    pub(super) fn rows_of(&self, unit: usize) -> impl Iterator<Item = usize> + '_ {
        let places =
            self.edges.as_ref().map_or(unit..unit + 1, |edges| edges[unit]..edges[unit + 1]);
        places.map(|place| self.row(place))
    }
}

/// Finds what is wrong with the options, but for the length of blocks.
fn check(options: &DesignOptions) -> Result<()> {
    let rows = options.rows;
    if rows == 0 {
        return Err(Error::too_few("rows", 0, 1));
    }
    if u32::try_from(rows).is_err() {
        return Err(Error::invalid("rows", rows, "below 2^32"));
    }
    for (what, codes) in [("strata", options.strata), ("clusters", options.clusters)] {
        if let Some(codes) = codes
            && codes.len() != rows
        {
            return Err(Error::invalid(what, codes.len(), &format!("{rows} codes, one a row")));
        }
    }
    if let Some(blocks) = options.blocks {
        if options.clusters.is_some() {
            let error = Error::invalid("blocks", blocks.kind, "left out with clusters");
            return Err(error.hint("blocks of rows cut clusters apart: leave out one of the two"));
        }
        if options.bayesian {
            let error = Error::invalid("blocks", blocks.kind, "left out with `bayesian`");
            return Err(error.hint("the Bayesian law weighs rows or clusters: leave out one"));
        }
    }
    if let (Some(strata), Some(clusters)) = (options.strata, options.clusters) {
        let mut home = HashMap::new();
        for (row, (&stratum, &cluster)) in strata.iter().zip(clusters).enumerate() {
            let (first, at) = *home.entry(cluster).or_insert((stratum, row));
            if first != stratum {
                let error = Error::invalid("clusters", cluster, "a cluster within one stratum");
                return Err(error.hint(format!(
                    "rows {at} and {row} (counted from 0) share a cluster but not a stratum"
                )));
            }
        }
    }
    Ok(())
}

/// The rows by stratum, then cluster, then place; none if they stand so.
fn sorted(options: &DesignOptions) -> Option<Vec<u32>> {
    if options.strata.is_none() && options.clusters.is_none() {
        return None;
    }
    let code = |codes: Option<&[u32]>, row: u32| codes.map_or(0, |codes| codes[row as usize]);
    let key = |&row: &u32| (code(options.strata, row), code(options.clusters, row));
    let mut order: Vec<u32> = (0..options.rows as u32).collect();
    if order.is_sorted_by_key(key) {
        return None;
    }
    order.sort_by_key(key);
    Some(order)
}

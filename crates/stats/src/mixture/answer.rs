//! From ascents to the answer: which won, its parameters, what to know about it.

use super::climb::Climb;
use super::data::Data;
use super::errors::{Parameter, spreads};
use super::model::{Covariance, Model};
use super::options::{Criterion, MixtureOptions, Order};
use super::{PARAMETERS_MAX, PARAMETERS_UNASKED, Replicates};
use serde_json::{Map, Value, json};
use windfall_core::{
    Answer, Column, Draws, Error, ErrorKind, Numbers, Quantity, Result, Seed, Table,
};
use windfall_lanes::scalar_math::log;

/// Starts whose log-likelihood a row is within this of the best have found the same maximum.
const SAME: f64 = 1e-6;

/// The ascent that won, and what is known of it.
#[derive(Debug)]
pub(super) struct Fitted<'a> {
    options: &'a MixtureOptions,
    data: &'a Data,
    climbs: &'a [Climb],
    /// The best ascent of each number of components.
    best: Vec<&'a Climb>,
    won: &'a Climb,
    /// Its mixture, with its components in order.
    pub model: Model,
    held: Vec<bool>,
    pub errors: Option<Vec<f64>>,
    pub rows: Option<Replicates>,
    pub notes: Vec<String>,
    pub complete: bool,
}

impl<'a> Fitted<'a> {
    /// The winner: of each number of components the highest ascent without a covariance held off
    /// zero, if there is one; of these the one with the least criterion.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] if no ascent was evaluated.
    pub fn best(options: &'a MixtureOptions, data: &'a Data, climbs: &'a [Climb]) -> Result<Self> {
        let mut best: Vec<&Climb> = Vec::new();
        for climb in climbs.iter().filter(|climb| !climb.trace.is_empty()) {
            let k = climb.model.components();
            let key = |climb: &Climb| (!climb.held.contains(&true), climb.height());
            match best.iter_mut().find(|other| other.model.components() == k) {
                None => best.push(climb),
                Some(other) => {
                    let ((sound, height), (before, least)) = (key(climb), key(other));
                    if (sound && !before) || (sound == before && height > least) {
                        *other = climb;
                    }
                }
            }
        }
        best.sort_by_key(|climb| climb.model.components());
        let criterion = |climb: &Climb| {
            let [bic, aic] = criteria(climb, data.rows());
            if options.criterion == Criterion::Bic { bic } else { aic }
        };
        let won = best.iter().copied().min_by(|a, b| criterion(a).total_cmp(&criterion(b)));
        let won = won.ok_or_else(|| Error::new(ErrorKind::Interrupted))?;
        let places = order(&won.model, options.order);
        let model = won.model.reordered(&places);
        let held = places.iter().map(|&place| won.held[place]).collect();
        let (errors, rows, notes, complete) = (None, None, Vec::new(), true);
        let mut fitted =
            Self { options, data, climbs, best, won, model, held, errors, rows, notes, complete };
        fitted.note();
        Ok(fitted)
    }

    /// The mixture whose standard errors are wanted and can be had.
    pub fn wants_errors(&mut self, wish: Option<bool>) -> Option<Model> {
        let parameters = self.model.parameters();
        let reason = if wish == Some(false) || self.options.iterations == 0 && wish.is_none() {
            return None;
        } else if self.held.contains(&true) {
            "a covariance is held off zero".to_owned()
        } else if !self.won.converged {
            "the ascent has not converged".to_owned()
        } else if wish.is_none() && parameters > PARAMETERS_UNASKED {
            format!(
                "{parameters} parameters would take {} passes over the rows; \
                 `standard_errors = true` gives them",
                2 * parameters
            )
        } else if parameters > PARAMETERS_MAX {
            format!("{parameters} parameters are more than {PARAMETERS_MAX}")
        } else {
            return Some(self.model.clone());
        };
        self.notes.push(format!("no standard errors: {reason}"));
        None
    }

    /// What the user should know of the ascents.
    fn note(&mut self) {
        let (won, rows) = (self.won, self.data.rows() as f64);
        let k = won.model.components();
        let rivals = self.climbs.iter().filter(|climb| climb.model.components() == k);
        let rivals: Vec<&Climb> = rivals.collect();
        if rivals.len() > 1 {
            let near = |climb: &&&Climb| (won.height() - climb.height()).abs() <= SAME * rows;
            let same = rivals.iter().filter(near).count();
            let higher = rivals.iter().filter(|climb| climb.height() > won.height());
            self.notes.push(format!(
                "start {} of {} won; {same} found this maximum",
                won.start,
                rivals.len()
            ));
            let higher = higher.filter(|climb| climb.held.contains(&true)).count();
            if higher > 0 {
                self.notes.push(format!(
                    "{higher} starts went higher into a collapsed component, where the likelihood \
                     has no maximum, and were passed over"
                ));
            }
        }
        if self.options.iterations > 0 && !won.converged {
            let gain = won.trace.windows(2).last().map_or(f64::NAN, |pair| pair[1] - pair[0]);
            self.notes.push(format!(
                "not converged after {} iterations: the last gained {:.1e} of log-likelihood a \
                 row; allow more `iterations` or a larger `tolerance`",
                won.steps,
                gain / rows
            ));
        }
        for component in (0..k).filter(|&component| self.held[component]) {
            let weight = self.model.weights[component];
            self.notes.push(format!(
                "component {component} collapsed onto {:.1} rows: its covariance is held off zero \
                 by `floor`; ask for fewer components or raise the floor",
                weight * rows
            ));
            if self.model.covariance == Covariance::Tied {
                break;
            }
        }
    }

    fn quantities(&self) -> Vec<Quantity> {
        let quantity = |(place, (name, value)): (usize, (String, f64))| {
            let standard_error = self.errors.as_ref().map(|errors| errors[place]);
            Quantity { standard_error, ..Quantity::new(name, value, 0.0) }
        };
        named(&self.model, &self.data.names).into_iter().enumerate().map(quantity).collect()
    }

    fn extra(&self) -> Map<String, Value> {
        let (won, k) = (self.won, self.model.components());
        let [bic, aic] = criteria(won, self.data.rows());
        let heights = self.climbs.iter().filter(|climb| climb.model.components() == k);
        let heights: Vec<f64> = heights.map(Climb::height).collect();
        let fields = [
            ("components", json!(k)),
            ("covariance", json!(self.options.covariance)),
            ("columns", json!(self.data.names)),
            ("log_likelihood", json!(won.height())),
            ("parameters", json!(won.model.parameters())),
            ("bic", json!(bic)),
            ("aic", json!(aic)),
            ("converged", json!(won.converged)),
            ("start", json!(won.start)),
            ("starts", json!(heights)),
            ("trace", json!(won.trace)),
            ("model", self.model.to_json()),
        ];
        fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// The numbers of components compared, a row each; none if there was one.
    fn comparison(&self) -> Option<Table> {
        if self.best.len() < 2 {
            return None;
        }
        let rows = self.data.rows();
        let column = |value: &dyn Fn(&Climb) -> f64| {
            self.best.iter().map(|climb| value(climb)).collect::<Vec<f64>>()
        };
        Table::from_numbers([
            ("components", column(&|climb| climb.model.components() as f64)),
            ("log_likelihood", column(&Climb::height)),
            ("parameters", column(&|climb| climb.model.parameters() as f64)),
            ("bic", column(&|climb| criteria(climb, rows)[0])),
            ("aic", column(&|climb| criteria(climb, rows)[1])),
            ("iterations", column(&|climb| climb.steps as f64)),
            ("converged", column(&|climb| f64::from(u8::from(climb.converged)))),
            ("collapsed", column(&|climb| climb.held.iter().filter(|&&held| held).count() as f64)),
        ])
        .ok()
    }

    /// The columns, the likeliest component of each row, its log density and the probability of
    /// each component.
    fn index(&mut self) -> Option<Table> {
        let columns = self.rows.take()?.into_columns();
        let (log_density, shares) = columns.split_first()?;
        let likeliest = |row: usize| {
            let best = (1..shares.len())
                .fold(0, |best, j| if shares[j][row] > shares[best][row] { j } else { best });
            best as f64
        };
        let labels: Vec<f64> = (0..log_density.len()).map(likeliest).collect();
        let columns = self.data.names.iter().zip(&self.data.columns);
        let columns = columns.map(|(name, column)| (name.clone(), Column::Numbers(column.clone())));
        let mut named = vec![
            ("component".to_owned(), Column::Numbers(Numbers::from(labels))),
            ("log_density".to_owned(), Column::Numbers(Numbers::from(log_density.clone()))),
        ];
        for (j, share) in shares.iter().enumerate() {
            named.push((format!("p{j}"), Column::Numbers(Numbers::from(share.clone()))));
        }
        // A column that bears one of these names is not repeated.
        let told = |name: &str| named.iter().any(|(other, _)| other == name);
        let columns: Vec<(String, Column)> = columns.filter(|(name, _)| !told(name)).collect();
        Table::new(columns.into_iter().chain(named).collect()).ok()
    }

    /// The answer.
    pub fn answer(mut self, seed: Seed) -> Answer {
        let index = self.index();
        let draws = Draws { name: "iterations", count: self.won.steps };
        Answer {
            quantities: self.quantities(),
            complete: self.complete,
            data: Some(self.data.note.clone()),
            extra: self.extra(),
            table: self.comparison(),
            index,
            notes: self.notes,
            ..Answer::new("mixture", "em", draws, seed)
        }
    }
}

/// The parameters of a mixture with their names: weights, means, covariances.
pub(super) fn named(model: &Model, names: &[String]) -> Vec<(String, f64)> {
    let (k, d) = (model.components(), model.dimensions());
    let mut list: Vec<(String, f64)> =
        (0..k).map(|j| (format!("weight[{j}]"), model.weights[j])).collect();
    for j in 0..k {
        let mean = |a: usize| (format!("mean[{j}, {}]", names[a]), model.mean(j)[a]);
        list.extend((0..d).map(mean));
    }
    for spread in spreads(model) {
        list.push(match spread {
            Parameter::Covariance(j, a, b) => {
                let value = model.covariances[model.place(j, a, b)];
                (spread_name(j, &names[a], &names[b]), value)
            }
            Parameter::Variance(j) => (format!("variance[{j}]"), model.covariances[j]),
            Parameter::Weight(_) | Parameter::Mean(..) => continue,
        });
    }
    list
}

/// The name of a variance or covariance.
fn spread_name(component: Option<usize>, a: &str, b: &str) -> String {
    let component = component.map_or(String::new(), |component| format!("{component}, "));
    match a == b {
        true => format!("variance[{component}{a}]"),
        // The column that stands first in the table is named first.
        false => format!("covariance[{component}{b}, {a}]"),
    }
}

/// BIC and AIC, the smaller the better.
fn criteria(climb: &Climb, rows: usize) -> [f64; 2] {
    let parameters = climb.model.parameters() as f64;
    let deviance = -2.0 * climb.height();
    [parameters.mul_add(log(rows as f64), deviance), 2.0_f64.mul_add(parameters, deviance)]
}

/// The places of the components in the order asked for.
pub(super) fn order(model: &Model, order: Order) -> Vec<usize> {
    let mut places: Vec<usize> = (0..model.components()).collect();
    match order {
        Order::None => {}
        Order::Weight => {
            places.sort_by(|&a, &b| model.weights[b].total_cmp(&model.weights[a]));
        }
        Order::Mean => places.sort_by(|&a, &b| {
            let pairs = model.mean(a).iter().zip(model.mean(b));
            let unequal = pairs.map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne());
            unequal.unwrap_or(std::cmp::Ordering::Equal)
        }),
    }
    places
}

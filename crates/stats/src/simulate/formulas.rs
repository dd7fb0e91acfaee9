//! A study written as formulas: a recipe and its methods, read once for each condition.

use super::conditions::Conditions;
use super::method::{Method, Room};
use super::options::SimulateOptions;
use super::procedure::{Procedure, Replicate, Results};
use super::recipe::{Data, Recipe, constant, rows};
use windfall_core::{Error, Result};

/// The conditions of a study, each ready to be run.
#[derive(Debug)]
pub(crate) struct Formulas {
    ready: Vec<Ready>,
}

/// One condition.
#[derive(Debug)]
struct Ready {
    recipe: Recipe,
    methods: Vec<Method>,
}

/// What the methods aim at, conditions × methods.
#[derive(Debug, Default)]
pub(crate) struct Aims {
    pub truths: Vec<f64>,
    pub nulls: Vec<f64>,
}

impl Formulas {
    /// Reads recipe and methods under every condition.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Expression`] for a formula with a mistake;
    /// [`windfall_core::ErrorKind::Invalid`], [`windfall_core::ErrorKind::Unknown`] for the rest.
    pub fn new(conditions: &Conditions, options: &SimulateOptions) -> Result<Self> {
        options.check()?;
        if options.method.list().is_empty() {
            return Err(Error::too_few("methods", 0, 1).hint("write such as `mean(x)`"));
        }
        let ready = |place: usize| {
            let condition = conditions.get(place);
            let rows = rows(options.rows.as_deref(), &condition)?;
            let recipe = Recipe::new(options.generate.list(), rows, &condition)?;
            let of = |name: &str, text: Option<&String>, without: f64| {
                text.map_or(Ok(without), |text| constant(name, text, &condition))
            };
            let truth = of("truth", options.truth.as_ref(), f64::NAN)?;
            let null = of("null", options.null.as_ref(), 0.0)?;
            let methods = options.method.list().iter();
            let read = |text: &String| {
                Method::new(text, &recipe, &condition, (truth, null), options.level)
            };
            let methods = methods.map(read).collect::<Result<_>>()?;
            Ok(Ready { recipe, methods })
        };
        Ok(Self { ready: (0..conditions.len()).map(ready).collect::<Result<_>>()? })
    }

    /// The labels of the methods.
    pub fn labels(&self) -> Vec<String> {
        self.ready[0].methods.iter().map(|method| method.label().to_owned()).collect()
    }

    /// What the methods aim at.
    pub fn aims(&self) -> Aims {
        let mut aims = Aims::default();
        for method in self.ready.iter().flat_map(|ready| &ready.methods) {
            aims.truths.push(method.truth());
            aims.nulls.push(method.null());
        }
        aims
    }
}

impl Procedure for Formulas {
    fn run(&self, replicates: &[Replicate<'_>], results: &mut Results<'_>) -> Result<()> {
        let (mut data, mut room) = (Data::default(), Room::default());
        for replicate in replicates {
            if results.is_stopped() {
                break;
            }
            let Ready { recipe, methods } = &self.ready[replicate.condition.index()];
            let mut stream = replicate.stream();
            if let Err(error) = recipe.make(&mut stream, &mut data) {
                results.fail(replicate, &error);
                continue;
            }
            let columns = data.slices();
            let found = methods.iter().map(|method| method.find(&columns, &mut stream, &mut room));
            results.put(replicate, found);
        }
        Ok(())
    }
}

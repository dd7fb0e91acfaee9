//! A job as a value: problem, seed, data and options, written as TOML or JSON.

use crate::{Error, ErrorKind, Result, Seed};
use serde_json::{Map, Value};

/// What a job file says.
///
/// ```
/// use windfall_core::JobSpec;
/// let spec = JobSpec::from_toml(
///     "problem = 'integrate'\nseed = 7\nformula = 'x0^2'\nbounds = [[0, 1]]\nn = 1000",
/// )?;
/// assert_eq!(spec.problem, "integrate");
/// assert_eq!(JobSpec::from_toml(&spec.to_toml())?, spec);
/// assert_eq!(JobSpec::from_json(&spec.to_json())?, spec);
/// # Ok::<(), windfall_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct JobSpec {
    /// The name of the problem, as in the registry.
    pub problem: String,
    /// The seed; none means a fresh one, drawn when the job is built.
    pub seed: Option<Seed>,
    /// The data file, relative to the job file.
    pub data: Option<String>,
    /// Whether a part of the job is code, such as a user's function, which no text holds: whoever
    /// builds the job [asks](crate::Source::code) its source for it.
    pub has_code: bool,
    /// The problem's own options; each problem refuses keys it does not know.
    pub options: Map<String, Value>,
}

impl JobSpec {
    /// A job with no options yet.
    pub fn new(problem: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            seed: None,
            data: None,
            has_code: false,
            options: Map::new(),
        }
    }

    /// The seed, or a fresh one from the system's entropy.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the system has no entropy to give.
    pub fn seed_or_fresh(&self) -> Result<Seed> {
        let fresh = || Seed::from_entropy().map_err(|error| Error::io("entropy", error));
        self.seed.map_or_else(fresh, Ok)
    }

    /// Refuses a job that names data where the problem has no use for any.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] with the path.
    pub fn without_data(&self) -> Result<()> {
        match &self.data {
            None => Ok(()),
            Some(path) => {
                let expected = format!("left out: `{}` has no use for data", self.problem);
                Err(Error::invalid("data", path, &expected))
            }
        }
    }

    /// This job with `seed`, if it can be built elsewhere from its code; none if its code, by not
    /// being [named](Self::has_code), stays where it is.
    #[must_use]
    pub fn with_code(&self, seed: Seed) -> Option<Self> {
        self.has_code.then(|| Self { seed: Some(seed), ..self.clone() })
    }

    /// Reads a job file in TOML.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] with the reader's message, or if a common key has the wrong type.
    pub fn from_toml(text: &str) -> Result<Self> {
        let map = toml::from_str(text).map_err(|error| unreadable("TOML", &error.to_string()))?;
        Self::from_map(map)
    }

    /// Reads a job file in JSON.
    ///
    /// # Errors
    /// As [`JobSpec::from_toml`].
    pub fn from_json(text: &str) -> Result<Self> {
        let map =
            serde_json::from_str(text).map_err(|error| unreadable("JSON", &error.to_string()))?;
        Self::from_map(map)
    }

    /// The job file in TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(&self.to_map()).expect("maps of plain values can be written as TOML")
    }

    /// The job file in JSON, one line.
    pub fn to_json(&self) -> String {
        Value::Object(self.to_map()).to_string()
    }

    fn from_map(mut options: Map<String, Value>) -> Result<Self> {
        let problem = match options.remove("problem") {
            Some(Value::String(problem)) => problem,
            Some(other) => return Err(Error::invalid("problem", other, "a name in quotes")),
            None => {
                return Err(Error::invalid("problem", "missing", "the name of a problem")
                    .hint("write for example: problem = \"bootstrap\""));
            }
        };
        let seed = options.remove("seed").map(|value| seed(&value)).transpose()?;
        let data = match options.remove("data") {
            None => None,
            Some(Value::String(path)) => Some(path),
            Some(other) => return Err(Error::invalid("data", other, "a path in quotes")),
        };
        let has_code = match options.remove("code") {
            None => false,
            Some(Value::Bool(has_code)) => has_code,
            Some(other) => return Err(Error::invalid("code", other, "true or false")),
        };
        Ok(Self { problem, seed, data, has_code, options })
    }

    /// All keys, the common ones first.
    pub fn to_map(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("problem".into(), self.problem.clone().into());
        if let Some(seed) = self.seed {
            // A seed that fits TOML's integers is written as one, a wider one as text.
            let small = i64::try_from(seed.0).ok();
            map.insert("seed".into(), small.map_or_else(|| seed.to_string().into(), Value::from));
        }
        if let Some(data) = &self.data {
            map.insert("data".into(), data.clone().into());
        }
        if self.has_code {
            map.insert("code".into(), true.into());
        }
        map.extend(self.options.clone());
        map
    }
}

fn seed(value: &Value) -> Result<Seed> {
    let parsed = match value {
        Value::Number(number) => number.as_u64().map(Seed::from),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    parsed.ok_or_else(|| {
        Error::invalid("seed", value, "a whole number from 0 to 2^128 - 1 (in quotes above 2^63)")
    })
}

fn unreadable(format: &str, message: &str) -> Error {
    Error::new(ErrorKind::Invalid {
        what: "job file".into(),
        value: message.trim().replace('\n', "\n  "),
        expected: format!("valid {format}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_seed_survives_both_formats() {
        let mut spec = JobSpec::new("pi");
        for seed in [0u128, 42, (1 << 63) - 1, 1 << 63, u128::MAX] {
            spec.seed = Some(Seed(seed));
            assert_eq!(JobSpec::from_toml(&spec.to_toml()).unwrap(), spec);
            assert_eq!(JobSpec::from_json(&spec.to_json()).unwrap(), spec);
        }
    }

    #[test]
    fn wrong_types_are_named() {
        for (text, part) in [
            ("seed = 3", "`problem` is `missing`"),
            ("problem = 3", "`problem` is `3`"),
            ("problem = 'pi'\nseed = -1", "`seed` is `-1`"),
            ("problem = 'pi'\nseed = 1.5", "`seed` is `1.5`"),
            ("problem = 'pi'\ndata = 1", "`data` is `1`"),
            ("problem = 'pi'\ncode = 1", "`code` is `1`"),
            ("problem =", "valid TOML"),
        ] {
            let message = JobSpec::from_toml(text).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}

//! Read a problem's options from a job, and name the nearest key when one is misspelt.

use crate::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Reads `options` into `T`. Keys left out keep the value they have in `T::default()`.
///
/// A whole number may be written as a float: `n = 1e9` is one thousand million.
///
/// # Errors
/// [`crate::ErrorKind::Unknown`] for a key that `T` does not have, with the nearest one;
/// [`crate::ErrorKind::Invalid`] for a value of the wrong type.
pub fn read_options<T: DeserializeOwned + Serialize + Default>(
    options: &Map<String, Value>,
) -> Result<T> {
    let defaults = || match serde_json::to_value(T::default()) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    };
    let mut given = defaults();
    for (key, value) in options {
        let Some(place) = given.get_mut(key) else {
            let known: Vec<&str> = given.keys().map(String::as_str).collect();
            return Err(Error::unknown("key", key, &known));
        };
        *place = whole(value);
    }
    if let Ok(read) = serde_json::from_value(Value::Object(given)) {
        return Ok(read);
    }
    // Something is wrong: one key at a time, to report it with its own key and value.
    let mut all = defaults();
    for (key, value) in options {
        all.insert(key.clone(), whole(value));
        if let Err(error) = serde_json::from_value::<T>(Value::Object(all.clone())) {
            return Err(Error::invalid(key, value, &format!("of the right kind: {error}")));
        }
    }
    serde_json::from_value(Value::Object(all))
        .map_err(|error| Error::invalid("options", error, "complete"))
}

/// A float that holds a whole number of at most 53 bits as an integer, anything else as it is.
fn whole(value: &Value) -> Value {
    match value.as_f64() {
        Some(x) if value.is_f64() && x.fract() == 0.0 && x.abs() <= 2f64.powi(53) => {
            (x as i64).into()
        }
        _ => value.clone(),
    }
}

/// The name among `known` that `name` was most likely meant to be, if one is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| {
            (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate)
        })
        .filter(|(distance, candidate)| *distance <= 1 + name.len().max(candidate.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Options {
        resamples: u64,
        method: Option<String>,
    }

    impl Default for Options {
        fn default() -> Self {
            Self { resamples: 9999, method: None }
        }
    }

    fn read(json: &str) -> Result<Options> {
        read_options(serde_json::from_str::<Value>(json).unwrap().as_object().unwrap())
    }

    #[test]
    fn options_left_out_keep_their_default() {
        let options = Options { resamples: 9999, method: Some("bca".into()) };
        assert_eq!(read(r#"{"method": "bca"}"#).unwrap(), options);
    }

    #[test]
    fn a_misspelt_key_names_the_nearest_and_a_wrong_type_its_value() {
        let message = read(r#"{"resampels": 3}"#).unwrap_err().to_string();
        assert!(message.contains("`resampels`; did you mean `resamples`?"), "{message}");
        let message = read(r#"{"resamples": "many"}"#).unwrap_err().to_string();
        assert!(message.contains(r#"`resamples` is `"many"`"#), "{message}");
    }

    #[test]
    fn a_whole_number_may_be_written_as_a_float() {
        assert_eq!(read(r#"{"resamples": 1e6}"#).unwrap().resamples, 1_000_000);
        for wrong in ["1.5", "-1", "-1e3", "1e300"] {
            let message = read(&format!(r#"{{"resamples": {wrong}}}"#)).unwrap_err().to_string();
            assert!(message.starts_with("`resamples` is `"), "{message}");
        }
    }

    #[test]
    fn nearest_gives_up_on_far_names() {
        assert_eq!(nearest("gap", ["lsat", "gpa"]), Some("gpa"));
        assert_eq!(nearest("height", ["lsat", "gpa"]), None);
    }
}

//! An order for shards: the job, which of its shards, and the name of its tables.

use crate::{Error, Result, ShardSet, Version};
use serde_json::{Value, json};

/// What a worker elsewhere is asked to run.
///
/// ```
/// use windfall_core::remote::Order;
/// let order = Order { job: "{}".into(), shards: (3..9).into(), tables: None };
/// assert_eq!(Order::from_bytes(&order.to_bytes())?, order);
/// # Ok::<(), windfall_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The job, as JSON.
    pub job: String,
    /// Its shards: at least one.
    pub shards: ShardSet,
    /// Under which name the worker may keep the tables; none if the job reads none.
    pub tables: Option<String>,
}

impl Order {
    /// The bytes that travel: JSON, with this version.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { job, shards, tables } = self;
        let (shards, version) = (shards.to_string(), Version::here().word());
        json!({ "version": version, "job": job, "shards": shards, "tables": tables })
            .to_string()
            .into()
    }

    /// Reads what [`Order::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Wire`] if the bytes are no order, [`crate::ErrorKind::Invalid`] if it
    /// comes from another version of Windfall, or its shards cannot be read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let broken = |what: &str| Error::wire(format!("an order for shards: {what}"));
        let mut order: Value =
            serde_json::from_slice(bytes).map_err(|error| broken(&error.to_string()))?;
        let version = order.get("version").and_then(Value::as_u64);
        let version = version.ok_or_else(|| broken("it lacks the version"))?;
        Version::from_word(version).same("version of who orders shards")?;
        let mut text = |key: &str| match order.get_mut(key).map(Value::take) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let tables = text("tables");
        match (text("job"), text("shards")) {
            (Some(job), Some(shards)) => Ok(Self { job, shards: shards.parse()?, tables }),
            _ => Err(broken("it lacks the job or the shards")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_order_is_an_error() {
        let order = Order {
            job: "{\"problem\":\"pi\"}".into(),
            shards: [1, 2, 7].into_iter().collect(),
            tables: Some("law:0".into()),
        };
        let bytes = order.to_bytes();
        assert_eq!(Order::from_bytes(&bytes).unwrap(), order);
        for end in 0..bytes.len() {
            assert!(Order::from_bytes(&bytes[..end]).is_err());
        }
        let here = Version::here().word();
        for rest in ["", r#","job":"{}""#, r#","job":"{}","shards":"""#] {
            let text = format!(r#"{{"version":{here}{rest}}}"#);
            assert!(Order::from_bytes(text.as_bytes()).is_err(), "{text}");
        }
        for text in ["3", "[]", "{}", r#"{"job":"{}","shards":"0"}"#] {
            assert!(Order::from_bytes(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn an_order_from_another_version_is_refused_with_both() {
        let order = Order { job: "{}".into(), shards: (3..9).into(), tables: None };
        let here = Version::here();
        let other = Version::from_word(here.word() + (1 << 48));
        let text = String::from_utf8(order.to_bytes()).unwrap();
        let text = text.replace(&here.word().to_string(), &other.word().to_string());
        let error = Order::from_bytes(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(&other.to_string()) && error.contains(&here.to_string()), "{error}");
    }
}

//! One parameter between its own scale and the real line, with the Jacobian of the way.
//!
//! The maps are those of Stan (Reference Manual, "Constraint transforms"): `low + e^u`,
//! `high - e^u`, and `low + (high - low)/(1 + e^-u)`.

use serde_json::Value;
use windfall_core::{Error, Result};
use windfall_lanes::scalar_math::{exp, log, log1p};

/// Where a parameter may lie.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Constraint {
    /// Anywhere.
    #[default]
    Real,
    /// Above this number.
    Above(f64),
    /// Below this number.
    Below(f64),
    /// Between these two.
    Between(f64, f64),
}

/// A parameter at one point of the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// Its value on its own scale.
    pub value: f64,
    /// The derivative of the value.
    pub slope: f64,
    /// The logarithm of `|slope|`.
    pub log_jacobian: f64,
    /// The derivative of that logarithm.
    pub jacobian_slope: f64,
}

impl Constraint {
    /// Above 0.
    pub const POSITIVE: Self = Self::Above(0.0);
    /// Between 0 and 1.
    pub const UNIT: Self = Self::Between(0.0, 1.0);

    /// Reads `"real"`, `"positive"`, `"unit"` or a pair, `[low, high]` or `"low:high"`, whose ends
    /// may be `"-inf"` and `"inf"`.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`], naming `what`.
    pub fn read(what: &str, value: &Value) -> Result<Self> {
        let expected = "`real`, `positive`, `unit` or a pair [low, high] such as [-1, 1]";
        let wrong = || Error::invalid(what, value, expected);
        let (low, high) = match value {
            Value::String(name) => match (name.as_str(), name.split_once(':')) {
                ("real", _) => return Ok(Self::Real),
                ("positive", _) => return Ok(Self::POSITIVE),
                ("unit", _) => return Ok(Self::UNIT),
                (_, Some((low, high))) => (low.trim().parse().ok(), high.trim().parse().ok()),
                _ => return Err(wrong()),
            },
            Value::Array(ends) => match ends.as_slice() {
                [low, high] => (end(low), end(high)),
                _ => return Err(wrong()),
            },
            _ => return Err(wrong()),
        };
        let (Some(low), Some(high)) = (low, high) else { return Err(wrong()) };
        let expected = "a pair whose first end is the lower one";
        Self::between(low, high).ok_or_else(|| Error::invalid(what, value, expected))
    }

    /// Between `low` and `high`, either of which may be infinite; none if that is no interval.
    pub fn between(low: f64, high: f64) -> Option<Self> {
        match (low.is_finite(), high.is_finite()) {
            (true, true) => {
                (low < high && (high - low).is_finite()).then_some(Self::Between(low, high))
            }
            (true, false) => (high == f64::INFINITY).then_some(Self::Above(low)),
            (false, true) => (low == f64::NEG_INFINITY).then_some(Self::Below(high)),
            (false, false) => {
                (low == f64::NEG_INFINITY && high == f64::INFINITY).then_some(Self::Real)
            }
        }
    }

    /// The parameter at `u`.
    ///
    /// # Cost
    /// Up to two elementary functions.
    #[must_use]
    pub fn constrain(self, u: f64) -> Placed {
        let one = |value, slope| Placed { value, slope, log_jacobian: u, jacobian_slope: 1.0 };
        match self {
            Self::Real => Placed { value: u, slope: 1.0, log_jacobian: 0.0, jacobian_slope: 0.0 },
            Self::Above(low) => one(low + exp(u), exp(u)),
            Self::Below(high) => one(high - exp(u), -exp(u)),
            Self::Between(low, high) => {
                // With t = e^-|u|: 1/(1 + t) is the larger of the two shares, t/(1 + t) the other.
                let (width, t) = (high - low, exp(-u.abs()));
                let (large, small) = (1.0 / (1.0 + t), t / (1.0 + t));
                let value = if u < 0.0 { low + width * small } else { high - width * small };
                Placed {
                    value,
                    slope: width * (large * small),
                    log_jacobian: log(width) - u.abs() - 2.0 * log1p(t),
                    jacobian_slope: if u < 0.0 { large - small } else { small - large },
                }
            }
        }
    }

    /// The value at `u`.
    #[must_use]
    pub fn value(self, u: f64) -> f64 {
        self.constrain(u).value
    }

    /// The point of the line whose value is `value`.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] if there is none, naming `what`.
    pub fn unconstrain(self, what: &str, value: f64) -> Result<f64> {
        let (u, expected) = match self {
            Self::Real => (value, "a finite number".to_owned()),
            Self::Above(low) => (log(value - low), format!("above {low}")),
            Self::Below(high) => (log(high - value), format!("below {high}")),
            Self::Between(low, high) => {
                (log(value - low) - log(high - value), format!("between {low} and {high}"))
            }
        };
        if u.is_finite() { Ok(u) } else { Err(Error::invalid(what, value, &expected)) }
    }
}

/// An end of an interval: a number, or an infinity as text.
fn end(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) if text == "inf" => Some(f64::INFINITY),
        Value::String(text) if text == "-inf" => Some(f64::NEG_INFINITY),
        value => value.as_f64().filter(|value| value.is_finite()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Constraint; 6] = [
        Constraint::Real,
        Constraint::POSITIVE,
        Constraint::UNIT,
        Constraint::Above(-3.0),
        Constraint::Below(2.5),
        Constraint::Between(-1.0, 4.0),
    ];

    #[test]
    fn a_value_goes_there_and_back_and_slopes_are_those_of_differences() {
        for constraint in ALL {
            for u in [-3.0, -0.5, 0.0, 0.7, 2.0] {
                let found = constraint.constrain(u);
                assert!((constraint.unconstrain("p", found.value).unwrap() - u).abs() < 1e-14);
                let (h, at) = (1e-6, |u| constraint.constrain(u));
                let slope = (at(u + h).value - at(u - h).value) / (2.0 * h);
                assert!((found.slope - slope).abs() < 1e-8, "{constraint:?} at {u}");
                assert!((found.log_jacobian - found.slope.abs().ln()).abs() < 1e-14);
                let slope = (at(u + h).log_jacobian - at(u - h).log_jacobian) / (2.0 * h);
                assert!((found.jacobian_slope - slope).abs() < 1e-8, "{constraint:?} at {u}");
            }
        }
    }

    #[test]
    fn the_ends_are_reached_and_never_passed() {
        let far = |u| Constraint::Between(-1.0, 4.0).constrain(u);
        assert_eq!((far(-800.0).value, far(800.0).value), (-1.0, 4.0));
        assert!(far(800.0).log_jacobian < -790.0 && far(800.0).jacobian_slope == -1.0);
        assert_eq!(Constraint::POSITIVE.value(-800.0), 0.0);
    }

    #[test]
    fn words_and_pairs_are_read_and_others_refused() {
        let read = |text: &str| Constraint::read("mu", &serde_json::from_str(text).unwrap());
        assert_eq!(read(r#""positive""#).unwrap(), Constraint::POSITIVE);
        assert_eq!(read(r#"[0, "inf"]"#).unwrap(), Constraint::POSITIVE);
        assert_eq!(read("[-1, 4]").unwrap(), Constraint::Between(-1.0, 4.0));
        assert_eq!(read(r#""-1:4""#).unwrap(), Constraint::Between(-1.0, 4.0));
        assert_eq!(read(r#""-inf: 4""#).unwrap(), Constraint::Below(4.0));
        for wrong in [
            r#""big""#,
            r#""1:x""#,
            r#""NaN:1""#,
            "[1]",
            "[2, 1]",
            r#"["inf", 1]"#,
            "3",
            r#"[0, "x"]"#,
        ] {
            let message = read(wrong).unwrap_err().to_string();
            assert!(message.starts_with(&format!("`mu` is `{}`", wrong.replace(", ", ","))));
        }
        assert!(Constraint::UNIT.unconstrain("p", 1.0).unwrap_err().to_string().contains("`p`"));
    }
}

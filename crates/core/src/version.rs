//! Which Windfall this is: what all who work on one job must have in common.

use crate::{Error, Result};
use std::fmt;

/// The number of our random values. A commit that changes one says VALUES and raises this by one,
/// so that what the builds before it have kept is never merged with what this one draws.
pub const VALUES: u16 = 1;

/// A version of Windfall and the number of its random values: equal ones yield the same bytes.
///
/// ```
/// use windfall_core::Version;
/// let here = Version::here();
/// assert!(here.to_string().starts_with(env!("CARGO_PKG_VERSION")));
/// assert!(Version::from_word(here.word()).same("version of a worker").is_ok());
/// let error = Version::from_word(here.word() + 1).same("version of a worker").unwrap_err();
/// assert!(error.to_string().starts_with("`version of a worker` is `"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: [u16; 4],
}

impl Version {
    /// That of this build.
    pub fn here() -> Self {
        let number = |text: &str| text.parse().unwrap_or(u16::MAX);
        let major = number(env!("CARGO_PKG_VERSION_MAJOR"));
        let minor = number(env!("CARGO_PKG_VERSION_MINOR"));
        let patch = number(env!("CARGO_PKG_VERSION_PATCH"));
        Self { numbers: [major, minor, patch, VALUES] }
    }

    /// The version that is this word.
    pub fn from_word(word: u64) -> Self {
        Self { numbers: [0, 16, 32, 48].map(|shift| (word >> shift) as u16) }
    }

    /// It as a word: major, minor, patch, number of the values, the lowest bits first.
    pub fn word(self) -> u64 {
        self.numbers.iter().rev().fold(0, |word, &number| word << 16 | u64::from(number))
    }

    /// Refuses one that is not this build's; `what` says whose it is.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] with both.
    pub fn same(self, what: &str) -> Result<()> {
        let here = Self::here();
        if self == here {
            return Ok(());
        }
        let error = Error::invalid(what, self, &format!("{here}, that of this process"));
        Err(error.hint("use one version of Windfall for the whole job"))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch, values] = self.numbers;
        write!(f, "{major}.{minor}.{patch} (values {values})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_differs_in_any_number_is_refused_with_both() {
        let here = Version::here();
        assert_eq!(here.to_string(), format!("{} (values {VALUES})", env!("CARGO_PKG_VERSION")));
        for shift in [0, 16, 32, 48] {
            let other = Version::from_word(here.word() ^ 3 << shift);
            let error = other.same("version of rank 3").unwrap_err().to_string();
            for part in [&other.to_string(), &here.to_string(), "rank 3", "hint: use one version"] {
                assert!(error.contains(part), "{part} is not in {error}");
            }
        }
    }
}

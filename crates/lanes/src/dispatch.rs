//! Choose the instruction set once, by the features the processor reports, never by its name.

#![expect(unsafe_code, reason = "entering code compiled for features that were detected")]

use crate::{Scalar, Task};
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// An instruction set that has an implementation of [`Simd`](crate::Simd), from slow to fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Isa {
    /// Plain code.
    Scalar = 1,
    /// 64-bit ARM: four registers of two lanes.
    Neon = 2,
    /// x86-64 with AVX2 and FMA: two registers of four lanes.
    Avx2 = 3,
    /// x86-64 with AVX-512 F, DQ, VL and BW: one register of eight lanes.
    Avx512 = 4,
}

/// Every instruction set with its name.
const NAMES: [(Isa, &str); 4] =
    [(Isa::Scalar, "scalar"), (Isa::Neon, "neon"), (Isa::Avx2, "avx2"), (Isa::Avx512, "avx512")];

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAMES[*self as usize - 1].1)
    }
}

impl FromStr for Isa {
    type Err = IsaError;
    fn from_str(name: &str) -> Result<Self, IsaError> {
        let found = NAMES.iter().find(|row| row.1 == name);
        found.map(|row| row.0).ok_or_else(|| IsaError::Unknown(name.into()))
    }
}

/// Why an instruction set cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IsaError {
    /// No instruction set has this name.
    Unknown(String),
    /// This machine lacks it.
    Missing(Isa),
}

impl fmt::Display for IsaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => {
                write!(f, "no instruction set is named `{name}`; use scalar, neon, avx2 or avx512")
            }
            Self::Missing(isa) => {
                write!(f, "this machine lacks `{isa}`; the best it has is {}", detected())
            }
        }
    }
}

impl std::error::Error for IsaError {}

/// What [`dispatch`] picks, as a number; 0 before the first look. It only ever holds an
/// instruction set that [`available`] lists.
static CHOICE: AtomicU8 = AtomicU8::new(0);

/// The instruction sets of this machine, from slow to fast.
#[cfg(target_arch = "x86_64")]
pub fn available() -> &'static [Isa] {
    const ALL: [Isa; 3] = [Isa::Scalar, Isa::Avx2, Isa::Avx512];
    let count = match (crate::Avx2::find(), crate::Avx512::find()) {
        (None, _) => 1,
        (_, None) => 2,
        _ => 3,
    };
    &ALL[..count]
}

/// The instruction sets of this machine, from slow to fast.
#[cfg(not(target_arch = "x86_64"))]
pub fn available() -> &'static [Isa] {
    if cfg!(target_arch = "aarch64") { &[Isa::Scalar, Isa::Neon] } else { &[Isa::Scalar] }
}

/// The best instruction set of this machine, whatever [`limit`] says.
pub fn detected() -> Isa {
    available().last().copied().unwrap_or(Isa::Scalar)
}

/// Makes [`dispatch`] pick `isa` from now on, in the whole process.
///
/// Results do not change, only speed: it is for measuring and for ruling out a processor fault.
///
/// # Errors
/// [`IsaError::Missing`] if this machine lacks `isa`.
pub fn limit(isa: Isa) -> Result<(), IsaError> {
    if !available().contains(&isa) {
        return Err(IsaError::Missing(isa));
    }
    CHOICE.store(isa as u8, Relaxed);
    Ok(())
}

/// Runs `task` on the best instruction set, or on the one that [`limit`] set.
///
/// # Cost
/// One relaxed load and a jump; a call that is not inlined.
#[inline]
pub fn dispatch<T: Task>(task: T) -> T::Output {
    let mut choice = CHOICE.load(Relaxed);
    if choice == 0 {
        choice = first_choice();
    }
    // SAFETY: CHOICE holds nothing but a number of an instruction set that was detected.
    unsafe { enter(choice, task) }
}

/// Runs `task` on `isa`.
///
/// # Panics
/// If this machine lacks `isa`; see [`available`].
pub fn dispatch_on<T: Task>(isa: Isa, task: T) -> T::Output {
    assert!(available().contains(&isa), "this machine lacks `{isa}`");
    // SAFETY: the line above.
    unsafe { enter(isa as u8, task) }
}

/// Detects, and remembers unless [`limit`] was faster.
#[cold]
fn first_choice() -> u8 {
    let best = detected() as u8;
    CHOICE.compare_exchange(0, best, Relaxed, Relaxed).map_or_else(|set| set, |_| best)
}

/// Runs `task` on the instruction set whose number is `choice`.
///
/// # Safety
/// This machine has that instruction set.
#[inline]
unsafe fn enter<T: Task>(choice: u8, task: T) -> T::Output {
    // SAFETY: the caller's promise is what each token stands for.
    unsafe {
        match choice {
            #[cfg(target_arch = "x86_64")]
            4 => crate::Avx512::new().enter(task),
            #[cfg(target_arch = "x86_64")]
            3 => crate::Avx2::new().enter(task),
            #[cfg(target_arch = "aarch64")]
            2 => crate::Neon::new().enter(task),
            _ => Scalar(()).enter(task),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Simd;

    struct Which;
    impl Task for Which {
        type Output = Isa;
        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> Isa {
            S::ISA
        }
    }

    #[test]
    fn each_available_set_runs_and_limit_picks_it() {
        for &isa in available() {
            assert_eq!(dispatch_on(isa, Which), isa);
            limit(isa).expect("it is available");
            assert_eq!(dispatch(Which), isa);
        }
        assert_eq!(dispatch(Which), detected());
    }

    #[test]
    fn a_missing_set_is_refused() {
        let foreign = if cfg!(target_arch = "aarch64") { Isa::Avx2 } else { Isa::Neon };
        let error = limit(foreign).expect_err("of another architecture");
        assert!(error.to_string().contains(&foreign.to_string()));
    }

    #[test]
    fn names_round_trip() {
        for (isa, name) in NAMES {
            assert_eq!(name.parse(), Ok(isa));
            assert_eq!(isa.to_string(), name);
        }
        assert!("avx1024".parse::<Isa>().is_err());
    }
}

//! The bytes of one partial: what it is of, how long it is, the partial, and two checksums.
//!
//! ```text
//! 0    8 bytes   magic; the last one is the version of the format
//! 8    8         version of Windfall: major, minor, patch, number of its random values
//! 16   32        identity of the job
//! 48   8         shard       all numbers little-endian
//! 56   8         its first task
//! 64   8         one past its last task
//! 72   8         0, or if it was the last shard of its job, a mark of the job's length
//! 80   8         length of the partial
//! 88   8         BLAKE3 of bytes 0..88, the first eight bytes of it
//! 96   length    the partial
//! end  8         BLAKE3 of all before it, likewise
//! ```
//!
//! A damaged frame passes for a good one with probability 2⁻⁶⁴. Every format has this magic and
//! this version, and the checksum of its first 88 bytes here, so that each tells the others from
//! damage.

use crate::{Error, JobSpec, Result, Shard, Version};
use serde_json::Value;
use std::fmt;

/// The version of the format.
pub const FORMAT: u8 = 1;
/// How every frame begins.
pub(super) const MAGIC: [u8; 8] = [b'w', b'f', b'p', b'a', b'r', b't', 0xff, FORMAT];
/// The bytes before the partial.
pub(super) const HEAD: usize = 96;
/// The bytes of a checksum.
pub(super) const CHECK: usize = 8;
/// The longest partial that is believed, in bytes: a length beyond is damage.
const LENGTH_MAX: u64 = 1 << 40;

/// What a job stands on beside its text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Basis<'a> {
    /// The content hash of the data that the job reads; empty if it reads none.
    pub data: &'a str,
    /// The name of the code that is a part of the job: equal names, equal code. None if there is
    /// no code, or none that can be named.
    pub code: Option<&'a str>,
    /// The option that adds tasks at the end: [`crate::Problem::grows_by`].
    pub grows_by: Option<&'a str>,
}

/// Which job a partial belongs to: a hash of everything that its bytes depend on but the shard.
///
/// Two jobs have the same identity if they are of the same version of Windfall, have the same
/// options and seed, read the same data, wherever those lie, and call the same code. What says
/// only how many tasks there are does not count ([`Basis::grows_by`]), nor does whether the answer
/// keeps its distribution: a longer job can use what a shorter one did.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity(pub(super) [u8; 32]);

impl Identity {
    /// The identity of the job `spec`, which stands on `basis`.
    pub fn new(spec: &JobSpec, basis: Basis<'_>) -> Self {
        let mut hasher = blake3::Hasher::new();
        let mut spec = spec.clone();
        spec.data = spec.data.map(|_| basis.data.to_owned());
        spec.options.retain(|key, _| key != "distribution" && Some(key.as_str()) != basis.grows_by);
        hasher.update(Version::here().to_string().as_bytes());
        hasher.update(canonical(Value::Object(spec.to_map())).to_string().as_bytes());
        hasher.update(basis.data.as_bytes());
        if let Some(code) = basis.code {
            hasher.update(b"code:");
            hasher.update(code.as_bytes());
        }
        Self(*hasher.finalize().as_bytes())
    }
}

/// The same value with the keys of its maps in order and whole numbers without a point: jobs that
/// differ in these alone are the same job.
///
/// ```
/// use windfall_core::partials::canonical;
/// let of = |text| canonical(serde_json::from_str(text).unwrap());
/// assert_eq!(of(r#"{"n": 1e3, "a": [0.0, 0.5]}"#).to_string(), r#"{"a":[0,0.5],"n":1000}"#);
/// ```
#[must_use]
pub fn canonical(value: Value) -> Value {
    /// Whole numbers below this are exact in either form.
    const WHOLE_MAX: f64 = (1_u64 << 53) as f64;
    let is_whole = |x: f64| x as i64 as f64 == x && x.abs() < WHOLE_MAX && 1.0 / x > -WHOLE_MAX;
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<(String, Value)> = map.into_iter().collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(pairs.into_iter().map(|(key, value)| (key, canonical(value))).collect())
        }
        Value::Array(values) => values.into_iter().map(canonical).collect(),
        Value::Number(number) => match number.as_f64() {
            Some(x) if is_whole(x) && number.is_f64() => Value::from(x as i64),
            _ => Value::Number(number),
        },
        other => other,
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..8].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({self})")
    }
}

/// What a partial is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Frame {
    /// Its job.
    pub job: Identity,
    /// Its shard.
    pub shard: Shard,
    /// 0, or if that was the last shard of its job, a mark of the job's length: the last task may
    /// be shorter than it is in a longer job.
    pub tail: u64,
}

impl Frame {
    /// Appends the frame of `partial` to `out`.
    ///
    /// ```
    /// use windfall_core::partials::{Basis, Frame, Identity};
    /// use windfall_core::{JobSpec, Shards};
    /// let job = Identity::new(&JobSpec::new("pi"), Basis::default());
    /// let frame = Frame { job, shard: Shards::new(10, 4).get(1), tail: 0 };
    /// let mut bytes = Vec::new();
    /// frame.write(b"sixteen hits", &mut bytes);
    /// assert_eq!(Frame::read(&bytes)?, (frame, &b"sixteen hits"[..]));
    /// bytes[100] ^= 1;
    /// assert!(Frame::read(&bytes).is_err());
    /// # Ok::<(), windfall_core::Error>(())
    /// ```
    pub fn write(&self, partial: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend(MAGIC);
        out.extend(Version::here().word().to_le_bytes());
        out.extend(self.job.0);
        let Shard { index, first, end } = self.shard;
        for word in [index, first, end, self.tail, partial.len() as u64] {
            out.extend(word.to_le_bytes());
        }
        out.extend(check(&out[start..]));
        out.extend(partial);
        out.extend(check(&out[start..]));
    }

    /// The frame that is all of `bytes`, and its partial.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Wire`] if they are no frame, or a damaged one;
    /// [`crate::ErrorKind::Invalid`] if they are of another version or format.
    pub fn read(bytes: &[u8]) -> Result<(Self, &[u8])> {
        let head = bytes.first_chunk().ok_or_else(|| Error::wire("a partial that breaks off"))?;
        let (frame, length) = Self::read_head(head)?;
        let end = HEAD + length;
        if bytes.len() != end + CHECK {
            return Err(Error::wire(format!("{frame} has not the length that it states")));
        }
        if bytes[end..] != check(&bytes[..end]) {
            return Err(Error::wire(format!("{frame} has another checksum than it states")));
        }
        Ok((frame, &bytes[HEAD..end]))
    }

    /// The frame that begins with `head`, and the length of its partial.
    pub(super) fn read_head(head: &[u8; HEAD]) -> Result<(Self, usize)> {
        if head[..7] != MAGIC[..7] {
            return Err(not_ours());
        }
        if head[HEAD - CHECK..] != check(&head[..HEAD - CHECK]) {
            return Err(Error::wire("the head of a partial has another checksum than it states"));
        }
        let word = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().expect("eight"));
        Version::from_word(word(8)).same("version of a partial")?;
        if head[7] != FORMAT {
            let error = Error::invalid("format of a partial", head[7], &format!("{FORMAT}"));
            return Err(error.hint("use one version of Windfall for the whole job"));
        }
        let job = Identity(head[16..48].try_into().expect("thirty-two"));
        let shard = Shard { index: word(48), first: word(56), end: word(64) };
        let length = word(80);
        if length > LENGTH_MAX {
            return Err(Error::wire(format!("a partial of {length} bytes")));
        }
        Ok((Self { job, shard, tail: word(72) }, length as usize))
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the partial of shard {}", self.shard.index)
    }
}

/// What is said of bytes that nothing of ours begins with.
pub(super) fn not_ours() -> Error {
    Error::wire("they are no partial of Windfall's")
}

/// The checksum of `bytes` as text: as long, and as good, as that of a frame.
#[must_use]
pub fn checksum(bytes: &[u8]) -> String {
    check(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check(bytes: &[u8]) -> [u8; CHECK] {
    *blake3::hash(bytes).as_bytes().first_chunk().expect("a hash has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shards;

    #[test]
    fn the_identity_is_that_of_what_the_bytes_depend_on() {
        let spec = |text: &str| JobSpec::from_toml(text).unwrap();
        let basis = Basis { data: "hash", code: None, grows_by: Some("n") };
        let of = |text: &str| Identity::new(&spec(text), basis);
        let pi = of("problem = 'pi'\nseed = 1\nn = 10\na = 1");
        assert_eq!(pi, of("a = 1.0\nproblem = 'pi'\nn = 20\nseed = 1\ndistribution = true"));
        assert_ne!(pi, of("problem = 'pi'\nseed = 2\nn = 10\na = 1"));
        assert_ne!(pi, of("problem = 'pi'\nseed = 1\nn = 10\na = 2"));
        let at = |path: &str| spec(format!("problem = 'pi'\ndata = '{path}'").as_str());
        let [here, there] = ["here.csv", "there.csv"].map(at);
        let on = |spec, data, code| Identity::new(spec, Basis { data, code, grows_by: None });
        assert_eq!(on(&here, "a", None), on(&there, "a", None));
        assert_ne!(on(&here, "a", None), on(&here, "b", None));
        assert_ne!(on(&here, "a", None), on(&here, "a", Some("f")));
        assert_ne!(on(&here, "a", Some("g")), on(&here, "a", Some("f")));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let job = Identity::new(&JobSpec::new("pi"), Basis::default());
        let frame = Frame { job, shard: Shards::new(9, 2).get(4), tail: 3 };
        let mut bytes = Vec::new();
        frame.write(&[7; 20], &mut bytes);
        assert!(Frame::read(&bytes).is_ok());
        for place in 0..bytes.len() {
            assert!(Frame::read(&bytes[..place]).is_err());
            for bit in 0..8 {
                bytes[place] ^= 1 << bit;
                assert!(Frame::read(&bytes).is_err(), "bit {bit} of byte {place}");
                bytes[place] ^= 1 << bit;
            }
        }
    }

    #[test]
    fn whole_frames_of_other_versions_and_formats_are_refused_with_both() {
        let job = Identity::new(&JobSpec::new("pi"), Basis::default());
        let frame = Frame { job, shard: Shards::new(9, 2).get(4), tail: 3 };
        let mut bytes = Vec::new();
        frame.write(&[7; 20], &mut bytes);
        // The same frame with one byte of its head changed and both checksums put right.
        let with = |place: usize, value: u8| {
            let mut bytes = bytes.clone();
            bytes[place] = value;
            let head = check(&bytes[..HEAD - CHECK]);
            bytes[HEAD - CHECK..HEAD].copy_from_slice(&head);
            let end = bytes.len() - CHECK;
            let all = check(&bytes[..end]);
            bytes[end..].copy_from_slice(&all);
            Frame::read(&bytes).map(|(frame, _)| frame).map_err(|error| error.to_string())
        };
        assert_eq!(with(7, FORMAT), Ok(frame));
        let here = Version::here();
        for (place, byte) in here.word().to_le_bytes().into_iter().enumerate() {
            let other = Version::from_word(here.word() ^ 0x55 << (8 * place));
            let error = with(8 + place, byte ^ 0x55).unwrap_err();
            let starts = format!("`version of a partial` is `{other}`; it must be {here}");
            assert!(error.starts_with(&starts), "{error}");
        }
        let error = with(7, FORMAT + 1).unwrap_err();
        assert!(error.starts_with("`format of a partial` is `2`; it must be 1\nhint: use one"));
    }
}

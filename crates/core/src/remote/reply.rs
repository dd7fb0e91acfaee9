//! What comes back: the bytes of partials, or why a shard failed.

use crate::{Error, ErrorKind, Result, Sink, Yield};
use serde::{Deserialize, Serialize};

/// Appends the partial of a shard to a reply: index, length and bytes.
pub(super) fn append(reply: &mut Vec<u8>, shard: u64, partial: &[u8]) {
    reply.extend(shard.to_le_bytes());
    reply.extend((partial.len() as u64).to_le_bytes());
    reply.extend(partial);
}

/// Puts the partials of a reply into `sink`.
///
/// # Errors
/// The shard at fault and what is wrong with it: [`ErrorKind::Wire`] if the bytes cannot be read,
/// or the sink's own error.
pub fn deliver(mut reply: &[u8], sink: &dyn Sink) -> Result<(), (u64, Error)> {
    while !reply.is_empty() {
        let parts = reply.split_first_chunk::<8>().and_then(|(shard, rest)| {
            let (length, rest) = rest.split_first_chunk::<8>()?;
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            Some((u64::from_le_bytes(*shard), rest.split_at_checked(length)?))
        });
        let Some((shard, (partial, rest))) = parts else {
            return Err((0, Error::wire("partials that end too early")));
        };
        sink.put(shard, Yield::Bytes(partial.to_vec())).map_err(|error| (shard, error))?;
        reply = rest;
    }
    Ok(())
}

/// Why a shard failed.
#[derive(Debug, Deserialize, Serialize)]
struct Failure {
    /// Its index.
    shard: u64,
    /// The tasks at fault.
    tasks: (u64, u64),
    /// The seed of the job; empty if no task is at fault.
    seed: String,
    message: String,
    trace: Option<String>,
    hint: Option<String>,
}

/// The error of a shard as bytes.
pub fn write_failure(shard: u64, error: &Error) -> Vec<u8> {
    let (tasks, seed, message, trace) = match error.kind().clone() {
        ErrorKind::Task { tasks, seed, message, trace, .. } => (tasks, seed, message, trace),
        kind => ((0, 0), String::new(), kind.to_string(), None),
    };
    let hint = error.remedy().map(str::to_owned);
    let failure = Failure { shard, tasks, seed, message, trace, hint };
    serde_json::to_vec(&failure).expect("plain values can be written")
}

/// The shard that failed on `worker`, and its error; none if the bytes are not those of
/// [`write_failure`].
pub fn read_failure(bytes: &[u8], worker: &str) -> Option<(u64, Error)> {
    let Failure { shard, tasks, seed, message, trace, hint } =
        serde_json::from_slice(bytes).ok()?;
    let worker = worker.to_owned();
    let error = match seed.is_empty() {
        true => Error::io(worker, message),
        false => Error::new(ErrorKind::Task { tasks, seed, worker, message, trace }),
    };
    Some((shard, hint.into_iter().fold(error, Error::hint)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    struct Kept(Mutex<Vec<(u64, Vec<u8>)>>);

    impl Sink for Kept {
        fn put(&self, shard: u64, partial: Yield) -> Result<()> {
            let Yield::Bytes(bytes) = partial else { panic!("not bytes") };
            self.0.lock().unwrap().push((shard, bytes));
            Ok(())
        }
    }

    #[test]
    fn partials_arrive_as_they_went_or_are_refused() {
        let partials = [(3, vec![]), (4, vec![1, 2, 3]), (900, vec![0; 100])];
        let mut reply = Vec::new();
        partials.iter().for_each(|(shard, partial)| append(&mut reply, *shard, partial));
        let whole = [16, 35, reply.len()];
        for end in 1..=reply.len() {
            let kept = Kept(Mutex::default());
            assert_eq!(deliver(&reply[..end], &kept).is_ok(), whole.contains(&end), "{end}");
            assert!(partials.starts_with(&kept.0.into_inner().unwrap()));
        }
    }

    #[test]
    fn a_failure_names_its_worker() {
        let kind = ErrorKind::Task {
            tasks: (3, 6),
            seed: "7".into(),
            worker: "here".into(),
            message: "no".into(),
            trace: Some("a.rs:1".into()),
        };
        let bytes = write_failure(1, &Error::new(kind).hint("yes"));
        let (shard, error) = read_failure(&bytes, "rank 2").unwrap();
        assert_eq!((shard, error.remedy()), (1, Some("yes")));
        let text = "a task of 3..6 failed (seed 7, rank 2): no\na.rs:1\nhint: yes";
        assert_eq!(error.to_string(), text);
        let (_, error) = read_failure(&write_failure(0, &Error::wire("x")), "rank 2").unwrap();
        assert_eq!(error.to_string(), "`rank 2`: unreadable bytes: x");
        assert!(read_failure(b"{}", "rank 2").is_none());
    }
}

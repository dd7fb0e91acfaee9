//! Run a closure on every core, with a stream of its own for each task.

use crate::machine;
use windfall_core::{Control, Result, Seed, Stream, Streams, Tasks, Threads, collect};

/// Runs `task` `n` times on every core and returns what it returned, in task order.
///
/// Run `i` draws from a stream that only it has, so the results depend on `seed` alone and not on
/// the machine. To choose the executor, to stop early or to use a seed of 128 bits, use
/// [`crate::collect`].
///
/// # Cost
/// About 20 ns a task above the task's own work, and a thread a core for the time of the call.
///
/// # Errors
/// [`crate::ErrorKind::Task`] with the number of the first task that panicked.
///
/// # Examples
/// ```
/// let areas = windfall::replicate(4000, 7, |rng| {
///     let (x, y) = (rng.uniform(), rng.uniform());
///     if x * x + y * y < 1.0 { 4.0 } else { 0.0 }
/// })?;
/// let pi = areas.iter().sum::<f64>() / 4000.0;
/// assert!((pi - 3.14).abs() < 0.15);
/// # Ok::<(), windfall::Error>(())
/// ```
pub fn replicate<T: Send + 'static>(
    n: u64,
    seed: u64,
    task: impl Fn(&mut Stream) -> T + Sync,
) -> Result<Vec<T>> {
    on_every_core(n, seed.into(), "replicate", &|_, stream: &mut Stream| task(stream))
}

/// Applies `task` to each item on every core and returns the results in the order of the items.
///
/// # Errors
/// As [`replicate`]; the task's number is the item's place.
///
/// # Examples
/// ```
/// let squares = windfall::map(&[1, 2, 3], |x| x * x)?;
/// assert_eq!(squares, [1, 4, 9]);
/// # Ok::<(), windfall::Error>(())
/// ```
pub fn map<I: Sync, T: Send + 'static>(
    items: &[I],
    task: impl Fn(&I) -> T + Sync,
) -> Result<Vec<T>> {
    map_seeded(items, 0, |item, _| task(item))
}

/// Applies `task` to each item, with a stream that only this item has.
///
/// # Errors
/// As [`map`].
///
/// # Examples
/// ```
/// // The mean of three exponential waiting times with these means.
/// let waits = windfall::map_seeded(&[1.0, 10.0], 3, |mean, rng| {
///     (0..1000).map(|_| mean * rng.exponential()).sum::<f64>() / 1000.0
/// })?;
/// assert!((waits[0] - 1.0).abs() < 0.2 && (waits[1] - 10.0).abs() < 2.0);
/// # Ok::<(), windfall::Error>(())
/// ```
pub fn map_seeded<I: Sync, T: Send + 'static>(
    items: &[I],
    seed: u64,
    task: impl Fn(&I, &mut Stream) -> T + Sync,
) -> Result<Vec<T>> {
    let call = |place: u64, stream: &mut Stream| task(&items[place as usize], stream);
    on_every_core(items.len() as u64, seed.into(), "map", &call)
}

fn on_every_core<T, F>(n: u64, seed: Seed, name: &str, task: &F) -> Result<Vec<T>>
where
    T: Send + 'static,
    F: Fn(u64, &mut Stream) -> T + Sync,
{
    let tasks = Tasks { shards: Tasks::<F>::cut(n), streams: Streams::new(seed, name), task };
    let threads = Threads::new(machine::workers()?.count);
    Ok(collect(&tasks, &threads, &Control::default())?.partial)
}

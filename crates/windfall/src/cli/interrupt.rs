//! Ctrl-C and SIGTERM: the first stops the run, the second ends the process at once.

use windfall::{Cancel, Result};

/// Listens from now on; the first signal stops what holds the flag that is returned.
///
/// A thread of its own waits for signals, so that what they do is ordinary code: the second one
/// removes files that are half written before the process ends with 128 + the signal's number.
///
/// # Errors
/// [`windfall::ErrorKind::Io`] if the system grants no signal handler.
#[cfg(unix)]
pub(super) fn listen() -> Result<Cancel> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use std::io::{self, IsTerminal, Write};
    use windfall::{Error, files};

    let failed = |error: io::Error| Error::io("signals", error);
    let cancel = Cancel::default();
    let stop = cancel.clone();
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
    let wait = move || {
        for signal in signals.forever() {
            if stop.is_stopped() {
                let _closed = files::abandon();
                #[expect(clippy::exit, reason = "the second signal ends the process at once")]
                std::process::exit(128 + signal);
            }
            stop.stop();
            if io::stderr().is_terminal() {
                let hint = "\nstopping: the estimate so far follows (once more ends at once)";
                // A closed terminal is no reason not to stop.
                let _ = writeln!(io::stderr(), "{hint}");
            }
        }
    };
    std::thread::Builder::new().name("windfall-signals".into()).spawn(wait).map_err(failed)?;
    Ok(cancel)
}

/// A flag that nothing stops: without Unix signals, Ctrl-C ends the process at once.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub(super) fn listen() -> Result<Cancel> {
    Ok(Cancel::default())
}

/// Ctrl-C and SIGTERM end this process no more: it ends when another one says so.
///
/// # Errors
/// [`windfall::ErrorKind::Io`] if the system grants no signal handler.
#[cfg(unix)]
pub fn ignore() -> Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let seen = std::sync::Arc::default();
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, std::sync::Arc::clone(&seen))
            .map_err(|error| windfall::Error::io("signals", error))?;
    }
    Ok(())
}

/// Nothing to do without Unix signals.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn ignore() -> Result<()> {
    Ok(())
}

//! Catch a panic and keep its message and place, without a word on standard error.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// A panic that was caught.
#[derive(Debug)]
pub struct Caught {
    /// What it said.
    pub message: String,
    /// Where it happened.
    pub place: Option<String>,
}

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work`; a panic inside becomes a value.
///
/// The first call puts a hook before the process's panic hook: it notes the place of panics that
/// are being caught here and leaves all others to the hook that stood before.
///
/// # Errors
/// The panic.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Caught> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if CATCHING.get() {
                PLACE.set(info.location().map(|place| format!("panicked at {place}")));
            } else {
                before(info);
            }
        }));
    });
    let outer = CATCHING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(outer);
    result.map_err(|payload| Caught { message: message(payload.as_ref()), place: PLACE.take() })
}

fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_message_and_a_place() {
        let poisoned = 3;
        let caught = catch(|| assert_ne!(poisoned, 3, "task {poisoned} is poisoned")).unwrap_err();
        assert!(caught.message.contains("task 3 is poisoned"));
        assert!(caught.place.is_some_and(|place| place.contains("panics.rs")));
        assert_eq!(catch(|| 4).ok(), Some(4));
    }
}

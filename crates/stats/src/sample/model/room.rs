//! Where a model keeps what it computes on the way: one place a chain, reused from call to call.

use std::any::Any;
use std::fmt;

/// A place for intermediate values, so that no call allocates; one a chain.
///
/// It holds nothing that a result depends on: a model finds in it what it left there, or an empty
/// value of the type it asks for.
///
/// ```
/// use windfall_stats::sample::model::Room;
/// let mut room = Room::default();
/// room.hold::<Vec<f64>>().resize(3, 0.0);
/// assert_eq!(room.hold::<Vec<f64>>().len(), 3);
/// assert_eq!(room.hold::<String>(), "");
/// ```
#[derive(Default)]
pub struct Room(Option<Box<dyn Any + Send>>);

impl Room {
    /// The `T` that lies here, or a new one in place of what does.
    pub fn hold<T: Default + Send + 'static>(&mut self) -> &mut T {
        if !self.0.as_ref().is_some_and(|held| held.is::<T>()) {
            self.0 = Some(Box::new(T::default()));
        }
        let held = self.0.as_mut().and_then(|held| held.downcast_mut());
        held.expect("a value of this type was just put here")
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Room")
    }
}

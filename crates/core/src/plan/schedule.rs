//! When the last worker is done, if each that is free takes the next order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Orders above which their mean stands for each of them.
const ORDERS_MAX: u64 = 1 << 16;

/// The seconds until `workers` have done `orders` orders of which the one at `place` takes
/// `cost(place)`: whoever is free takes the next one (Graham's list scheduling, 1966).
///
/// Above 65,536 orders it is their sum over the workers: the end of the last one no longer counts.
///
/// ```
/// use windfall_core::plan::makespan;
/// // Nine equal orders on four workers take three turns.
/// assert_eq!(makespan(9, 4, |_| 2.0), 6.0);
/// ```
pub fn makespan(orders: u64, workers: usize, cost: impl Fn(u64) -> f64) -> f64 {
    let workers = workers.max(1);
    if orders > ORDERS_MAX {
        let step = orders / ORDERS_MAX;
        let seen = orders.div_ceil(step);
        let sum: f64 = (0..seen).map(|place| cost(place * step)).sum();
        return sum / seen as f64 * orders as f64 / workers as f64;
    }
    let mut free: BinaryHeap<Reverse<Time>> = (0..workers).map(|_| Reverse(Time(0.0))).collect();
    let mut end = 0.0f64;
    for place in 0..orders {
        let Some(Reverse(Time(start))) = free.pop() else { break };
        let done = start + cost(place);
        end = end.max(done);
        free.push(Reverse(Time(done)));
    }
    end
}

/// Seconds in their total order.
#[derive(Clone, Copy, Debug)]
struct Time(f64);

impl PartialEq for Time {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Time {}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_orders_come_in_turns() {
        for (orders, workers) in [(1u64, 1usize), (7, 1), (8, 4), (9, 4), (3, 8), (65_536, 3)] {
            let turns = orders.div_ceil(workers as u64) as f64;
            assert!((makespan(orders, workers, |_| 0.5) - 0.5 * turns).abs() < 1e-6 * turns);
        }
        assert_eq!(makespan(0, 4, |_| 1.0), 0.0);
    }

    #[test]
    fn a_long_last_order_is_waited_for_and_a_long_first_one_is_not() {
        let last = |place| if place == 9 { 5.0 } else { 1.0 };
        let first = |place| if place == 0 { 5.0 } else { 1.0 };
        assert_eq!(makespan(10, 2, last), 4.0 + 5.0);
        assert_eq!(makespan(10, 2, first), 7.0);
    }

    #[test]
    fn very_many_orders_are_shared_evenly() {
        let orders = 1_000_000;
        let rising = |place: u64| place as f64 / orders as f64;
        let expected = orders as f64 / 2.0 / 4.0;
        assert!((makespan(orders, 4, rising) / expected - 1.0).abs() < 1e-3);
    }
}

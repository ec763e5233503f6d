//! Half-open intervals of integers.

use std::cmp::{max, min};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    start: i64,
    end: i64,
}

impl Interval {
    pub fn new(start: i64, end: i64) -> Option<Self> {
        if start <= end {
            Some(Interval { start, end })
        } else {
            None
        }
    }

    pub fn intersection(&self, other: &Interval) -> Option<Interval> {
        Interval::new(max(self.start, other.start), min(self.end, other.end))
    }
}

#[test]
fn disjoint_intervals_do_not_meet() {
    let a = Interval::new(0, 3).unwrap();
    let b = Interval::new(5, 9).unwrap();
    assert_eq!(a.intersection(&b), None);
}

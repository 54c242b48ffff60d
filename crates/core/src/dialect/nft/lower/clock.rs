//! Conditions on the time that hold at every time.

use crate::dialect::nft::ast::{Cmp, Elem, Expr, Field};

const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/// Whether a comparison holds always (`Some(true)`) or never: all days of the week, all hours of a day.
pub(super) fn timeless(left: &Expr, op: Cmp, right: &Expr) -> Option<bool> {
    let Expr::Field(Field::Meta(key)) = left else { return None };
    let all = match &**key {
        "day" => all_days(right),
        "hour" => whole_day(right),
        _ => false,
    };
    match op {
        Cmp::Implicit | Cmp::Eq if all => Some(true),
        Cmp::Ne if all => Some(false),
        _ => None,
    }
}

fn all_days(right: &Expr) -> bool {
    let Expr::Set(elems) = right else { return false };
    (0..DAYS.len()).all(|day| elems.iter().any(|e| of_day(e, day)))
}

fn of_day(elem: &Elem, day: usize) -> bool {
    match &elem.key {
        Expr::Word(word) => word.eq_ignore_ascii_case(DAYS[day]),
        Expr::Num(number) => *number == day as u64,
        _ => false,
    }
}

/// From one second to the one before it, around midnight or not: nft shows hours in the time zone of the machine.
fn whole_day(right: &Expr) -> bool {
    let Expr::Range(ends) = right else { return false };
    match (seconds(&ends.0), seconds(&ends.1)) {
        (Some(from), Some(to)) => (to + 1) % 86400 == from,
        _ => false,
    }
}

/// `23:59:59` or `23:59` in seconds.
fn seconds(e: &Expr) -> Option<u32> {
    let Expr::Word(text) = e else { return None };
    let mut parts = text.trim_matches('"').split(':').map(str::parse::<u32>);
    let (hour, minute) = (parts.next()?.ok()?, parts.next()?.ok()?);
    let second = parts.next().map_or(Some(0), Result::ok)?;
    (hour < 25 && minute < 60 && second < 60).then_some((hour * 60 + minute) * 60 + second)
}

//! Write numbers as people read them: no more digits than the error bears, thousands apart.

/// A whole number with its thousands apart: `1,000,000`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number to `digits` significant digits: `0.1336`, `1.25e-7`.
pub fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return plain(value);
    }
    // The exponent after rounding, so that 9.996 to three digits is 10.0.
    let rounded = format!("{value:.*e}", digits.saturating_sub(1));
    let exponent = rounded.rsplit_once('e').map_or(0, |(_, power)| power.parse().unwrap_or(0));
    if !(-4..9).contains(&exponent) {
        return rounded;
    }
    let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
    format!("{value:.decimals$}")
}

/// A number to the digits that its error bears, two of the error's own: (`2.66514`, `0.00052`).
///
/// Without an error that is finite and positive the number has six significant digits.
pub fn with_error(value: f64, error: f64) -> (String, String) {
    if !(error.is_finite() && error > 0.0 && value.is_finite()) {
        return (significant(value, 6), significant(error, 2));
    }
    let power = |x: f64| if x == 0.0 { i32::MIN } else { x.abs().log10().floor() as i32 };
    // An error that rounds up to the next power of ten, such as 0.0998, has its digits there.
    let rounded: f64 = format!("{error:.1e}").parse().unwrap_or(error);
    let (last, first) = (power(rounded) - 1, power(value).max(power(rounded)));
    if (-5..9).contains(&first) && first - last <= 16 {
        let decimals = (-last).max(0) as usize;
        return (format!("{value:.decimals$}"), format!("{rounded:.decimals$}"));
    }
    let digits = (power(value).saturating_sub(last)).clamp(0, 16) as usize;
    (format!("{value:.digits$e}"), format!("{rounded:.1e}"))
}

/// Seconds: `820 µs`, `21.3 ms`, `1.53 s`, `2 min 05 s`, `3 h 07 min`.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{} µs", significant(s * 1e6, 3)),
        s if s < 1.0 => format!("{} ms", significant(s * 1e3, 3)),
        s if s < 100.0 => format!("{} s", significant(s, 3)),
        s if s < 5970.0 => format!("{} min {:02} s", s as u64 / 60, s as u64 % 60),
        s => format!("{} h {:02} min", s as u64 / 3600, s as u64 % 3600 / 60),
    }
}

/// A rate with its unit a thousandfold: `4.81 M`.
pub fn rate(per_second: f64) -> String {
    let steps = [(1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")];
    match steps.into_iter().find(|(step, _)| per_second >= step * 0.9995) {
        Some((step, prefix)) => format!("{}{prefix}", significant(per_second / step, 3)),
        None => significant(per_second, 3),
    }
}

/// A number in the shortest form that reads back, with words for what is not finite.
pub fn plain(value: f64) -> String {
    if value.is_nan() {
        return "none".into();
    }
    format!("{value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_follow_the_error() {
        for (value, error, expected) in [
            (2.66514414, 0.000052, ("2.665144", "0.000052")),
            (0.776374, 0.0998, ("0.78", "0.10")),
            (-0.0061, 0.00042, ("-0.00610", "0.00042")),
            (123456.7, 1234.0, ("123457", "1200")),
            (2.5e-9, 3.1e-12, ("2.5000e-9", "3.1e-12")),
            (1.5, f64::NAN, ("1.50000", "none")),
            (1.5, 0.0, ("1.50000", "0")),
            (0.0, 0.01, ("0.000", "0.010")),
        ] {
            let (value, error) = with_error(value, error);
            assert_eq!((value.as_str(), error.as_str()), expected);
        }
    }

    #[test]
    fn counts_times_and_rates_read_well() {
        assert_eq!([0, 999, 1000, 1_000_000].map(count), ["0", "999", "1,000", "1,000,000"]);
        let times = [2.5e-5, 0.0213, 0.99999, 1.5312, 59.96, 125.0, 11_220.0].map(duration);
        let expected = ["25.0 µs", "21.3 ms", "1000 ms", "1.53 s", "60.0 s", "2 min 05 s"];
        assert_eq!(times[..6], expected);
        assert_eq!(times[6], "3 h 07 min");
        assert_eq!(
            [5.0, 4.81e6, 999_900.0, 2.2e9].map(rate),
            ["5.00", "4.81 M", "1.00 M", "2.20 G"]
        );
        assert_eq!(significant(9.996, 3), "10.0");
        assert_eq!(significant(f64::INFINITY, 3), "inf");
    }
}

//! Quantities against upstream's behaviour, and the laws of their arithmetic.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn canonical_form_has_no_fraction_and_the_largest_suffix() {
    for (written, canonical) in [
        ("0", "0"),
        ("00", "0"),
        ("0Ki", "0"),
        ("0e9", "0"),
        ("-0", "0"),
        (".", "0"),
        ("-", "0"),
        ("1", "1"),
        ("1.", "1"),
        ("1.G", "1G"),
        (".001", "1m"),
        (".0001k", "100m"),
        ("+5", "5"),
        ("001", "1"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("1.5", "1500m"),
        ("0.5", "500m"),
        ("1080000000n", "1080m"),
        ("1000M", "1G"),
        ("1000000k", "1G"),
        ("1234567M", "1234567M"),
        ("100.035k", "100035"),
        ("7.123456M", "7123456"),
        ("2000Gi", "2000Gi"),
        ("1024Mi", "1Gi"),
        ("1025024Mi", "1001Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Mi", "512Ki"),
        ("100.035Ki", "102435840m"),
        ("0.05Gi", "53687091200m"),
        ("1025Ki", "1025Ki"),
        ("0.5Ki", "512"),
        ("-1.5Gi", "-1536Mi"),
        ("1E", "1E"),
        ("12E", "12E"),
        ("1000E", "1e21"),
        ("4Pi", "4Pi"),
        ("3Ei", "3Ei"),
        ("1e9", "1e9"),
        (".001e12", "1e9"),
        ("0.001e0", "1e-3"),
        ("1000e-12", "1e-9"),
        ("1E-3", "1e-3"),
        ("1.3E+6", "1300e3"),
        ("80e-3", "80e-3"),
        ("12e0", "12"),
        ("1e14", "100e12"),
        ("3.001n", "4n"),
        ("1.1E-9", "2e-9"),
        ("0.0000000001", "1n"),
        ("0.00000012345", "124n"),
        ("-0.9n", "-1n"),
        ("1e-400", "1e-9"),
        ("0.000000000001Ki", "2n"),
        ("9Ei", "9223372036854775807"),
        ("-9Ei", "-9223372036854775807"),
        ("9223372036854775807Ki", "9223372036854775807"),
        ("18446744073709551616", "18446744073709551616"),
    ] {
        assert_eq!(quantity(written).to_string(), canonical, "{written}");
    }
}

#[test]
fn what_is_no_quantity_is_refused_with_the_reason() {
    for (text, error) in [
        ("", QuantityError::Format),
        (" 1", QuantityError::Format),
        ("1 ", QuantityError::Format),
        ("1.1.M", QuantityError::Format),
        ("1+1.0M", QuantityError::Format),
        ("0.1mi", QuantityError::Suffix),
        ("0.1am", QuantityError::Format),
        ("aoeu", QuantityError::Format),
        ("1i", QuantityError::Suffix),
        ("-3.01e-", QuantityError::Suffix),
        ("1e", QuantityError::Suffix),
        ("1K", QuantityError::Suffix),
        ("1m3", QuantityError::Suffix),
        ("--1", QuantityError::Suffix),
        ("1e99999999999", QuantityError::Suffix),
        ("1e400", QuantityError::Number),
        ("ö", QuantityError::Format),
    ] {
        assert_eq!(Quantity::parse(text).unwrap_err(), error, "{text:?}");
    }
}

#[test]
fn a_served_quantity_is_kept_where_upstream_keeps_it() {
    for (written, served) in [
        ("1.500", "1.500"),
        ("1.5", "1500m"),
        ("100m", "100m"),
        ("1000m", "1"),
        ("+5", "+5"),
        ("1Gi", "1Gi"),
        ("1024Mi", "1Gi"),
        ("0.5", "500m"),
        ("1E3", "1E3"),
        ("0", "0"),
        ("0m", "0"),
        ("8Ki", "8Ki"),
        ("16384Pi", "9223372036854775807"),
    ] {
        assert_eq!(Quantity::served(written).unwrap(), served, "{written}");
    }
}

#[test]
fn order_looks_at_amounts_alone() {
    for (small, large) in [
        ("50m", "100m"),
        ("100Gi", "10000T"),
        ("1000Mi", "1Gi"),
        ("1023", "1Ki"),
        ("-1", "0"),
        ("999999999n", "1"),
        ("1G", "1Gi"),
    ] {
        assert!(quantity(small) < quantity(large), "{small} < {large}");
    }
    for (left, right) in [("1", "1000m"), ("1Ki", "1024"), ("1e3", "1k"), ("0", "0Ei")] {
        assert_eq!(quantity(left), quantity(right));
    }
}

#[test]
fn values_round_away_from_zero_and_never_overflow() {
    for (text, value, milli) in [
        ("1", 1, 1000),
        ("1500m", 2, 1500),
        ("1u", 1, 1),
        ("-1500m", -2, -1500),
        ("-1u", -1, -1),
        ("2Ki", 2048, 2_048_000),
        ("9Ei", i64::MAX, i64::MAX),
        ("-9Ei", -i64::MAX, i64::MIN),
        ("1000E", i64::MAX, i64::MAX),
    ] {
        assert_eq!((quantity(text).value(), quantity(text).milli_value()), (value, milli), "{text}");
    }
    for (text, scale, rounded) in [
        ("9.01", -3, "9010m"),
        ("9.01", -1, "9100m"),
        ("9.01", 0, "10"),
        ("9.01", 2, "100"),
        ("-9.01", 1, "-10"),
        ("1", -30, "1"),
        ("1", 400, "1"),
    ] {
        assert_eq!(quantity(text).round_up(scale).to_string(), rounded, "{text} {scale}");
    }
}

#[test]
fn sums_keep_the_first_form_unless_it_is_nothing() {
    let sum = |left: &str, right: &str| quantity(left).checked_add(quantity(right)).unwrap().to_string();
    assert_eq!(sum("1Gi", "1G"), "2073741824");
    assert_eq!(sum("1Gi", "1024Mi"), "2Gi");
    assert_eq!(sum("0", "1Gi"), "1Gi");
    assert_eq!(sum("100m", "900m"), "1");
    assert_eq!(quantity("0").checked_sub(quantity("100m")).unwrap().to_string(), "-100m");
    assert_eq!(quantity("4").checked_sub(quantity("500m")).unwrap().to_string(), "3500m");
    assert_eq!(quantity("1Gi").checked_mul(3).unwrap().to_string(), "3Gi");
    let huge = quantity("80e27");
    assert!(huge.checked_add(huge).is_some());
    assert!(huge.checked_mul(i64::MAX).is_none());
}

#[test]
fn json_numbers_and_strings_are_quantities() {
    assert_eq!(Quantity::from_value(&json!(2)).unwrap(), quantity("2"));
    assert_eq!(Quantity::from_value(&json!(0.5)).unwrap(), quantity("500m"));
    assert_eq!(Quantity::from_value(&json!(" 1Gi ")).unwrap(), quantity("1Gi"));
    assert_eq!(Quantity::from_value(&json!(null)).unwrap(), Quantity::ZERO);
    assert!(Quantity::from_value(&json!({})).is_err());
    let read: Quantity = serde_json::from_value(json!("1024Mi")).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), json!("1Gi"));
    assert_eq!(Quantity::milli(250).to_string(), "250m");
    assert_eq!(Quantity::bytes(1 << 30).to_string(), "1Gi");
}

fn texts() -> impl Strategy<Value = String> {
    let suffix = proptest::sample::select(vec![
        "n", "u", "m", "", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e3", "E-2",
        "e+1", "e-12",
    ]);
    ("[+-]?[0-9]{0,12}(\\.[0-9]{0,9})?", suffix).prop_map(|(number, suffix)| format!("{number}{suffix}"))
}

proptest! {
    #[test]
    fn canonical_text_reads_back_as_the_same_amount_and_stays(text in texts()) {
        if let Ok(read) = Quantity::parse(&text) {
            let canonical = read.to_string();
            let again = quantity(&canonical);
            prop_assert_eq!(again, read, "{} -> {}", text, canonical);
            prop_assert_eq!(again.to_string(), canonical);
        }
    }

    #[test]
    fn order_is_the_order_of_exact_amounts(left in any::<i32>(), right in any::<i32>(), unit in 0_u32..3) {
        let (suffix, per) = [("m", 1_i64), ("", 1000), ("Ki", 1_024_000)][unit as usize];
        let order = quantity(&format!("{left}{suffix}")).cmp(&quantity(&format!("{right}m")));
        prop_assert_eq!(order, (i64::from(left) * per).cmp(&i64::from(right)));
    }

    #[test]
    fn what_was_added_can_be_taken_away(left in texts(), right in texts()) {
        if let (Ok(left), Ok(right)) = (Quantity::parse(&left), Quantity::parse(&right)) {
            let back = left.checked_add(right).and_then(|sum| sum.checked_sub(right)).unwrap();
            prop_assert_eq!(back, left);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = Quantity::parse(&text);
        let _ = Quantity::served(&text);
    }
}

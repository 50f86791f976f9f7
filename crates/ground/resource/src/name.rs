//! What a name may look like, with upstream's messages.
//!
//! Each rule answers with the list of what is wrong with a value; an empty list means valid.
//!
//! **Spec:** RFC 1123 labels and subdomains, RFC 1035 labels, Kubernetes' label keys and values.

const DNS_LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const DNS_SUBDOMAIN: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const DNS_1035_LABEL: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";
const QUALIFIED: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_VALUE: &str = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";
const CONFIG_KEY: &str = "[-._a-zA-Z0-9]+";

const QUALIFIED_RULE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

/// The most bytes of a label, in DNS and of objects.
pub const LABEL_BYTES: usize = 63;
/// The most bytes of a subdomain, the form of most objects' names.
pub const SUBDOMAIN_BYTES: usize = 253;
/// How many characters are appended to `generateName`.
pub const GENERATED_SUFFIX_BYTES: usize = 5;

/// A lower-case RFC 1123 label: the names of namespaces and Services' ports.
pub fn dns_label(value: &str) -> Vec<String> {
    let mut wrong = too_long(value, LABEL_BYTES);
    if !is_dns_label(value) {
        wrong.push(if is_dns_subdomain(value) {
            "must not contain dots".to_owned()
        } else {
            by_pattern(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
                DNS_LABEL,
                &["my-name", "123-abc"],
            )
        });
    }
    wrong
}

/// A lower-case RFC 1123 subdomain: the names of most objects.
pub fn dns_subdomain(value: &str) -> Vec<String> {
    let mut wrong = too_long(value, SUBDOMAIN_BYTES);
    if !is_dns_subdomain(value) {
        wrong.push(by_pattern(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
            DNS_SUBDOMAIN,
            &["example.com"],
        ));
    }
    wrong
}

/// An RFC 1035 label: the names of Services.
pub fn dns_1035_label(value: &str) -> Vec<String> {
    let mut wrong = too_long(value, LABEL_BYTES);
    if !(is_dns_label(value) && value.as_bytes()[0].is_ascii_lowercase()) {
        wrong.push(by_pattern(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
            DNS_1035_LABEL,
            &["my-name", "abc-123"],
        ));
    }
    wrong
}

/// A qualified name, `example.com/name` or `name`: label keys, annotation keys, resource names.
pub fn qualified_name(value: &str) -> Vec<String> {
    let (prefix, name) = match value.split_once('/') {
        None => (None, value),
        Some((_, name)) if name.contains('/') => {
            return vec![format!(
                "a qualified name {} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
                by_pattern(QUALIFIED_RULE, QUALIFIED, &["MyName", "my.name", "123-abc"])
            )];
        }
        Some((prefix, name)) => (Some(prefix), name),
    };
    let mut wrong = Vec::new();
    match prefix {
        None => {}
        Some("") => wrong.push("prefix part must be non-empty".to_owned()),
        Some(prefix) => {
            wrong.extend(dns_subdomain(prefix).into_iter().map(|text| format!("prefix part {text}")));
        }
    }
    if name.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    }
    wrong.extend(too_long(name, LABEL_BYTES).into_iter().map(|text| format!("name part {text}")));
    if !is_qualified(name) {
        let text = by_pattern(QUALIFIED_RULE, QUALIFIED, &["MyName", "my.name", "123-abc"]);
        wrong.push(format!("name part {text}"));
    }
    wrong
}

/// The value of a label: empty, or the name part of a qualified name.
pub fn label_value(value: &str) -> Vec<String> {
    let mut wrong = too_long(value, LABEL_BYTES);
    if !value.is_empty() && !is_qualified(value) {
        wrong.push(by_pattern(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
            LABEL_VALUE,
            &["MyValue", "my_value", "12345"],
        ));
    }
    wrong
}

/// A name that is one segment of a path and nothing more: RBAC objects.
pub fn path_segment(value: &str) -> Vec<String> {
    if matches!(value, "." | "..") {
        return vec![format!("may not be '{value}'")];
    }
    ["/", "%"]
        .into_iter()
        .filter(|part| value.contains(part))
        .map(|part| format!("may not contain '{part}'"))
        .collect()
}

/// A port's name: at most 15 of `a-z`, `0-9` and single hyphens inside, with a letter.
pub fn port_name(value: &str) -> Vec<String> {
    let mut wrong = too_long(value, 15);
    let bytes = value.as_bytes();
    let allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    let mut unless = |good: bool, text: &str| {
        if !good {
            wrong.push(text.to_owned());
        }
    };
    unless(
        !bytes.is_empty() && bytes.iter().all(allowed),
        "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
    );
    unless(bytes.iter().any(u8::is_ascii_lowercase), "must contain at least one letter (a-z)");
    unless(!value.contains("--"), "must not contain consecutive hyphens");
    unless(!value.starts_with('-') && !value.ends_with('-'), "must not begin or end with a hyphen");
    wrong
}

/// A key of a ConfigMap or Secret: a file's name.
pub fn config_key(value: &str) -> Vec<String> {
    let mut wrong = too_long(value, SUBDOMAIN_BYTES);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if value.is_empty() || !value.bytes().all(allowed) {
        wrong.push(by_pattern(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
            CONFIG_KEY,
            &["key.name", "KEY_NAME", "key-name"],
        ));
    }
    match value {
        "." => wrong.push("must not be '.'".to_owned()),
        ".." => wrong.push("must not be '..'".to_owned()),
        _ if value.starts_with("..") => wrong.push("must not start with '..'".to_owned()),
        _ => {}
    }
    wrong
}

/// A `generateName` as it is validated: its last hyphen counts as a letter, as a suffix will follow.
pub fn mask_trailing_dash(prefix: &str) -> String {
    match prefix.strip_suffix('-') {
        Some(rest) if rest.len() > 1 => format!("{}a", &rest[..rest.floor_char_boundary(rest.len() - 1)]),
        _ => prefix.to_owned(),
    }
}

/// A `generateName` with its suffix, shortened so that the whole fits a label.
pub fn generated(prefix: &str, suffix: &str) -> String {
    let room = LABEL_BYTES - GENERATED_SUFFIX_BYTES;
    format!("{}{suffix}", &prefix[..prefix.floor_char_boundary(room)])
}

fn too_long(value: &str, bytes: usize) -> Vec<String> {
    if value.len() > bytes { vec![format!("must be no more than {bytes} characters")] } else { Vec::new() }
}

fn by_pattern(rule: &str, pattern: &str, examples: &[&str]) -> String {
    let examples: Vec<String> = examples.iter().map(|example| format!("'{example}', ")).collect();
    format!("{rule} (e.g. {}regex used for validation is '{pattern}')", examples.join(" or "))
}

fn is_dns_label(value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    is_framed(value, plain, |byte| plain(byte) || byte == b'-')
}

fn is_dns_subdomain(value: &str) -> bool {
    value.split('.').all(is_dns_label)
}

fn is_qualified(value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    is_framed(value, plain, |byte| plain(byte) || matches!(byte, b'-' | b'_' | b'.'))
}

/// Whether the first and last byte pass `ends`, and all pass `inside`.
fn is_framed(value: &str, ends: impl Fn(u8) -> bool, inside: impl Fn(u8) -> bool) -> bool {
    match value.as_bytes() {
        [] => false,
        [only] => ends(*only),
        [first, middle @ .., last] => ends(*first) && ends(*last) && middle.iter().copied().all(inside),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(bytes: usize) -> String {
        "a".repeat(bytes)
    }

    #[test]
    fn labels_and_subdomains_are_what_dns_allows() {
        for good in ["a", "0", "a-b", "123-abc", &long(63)] {
            assert!(dns_label(good).is_empty(), "{good}");
            assert!(dns_subdomain(good).is_empty(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a_b", "a b", "ä", "a..b", ".a", "a."] {
            assert!(!dns_label(bad).is_empty(), "{bad}");
            assert!(!dns_subdomain(bad).is_empty(), "{bad}");
        }
        assert_eq!(dns_label("a.b"), ["must not contain dots"]);
        assert_eq!(dns_label(&long(64)), ["must be no more than 63 characters"]);
        assert_eq!(dns_subdomain(&long(254)), ["must be no more than 253 characters"]);
        assert!(dns_1035_label("web-1").is_empty());
        assert!(!dns_1035_label("1-web").is_empty());
        assert!(!dns_1035_label("").is_empty());
    }

    #[test]
    fn messages_are_upstreams() {
        assert_eq!(
            dns_label("A_b"),
            [
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start \
              and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
              '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
            ]
        );
        assert_eq!(
            dns_subdomain("Web"),
            [
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
              start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
              '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
            ]
        );
    }

    #[test]
    fn qualified_names_have_at_most_one_prefix() {
        for good in ["a", "A.b_c-d", "example.com/Name", "a/0"] {
            assert!(qualified_name(good).is_empty(), "{good}");
        }
        assert_eq!(qualified_name("/a"), ["prefix part must be non-empty"]);
        assert_eq!(qualified_name("a/")[0], "name part must be non-empty");
        assert!(qualified_name("Upper/a")[0].starts_with("prefix part a lowercase RFC 1123 subdomain"));
        assert!(qualified_name("a/b/c")[0].starts_with("a qualified name must consist of"));
        assert!(qualified_name("-a")[0].starts_with("name part must consist of"));
        assert_eq!(qualified_name(&long(64)), ["name part must be no more than 63 characters"]);
    }

    #[test]
    fn label_values_may_be_empty_and_are_bounded() {
        for good in ["", "a", "1.2_3-B"] {
            assert!(label_value(good).is_empty(), "{good}");
        }
        for bad in ["-a", "a.", "a b", "a/b", &long(64)] {
            assert_eq!(label_value(bad).len(), 1, "{bad}");
        }
    }

    #[test]
    fn other_names_follow_their_own_rules() {
        assert_eq!(path_segment(".."), ["may not be '..'"]);
        assert_eq!(path_segment("a/b%"), ["may not contain '/'", "may not contain '%'"]);
        assert!(path_segment("system:node").is_empty());
        assert!(port_name("http-2").is_empty());
        for bad in ["", "-a", "a-", "a--b", "80", "Http", &long(16)] {
            assert!(!port_name(bad).is_empty(), "{bad}");
        }
        assert!(config_key("app.yaml").is_empty());
        for bad in ["", ".", "..", "..a", "a/b"] {
            assert!(!config_key(bad).is_empty(), "{bad}");
        }
    }

    #[test]
    fn generated_names_fit_a_label() {
        assert_eq!(generated("web-", "x1y2z"), "web-x1y2z");
        assert_eq!(generated(&long(80), "x1y2z").len(), LABEL_BYTES);
        assert_eq!(mask_trailing_dash("web-"), "wea");
        assert_eq!(mask_trailing_dash("-"), "-");
        assert_eq!(mask_trailing_dash("web"), "web");
        assert!(!mask_trailing_dash("日本-").is_empty());
    }
}

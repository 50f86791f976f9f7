//! The parameters after the `?`.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::status::{Cause, Status};

/// The decoded parameters of one request, in the order they were given.
#[derive(Clone, Debug, Default)]
pub struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// The parameters of a URL's query part.
    pub fn parse(text: Option<&'a str>) -> Self {
        let pairs = text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(key), decode(value))
                })
                .collect(),
        )
    }

    /// The first value of a parameter; `None` when it is absent or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| &**value)
    }

    /// All values of a parameter.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// Whether a parameter is there and says yes, as upstream reads it: anything but `false` and `0`.
    pub fn flag(&self, name: &str) -> bool {
        self.optional_flag(name).unwrap_or(false)
    }

    /// As [`Query::flag`], telling an absent parameter from a no.
    pub fn optional_flag(&self, name: &str) -> Option<bool> {
        let (_, value) = self.0.iter().find(|(key, _)| key == name)?;
        Some(!matches!(&*value.to_ascii_lowercase(), "false" | "0"))
    }

    /// A whole number.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Status> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse()
            .map(Some)
            .map_err(|_| Status::bad_request(format!("strconv.ParseInt: parsing \"{text}\": invalid syntax")))
    }

    /// Whether the request asks to change nothing (`dryRun=All`), as an option of a creation.
    pub fn dry_run(&self) -> Result<bool, Status> {
        let mut asked = false;
        for value in self.all("dryRun") {
            check_dry_run(value).map_err(|cause| Status::invalid_options("CreateOptions", vec![cause]))?;
            asked |= value == "All";
        }
        Ok(asked)
    }
}

/// The one value `dryRun` may have.
pub(crate) fn check_dry_run(value: &str) -> Result<(), Cause> {
    match value {
        "" | "All" => Ok(()),
        other => {
            // Upstream prints the list as Go does.
            let mut cause = Cause::unsupported("dryRun", other, &["All"]);
            cause.message = format!("Unsupported value: []string{{{other:?}}}: supported values: \"All\"");
            Err(cause)
        }
    }
}

fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_an_empty_one_counts_as_absent() {
        let query = Query::parse(Some("labelSelector=app+in+%28a%2Cb%29&limit=&watch=1&pretty"));
        assert_eq!(query.get("labelSelector"), Some("app in (a,b)"));
        assert_eq!(query.get("limit"), None);
        assert!(query.flag("watch"));
        assert!(!query.flag("allowWatchBookmarks"));
        assert_eq!(Query::parse(Some("watch=false")).optional_flag("watch"), Some(false));
    }

    #[test]
    fn a_number_that_is_none_is_refused() {
        let query = Query::parse(Some("limit=five&timeoutSeconds=5"));
        assert_eq!(query.number("timeoutSeconds"), Ok(Some(5)));
        assert_eq!(query.number("limit").expect_err("five is no number").code, 400);
    }

    #[test]
    fn dry_run_is_all_or_an_error() {
        assert_eq!(Query::parse(Some("dryRun=All")).dry_run(), Ok(true));
        assert_eq!(Query::parse(None).dry_run(), Ok(false));
        assert_eq!(Query::parse(Some("dryRun=Some")).dry_run().expect_err("no such mode").code, 422);
    }
}

//! Whom a client certificate speaks for.

use jiff::Timestamp;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::PkiError;

/// A user and the groups it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The user's name (a certificate's common name).
    pub user: String,
    /// Its groups (a certificate's organizations), in the order they are given.
    pub groups: Vec<String>,
    /// When what proves it expires; a token does not.
    pub expires: Option<Timestamp>,
}

impl Subject {
    /// A user in these groups, for as long as it is known.
    pub fn new(user: impl Into<String>, groups: &[&str]) -> Self {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Self { user: user.into(), groups, expires: None }
    }
}

/// The subject of a client certificate in DER. Says nothing about who signed it: TLS checked that.
pub fn subject_of(der: &[u8]) -> Result<Subject, PkiError> {
    let (rest, certificate) =
        X509Certificate::from_der(der).map_err(|error| PkiError::Certificate(error.to_string()))?;
    if !rest.is_empty() {
        return Err(PkiError::Certificate("something follows it".to_owned()));
    }
    let text = |value: &str| value.to_owned();
    let name = certificate.subject();
    let mut users = name.iter_common_name().filter_map(|value| value.as_str().ok());
    let user = users.next().filter(|user| !user.is_empty()).map(text);
    let user = user.ok_or_else(|| PkiError::Certificate("it has no common name".to_owned()))?;
    if users.next().is_some() {
        return Err(PkiError::Certificate("it has two common names".to_owned()));
    }
    let groups = name.iter_organization().filter_map(|value| value.as_str().ok()).map(text).collect();
    let expires = Timestamp::from_second(certificate.validity().not_after.timestamp()).ok();
    Ok(Subject { user, groups, expires })
}

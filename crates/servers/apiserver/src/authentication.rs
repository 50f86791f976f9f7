//! Who a client is: by its certificate, by its bearer token, or by being in this process.
//!
//! **Not here:** whether a certificate is genuine (TLS checked that), what the client may do
//! (`authorization`).

use std::sync::Arc;

use http::{HeaderMap, header};
use jiff::Timestamp;
use mainstay_pki::{Subject, Tokens};
use mainstay_resource::Identity;

/// What a connection proved, once, when it was made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peer {
    certificate: Option<(Arc<Identity>, Option<Timestamp>)>,
}

impl Peer {
    /// The peer that showed this certificate (DER), or none.
    pub(crate) fn of(certificate: Option<&[u8]>) -> Self {
        let subject = certificate.and_then(|der| mainstay_pki::subject_of(der).ok());
        Self {
            certificate: subject.map(|subject| {
                let expires = subject.expires;
                (Arc::new(identity(subject)), expires)
            }),
        }
    }

    /// Who one request of this peer comes from; `None` when it proves nothing or proves it wrongly.
    pub(crate) fn identity(
        &self,
        headers: &HeaderMap,
        tokens: &Tokens,
        now: Timestamp,
    ) -> Option<Arc<Identity>> {
        if let Some((identity, expires)) = &self.certificate {
            return expires.is_none_or(|expires| now < expires).then(|| Arc::clone(identity));
        }
        let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let subject = tokens.subject_of(token.trim())?;
        subject.expires.is_none_or(|expires| now < expires).then(|| Arc::new(identity(subject)))
    }
}

fn identity(subject: Subject) -> Identity {
    Identity::new(subject.user, subject.groups)
}

/// Paths that answer without a proven identity: whether the server lives is no secret.
pub(crate) fn is_open(path: &str) -> bool {
    ["/livez", "/readyz", "/healthz"]
        .iter()
        .any(|open| path.strip_prefix(open).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(authorization: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(authorization))])
    }

    #[test]
    fn a_token_speaks_for_its_subject_and_everything_else_for_nobody() {
        let tokens = Tokens::new();
        tokens.accept("secret", Subject::new("u", &["g"]));
        let peer = Peer::of(None);
        let identity =
            peer.identity(&headers("Bearer secret"), &tokens, Timestamp::UNIX_EPOCH).expect("it is known");
        assert_eq!(identity.user, "u");
        assert!(identity.is_in("g") && identity.is_in("system:authenticated"));
        for wrong in ["Bearer other", "Basic secret", "secret", "Bearer"] {
            assert!(peer.identity(&headers(wrong), &tokens, Timestamp::UNIX_EPOCH).is_none(), "{wrong}");
        }
        assert!(peer.identity(&HeaderMap::new(), &tokens, Timestamp::UNIX_EPOCH).is_none());
    }

    #[test]
    fn an_identity_ends_when_its_proof_expires() {
        let tokens = Tokens::new();
        let expires = Some(Timestamp::UNIX_EPOCH);
        tokens.accept("old", Subject { expires, ..Subject::new("u", &[]) });
        assert!(Peer::of(None).identity(&headers("Bearer old"), &tokens, Timestamp::UNIX_EPOCH).is_none());
    }

    #[test]
    fn only_health_is_open() {
        assert!(is_open("/readyz") && is_open("/livez/ping"));
        assert!(!is_open("/version") && !is_open("/livezz") && !is_open("/metrics"));
    }
}

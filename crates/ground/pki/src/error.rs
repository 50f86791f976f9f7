//! What can go wrong with keys.

/// Why a key, certificate or token could not be made or read. None is worth another try as is.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// The kernel gave no entropy.
    #[error("the machine gives no random numbers")]
    Entropy,
    /// A name cannot stand in a certificate, or the library refused to sign.
    #[error("cannot issue a certificate for '{subject}'")]
    Issue {
        /// Whom it was for.
        subject: String,
        /// Why not.
        #[source]
        source: rcgen::Error,
    },
    /// A certificate names a user's groups in its organizations, and there is room for two.
    #[error("a certificate for '{user}' has room for two groups, not {count}")]
    TooManyGroups {
        /// Whom it was for.
        user: String,
        /// How many groups there are.
        count: usize,
    },
    /// A key file exists and is not what it should be.
    #[error("'{file}' is damaged: {what}")]
    Damaged {
        /// The file, in its disk.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// A file could not be read or written.
    #[error("cannot keep '{file}'")]
    File {
        /// The file, in its disk.
        file: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A client's certificate is not readable, or names no user.
    #[error("not a client certificate: {0}")]
    Certificate(String),
    /// The TLS library refused a certificate or key.
    #[error("TLS cannot use this certificate")]
    Tls(#[from] rustls::Error),
    /// The TLS library refused the authority's certificate for verifying clients.
    #[error("TLS cannot verify clients with this authority")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

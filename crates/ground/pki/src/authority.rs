//! The certificate authority of one region.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use jiff::Timestamp;
use mainstay_base::World;
use mainstay_base::disk::Disk;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject as _};

use crate::{PkiError, Subject, files};

const DAY: Duration = Duration::from_hours(24);
const AUTHORITY_LIFETIME: Duration = DAY.saturating_mul(3650);
const LEAF_LIFETIME: Duration = DAY.saturating_mul(365);
/// Certificates are valid from this long before they are made, for clocks that lag.
const CLOCK_LAG: Duration = Duration::from_hours(1);

const CERTIFICATE_FILE: &str = "ca.crt";
const KEY_FILE: &str = "ca.key";

/// What every API server is called, whatever else it is called.
const SERVER_NAMES: [&str; 7] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// Signs the certificates of one region.
pub struct Authority {
    world: World,
    certificate: CertificateDer<'static>,
    certificate_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its private key.
#[derive(Clone)]
pub struct Issued {
    /// The certificate.
    pub certificate_pem: String,
    /// Its private key; secret.
    pub key_pem: String,
    pub(crate) certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

/// The three values of a kubeconfig that let a client in, each as it stands there (base64 of PEM).
#[derive(Clone)]
pub struct KubeconfigData {
    /// `certificate-authority-data`.
    pub authority: String,
    /// `client-certificate-data`.
    pub certificate: String,
    /// `client-key-data`; secret.
    pub key: String,
}

impl Authority {
    /// A new authority for `region`, valid for ten years.
    ///
    /// # Panics
    /// In a virtual World.
    pub fn new(world: &World, region: &str) -> Result<Self, PkiError> {
        Self::with_key(world, region, new_key(region)?)
    }

    /// The authority kept on `disk` as `ca.crt` and `ca.key`, made there when there is none.
    ///
    /// # Panics
    /// In a virtual World.
    pub fn load_or_create(disk: &dyn Disk, world: &World, region: &str) -> Result<Self, PkiError> {
        crate::require_real_entropy();
        // The certificate is written last: without a complete one nothing was ever signed.
        let certificate = files::read(disk, CERTIFICATE_FILE)?.filter(|pem| is_complete(pem));
        if let Some(certificate_pem) = certificate {
            let key_pem =
                files::read(disk, KEY_FILE)?.ok_or_else(|| files::damaged(KEY_FILE, "it is missing"))?;
            return Self::load(world, certificate_pem, &key_pem);
        }
        let key = new_key(region)?;
        files::write(disk, KEY_FILE, &key.serialize_pem())?;
        let authority = Self::with_key(world, region, key)?;
        files::write(disk, CERTIFICATE_FILE, &authority.certificate_pem)?;
        Ok(authority)
    }

    fn with_key(world: &World, region: &str, key: KeyPair) -> Result<Self, PkiError> {
        let name = format!("mainstay-{region}");
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name.as_str());
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        set_validity(&mut params, world.now(), AUTHORITY_LIFETIME);
        let certificate =
            params.self_signed(&key).map_err(|source| PkiError::Issue { subject: name, source })?;
        Ok(Self {
            world: world.clone(),
            certificate_pem: certificate.pem(),
            certificate: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        })
    }

    fn load(world: &World, certificate_pem: String, key_pem: &str) -> Result<Self, PkiError> {
        let key = KeyPair::from_pem(key_pem).map_err(|error| files::damaged(KEY_FILE, &error.to_string()))?;
        let damaged = |error: &dyn fmt::Display| files::damaged(CERTIFICATE_FILE, &error.to_string());
        let certificate =
            CertificateDer::from_pem_slice(certificate_pem.as_bytes()).map_err(|error| damaged(&error))?;
        let (_, parsed) =
            x509_parser::parse_x509_certificate(&certificate).map_err(|error| damaged(&error))?;
        if parsed.public_key().subject_public_key.data.as_ref() != key.public_key_raw() {
            return Err(files::damaged(KEY_FILE, "it does not belong to ca.crt"));
        }
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(|error| damaged(&error))?;
        Ok(Self { world: world.clone(), certificate, certificate_pem, issuer })
    }

    /// The authority's own certificate, which its clients trust.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// A server's certificate, valid for a year: for `kubernetes` and the loopback names, and for
    /// `names` (DNS names or IP addresses, such as the service IP).
    pub fn issue_server(&self, names: &[String]) -> Result<Issued, PkiError> {
        let mut all: Vec<String> = SERVER_NAMES.iter().map(|name| (*name).to_owned()).collect();
        all.extend(names.iter().filter(|name| !SERVER_NAMES.contains(&name.as_str())).cloned());
        let params = CertificateParams::new(all).map_err(|source| cannot_issue("kubernetes", source))?;
        self.issue(params, ExtendedKeyUsagePurpose::ServerAuth, "kubernetes", &[])
    }

    /// A client's certificate, valid for a year.
    // LIMIT: two groups; the certificate library keeps one value for each name of an attribute.
    pub fn issue_client(&self, subject: &Subject) -> Result<Issued, PkiError> {
        let params = CertificateParams::default();
        self.issue(params, ExtendedKeyUsagePurpose::ClientAuth, &subject.user, &subject.groups)
    }

    /// What a kubeconfig says so that `client` gets in.
    pub fn kubeconfig_data(&self, client: &Issued) -> KubeconfigData {
        let encode = |pem: &str| base64::engine::general_purpose::STANDARD.encode(pem);
        KubeconfigData {
            authority: encode(&self.certificate_pem),
            certificate: encode(&client.certificate_pem),
            key: encode(&client.key_pem),
        }
    }

    fn issue(
        &self,
        mut params: CertificateParams,
        usage: ExtendedKeyUsagePurpose,
        user: &str,
        groups: &[String],
    ) -> Result<Issued, PkiError> {
        let mut name = rcgen::DistinguishedName::new();
        let organizations = [DnType::OrganizationName, DnType::CustomDnType(vec![2, 5, 4, 10])];
        if groups.len() > organizations.len() {
            return Err(PkiError::TooManyGroups { user: user.to_owned(), count: groups.len() });
        }
        organizations.into_iter().zip(groups).for_each(|(kind, group)| name.push(kind, group.as_str()));
        name.push(DnType::CommonName, user);
        params.distinguished_name = name;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, self.world.now(), LEAF_LIFETIME);
        let key = new_key(user)?;
        let certificate =
            params.signed_by(&key, &self.issuer).map_err(|source| cannot_issue(user, source))?;
        Ok(Issued {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            certificate: certificate.der().clone(),
            key: key.serialize_der(),
        })
    }
}

impl Issued {
    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.clone()).into()
    }

    /// The certificate in DER.
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("certificate", &self.certificate_pem).finish_non_exhaustive()
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("certificate", &self.certificate_pem).finish_non_exhaustive()
    }
}

impl fmt::Debug for KubeconfigData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KubeconfigData").finish_non_exhaustive()
    }
}

/// A new P-256 key.
fn new_key(subject: &str) -> Result<KeyPair, PkiError> {
    crate::require_real_entropy();
    KeyPair::generate().map_err(|source| cannot_issue(subject, source))
}

fn cannot_issue(subject: &str, source: rcgen::Error) -> PkiError {
    PkiError::Issue { subject: subject.to_owned(), source }
}

fn set_validity(params: &mut CertificateParams, now: Timestamp, lifetime: Duration) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let now = Duration::from_secs(u64::try_from(now.as_second()).unwrap_or(0));
    params.not_before = epoch + now.saturating_sub(CLOCK_LAG);
    params.not_after = epoch + now + lifetime;
}

/// Whether all of the file was written: its begin, its end, and no hole.
fn is_complete(pem: &str) -> bool {
    pem.starts_with("-----BEGIN CERTIFICATE-----")
        && pem.trim_end().ends_with("-----END CERTIFICATE-----")
        && !pem.contains('\0')
}

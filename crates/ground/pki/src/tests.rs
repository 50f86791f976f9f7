//! Handshakes, files and tokens.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use mainstay_base::World;
use mainstay_base::disk::{Disk, FaultyDisk, MemoryDisk, RealDisk};
use mainstay_base::random::Seed;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;

fn authority() -> Authority {
    Authority::new(&World::real(), "us-east-1").unwrap()
}

fn admin() -> Subject {
    Subject::new("admin", &["system:masters"])
}

/// What a handshake showed the server: whom the client is, and the protocol.
type Seen = (Option<Subject>, Option<Vec<u8>>);

/// A handshake with a server of `authority`, by a client with `config` that asks for `name`.
async fn handshake(authority: &Authority, config: ClientConfig, name: &str) -> io::Result<Seen> {
    let server = authority.issue_server(&["10.96.0.1".to_owned()]).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(authority.server_config(&server).unwrap()));
    let connector = TlsConnector::from(Arc::new(config));
    let (near, far) = tokio::io::duplex(64 * 1024);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let (client, server) = tokio::join!(connector.connect(name, near), acceptor.accept(far));
    client?;
    let server = server?;
    let (_, connection) = server.get_ref();
    let subject = connection.peer_certificates().map(|chain| subject_of(&chain[0]).unwrap());
    Ok((subject, connection.alpn_protocol().map(<[u8]>::to_vec)))
}

#[tokio::test]
async fn a_client_with_a_certificate_connects_and_is_known() {
    let authority = authority();
    let subject = Subject::new("jane", &["developers", "on-call"]);
    let identity = authority.issue_client(&subject).unwrap();
    let mut config = authority.client_config(Some(&identity)).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let (seen, protocol) = handshake(&authority, config, "localhost").await.unwrap();
    let seen = seen.unwrap();
    assert_eq!((seen.user, seen.groups), (subject.user, subject.groups));
    assert_eq!(protocol.as_deref(), Some(&b"h2"[..]));
}

#[tokio::test]
async fn a_client_without_a_certificate_connects_as_nobody() {
    let authority = authority();
    let config = authority.client_config(None).unwrap();
    assert_eq!(handshake(&authority, config, "localhost").await.unwrap(), (None, None));
}

#[tokio::test]
async fn a_certificate_of_a_foreign_authority_is_refused() {
    let (authority, foreign) = (authority(), authority());
    let forged = foreign.issue_client(&admin()).unwrap();
    let config = authority.client_config(Some(&forged)).unwrap();
    handshake(&authority, config, "localhost").await.unwrap_err();
}

#[tokio::test]
async fn a_servers_certificate_is_no_clients_identity() {
    let authority = authority();
    let server = authority.issue_server(&[]).unwrap();
    let config = authority.client_config(Some(&server)).unwrap();
    handshake(&authority, config, "localhost").await.unwrap_err();
}

#[tokio::test]
async fn a_client_refuses_a_server_of_another_authority() {
    let config = authority().client_config(None).unwrap();
    handshake(&authority(), config, "localhost").await.unwrap_err();
}

#[tokio::test]
async fn a_server_goes_by_its_names_and_by_no_other() {
    let authority = authority();
    for name in ["127.0.0.1", "::1", "10.96.0.1", "kubernetes", "kubernetes.default.svc.cluster.local"] {
        let config = authority.client_config(None).unwrap();
        handshake(&authority, config, name).await.unwrap();
    }
    for name in ["example.com", "10.96.0.2"] {
        let config = authority.client_config(None).unwrap();
        handshake(&authority, config, name).await.unwrap_err();
    }
}

#[test]
fn a_clients_certificate_is_valid_for_a_year_and_the_authoritys_for_ten() {
    let authority = authority();
    let now = World::real().now();
    let expires = |der: &[u8]| subject_of(der).unwrap().expires.unwrap();
    let day = Duration::from_hours(24);
    let minute = Duration::from_mins(1);
    let leaf = expires(authority.issue_client(&admin()).unwrap().certificate_der());
    assert!(leaf > now + day * 365 - minute && leaf < now + day * 365 + minute, "{leaf}");
    let root = expires(authority.certificate());
    assert!(root > now + day * 3650 - minute && root < now + day * 3650 + minute, "{root}");
}

#[test]
fn more_groups_than_a_certificate_holds_are_an_error() {
    let subject = Subject::new("jane", &["a", "b", "c"]);
    let error = authority().issue_client(&subject).unwrap_err();
    assert_eq!(error.to_string(), "a certificate for 'jane' has room for two groups, not 3");
}

#[test]
fn what_is_no_client_certificate_is_an_error() {
    let identity = authority().issue_client(&admin()).unwrap();
    let der = identity.certificate_der();
    for bytes in [&[][..], b"nonsense", &der[..der.len() - 1], &[der, b"x"].concat()] {
        assert!(matches!(subject_of(bytes), Err(PkiError::Certificate(_))));
    }
    let nobody = authority().issue_client(&Subject::new("", &[])).unwrap();
    assert!(matches!(subject_of(nobody.certificate_der()), Err(PkiError::Certificate(_))));
}

#[tokio::test]
async fn an_authority_is_kept_on_its_disk_and_goes_on_issuing() {
    let disk = MemoryDisk::new();
    let world = World::real();
    let first = Authority::load_or_create(&disk, &world, "us-east-1").unwrap();
    let identity = first.issue_client(&admin()).unwrap();
    let again = Authority::load_or_create(&disk, &world, "us-east-1").unwrap();
    assert_eq!(again.certificate_pem(), first.certificate_pem());
    let config = first.client_config(Some(&identity)).unwrap();
    let (subject, _) = handshake(&again, config, "localhost").await.unwrap();
    assert_eq!(subject.map(|subject| subject.user), Some("admin".to_owned()));
    let other = again.issue_client(&admin()).unwrap();
    handshake(&first, again.client_config(Some(&other)).unwrap(), "localhost").await.unwrap();
}

#[test]
fn keys_on_a_real_disk_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let disk = RealDisk::open(folder.path().join("pki")).unwrap();
    Authority::load_or_create(&disk, &World::real(), "us-east-1").unwrap();
    Tokens::new().load_or_issue(&disk, "admin.token", admin()).unwrap();
    for file in ["ca.key", "admin.token"] {
        let metadata = std::fs::metadata(disk.folder().join(file)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{file}");
    }
}

#[test]
fn damaged_keys_are_an_error_and_are_not_replaced() {
    let world = World::real();
    let load = |damage: &dyn Fn(&MemoryDisk)| {
        let disk = MemoryDisk::new();
        Authority::load_or_create(&disk, &world, "us-east-1").unwrap();
        damage(&disk);
        Authority::load_or_create(&disk, &world, "us-east-1").map(drop).unwrap_err().to_string()
    };
    let missing = load(&|disk| disk.remove("ca.key").unwrap());
    assert_eq!(missing, "'ca.key' is damaged: it is missing");
    let broken = load(&|disk| files::write(disk, "ca.key", "nonsense").unwrap());
    assert!(broken.starts_with("'ca.key' is damaged: "), "{broken}");
    let binary = load(&|disk| disk.open("ca.key", false).unwrap().write_at(&[0xff], 0).unwrap());
    assert_eq!(binary, "'ca.key' is damaged: it is not text");
    let foreign = load(&|disk| {
        let other = MemoryDisk::new();
        Authority::load_or_create(&other, &world, "us-east-1").unwrap();
        let key = files::read(&other, "ca.key").unwrap().unwrap();
        files::write(disk, "ca.key", &key).unwrap();
    });
    assert_eq!(foreign, "'ca.key' is damaged: it does not belong to ca.crt");
}

#[test]
fn a_power_cut_at_any_moment_leaves_an_authority_or_none() {
    let world = World::real();
    let mut outcomes = BTreeSet::new();
    for seed in 0..500 {
        let disk = FaultyDisk::new(Seed(seed));
        disk.cut_power_after(seed % 17);
        let tokens = Tokens::new();
        let first = Authority::load_or_create(&disk, &world, "us-east-1").ok();
        let token = tokens.load_or_issue(&disk, "token", admin()).ok();
        let disk = disk.power_cut();
        let again = Authority::load_or_create(&disk, &world, "us-east-1").unwrap();
        let token_again = tokens.load_or_issue(&disk, "token", admin()).unwrap();
        if let Some(first) = &first {
            assert_eq!(again.certificate_pem(), first.certificate_pem(), "seed {seed}");
        }
        if let Some(token) = &token {
            assert_eq!(&token_again, token, "seed {seed}");
        }
        outcomes.insert((first.is_some(), token.is_some()));
    }
    assert_eq!(outcomes, BTreeSet::from([(false, false), (true, false), (true, true)]));
}

#[test]
fn a_token_speaks_for_its_subject_until_it_is_revoked() {
    let tokens = Tokens::new();
    let (admin_token, jane_token) =
        (tokens.issue(admin()).unwrap(), tokens.issue(Subject::new("jane", &[])).unwrap());
    assert_eq!(admin_token.len(), 43);
    assert_ne!(admin_token, jane_token);
    assert_eq!(tokens.subject_of(&admin_token), Some(admin()));
    assert_eq!(tokens.subject_of(&jane_token), Some(Subject::new("jane", &[])));
    for wrong in ["", "nonsense", &admin_token[..42], &format!("{admin_token}x")] {
        assert_eq!(tokens.subject_of(wrong), None);
    }
    assert!(tokens.revoke(&admin_token));
    assert!(!tokens.revoke(&admin_token));
    assert_eq!(tokens.subject_of(&admin_token), None);
}

#[test]
fn a_kept_token_stays_the_same() {
    let disk = MemoryDisk::new();
    let token = Tokens::new().load_or_issue(&disk, "admin.token", admin()).unwrap();
    let tokens = Tokens::new();
    assert_eq!(tokens.load_or_issue(&disk, "admin.token", admin()).unwrap(), token);
    assert_eq!(tokens.subject_of(&token), Some(admin()));
}

#[test]
fn no_key_and_no_token_is_made_in_a_virtual_world() {
    let start = "2026-01-01T00:00:00Z".parse().unwrap();
    let refused = |make: fn(&World)| {
        std::panic::catch_unwind(move || {
            World::enter(Seed(1), start, move |world| async move { make(&world) });
        })
        .is_err()
    };
    assert!(refused(|world| drop(Authority::new(world, "us-east-1"))));
    assert!(refused(|world| drop(Authority::load_or_create(&MemoryDisk::new(), world, "us-east-1"))));
    assert!(refused(|_| drop(Tokens::new().issue(admin()))));
    assert!(!refused(|_| Tokens::new().accept("made elsewhere", admin())));
}

#[test]
fn debug_output_shows_no_secret() {
    let authority = authority();
    let identity = authority.issue_client(&admin()).unwrap();
    let data = authority.kubeconfig_data(&identity);
    let tokens = Tokens::new();
    let token = tokens.issue(admin()).unwrap();
    let text = format!("{authority:?}{identity:?}{data:?}{tokens:?}");
    let secret = identity.key_pem.lines().nth(1).unwrap();
    for secret in [secret, &data.key, &token, "PRIVATE"] {
        assert!(!text.contains(secret));
    }
}

#[test]
fn kubeconfig_data_is_base64_of_pem() {
    use base64::Engine as _;
    let authority = authority();
    let identity = authority.issue_client(&admin()).unwrap();
    let data = authority.kubeconfig_data(&identity);
    let decode = |text: &str| {
        String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).unwrap()).unwrap()
    };
    assert_eq!(decode(&data.authority), authority.certificate_pem());
    assert_eq!(decode(&data.certificate), identity.certificate_pem);
    assert!(decode(&data.key).starts_with("-----BEGIN PRIVATE KEY-----"));
}

//! The listener: certificates, tokens, both protocols, and its end. In real time, on loopback.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mainstay_apiserver::{ApiServer, Config};
use mainstay_base::World;
use mainstay_base::net::{Addr, Place};
use mainstay_base::task::{Shutdown, Tree};
use mainstay_pki::{Authority, Issued, Subject, Tokens};
use mainstay_store::Store;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub(crate) struct Served {
    world: World,
    server: ApiServer,
    pub(crate) authority: Authority,
    tokens: Tokens,
    pub(crate) addr: Addr,
    tree: Tree,
}

pub(crate) async fn served() -> Served {
    let world = World::real();
    let authority = Authority::new(&world, "us-east-1").expect("an authority");
    let tokens = Tokens::new();
    let server = ApiServer::new(Config {
        world: world.clone(),
        region: "us-east-1".to_owned(),
        store: Store::in_memory(None),
        rules: Vec::new(),
        tokens: tokens.clone(),
        advertise: "127.0.0.1:6443".to_owned(),
    });
    server.bootstrap().await.expect("the basic objects");
    let listener = world.net().bind("127.0.0.1:0".parse().expect("an address")).await.expect("a port");
    let addr = listener.local_addr().expect("an address");
    let certificate = authority.issue_server(&["127.0.0.1".to_owned()]).expect("a certificate");
    let tree = Tree::new(Shutdown::new());
    server.serve(listener, authority.server_config(&certificate).expect("TLS settings"), &tree);
    Served { world, server, authority, tokens, addr, tree }
}

impl Served {
    pub(crate) fn admin(&self) -> Issued {
        self.authority.issue_client(&Subject::new("admin", &["system:masters"])).expect("a certificate")
    }

    async fn connect(
        &self,
        identity: Option<&Issued>,
        protocol: &[u8],
    ) -> TlsStream<mainstay_base::net::Stream> {
        let mut config = self.authority.client_config(identity).expect("TLS settings");
        config.alpn_protocols = vec![protocol.to_vec()];
        let stream = self.world.net().connect(&Place::outside(), &self.addr).await.expect("a connection");
        let name = ServerName::try_from("127.0.0.1").expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("a handshake")
    }

    /// One request over HTTP/1.1: its code and body.
    async fn get(&self, identity: Option<&Issued>, token: Option<&str>, path: &str) -> (u16, String) {
        let stream = self.connect(identity, b"http/1.1").await;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a handshake");
        let exchange =
            async move { read(sender.send_request(request(path, token)).await.expect("an answer")).await };
        let (answer, ended) = futures::join!(exchange, connection);
        ended.expect("the connection ends well");
        answer
    }
}

fn request(path: &str, token: Option<&str>) -> Request<Empty<Bytes>> {
    let mut request = Request::builder().uri(path).header("host", "127.0.0.1");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Empty::new()).expect("a request")
}

async fn read(response: Response<hyper::body::Incoming>) -> (u16, String) {
    let code = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    (code, String::from_utf8(body.to_vec()).expect("text"))
}

const NAMESPACE: &str = "/api/v1/namespaces/default";

#[tokio::test]
async fn a_certificate_or_a_token_says_who_a_client_is() {
    let served = served().await;
    let admin = served.admin();
    let (code, body) = served.get(Some(&admin), None, NAMESPACE).await;
    assert_eq!(code, 200, "{body}");
    assert!(body.contains(r#""name":"default""#));

    let token = served.tokens.issue(Subject::new("robot", &["system:masters"])).expect("a token");
    assert_eq!(served.get(None, Some(&token), NAMESPACE).await.0, 200);

    let jane = served.authority.issue_client(&Subject::new("jane", &["developers"])).expect("a certificate");
    let (code, body) = served.get(Some(&jane), None, NAMESPACE).await;
    assert_eq!(code, 403);
    assert!(body.contains(r#"User \"jane\" cannot get resource \"namespaces\""#), "{body}");
}

#[tokio::test]
async fn whoever_proves_nothing_is_unauthorized() {
    let served = served().await;
    for token in [None, Some("forged")] {
        let (code, body) = served.get(None, token, NAMESPACE).await;
        assert_eq!(code, 401);
        assert!(body.contains(r#""reason":"Unauthorized""#), "{body}");
        assert_eq!(served.get(None, token, "/version").await.0, 401);
    }
    assert_ne!(served.get(None, None, "/livez").await.0, 401);
}

#[tokio::test]
async fn http2_carries_a_watch_and_requests_on_one_connection_and_ends_gracefully() {
    let served = served().await;
    let stream = served.connect(Some(&served.admin()), b"h2").await;
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("a handshake");
    let exchange = async {
        let uri = |path: &str| request(&format!("https://127.0.0.1{path}"), None);
        let watch = sender.send_request(uri("/api/v1/namespaces?watch=1")).await.expect("an answer");
        let mut watch = watch.into_body();
        let first = watch.frame().await.expect("a frame").expect("no error").into_data().expect("data");
        assert!(first.starts_with(br#"{"type":"ADDED""#));
        let (code, _) = read(sender.send_request(uri(NAMESPACE)).await.expect("an answer")).await;
        assert_eq!(code, 200);
        assert_eq!(served.server.meter().watches(), 1);
        let drained = served.tree.drain(Duration::from_secs(5));
        let end = async { while let Some(Ok(_)) = watch.frame().await {} };
        futures::join!(drained, end);
        drop(sender);
    };
    let connection = async { drop(connection.await) };
    tokio::time::timeout(Duration::from_secs(10), futures::future::join(exchange, connection))
        .await
        .expect("in time");
    assert!(served.tree.report().is_empty(), "{:?}", served.tree.report());
    assert!(
        served.world.net().connect(&Place::outside(), &served.addr).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn a_client_that_does_not_speak_tls_is_dropped_and_others_are_served() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let served = served().await;
    let mut plain = served.world.net().connect(&Place::outside(), &served.addr).await.expect("a connection");
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("it is sent");
    let mut rest = Vec::new();
    let _reset = plain.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP"), "no plain answer");
    assert_eq!(served.get(Some(&served.admin()), None, NAMESPACE).await.0, 200);
}

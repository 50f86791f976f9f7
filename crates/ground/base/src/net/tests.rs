//! Connections, links, names and the closed door outwards.

use std::future::Future;
use std::time::Duration;

use ::http::{Request, Response};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

use super::*;
use crate::World;

fn virtually<F, Fut, T>(seed: u64, body: F) -> T
where
    F: FnOnce(World) -> Fut + Send + 'static,
    Fut: Future<Output = T>,
    T: Send + 'static,
{
    World::enter(Seed(seed), "2026-01-01T00:00:00Z".parse().unwrap(), body)
}

fn addr(text: &str) -> Addr {
    text.parse().unwrap()
}

fn client() -> Place {
    Place::new("us-east-1", "client")
}

fn server() -> Place {
    Place::new("us-east-1", "server")
}

/// A connection between `client()` and `server()`.
async fn connected(net: &Net) -> (Stream, Stream) {
    let mut listener = net.listen(&server(), &addr("10.0.0.1:80")).unwrap();
    let (from, to) = (client(), addr("10.0.0.1:80"));
    let (near, far) = tokio::join!(net.connect(&from, &to), listener.accept());
    (near.unwrap(), far.unwrap().0)
}

fn kind<T>(result: io::Result<T>) -> Option<io::ErrorKind> {
    result.err().map(|error| error.kind())
}

#[test]
fn addresses_are_read_and_shown() {
    for text in ["localhost:80", "10.0.0.1:443", "[::1]:8080", "api.prod.svc:9090"] {
        assert_eq!(addr(text).to_string(), text);
    }
    for text in ["", "localhost", ":80", "localhost:x", "::1:80", "host:70000"] {
        assert!(text.parse::<Addr>().is_err(), "{text}");
    }
    assert_eq!(&*addr("[::1]:80").host, "::1");
}

#[test]
fn both_ends_hear_each_other_until_one_closes() {
    virtually(1, |world| async move {
        let (mut near, mut far) = connected(world.net()).await;
        near.write_all(b"ping").await.unwrap();
        near.shutdown().await.unwrap();
        let mut heard = String::new();
        far.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "ping");
        far.write_all(b"pong").await.unwrap();
        drop(far);
        heard.clear();
        near.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "pong");
        assert_eq!(kind(near.write_all(b"more").await), Some(io::ErrorKind::BrokenPipe));
    });
}

#[test]
fn a_writer_waits_for_its_reader() {
    virtually(1, |world| async move {
        let (mut near, mut far) = connected(world.net()).await;
        let sent: Vec<u8> = (0..=250).cycle().take(3 * crate::limits::PIPE_BYTES).collect();
        let expected = sent.clone();
        let write = async {
            let impatient = tokio::time::timeout(Duration::from_secs(1), near.write_all(&sent));
            assert!(impatient.await.is_err());
        };
        write.await;
        let mut heard = vec![0; crate::limits::PIPE_BYTES];
        far.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, expected[..heard.len()]);
    });
}

#[test]
fn a_listener_knows_who_connects() {
    virtually(1, |world| async move {
        let net = world.net();
        let mut listener = net.listen(&server(), &addr("10.0.0.1:80")).unwrap();
        let to = addr("10.0.0.1:80");
        let from = client();
        let (near, accepted) = tokio::join!(net.connect(&from, &to), listener.accept());
        assert!(near.is_ok());
        assert_eq!(accepted.unwrap().1, client());
        assert_eq!(listener.local_addr().unwrap(), to);
    });
}

#[test]
fn an_address_is_taken_once_per_region_and_free_after_its_listener() {
    virtually(1, |world| async move {
        let (net, at) = (world.net(), addr("10.0.0.1:80"));
        let listener = net.listen(&server(), &at).unwrap();
        assert_eq!(kind(net.listen(&client(), &at)), Some(io::ErrorKind::AddrInUse));
        let elsewhere = net.listen(&Place::new("eu-west-1", "server"), &at).unwrap();
        drop(listener);
        assert_eq!(kind(net.connect(&client(), &at).await), Some(io::ErrorKind::HostUnreachable));
        drop(net.listen(&server(), &at).unwrap());
        drop(elsewhere);
    });
}

#[test]
fn a_region_sees_its_own_listeners_and_the_global_ones() {
    virtually(1, |world| async move {
        let net = world.net();
        let _regional = net.listen(&server(), &addr("10.0.0.1:80")).unwrap();
        let _global = net.listen(&Place::new("", "git"), &addr("git.mainstay:80")).unwrap();
        let elsewhere = Place::new("eu-west-1", "client");
        assert!(net.connect(&client(), &addr("10.0.0.1:80")).await.is_ok());
        assert!(net.connect(&elsewhere, &addr("10.0.0.1:80")).await.is_err());
        assert!(net.connect(&elsewhere, &addr("git.mainstay:80")).await.is_ok());
    });
}

#[test]
fn a_service_is_found_under_all_forms_of_its_name() {
    virtually(1, |world| async move {
        let net = world.net();
        let _pod = net.listen(&server(), &addr("10.0.0.1:8080")).unwrap();
        net.publish("us-east-1", "api.prod.svc", 80, Some(addr("10.0.0.1:8080")));
        for name in ["api.prod.svc", "api.prod", "api.prod.svc.cluster.local", "API.prod.svc.cluster.local."]
        {
            assert!(net.connect(&client(), &Addr::new(name, 80)).await.is_ok(), "{name}");
        }
        for name in ["api.prod.svc:81", "other.prod.svc:80", "api.svc:80"] {
            let refused = kind(net.connect(&client(), &addr(name)).await);
            assert_eq!(refused, Some(io::ErrorKind::ConnectionRefused), "{name}");
        }
        net.publish("us-east-1", "api.prod.svc.cluster.local", 80, None);
        let refused = kind(net.connect(&client(), &addr("api.prod:80")).await);
        assert_eq!(refused, Some(io::ErrorKind::ConnectionRefused));
        net.withdraw("us-east-1", "api.prod.svc", 80);
        assert!(net.connect(&client(), &addr("api.prod:80")).await.is_err());
        assert_eq!(net.refused(), [(client(), addr("api.prod:80"))]);
    });
}

#[test]
fn latency_counts_for_the_handshake_and_for_each_direction() {
    virtually(1, |world| async move {
        let net = world.net();
        let link = Link { latency: Duration::from_millis(40), ..Link::default() };
        net.set_link(&Ends::region("us-east-1"), &Ends::region("us-east-1"), link);
        let started = Instant::now();
        let (mut near, mut far) = connected(net).await;
        assert_eq!(started.elapsed(), Duration::from_millis(80));
        near.write_all(b"x").await.unwrap();
        assert_eq!(far.read_u8().await.unwrap(), b'x');
        assert_eq!(started.elapsed(), Duration::from_millis(120));
        far.write_all(b"y").await.unwrap();
        assert_eq!(near.read_u8().await.unwrap(), b'y');
        assert_eq!(started.elapsed(), Duration::from_millis(160));
    });
}

#[test]
fn the_link_with_the_narrowest_ends_counts() {
    virtually(1, |world| async move {
        let net = world.net();
        let slow = |millis| Link { latency: Duration::from_millis(millis), ..Link::default() };
        net.set_link(&Ends::Anywhere, &Ends::Anywhere, slow(1));
        net.set_link(&Ends::region("us-east-1"), &Ends::Anywhere, slow(2));
        net.set_link(&Ends::region("us-east-1"), &server().into(), slow(4));
        net.set_link(&client().into(), &server().into(), slow(8));
        let outside = Place::outside();
        let mut taken = Vec::new();
        for (from, to) in
            [(client(), server()), (server(), server()), (server(), client()), (outside, client())]
        {
            let started = Instant::now();
            net.cross(&from, &to).await.unwrap();
            taken.push(started.elapsed().as_millis());
        }
        assert_eq!(taken, [8, 4, 2, 1]);
    });
}

#[test]
fn bandwidth_is_shared_by_what_is_on_the_link() {
    virtually(1, |world| async move {
        let net = world.net();
        let (mut one, mut far_one) = connected(net).await;
        let (mut two, mut far_two) = connected(net).await;
        let link = Link { bytes_per_second: Some(100_000), ..Link::default() };
        net.set_link(&client().into(), &server().into(), link);
        let started = Instant::now();
        let mut buffer = vec![0; 50_000];
        one.write_all(&buffer).await.unwrap();
        two.write_all(&buffer).await.unwrap();
        far_one.read_exact(&mut buffer).await.unwrap();
        assert_eq!(started.elapsed().as_millis(), 500);
        far_two.read_exact(&mut buffer).await.unwrap();
        assert_eq!(started.elapsed().as_millis(), 1000);
    });
}

#[test]
fn a_partition_holds_open_connections_until_it_heals() {
    virtually(1, |world| async move {
        let net = world.net().clone();
        let (mut near, mut far) = connected(&net).await;
        let cut = Link { partitioned: true, ..Link::default() };
        net.set_link(&client().into(), &Ends::Anywhere, cut);
        near.write_all(b"x").await.unwrap();
        let started = Instant::now();
        let heal = async {
            tokio::time::sleep(Duration::from_mins(5)).await;
            net.set_link(&client().into(), &Ends::Anywhere, Link::default());
        };
        let (byte, ()) = tokio::join!(far.read_u8(), heal);
        assert_eq!(byte.unwrap(), b'x');
        assert_eq!(started.elapsed(), Duration::from_mins(5));
        far.write_all(b"y").await.unwrap();
        assert_eq!(near.read_u8().await.unwrap(), b'y');
    });
}

#[test]
fn nobody_connects_through_a_partition_in_either_direction() {
    virtually(1, |world| async move {
        let net = world.net();
        let _listener = net.listen(&server(), &addr("10.0.0.1:80")).unwrap();
        let cut = Link { partitioned: true, ..Link::default() };
        for (from, to) in [(client(), server()), (server(), client())] {
            net.set_link(&from.clone().into(), &to.clone().into(), cut);
            let started = Instant::now();
            let timed_out = kind(net.connect(&client(), &addr("10.0.0.1:80")).await);
            assert_eq!(timed_out, Some(io::ErrorKind::TimedOut));
            assert_eq!(started.elapsed(), crate::limits::CONNECT);
            net.set_link(&from.into(), &to.into(), Link::default());
        }
        assert!(net.connect(&client(), &addr("10.0.0.1:80")).await.is_ok());
    });
}

#[test]
fn the_end_of_a_connection_does_not_get_through_a_partition() {
    virtually(1, |world| async move {
        let net = world.net();
        let (mut near, far) = connected(net).await;
        net.set_link(&server().into(), &client().into(), Link { partitioned: true, ..Link::default() });
        drop(far);
        let silent = tokio::time::timeout(Duration::from_hours(1), near.read_u8()).await;
        assert!(silent.is_err());
        net.set_link(&server().into(), &client().into(), Link::default());
        assert_eq!(kind(near.read_u8().await), Some(io::ErrorKind::UnexpectedEof));
    });
}

#[test]
fn a_writer_learns_of_a_dropped_peer_when_the_partition_heals() {
    virtually(1, |world| async move {
        let net = world.net().clone();
        let (mut near, far) = connected(&net).await;
        let back = (Ends::from(server()), Ends::from(client()));
        net.set_link(&back.0, &back.1, Link { partitioned: true, ..Link::default() });
        drop(far);
        let much = vec![0; 2 * crate::limits::PIPE_BYTES];
        let started = Instant::now();
        let heal = async {
            tokio::time::sleep(Duration::from_mins(1)).await;
            net.set_link(&back.0, &back.1, Link::default());
        };
        let (written, ()) = tokio::join!(near.write_all(&much), heal);
        assert_eq!(kind(written), Some(io::ErrorKind::BrokenPipe));
        assert_eq!(started.elapsed(), Duration::from_mins(1));
    });
}

/// When each of 50 requests over a lossy, jittery link is answered, in microseconds.
fn timing(seed: u64) -> Vec<u128> {
    virtually(seed, |world| async move {
        let net = world.net();
        let link = Link {
            latency: Duration::from_millis(10),
            jitter: Duration::from_millis(5),
            loss: 0.05,
            ..Link::default()
        };
        net.set_link(&Ends::Anywhere, &Ends::Anywhere, link);
        let (mut near, mut far) = connected(net).await;
        let started = Instant::now();
        let mut answered = Vec::new();
        for _ in 0..50 {
            near.write_u8(1).await.unwrap();
            far.read_u8().await.unwrap();
            far.write_u8(2).await.unwrap();
            near.read_u8().await.unwrap();
            answered.push(started.elapsed().as_micros());
        }
        answered
    })
}

#[test]
fn the_seed_alone_decides_jitter_and_loss() {
    assert_eq!(timing(7), timing(7));
    assert_ne!(timing(7), timing(8));
    let last = timing(7)[49];
    assert!(last > 50 * 20_000, "retransmissions and jitter cost time: {last}");
}

#[test]
fn bytes_of_a_stream_stay_in_order_under_jitter_and_loss() {
    virtually(3, |world| async move {
        let net = world.net();
        let (mut near, mut far) = connected(net).await;
        let link = Link { jitter: Duration::from_millis(50), loss: 0.2, ..Link::default() };
        net.set_link(&Ends::Anywhere, &Ends::Anywhere, link);
        let sent: Vec<u8> = (0..=255).collect();
        for byte in &sent {
            near.write_u8(*byte).await.unwrap();
        }
        drop(near);
        let mut heard = Vec::new();
        far.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, sent);
    });
}

#[test]
fn datagrams_get_lost_and_arrive_by_their_own_delay() {
    virtually(5, |world| async move {
        let net = world.net();
        let near = net.datagrams(&client(), &addr("10.0.0.2:5000")).unwrap();
        let mut far = net.datagrams(&server(), &addr("10.0.0.1:53")).unwrap();
        let link = Link { jitter: Duration::from_millis(50), loss: 0.5, ..Link::default() };
        net.set_link(&Ends::Anywhere, &Ends::Anywhere, link);
        for byte in 0..100_u8 {
            near.send_to(&[byte], &addr("10.0.0.1:53")).await.unwrap();
        }
        let mut heard = Vec::new();
        while let Ok(datagram) = tokio::time::timeout(Duration::from_secs(1), far.receive()).await {
            let (bytes, from) = datagram.unwrap();
            assert_eq!(from, addr("10.0.0.2:5000"));
            heard.push(bytes[0]);
        }
        assert!((20..80).contains(&heard.len()), "half of 100 arrive: {}", heard.len());
        assert!(!heard.is_sorted(), "jitter reorders datagrams");
    });
}

#[test]
fn a_virtual_world_has_no_outside() {
    virtually(1, |world| async move {
        let net = world.net();
        net.set_egress(["example.com"]);
        for to in ["example.com:443", "127.0.0.1:80"] {
            let kind = kind(net.connect(&client(), &addr(to)).await);
            assert_eq!(kind, Some(io::ErrorKind::HostUnreachable));
        }
        assert_eq!(net.refused().len(), 2);
        let unsupported = Some(io::ErrorKind::Unsupported);
        assert_eq!(kind(net.bind("127.0.0.1:0".parse().unwrap()).await), unsupported);
        assert_eq!(kind(net.bind_unix(Path::new("socket")).await), unsupported);
        assert_eq!(kind(net.connect_unix(Path::new("socket")).await), unsupported);
    });
}

#[tokio::test]
async fn a_host_that_is_named_no_longer_is_closed_again() {
    // A name that no resolver knows: what is allowed fails there, what is not is refused before.
    let (net, to) = (Net::real(), addr("elsewhere.invalid:443"));
    net.set_egress(["Elsewhere.invalid"]);
    assert_ne!(kind(net.connect(&client(), &to).await), Some(io::ErrorKind::PermissionDenied));
    net.set_egress([]);
    assert_eq!(kind(net.connect(&client(), &to).await), Some(io::ErrorKind::PermissionDenied));
}

#[tokio::test]
async fn loopback_is_open_and_everything_else_closed_and_recorded() {
    let net = Net::real();
    let mut listener = net.bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let to = listener.local_addr().unwrap();
    let from = client();
    let (near, far) = tokio::join!(net.connect(&from, &to), listener.accept());
    let (mut far, who) = far.unwrap();
    near.unwrap().write_all(b"x").await.unwrap();
    assert_eq!((far.read_u8().await.unwrap(), who), (b'x', Place::outside()));
    // A documentation address (RFC 5737): nothing is ever sent there, because it is refused.
    let outside = addr("192.0.2.1:443");
    for _ in 0..3 {
        assert_eq!(kind(net.connect(&from, &outside).await), Some(io::ErrorKind::PermissionDenied));
    }
    assert_eq!(net.refused(), [(client(), outside)]);
}

#[tokio::test]
async fn a_unix_socket_is_its_owners_alone_and_replaces_one_left_over() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control");
    let net = Net::real();
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let mut listener = net.bind_unix(&path).await.unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(kind(net.bind_unix(&path).await), Some(io::ErrorKind::AddrInUse));
    let (near, _from) = {
        drop(listener.accept().await.unwrap());
        let (near, far) = tokio::join!(net.connect_unix(&path), listener.accept());
        (near.unwrap(), far.unwrap())
    };
    drop(near);
    drop(listener);
    assert!(!path.exists());
}

/// Answers every request on a connection with its path.
async fn answer(stream: Stream) {
    let service = hyper::service::service_fn(|request: Request<hyper::body::Incoming>| async move {
        let host = request.headers()["host"].to_str().unwrap().to_owned();
        let text = format!("{} {host}{}", request.method(), request.uri());
        Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from(text))))
    });
    let _closed =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

#[test]
fn http_requests_reach_a_server_by_its_service_name() {
    virtually(1, |world| async move {
        let net = world.net();
        let mut listener = net.listen(&server(), &addr("10.0.0.1:9090")).unwrap();
        net.publish("us-east-1", "metrics.monitoring.svc", 80, Some(addr("10.0.0.1:9090")));
        let serve = async {
            loop {
                answer(listener.accept().await.unwrap().0).await;
            }
        };
        let ask = async {
            let request = Request::get("http://metrics.monitoring.svc/api/v1/query?query=up")
                .body(Full::default())
                .unwrap();
            let response = tower::ServiceExt::oneshot(net.http(client()), request).await.unwrap();
            response.into_body().collect().await.unwrap().to_bytes()
        };
        let text = tokio::select! {
            biased;
            text = ask => text,
            () = serve => Bytes::new(),
        };
        assert_eq!(text, "GET metrics.monitoring.svc/api/v1/query?query=up");
    });
}

#[test]
fn an_http_client_says_what_is_wrong() {
    virtually(1, |world| async move {
        let http = world.net().http(client());
        for (uri, text) in [
            ("https://example.com/", "'https://example.com/' is not an http:// address"),
            ("/path", "'/path' is not an http:// address"),
            ("http://absent.prod.svc/", "no connection to absent.prod.svc:80"),
        ] {
            let request = Request::get(uri).body(Full::default()).unwrap();
            let error = http.send(request).await.err().unwrap();
            assert_eq!(error.to_string(), text);
        }
    });
}

#[test]
fn one_listener_answers_at_many_doors_and_knows_which() {
    virtually(1, |world| async move {
        let net = world.net();
        let (doors, mut arrivals) = net.doors();
        let pod = |name: &str| Place::new("us-east-1", name);
        doors.open(&pod("a"), &addr("10.20.0.2:80")).unwrap();
        doors.open(&pod("b"), &addr("10.20.0.3:80")).unwrap();
        assert_eq!(kind(doors.open(&pod("c"), &addr("10.20.0.2:80"))), Some(io::ErrorKind::AddrInUse));
        doors.close(&pod("a"), &addr("10.20.0.2:80"));
        assert!(net.connect(&client(), &addr("10.20.0.2:80")).await.is_err());
        let serve = async {
            let (stream, from, at) = arrivals.next().await.unwrap();
            assert_eq!((from, at), (client(), pod("b")));
            let said = |request: &::http::request::Parts| Response::new(request.uri.path().to_owned());
            super::answer(stream, said).await.unwrap();
        };
        let ask = async {
            let request = Request::get("http://10.20.0.3:80/metrics").body(Full::default()).unwrap();
            let response = net.http(client()).send(request).await.unwrap();
            response.into_body().collect().await.unwrap().to_bytes()
        };
        let ((), body) = tokio::join!(serve, ask);
        assert_eq!(&*body, b"/metrics");
    });
}

#[test]
fn a_cut_is_seen_from_both_sides_until_it_heals() {
    let net = Net::in_memory(Seed(1));
    let (node, api) = (client(), Place::api("us-east-1"));
    assert!(!net.is_cut(&node, &api));
    net.set_link(&node.clone().into(), &api.clone().into(), Link { partitioned: true, ..Link::default() });
    assert!(net.is_cut(&node, &api) && net.is_cut(&api, &node));
    assert!(!net.is_cut(&server(), &api));
    net.set_link(&node.clone().into(), &api.clone().into(), Link::default());
    assert!(!net.is_cut(&node, &api));
}

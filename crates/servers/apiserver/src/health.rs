//! What the server says about itself: its version, whether it lives, whether it is ready.
//!
//! **Spec:** upstream's `/version`, `/healthz`, `/livez` and `/readyz`, with `?verbose`, `?exclude=`
//! and one path per check.

use std::fmt::Write as _;

use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::body::Body;
use crate::query::Query;
use crate::readiness::Readiness;

/// The version of Kubernetes that is served, and by whom.
pub const GIT_VERSION: &str = "v1.33.5+mainstay";
const MAJOR: &str = "1";
const MINOR: &str = "33";

/// The answer to `/version`.
pub fn version() -> Value {
    json!({
        "major": MAJOR,
        "minor": MINOR,
        "emulationMajor": MAJOR,
        "emulationMinor": MINOR,
        "minCompatibilityMajor": MAJOR,
        "minCompatibilityMinor": "32",
        "gitVersion": GIT_VERSION,
        "gitCommit": option_env!("MAINSTAY_COMMIT").unwrap_or_default(),
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "none",
        "compiler": "rustc",
        "platform": platform(),
    })
}

fn platform() -> String {
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    format!("{system}/{machine}")
}

/// One check and what keeps it from passing.
struct Check {
    name: &'static str,
    failure: Option<String>,
}

/// The answer to a health path, if it is one.
pub(crate) fn answer(
    path: &str,
    query: Option<&str>,
    readiness: &Readiness,
    ending: bool,
) -> Option<Response<Body>> {
    let mut segments = path.trim_matches('/').split('/');
    let endpoint = segments.next().filter(|name| matches!(*name, "healthz" | "livez" | "readyz"))?;
    let checks = checks(endpoint, readiness, ending);
    match (segments.next(), segments.next()) {
        (None, _) => Some(all(endpoint, &checks, &Query::parse(query))),
        (Some(name), None) => checks.iter().find(|check| check.name == name).map(one),
        _ => None,
    }
}

/// The checks of an endpoint. A server that cannot write is alive, but not ready.
fn checks(endpoint: &str, readiness: &Readiness, ending: bool) -> Vec<Check> {
    let mut checks = vec![Check { name: "ping", failure: None }];
    if endpoint == "livez" {
        return checks;
    }
    let obstacles = readiness.obstacles();
    if !obstacles.iter().any(|(name, _)| *name == "store") {
        checks.push(Check { name: "store", failure: None });
    }
    checks.extend(obstacles.into_iter().map(|(name, why)| Check { name, failure: Some(why) }));
    if endpoint == "readyz" {
        let failure = ending.then(|| "process is shutting down".to_owned());
        checks.push(Check { name: "shutdown", failure });
    }
    checks
}

fn all(endpoint: &str, checks: &[Check], query: &Query<'_>) -> Response<Body> {
    let excluded: Vec<&str> = query.all("exclude").collect();
    let mut report = String::new();
    let mut failed = false;
    for check in checks {
        let name = check.name;
        match &check.failure {
            _ if excluded.contains(&name) => put(&mut report, format_args!("[+]{name} excluded: ok\n")),
            None => put(&mut report, format_args!("[+]{name} ok\n")),
            Some(why) => {
                failed = true;
                put(&mut report, format_args!("[-]{name} failed: {why}\n"));
            }
        }
    }
    let known = |name: &&str| checks.iter().any(|check| check.name == *name);
    for name in excluded.iter().filter(|name| !known(name)) {
        put(
            &mut report,
            format_args!("warn: some health checks cannot be excluded: no matches for {name:?}\n"),
        );
    }
    if failed {
        text(StatusCode::INTERNAL_SERVER_ERROR, format!("{report}{endpoint} check failed\n"))
    } else if query.optional_flag("verbose").is_some() {
        text(StatusCode::OK, format!("{report}{endpoint} check passed\n"))
    } else {
        text(StatusCode::OK, "ok".to_owned())
    }
}

fn put(report: &mut String, line: std::fmt::Arguments<'_>) {
    report.write_fmt(line).expect("invariant: writing to a String does not fail");
}

fn one(check: &Check) -> Response<Body> {
    match &check.failure {
        None => text(StatusCode::OK, "ok".to_owned()),
        Some(why) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("internal server error: {why}\n")),
    }
}

fn text(code: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::full(body));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn get(path: &str, query: &str, readiness: &Readiness, ending: bool) -> (u16, String) {
        let response = answer(path, Some(query), readiness, ending).expect(path);
        let code = response.status().as_u16();
        let Ok(body) = response.into_body().collect().await;
        (code, String::from_utf8(body.to_bytes().to_vec()).expect("text"))
    }

    #[tokio::test]
    async fn a_server_without_obstacles_is_alive_and_ready() {
        let readiness = Readiness::default();
        for path in ["/livez", "/readyz", "/healthz", "/readyz/ping", "/livez/ping"] {
            assert_eq!(get(path, "", &readiness, false).await, (200, "ok".to_owned()), "{path}");
        }
        let verbose = "[+]ping ok\n[+]store ok\n[+]shutdown ok\nreadyz check passed\n";
        assert_eq!(get("/readyz", "verbose", &readiness, false).await, (200, verbose.to_owned()));
    }

    #[tokio::test]
    async fn an_obstacle_makes_it_unready_but_not_dead() {
        let readiness = Readiness::default();
        readiness.obstruct("store", "the disk is full");
        let expected = "[+]ping ok\n[-]store failed: the disk is full\n[+]shutdown ok\nreadyz check failed\n";
        assert_eq!(get("/readyz", "", &readiness, false).await, (500, expected.to_owned()));
        assert_eq!(get("/livez", "", &readiness, false).await.0, 200);
        assert_eq!(get("/readyz", "exclude=store", &readiness, false).await.0, 200);
        assert_eq!(get("/readyz/store", "", &readiness, false).await.0, 500);
        assert_eq!(get("/readyz", "", &Readiness::default(), true).await.0, 500);
    }

    #[test]
    fn other_paths_are_not_answered() {
        for path in ["/readyz/none", "/healthz/a/b", "/health", "/"] {
            assert!(answer(path, None, &Readiness::default(), false).is_none(), "{path}");
        }
    }

    #[test]
    fn the_version_is_one_that_clients_can_read() {
        let version = version();
        assert_eq!((&version["major"], &version["minor"]), (&json!("1"), &json!("33")));
        assert_eq!(version["gitVersion"], "v1.33.5+mainstay");
        assert!(version["platform"].as_str().is_some_and(|platform| platform.contains('/')));
    }
}

//! The Platform document of a Source, and what is wrong with its declarations by themselves.

use std::net::IpAddr;

use mainstay_base::{Diagnostic, Severity};
use mainstay_kinds::Platform;
use mainstay_kinds::platform::API_VERSION;
use mainstay_resource::name;
use mainstay_source::{Document, Shape, Source};

use super::paths::{self, Base};
use super::regions::LEAVES_HELP;
use crate::codes;
use crate::status::Declared;

/// The Platform document, read.
pub(super) struct Declaration<'a> {
    pub(super) document: &'a Document,
    pub(super) platform: Platform,
    /// What its paths are relative to.
    pub(super) base: Base,
}

impl<'a> Declaration<'a> {
    /// The one of a Source, if it has one that can be read.
    pub(super) fn find(source: &'a Source, diagnostics: &mut Vec<Diagnostic>) -> Option<Self> {
        let mut documents = source.documents.iter().filter(|document| document.shape == Shape::Platform);
        let document = documents.next()?;
        for other in documents {
            let problem = other.error(codes::PLATFORM, "a second Platform document", "/kind");
            diagnostics.push(problem.related(document.start(), "first here").help("keep one of them"));
        }
        let platform = match document.read::<Platform>().into_result() {
            Ok(platform) => platform,
            Err(problems) => {
                diagnostics.extend(problems);
                return None;
            }
        };
        let declaration = Self { document, platform, base: Base::of(document) };
        declaration.check(diagnostics);
        Some(declaration)
    }

    /// What it declares beside regions and placement.
    pub(super) fn declared(&self) -> Declared {
        let at = self.document.start();
        let spec = self.platform.spec.clone();
        Declared {
            at: format!("{}:{}", at.file, at.line),
            objectives: spec.objectives,
            replacements: spec.replacements,
            external: spec.external,
            egress: spec.egress,
            host_files: spec.host_files,
        }
    }

    /// A problem at a path of the document.
    pub(super) fn problem(&self, code: &'static str, message: String, at: &str) -> Diagnostic {
        self.document.error(code, message, at)
    }

    /// A warning at a path of the document.
    pub(super) fn warning(&self, code: &'static str, message: String, at: &str) -> Diagnostic {
        let mut problem = self.document.error(code, message, at);
        problem.severity = Severity::Warning;
        problem
    }

    fn check(&self, found: &mut Vec<Diagnostic>) {
        let version = &self.platform.api_version;
        if version != API_VERSION {
            let message = format!("this version of mainstay does not read a Platform of `{version}`");
            found.push(
                self.problem(codes::PLATFORM, message, "/apiVersion").help(format!("write `{API_VERSION}`")),
            );
        }
        let name = &self.platform.metadata.name;
        if let Some(why) = name::dns_label(name).into_iter().next() {
            let message = format!("`{name}` cannot be a platform's name");
            found.push(
                self.problem(codes::INVALID_NAME, message, "/metadata/name")
                    .cause(why)
                    .help("use a name like shop"),
            );
        }
        self.check_replacements(found);
        self.check_external(found);
        let spec = &self.platform.spec;
        for (index, host) in spec.egress.iter().enumerate().filter(|(_, host)| !is_host(host)) {
            let message = format!("`{host}` is not a host");
            let help = "write a name or an address alone, without scheme, port or `*`: hooks.example.com";
            found
                .push(self.problem(codes::DECLARATION, message, &format!("/spec/egress/{index}")).help(help));
        }
        for (index, path) in spec.host_files.iter().enumerate() {
            if !path.starts_with('/') || path.split('/').any(|part| part == "..") {
                let message = format!("`{path}` is not an absolute path");
                let at = format!("/spec/hostFiles/{index}");
                found.push(
                    self.problem(codes::DECLARATION, message, &at).help("write it from `/` on, without `..`"),
                );
            }
        }
    }

    fn check_replacements(&self, found: &mut Vec<Diagnostic>) {
        let replacements = &self.platform.spec.replacements;
        let at = |map: &str, key: &str| format!("/spec/replacements/{map}/{}", escaped(key));
        for (image, other) in &replacements.images {
            if [image, other].iter().any(|name| name.is_empty() || name.contains(char::is_whitespace)) {
                let message = format!("`{image}: {other}` does not map an image to an image");
                let problem = self.problem(codes::DECLARATION, message, &at("images", image));
                found.push(problem.help("write it like ghcr.io/shop/web: localhost:5000/web"));
            }
        }
        for (repository, other) in &replacements.git {
            let is_url = other.contains("://") || other.starts_with("git@");
            if let (false, Err(refused)) = (is_url, paths::clean(other)) {
                let message = format!("`{other}` {}", refused.words());
                found.push(self.problem(codes::PATH, message, &at("git", repository)).help(LEAVES_HELP));
            }
        }
        for (field, url) in replacements.endpoints.given() {
            let place = at("endpoints", field);
            let Some(host) = host_of(url) else {
                let help = "write it like https://prometheus.example.com";
                let message = format!("`{url}` is not the URL of a server");
                found.push(self.problem(codes::DECLARATION, message, &place).help(help));
                continue;
            };
            let is_near = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
            if !is_near && !self.platform.spec.egress.iter().any(|one| one.eq_ignore_ascii_case(host)) {
                let message = format!("nothing may call {host}: it is not named under egress");
                let problem = self.warning(codes::EGRESS_MISSING, message, &place);
                found.push(problem.help(format!("add {host} to `spec.egress`")));
            }
        }
    }

    fn check_external(&self, found: &mut Vec<Diagnostic>) {
        let external = &self.platform.spec.external;
        let is_name = |text: &str| text == "*" || name::dns_subdomain(text).is_empty();
        let is_pair = |text: &str| {
            text.split_once('/').is_some_and(|(namespace, name)| is_name(namespace) && is_name(name))
        };
        let is_kind = |text: &str| {
            text.split_once('.').is_some_and(|(kind, group)| {
                kind.starts_with(char::is_uppercase) && name::dns_subdomain(group).is_empty()
            })
        };
        let is_wild = |text: &str| is_host(text.strip_prefix("*.").unwrap_or(text));
        let mut check = |field: &str, entries: &[String], is_fine: &dyn Fn(&str) -> bool, form: &str| {
            for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| !is_fine(entry)) {
                let at = format!("/spec/external/{field}/{index}");
                let message = format!("`{entry}` is not of the form {form}");
                found
                    .push(self.problem(codes::DECLARATION, message, &at).help(format!("write it as {form}")));
            }
        };
        for (field, entries) in external.namespaced() {
            check(field, entries, &is_pair, "namespace/name");
        }
        check("namespaces", &external.namespaces, &is_name, "a namespace's name");
        check("kinds", &external.kinds, &is_kind, "Kind.group");
        check("hosts", &external.hosts, &is_wild, "host.example.com or *.example.com");
    }
}

/// A key as a part of a path.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Whether a text is a host's name or address, and nothing more.
fn is_host(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok() || name::dns_subdomain(&text.to_ascii_lowercase()).is_empty()
}

/// The host of an HTTP URL.
fn host_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next()?,
        None => authority
            .rsplit_once(':')
            .filter(|(_, port)| port.parse::<u16>().is_ok())
            .map_or(authority, |(host, _)| host),
    };
    is_host(host).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn urls_have_a_host() {
        for (url, host) in [
            ("https://prometheus.example.com", Some("prometheus.example.com")),
            ("http://localhost:9090/prometheus", Some("localhost")),
            ("http://[::1]:9090", Some("::1")),
            ("https://10.0.0.1?x", Some("10.0.0.1")),
            ("prometheus.example.com", None),
            ("ftp://example.com", None),
            ("https://", None),
            ("https://user:secret@example.com", None),
            ("https://example.com:port", None),
        ] {
            assert_eq!(host_of(url), host, "{url}");
        }
    }
}

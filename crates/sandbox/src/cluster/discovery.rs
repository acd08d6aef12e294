//! Discovery: which groups, versions and kinds a cluster serves.

use std::collections::BTreeSet;
use std::sync::Arc;

use data_encoding::HEXUPPER;
use serde_json::{Value, json};
use sha2::{Digest, Sha512};

use super::kind::Kind;
use super::request::{Reply, Request};
use super::status::Failure;
use super::{ControlPlane, openapi};

/// The form in which clients get everything in one answer.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// The order of the groups, as servers have it; those of definitions come after.
const GROUPS: &[&str] = &[
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
];

/// Answers a request about the server itself.
pub(super) fn answer(plane: &ControlPlane, kinds: &[Arc<Kind>], request: &Request) -> Result<Reply, Failure> {
    let path = request.path.trim_end_matches('/');
    let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    if !is_known(kinds, &segments) {
        return Err(Failure::no_path());
    }
    if request.method != "GET" {
        return Err(Failure::not_allowed());
    }
    let is_aggregated = request.accept.contains("as=APIGroupDiscoveryList");
    let aggregated = |of_core: bool| {
        let body = aggregated(kinds, of_core);
        Reply::text(AGGREGATED, body.to_string())
    };
    Ok(match segments.as_slice() {
        ["version"] => Reply::new(200, version(&plane.facts.version)),
        ["readyz" | "healthz" | "livez", ..] => Reply::text("text/plain; charset=utf-8", "ok"),
        ["api"] if is_aggregated => aggregated(true),
        ["apis"] if is_aggregated => aggregated(false),
        ["api"] => Reply::new(200, core(plane)),
        ["apis"] => Reply::new(200, groups(kinds)),
        ["api", version] => Reply::new(200, resources(kinds, "", version)),
        ["apis", group] => Reply::new(200, with_head("APIGroup", group_versions(kinds, group))),
        ["apis", group, version] => Reply::new(200, resources(kinds, group, version)),
        ["openapi", "v3"] => openapi::index(kinds),
        ["openapi", "v3", rest @ ..] => return openapi::document(kinds, rest),
        [] => Reply::new(200, paths(kinds)),
        _ => return Err(Failure::no_path()),
    })
}

fn is_known(kinds: &[Arc<Kind>], segments: &[&str]) -> bool {
    match segments {
        []
        | ["version" | "api" | "apis"]
        | ["api", "v1"]
        | ["readyz" | "healthz" | "livez", ..]
        | ["openapi", "v3", ..] => true,
        ["apis", group] => kinds.iter().any(|kind| kind.group == **group),
        ["apis", group, version] => {
            kinds.iter().any(|kind| kind.group == **group && kind.version == **version)
        }
        _ => false,
    }
}

fn version(version: &str) -> Value {
    let minor: u32 = version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(0);
    json!({
        "major": "1",
        "minor": minor.to_string(),
        "emulationMajor": "1",
        "emulationMinor": minor.to_string(),
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": minor.saturating_sub(1).to_string(),
        "gitVersion": format!("v{version}.0-eks-sandbox"),
        "gitCommit": "0000000000000000000000000000000000000000",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "go1.27.3",
        "compiler": "gc",
        "platform": "linux/amd64",
    })
}

fn core(plane: &ControlPlane) -> Value {
    let server = json!({ "clientCIDR": "0.0.0.0/0", "serverAddress": plane.facts.address });
    json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [server] })
}

/// Returns the names of the groups beside the core, in their order.
fn group_names(kinds: &[Arc<Kind>]) -> Vec<&str> {
    let own: BTreeSet<_> = kinds.iter().map(|kind| kind.group.as_str()).collect();
    let mut names: Vec<_> = GROUPS.to_vec();
    names.extend(own.into_iter().filter(|group| !group.is_empty() && !GROUPS.contains(group)));
    names
}

/// Returns the versions of a group, the newest first: stable ones before others.
fn versions<'a>(kinds: &'a [Arc<Kind>], group: &str) -> Vec<&'a str> {
    let own: BTreeSet<_> =
        kinds.iter().filter(|kind| kind.group == group).map(|kind| kind.version.as_str()).collect();
    let mut versions: Vec<_> = own.into_iter().collect();
    let rank = |version: &str| {
        let stage = if version.contains("alpha") { 2 } else { i32::from(version.contains("beta")) };
        let numbers: Vec<i64> = version
            .split(|letter: char| !letter.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .map(|number: i64| -number)
            .collect();
        (stage, numbers)
    };
    versions.sort_by_key(|version| rank(version));
    versions
}

fn group_versions(kinds: &[Arc<Kind>], group: &str) -> Value {
    let versions: Vec<_> = versions(kinds, group)
        .into_iter()
        .map(|version| json!({ "groupVersion": format!("{group}/{version}"), "version": version }))
        .collect();
    json!({ "name": group, "preferredVersion": versions[0], "versions": versions })
}

fn with_head(kind: &str, mut value: Value) -> Value {
    value["kind"] = json!(kind);
    value["apiVersion"] = json!("v1");
    value
}

fn groups(kinds: &[Arc<Kind>]) -> Value {
    let groups = group_names(kinds).into_iter().map(|group| group_versions(kinds, group));
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups.collect::<Vec<_>>() })
}

fn paths(kinds: &[Arc<Kind>]) -> Value {
    let mut paths: BTreeSet<String> = [
        "/.well-known/openid-configuration",
        "/api",
        "/api/v1",
        "/apis",
        "/apis/",
        "/healthz",
        "/livez",
        "/openapi/v3",
        "/openapi/v3/",
        "/readyz",
        "/version",
    ]
    .map(str::to_owned)
    .into();
    for kind in kinds.iter().filter(|kind| !kind.group.is_empty()) {
        paths.extend([format!("/apis/{}", kind.group), format!("/apis/{}/{}", kind.group, kind.version)]);
    }
    json!({ "paths": paths })
}

fn of_version<'a>(kinds: &'a [Arc<Kind>], group: &str, version: &str) -> Vec<&'a Kind> {
    let mut own: Vec<&Kind> = kinds
        .iter()
        .filter(|kind| kind.group == group && kind.version == version)
        .map(|kind| &**kind)
        .collect();
    own.sort_by(|a, b| a.plural.cmp(&b.plural));
    own
}

fn resources(kinds: &[Arc<Kind>], group: &str, version: &str) -> Value {
    let mut resources = Vec::new();
    for kind in of_version(kinds, group, version) {
        let mut resource = json!({
            "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind,
            "verbs": kind.verbs,
        });
        for (field, values) in [("shortNames", &kind.short_names), ("categories", &kind.categories)] {
            if !values.is_empty() {
                resource[field] = json!(values);
            }
        }
        if let Some(hash) = kind.hash() {
            resource["storageVersionHash"] = json!(hash);
        }
        resources.push(resource);
        for part in &kind.subresources {
            let mut resource = json!({
                "name": format!("{}/{}", kind.plural, part.name), "singularName": "",
                "namespaced": kind.namespaced, "kind": part.kind, "verbs": part.verbs,
            });
            if !part.group.is_empty() && kind.custom.is_none() {
                resource["group"] = json!(part.group);
                resource["version"] = json!(part.version);
            }
            resources.push(resource);
        }
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let mut list =
        json!({ "kind": "APIResourceList", "groupVersion": group_version, "resources": resources });
    // The core's list is older than the field.
    if !group.is_empty() {
        list["apiVersion"] = json!("v1");
    }
    list
}

fn aggregated(kinds: &[Arc<Kind>], of_core: bool) -> Value {
    let groups = if of_core { vec![""] } else { group_names(kinds) };
    let items = groups.into_iter().map(|group| {
        let versions: Vec<_> = versions(kinds, group)
            .into_iter()
            .map(|version| {
                let resources: Vec<_> =
                    of_version(kinds, group, version).into_iter().map(discovered).collect();
                json!({ "version": version, "resources": resources, "freshness": "Current" })
            })
            .collect();
        let metadata = if group.is_empty() { json!({}) } else { json!({ "name": group }) };
        json!({ "metadata": metadata, "versions": versions })
    });
    json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {},
        "items": items.collect::<Vec<_>>(),
    })
}

fn discovered(kind: &Kind) -> Value {
    let (group, version) =
        if kind.custom.is_some() { (kind.group.as_str(), kind.version.as_str()) } else { ("", "") };
    let mut resource = json!({
        "resource": kind.plural,
        "responseKind": { "group": group, "version": version, "kind": kind.kind },
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular,
        "verbs": kind.verbs,
    });
    for (field, values) in [("shortNames", &kind.short_names), ("categories", &kind.categories)] {
        if !values.is_empty() {
            resource[field] = json!(values);
        }
    }
    let parts = kind.subresources.iter().map(|part| {
        json!({
            "subresource": part.name,
            "responseKind": { "group": part.group, "version": part.version, "kind": part.kind },
            "verbs": part.verbs,
        })
    });
    let parts: Vec<_> = parts.collect();
    if !parts.is_empty() {
        resource["subresources"] = json!(parts);
    }
    resource
}

/// Returns what tells a client whether an answer is another one than before.
pub(super) fn hash(text: &str) -> String {
    HEXUPPER.encode(&Sha512::digest(text))
}

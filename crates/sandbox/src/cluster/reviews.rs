//! What is answered and not kept: reviews of rights and identities, tokens, evictions.

#![expect(
    clippy::similar_names,
    reason = "a plane and a place, or an issuer and what was issued, are told apart by their types"
)]

use jiff::Timestamp;
use serde_json::{Value, json};

use super::body::{self, text};
use super::deletion::Deletion;
use super::kind::Kind;
use super::request::{Place, Reply, Request};
use super::selector::Labels;
use super::status::Failure;
use super::store::Key;
use super::user::{self, Deed, User};
use super::{ControlPlane, time};

/// For how long a token of a service account holds, in seconds, if nobody says so.
const LIFETIME: i64 = 3600;

/// Tells whether what is created is answered and not kept.
pub(super) fn is_one(place: &Place) -> bool {
    let kind = place.kind.kind.as_str();
    kind.ends_with("Review") || ["token", "eviction", "binding"].contains(&place.subresource.as_str())
}

/// Answers.
pub(super) fn answer(
    plane: &mut ControlPlane,
    user: &User,
    place: &Place,
    request: &Request,
    now: Timestamp,
) -> Result<Reply, Failure> {
    let Place { kind, .. } = place;
    let given = body::read(request, kind)?;
    match (place.subresource.as_str(), kind.kind.as_str()) {
        ("token", _) => token(plane, place, &given, now),
        ("eviction", _) => evict(plane, place, now),
        (_, "SelfSubjectReview") => {
            let mut info = json!({ "username": user.name });
            if !user.uid.is_empty() {
                info["uid"] = json!(user.uid);
            }
            info["groups"] = json!(user.groups);
            Ok(Reply::new(
                201,
                json!({
                    "kind": kind.kind, "apiVersion": kind.api_version(),
                    "metadata": { "creationTimestamp": time(now) }, "status": { "userInfo": info },
                }),
            ))
        }
        (_, "SelfSubjectRulesReview") => Ok(rules(plane, user, kind, &given)),
        (_, "SelfSubjectAccessReview") => Ok(access(plane, user, kind, &given, request, now)),
        (_, "SubjectAccessReview" | "LocalSubjectAccessReview") => {
            let groups = given["spec"]["groups"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let groups: Vec<_> = groups.collect();
            let other = User::new(text(&given["spec"]["user"]), &groups);
            Ok(access(plane, &other, kind, &given, request, now))
        }
        _ => Err(Failure::not_allowed()),
    }
}

fn access(
    plane: &ControlPlane,
    user: &User,
    kind: &Kind,
    given: &Value,
    request: &Request,
    now: Timestamp,
) -> Reply {
    let spec = &given["spec"];
    let of = &spec["resourceAttributes"];
    let allowed = if of.is_object() {
        let resource = match text(&of["subresource"]) {
            "" => text(&of["resource"]).to_owned(),
            part => format!("{}/{part}", text(&of["resource"])),
        };
        let deed = Deed {
            verb: text(&of["verb"]),
            group: text(&of["group"]),
            resource: &resource,
            namespace: text(&of["namespace"]),
            name: text(&of["name"]),
        };
        user::may(&plane.store, user, deed)
    } else {
        let of = &spec["nonResourceAttributes"];
        user::check_path(&plane.store, user, text(&of["path"]), text(&of["verb"])).is_ok()
    };
    let of = kind.of();
    let (manager, now) = (request.manager(), time(now));
    let api_version = kind.api_version();
    let writing = super::managed::Writing {
        of: &of,
        manager: &manager,
        api_version: &api_version,
        subresource: "",
        now: &now,
        ignored: &["status"],
    };
    let mut review = json!({ "metadata": {}, "spec": spec, "status": { "allowed": allowed } });
    let managers = writing.update(None, &review, Vec::new());
    super::managed::put(&mut review, managers);
    Reply::new(201, super::read::shown(kind, &review))
}

fn rules(plane: &ControlPlane, user: &User, kind: &Kind, given: &Value) -> Reply {
    let rules = user::rules(&plane.store, user, text(&given["spec"]["namespace"]));
    let (mut of_resources, mut of_paths) = (Vec::new(), Vec::new());
    for rule in rules {
        if rule["nonResourceURLs"].is_array() {
            of_paths.push(rule);
        } else {
            of_resources.push(rule);
        }
    }
    Reply::new(
        201,
        json!({
            "kind": kind.kind, "apiVersion": kind.api_version(), "metadata": {}, "spec": {},
            "status": { "resourceRules": of_resources, "nonResourceRules": of_paths, "incomplete": false },
        }),
    )
}

/// Answers with the claims of a token for a service account, which its issuer has to sign.
fn token(plane: &ControlPlane, place: &Place, given: &Value, now: Timestamp) -> Result<Reply, Failure> {
    let account = plane.store.get(&super::read::key(place));
    let account = account.ok_or_else(|| Failure::not_found(&place.kind, &place.name))?;
    let Place { namespace, name, .. } = place;
    let seconds = given["spec"]["expirationSeconds"].as_i64().unwrap_or(LIFETIME);
    let issuer = &plane.facts.issuer;
    let audiences = given["spec"]["audiences"].as_array().filter(|audiences| !audiences.is_empty());
    let audiences = audiences.cloned().unwrap_or_else(|| vec![json!(issuer)]);
    let issued = now.as_second();
    let claims = json!({
        "aud": audiences, "exp": issued + seconds, "iat": issued, "nbf": issued, "iss": issuer,
        "kubernetes.io": {
            "namespace": namespace,
            "serviceaccount": { "name": name, "uid": account["metadata"]["uid"] },
        },
        "sub": format!("system:serviceaccount:{namespace}:{name}"),
    });
    let until = now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(now);
    let body = json!({
        "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
        "metadata": { "name": name, "namespace": namespace, "creationTimestamp": time(now) },
        "spec": { "audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": null },
        "status": { "token": "", "expirationTimestamp": time(until) },
    });
    Ok(Reply { to_sign: Some(claims), ..Reply::new(201, body) })
}

/// Deletes a pod, unless a budget wants it to stay.
fn evict(plane: &mut ControlPlane, place: &Place, now: Timestamp) -> Result<Reply, Failure> {
    let pod = plane.store.get(&super::read::key(place)).cloned();
    let pod = pod.ok_or_else(|| Failure::not_found(&place.kind, &place.name))?;
    for budget in plane.store.list("poddisruptionbudgets.policy", &place.namespace) {
        let is_meant = Labels::of_object(&budget["spec"]["selector"]).meet(&pod["metadata"]["labels"]);
        if !is_meant {
            continue;
        }
        let healthy = |pod: &&std::sync::Arc<Value>| {
            Labels::of_object(&budget["spec"]["selector"]).meet(&pod["metadata"]["labels"])
                && super::life::is_ready(pod)
        };
        let current = plane.store.list("pods", &place.namespace).filter(healthy).count();
        let wanted = budget["spec"]["minAvailable"].as_u64().unwrap_or(0);
        if u64::try_from(current).unwrap_or(u64::MAX) <= wanted {
            let name = text(&budget["metadata"]["name"]);
            let told = format!(
                "The disruption budget {name} needs {wanted} healthy pods and has {current} currently"
            );
            let message = "Cannot evict pod as it would violate the pod's disruption budget.";
            let causes = json!({ "causes": [{ "reason": "DisruptionBudget", "message": told }] });
            return Err(Failure::new(429, "TooManyRequests", message).with_details(causes));
        }
    }
    let at = Key::new("pods", &place.namespace, &place.name);
    plane.delete(&place.kind, &at, &Deletion::default(), now, false);
    let status =
        json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201 });
    Ok(Reply::new(201, status))
}

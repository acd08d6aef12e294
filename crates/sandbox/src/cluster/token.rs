//! Tokens: who somebody is.
//!
//! A token of EKS is a presigned call of `GetCallerIdentity` that has the cluster's name among its signed
//! headers ("Grant IAM users and roles access to Kubernetes APIs", EKS user guide; the form is that of
//! `aws eks get-token`). One of a service account is signed by the cluster's issuer.

use data_encoding::BASE64URL_NOPAD;
use hyper::Uri;
use hyper::header::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};

use super::operation::ClusterName;
use super::user::User;
use crate::eks;
use crate::identity;
use crate::issuer::Token;
use crate::protocol::Service;
use crate::server::Incoming;
use crate::signature::Authorization;
use crate::world::World;

/// What tokens of EKS begin with.
const PREFIX: &str = "k8s-aws-v1.";
/// The header that has the cluster's name.
const CLUSTER: &str = "x-k8s-aws-id";
/// For how long a token is good.
const LIFETIME: SignedDuration = SignedDuration::from_mins(15);
/// How far clocks may differ.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Finds out who sends a request with this header; `None` if the token is not good. `now` is our time and
/// not the world's: clients sign by their own clock.
pub(crate) fn user(
    world: &mut World,
    cluster: &ClusterName,
    authorization: Option<&str>,
    now: Timestamp,
) -> Option<User> {
    let Some(authorization) = authorization else { return Some(User::anonymous()) };
    let token = authorization.strip_prefix("Bearer ").or_else(|| authorization.strip_prefix("bearer "))?;
    match token.strip_prefix(PREFIX) {
        Some(encoded) => of_caller(world, cluster, encoded, now),
        None => of_service_account(world, cluster, token),
    }
}

fn of_caller(world: &mut World, cluster: &ClusterName, encoded: &str, now: Timestamp) -> Option<User> {
    let url = BASE64URL_NOPAD.decode(encoded.as_bytes()).ok()?;
    let url: Uri = String::from_utf8(url).ok()?.parse().ok()?;
    let pairs: Vec<(String, String)> = form_urlencoded::parse(url.query()?.as_bytes()).into_owned().collect();
    let parameter = |name: &str| {
        let found = pairs.iter().find(|(of, _)| of.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    };
    let made: jiff::civil::DateTime =
        jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", parameter("X-Amz-Date")?).ok()?;
    let made = made.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    let age = now.duration_since(made);
    let is_identity = parameter("Action") == Some("GetCallerIdentity");
    if !is_identity || age > LIFETIME || age < -SKEW {
        return None;
    }
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: &str| {
        HeaderValue::from_str(value).ok().map(|value| drop(headers.insert(name, value)))
    };
    put("host", url.authority()?.as_str())?;
    put(CLUSTER, &cluster.name)?;
    put("x-amz-date", parameter("X-Amz-Date")?)?;
    if let Some(token) = parameter("X-Amz-Security-Token") {
        put("x-amz-security-token", token)?;
    }
    let unsigned = url.query()?.split('&').filter(|pair| !pair.starts_with("X-Amz-Signature="));
    let request = Incoming {
        method: "GET".to_owned(),
        path: url.path().to_owned(),
        query_text: unsigned.collect::<Vec<_>>().join("&"),
        headers,
        body: bytes::Bytes::new(),
    };
    let authorization = Authorization::of_parameters(
        parameter("X-Amz-Credential")?,
        parameter("X-Amz-SignedHeaders")?,
        parameter("X-Amz-Signature")?,
    )?;
    let is_complete =
        authorization.signs("host") && authorization.signs(CLUSTER) && authorization.service == "sts";
    let caller =
        identity::caller(world, Service::Sts, &authorization, &request).ok().filter(|_| is_complete)?;
    eks::user_of(world, cluster, &caller)
}

fn of_service_account(world: &mut World, cluster: &ClusterName, text: &str) -> Option<User> {
    let token = Token::read(text)?;
    let issuer = token.text("iss")?.to_owned();
    if eks::issuer_of(world, cluster)? != issuer || !world.issuer(&issuer).signed(&token) {
        return None;
    }
    let now = world.now().as_second();
    let is_current = token.claims["exp"].as_i64().is_some_and(|until| now < until);
    let mut parts = token.text("sub")?.split(':').skip(2);
    let (namespace, name) = (parts.next()?, parts.next()?);
    is_current.then(|| User::service_account(namespace, name))
}

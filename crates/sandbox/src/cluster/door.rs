//! Requests to clusters as they come over the network, and watches, whose answers go on.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::Frame;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::operation::{self, ClusterName};
use super::protobuf;
use super::request::{Reply, Request, Target};
use super::status::{self, Failure};
use super::token;
use super::user::{self, Deed, User};
use super::watch::{self, Watch};
use crate::call::{Answer, Call, Refusal};
use crate::eks;
use crate::playground::wait_for;
use crate::server::{Incoming, Lost, Outgoing, Shared};

/// What is sent as an answer: whole, or as it comes.
pub(crate) type Sent = UnsyncBoxBody<Bytes, Infallible>;

/// How often a watch looks whether time has brought something.
const LOOKED: Duration = Duration::from_millis(100);

/// Answers a request to a cluster.
pub(crate) async fn answer(
    shared: &Arc<Shared>,
    cluster: &ClusterName,
    incoming: Incoming,
) -> Result<Response<Sent>, Lost> {
    let started = Instant::now();
    let header = |name: &str| incoming.header(name).unwrap_or_default().to_owned();
    let (content_type, body) = match readable(&incoming) {
        Ok(readable) => readable,
        Err(failure) => return Ok(written(&Err(failure.refusal()))),
    };
    let request = Request {
        method: incoming.method.clone(),
        path: incoming.path.clone(),
        query: incoming.query_text.clone(),
        accept: header("accept"),
        content_type,
        agent: header("user-agent"),
        body,
    };
    let user = {
        let mut playground = shared.playground();
        let authorization = incoming.header("authorization");
        token::user(&mut playground.world, cluster, authorization, Timestamp::now())
    };
    let Some(user) = user else {
        return Ok(written(&Err(Failure::unauthorized().refusal())));
    };
    let user = match acting(shared, cluster, user, &incoming) {
        Ok(user) => user,
        Err(failure) => return Ok(written(&Err(failure.refusal()))),
    };
    if let Some(begun) = begin_watch(shared, cluster, &user, &request) {
        let call = Call { operation: "Watch".to_owned(), ..operation::call(cluster, &user, &request) };
        let answer = begun.as_ref().map(|_| Value::Null).map_err(|failure| failure.clone().refusal());
        shared.playground().note_asked(&call, &shared.request_id(), &answer);
        return Ok(match begun {
            Ok(watch) => streamed(shared, cluster, watch, watch::seconds(&request)),
            Err(failure) => written(&Err(failure.refusal())),
        });
    }
    let call = operation::call(cluster, &user, &request);
    let request_id = shared.request_id();
    let handled = shared.playground().handle_call(call, &request_id, started.elapsed());
    let answer = match wait_for(handled.kept).await {
        Ok(()) => handled.answer,
        Err(refusal) => Err(refusal),
    };
    tokio::time::sleep(handled.delay).await;
    shared.tell_watchers();
    if handled.is_lost { Err(Lost) } else { Ok(written(&answer)) }
}

/// Returns as whom somebody acts: as who they are, or as somebody else if they say so and may ("User
/// impersonation", documentation of Kubernetes).
fn acting(shared: &Shared, cluster: &ClusterName, user: User, incoming: &Incoming) -> Result<User, Failure> {
    let Some(name) = incoming.header("impersonate-user").filter(|name| !name.is_empty()) else {
        return Ok(user);
    };
    let groups = incoming.headers.get_all("impersonate-group").iter();
    let groups: Vec<_> = groups.filter_map(|group| group.to_str().ok()).collect();
    let (wanted, resource, own) =
        match name.strip_prefix("system:serviceaccount:").and_then(|it| it.split_once(':')) {
            Some((namespace, name)) => (User::service_account(namespace, name), "serviceaccounts", name),
            None => (User::new(name, &groups), "users", name),
        };
    let mut playground = shared.playground();
    let allowed = eks::with_plane(&mut playground.world, cluster, |plane, _| {
        let deed = |resource, name| Deed { verb: "impersonate", group: "", resource, namespace: "", name };
        user::may(&plane.store, &user, deed(resource, own))
            && groups.iter().all(|group| user::may(&plane.store, &user, deed("groups", group)))
    });
    if allowed == Some(true) {
        return Ok(wanted);
    }
    let why = format!(
        "{resource} {own:?} is forbidden: User {:?} cannot impersonate resource {resource:?} in API group \"\" at the \
         cluster scope",
        user.name
    );
    Err(Failure::new(403, "Forbidden", why))
}

/// Returns the body as text, and what it is: the binary form becomes JSON, so that the journal can be read.
fn readable(incoming: &Incoming) -> Result<(String, String), Failure> {
    let content_type = incoming.header("content-type").unwrap_or_default();
    if content_type.split(';').next().is_some_and(|media| media.trim() == protobuf::MEDIA)
        && !incoming.body.is_empty()
    {
        let json = protobuf::to_json(&incoming.body).map_err(Failure::bad_request)?;
        return Ok(("application/json".to_owned(), json));
    }
    Ok((content_type.to_owned(), String::from_utf8_lossy(&incoming.body).into_owned()))
}

/// Begins a watch if that is what is asked for.
fn begin_watch(
    shared: &Shared,
    cluster: &ClusterName,
    user: &User,
    request: &Request,
) -> Option<Result<Watch, Failure>> {
    let mut playground = shared.playground();
    playground.let_arrive();
    eks::with_plane(&mut playground.world, cluster, |plane, now| {
        let Ok(Target::Place(place)) = request.target(&plane.kinds(now)) else { return None };
        if place.verb(request) != Ok("watch") {
            return None;
        }
        let allowed = user::check(&plane.store, user, &place, "watch");
        Some(allowed.and_then(|()| Watch::begin(plane, &place, request, now)))
    })
    .flatten()
}

/// What a watch goes on with.
struct Streaming {
    shared: Arc<Shared>,
    cluster: ClusterName,
    watch: Watch,
    until: Instant,
}

fn streamed(shared: &Arc<Shared>, cluster: &ClusterName, watch: Watch, seconds: u64) -> Response<Sent> {
    let state = Streaming {
        shared: Arc::clone(shared),
        cluster: cluster.clone(),
        watch,
        until: Instant::now() + Duration::from_secs(seconds),
    };
    let events = stream::unfold(Some(state), |state| async move {
        let mut state = state?;
        let (events, is_last) = state.next().await?;
        let mut lines = events.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        lines.push('\n');
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(lines))), (!is_last).then_some(state)))
    });
    let mut response = Response::new(StreamBody::new(events).boxed_unsync());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

impl Streaming {
    /// Waits for events; `None` if the watch ends without any more, and whether these are the last.
    async fn next(&mut self) -> Option<(Vec<Value>, bool)> {
        loop {
            let mut changed = self.shared.watchers();
            let more = {
                let mut playground = self.shared.playground();
                playground.let_arrive();
                let watch = &mut self.watch;
                eks::with_plane(&mut playground.world, &self.cluster, |plane, now| watch.more(plane, now))
            };
            // The cluster is gone.
            let events = more?;
            if !events.is_empty() {
                return Some((events, self.watch.is_over));
            }
            if self.watch.is_over || Instant::now() >= self.until || self.shared.is_stopping() {
                return None;
            }
            let wait = LOOKED.min(self.until.saturating_duration_since(Instant::now()));
            // Time that has passed is a reason to look too.
            drop(tokio::time::timeout(wait, changed.changed()).await);
        }
    }
}

/// Writes an answer as servers do.
fn written(answer: &Answer) -> Response<Sent> {
    let (reply, warnings, wait) = match answer {
        Ok(value) => match serde_json::from_value::<Reply>(value.clone()) {
            Ok(reply) => {
                let warnings = reply.warnings.clone();
                (reply, warnings, None)
            }
            // A call that was lost answers with nothing.
            Err(_) => (Reply::new(200, Value::Null), Vec::new(), None),
        },
        Err(refusal) => (refused(refusal), status::warnings(refusal), wait_after(refusal)),
    };
    let mut outgoing = match reply.text {
        Some((content_type, text)) => Outgoing::new(reply.status, &content_type, text.into_bytes()),
        None => Outgoing::new(reply.status, "application/json", reply.body.to_string().into_bytes()),
    };
    for warning in warnings {
        let warning = format!("{warning:?}");
        outgoing = outgoing.with_header("warning", &format!("299 - {warning}"));
    }
    if let Some(seconds) = wait {
        outgoing = outgoing.with_header("retry-after", &seconds.to_string());
    }
    outgoing.into_response().map(BodyExt::boxed_unsync)
}

/// Returns what is answered to a refused call.
pub(super) fn refused(refusal: &Refusal) -> Reply {
    if status::is_text(refusal) {
        let reply = Reply::text("text/plain; charset=utf-8", refusal.message.clone());
        return Reply { status: refusal.status, ..reply };
    }
    Reply::new(refusal.status, status::body(refusal))
}

/// Returns after how many seconds a client may try again.
fn wait_after(refusal: &Refusal) -> Option<u32> {
    let is_full = refusal.status == 429 && status::is_text(refusal);
    (is_full || refusal.status == 504).then_some(1)
}

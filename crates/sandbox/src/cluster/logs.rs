//! What leads into a pod: its log, and what would need a container that really runs.

use serde_json::Value;

use super::body::text;
use super::request::{Place, Reply, Request};
use super::status::Failure;

/// Refuses to lead anybody into a container: the sandbox only tells how pods are doing.
pub(super) fn check_place(place: &Place) -> Result<(), Failure> {
    let is_of_pod = place.kind.resource() == "pods";
    let part = place.subresource.as_str();
    if !["attach", "exec", "portforward", "proxy"].contains(&part) {
        return Ok(());
    }
    let of = if is_of_pod { "pod" } else { place.kind.singular.as_str() };
    let message = format!("the sandbox runs no containers: {part} of {of} {:?} leads nowhere", place.name);
    Err(Failure::bad_request(message))
}

/// Answers with the log of a container of a pod.
pub(super) fn answer(pod: &Value, request: &Request) -> Result<Reply, Failure> {
    let name = text(&pod["metadata"]["name"]);
    let containers: Vec<_> = ["initContainers", "containers"]
        .into_iter()
        .flat_map(|list| pod["spec"][list].as_array().into_iter().flatten())
        .collect();
    let wanted = request.one("container");
    let found = match (wanted.as_str(), pod["spec"]["containers"].as_array().map(Vec::as_slice)) {
        ("", Some([only])) => only,
        ("", _) => {
            let names: Vec<_> = containers.iter().map(|container| text(&container["name"])).collect();
            return Err(Failure::bad_request(format!(
                "a container name must be specified for pod {name}, choose one of: [{}]",
                names.join(" ")
            )));
        }
        (wanted, _) => containers
            .into_iter()
            .find(|container| container["name"] == *wanted)
            .ok_or_else(|| Failure::bad_request(format!("container {wanted} is not valid for pod {name}")))?,
    };
    let (container, image) = (text(&found["name"]), text(&found["image"]));
    let started = started(pod, container).map_err(|why| {
        Failure::bad_request(format!("container {container:?} in pod {name:?} is waiting to start: {why}"))
    })?;
    let line = format!("{started} the sandbox shows {image} as running, and nothing of it writes anything\n");
    Ok(Reply::text("text/plain", if request.one("tailLines") == "0" { String::new() } else { line }))
}

/// Returns since when a container runs, or why it does not.
fn started(pod: &Value, container: &str) -> Result<String, String> {
    let lists = ["containerStatuses", "initContainerStatuses"];
    let shown = lists.into_iter().flat_map(|list| pod["status"][list].as_array().into_iter().flatten());
    let Some(status) = shown.into_iter().find(|status| status["name"] == *container) else {
        // Those that come before the others are told of by nobody: they are done as soon as the pod runs.
        return match (text(&pod["status"]["phase"]), text(&pod["status"]["startTime"])) {
            ("Pending", _) => Err("PodInitializing".to_owned()),
            (_, start) => Ok(start.to_owned()),
        };
    };
    match (text(&status["state"]["waiting"]["reason"]), &status["state"]) {
        ("", state) => {
            let since = [&state["running"]["startedAt"], &state["terminated"]["finishedAt"]];
            Ok(since.into_iter().map(text).find(|time| !time.is_empty()).unwrap_or_default().to_owned())
        }
        ("ImagePullBackOff", _) => Err("trying and failing to pull image".to_owned()),
        (reason, _) => Err(reason.to_owned()),
    }
}

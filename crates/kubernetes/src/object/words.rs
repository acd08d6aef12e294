//! What pods and events say of an object that is not ready.

use serde_json::Value as Json;
use straddle_engine::provider::ProviderError;

use crate::cluster::{Call, Cluster, escaped};

/// How many different things are told.
const TOLD: usize = 3;

/// Returns why an object is not ready, as far as that can be read: what cannot is not told.
pub(crate) async fn of(cluster: &Cluster, object: &Json) -> String {
    let mut words = pods(cluster, object).await.unwrap_or_default();
    words.extend(events(cluster, object).await.unwrap_or_default());
    words.dedup();
    words.truncate(TOLD);
    words.join("; ")
}

async fn events(cluster: &Cluster, object: &Json) -> Result<Vec<String>, ProviderError> {
    let metadata = &object["metadata"];
    let (Some(uid), Some(namespace)) = (metadata["uid"].as_str(), metadata["namespace"].as_str()) else {
        return Ok(Vec::new());
    };
    let selector = escaped(&format!("involvedObject.uid={uid},type=Warning"));
    let path = format!("/api/v1/namespaces/{namespace}/events?fieldSelector={selector}&limit=50");
    let events = cluster.call(Call::get("list events", path)).await?;
    let event = |event: &Json| {
        Some(format!("{}: {}", event["reason"].as_str()?, one_line(event["message"].as_str()?)))
    };
    let events = events["items"].as_array().into_iter().flatten().rev();
    Ok(events.filter_map(event).collect())
}

async fn pods(cluster: &Cluster, object: &Json) -> Result<Vec<String>, ProviderError> {
    let labels = object["spec"]["selector"]["matchLabels"].as_object();
    let (Some(namespace), Some(labels)) = (object["metadata"]["namespace"].as_str(), labels) else {
        return Ok(Vec::new());
    };
    let labels = labels.iter().filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
    let selector = escaped(&labels.collect::<Vec<_>>().join(","));
    let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector={selector}&limit=50");
    let pods = cluster.call(Call::get("list pods", path)).await?;
    let pods = pods["items"].as_array().into_iter().flatten();
    let mut words: Vec<_> = pods.flat_map(of_pod).collect();
    words.sort();
    words.dedup();
    Ok(words)
}

/// Returns what keeps a pod from being ready.
fn of_pod(pod: &Json) -> Vec<String> {
    let status = &pod["status"];
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let unscheduled = conditions
        .filter(|condition| condition["type"] == "PodScheduled" && condition["status"] == "False")
        .filter_map(|condition| condition["message"].as_str().map(one_line));
    let containers = ["initContainerStatuses", "containerStatuses"].map(|key| status[key].as_array());
    let containers = containers.into_iter().flatten().flatten().filter_map(|container| {
        let waiting = &container["state"]["waiting"];
        let reason = waiting["reason"].as_str().filter(|reason| *reason != "ContainerCreating")?;
        let message = waiting["message"].as_str().map(|text| format!(": {}", one_line(text)));
        let name = container["name"].as_str().unwrap_or("a container");
        Some(format!("{name}: {reason}{}", message.unwrap_or_default()))
    });
    unscheduled.chain(containers).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_tells_what_it_waits_for() {
        let pod = json!({"status": {
            "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/2 nodes are\navailable"}],
            "containerStatuses": [
                {"name": "app", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}},
                {"name": "new", "state": {"waiting": {"reason": "ContainerCreating"}}},
            ],
        }});
        assert_eq!(of_pod(&pod), ["0/2 nodes are available", "app: ImagePullBackOff: no such image"]);
    }
}

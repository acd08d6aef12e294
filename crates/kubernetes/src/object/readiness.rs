//! Whether what an object describes is there.

use serde_json::Value as Json;
use straddle_engine::resource::Readiness;

/// Who takes finalizers away, and what for.
const FINALIZERS: [(&str, &str); 9] = [
    (
        "ingress.k8s.aws/resources",
        "the AWS Load Balancer Controller takes it away once it has deleted the load balancer",
    ),
    (
        "service.k8s.aws/resources",
        "the AWS Load Balancer Controller takes it away once it has deleted the load balancer",
    ),
    (
        "elbv2.k8s.aws/resources",
        "the AWS Load Balancer Controller takes it away once it has deregistered the targets",
    ),
    (
        "group.ingress.k8s.aws",
        "the AWS Load Balancer Controller takes it away once the group has no use of the Ingress",
    ),
    ("kubernetes.io/pvc-protection", "it goes once no Pod uses the claim"),
    ("kubernetes.io/pv-protection", "it goes once no claim is bound to the volume"),
    ("foregroundDeletion", "it goes once everything that the object owns is gone"),
    ("customresourcecleanup.apiextensions.k8s.io", "it goes once all objects of the kind are gone"),
    (
        "service.kubernetes.io/load-balancer-cleanup",
        "whoever made the load balancer takes it away once that is gone",
    ),
];

/// Returns whether an object can be used. `wait` says whether what it describes has to be there, if the
/// spec says so; `words` is what pods and events tell.
pub(crate) fn readiness(object: &Json, wait: Option<bool>, words: Option<&str>) -> Readiness {
    if !object["metadata"]["deletionTimestamp"].is_null() {
        return Readiness::Pending(deletion(object));
    }
    if wait == Some(false) {
        return Readiness::Ready;
    }
    let told = |reason: String| match words.filter(|words| !words.is_empty()) {
        Some(words) => format!("{reason} ({words})"),
        None => reason,
    };
    match state(object, wait == Some(true)) {
        Readiness::Degraded(reason) => Readiness::Degraded(told(reason)),
        Readiness::Impaired(reason) => Readiness::Impaired(told(reason)),
        other @ (Readiness::Ready | Readiness::Pending(_) | Readiness::Failed(_)) => other,
    }
}

fn state(object: &Json, is_asked: bool) -> Readiness {
    let (generation, observed) =
        (object["metadata"]["generation"].as_i64(), object["status"]["observedGeneration"].as_i64());
    let is_known = observed.is_none() || observed >= generation;
    let kind = object["kind"].as_str().unwrap_or_default();
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" if observed.is_none() || !is_known => {
            Readiness::Degraded(format!("the {kind} has not been looked at"))
        }
        "Deployment" => deployment(object),
        "StatefulSet" => stateful_set(object),
        "DaemonSet" => daemon_set(object),
        "Job" => job(object),
        "Pod" => pod(object),
        "Namespace" => {
            unless(object["status"]["phase"] == "Active", || "the Namespace is not active".to_owned())
        }
        "CustomResourceDefinition" => definition(object),
        "APIService" => of_condition(object, "Available"),
        "Ingress" | "Service" if is_asked => {
            let is_there =
                object["status"]["loadBalancer"]["ingress"].as_array().is_some_and(|list| !list.is_empty());
            unless(is_there, || format!("the {kind} has no load balancer"))
        }
        "PersistentVolumeClaim" if is_asked => {
            unless(object["status"]["phase"] == "Bound", || "the claim is not bound".to_owned())
        }
        // The controller notes it only once all has succeeded, and tells of no failure by an event.
        "TargetGroupBinding" if observed.is_none() || !is_known => Readiness::Degraded(
            "the controller has not registered the targets: it may not run, or the role that it assumes may not trust \
             its own, or not be allowed to register targets; its log says which"
                .to_owned(),
        ),
        _ if is_asked && !is_known => Readiness::Degraded(format!("the {kind} has not been looked at")),
        _ if is_asked && condition(object, "Ready").is_some() => of_condition(object, "Ready"),
        _ if is_asked && condition(object, "Available").is_some() => of_condition(object, "Available"),
        _ => Readiness::Ready,
    }
}

fn deployment(object: &Json) -> Readiness {
    if let Some(progress) = condition(object, "Progressing")
        && progress["reason"] == "ProgressDeadlineExceeded"
    {
        return Readiness::Impaired(format!("ProgressDeadlineExceeded: {}", text(&progress["message"])));
    }
    let wanted = object["spec"]["replicas"].as_i64().unwrap_or(1);
    let [replicas, updated, available] =
        ["replicas", "updatedReplicas", "availableReplicas"].map(|key| count(object, key));
    if updated < wanted {
        return Readiness::Degraded(format!("{updated} of {wanted} pods are as wanted"));
    }
    if replicas > updated {
        return Readiness::Degraded(format!("{} former pods are left", replicas - updated));
    }
    unless(available >= wanted, || format!("{available} of {wanted} pods are available"))
}

fn stateful_set(object: &Json) -> Readiness {
    let wanted = object["spec"]["replicas"].as_i64().unwrap_or(1);
    let [ready, updated] = ["readyReplicas", "updatedReplicas"].map(|key| count(object, key));
    let strategy = &object["spec"]["updateStrategy"];
    let partition = strategy["rollingUpdate"]["partition"].as_i64().unwrap_or(0);
    if ready < wanted {
        return Readiness::Degraded(format!("{ready} of {wanted} pods are ready"));
    }
    let is_rolled_out = strategy["type"] == "OnDelete" || updated >= wanted - partition;
    unless(is_rolled_out, || format!("{updated} of {} pods are as wanted", wanted - partition))
}

fn daemon_set(object: &Json) -> Readiness {
    let [wanted, updated, available] =
        ["desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable"].map(|key| count(object, key));
    if object["spec"]["updateStrategy"]["type"] != "OnDelete" && updated < wanted {
        return Readiness::Degraded(format!("{updated} of {wanted} pods are as wanted"));
    }
    unless(available >= wanted, || format!("{available} of {wanted} pods are available"))
}

fn job(object: &Json) -> Readiness {
    if let Some(failed) = condition(object, "Failed").filter(|failed| failed["status"] == "True") {
        return Readiness::Impaired(format!("{}: {}", text(&failed["reason"]), text(&failed["message"])));
    }
    let is_done = condition(object, "Complete").is_some_and(|complete| complete["status"] == "True");
    let is_stopped = object["spec"]["suspend"] == true;
    unless(is_done || is_stopped, || "the Job is not done".to_owned())
}

fn pod(object: &Json) -> Readiness {
    let phase = text(&object["status"]["phase"]);
    let is_ready = condition(object, "Ready").is_some_and(|ready| ready["status"] == "True");
    match phase {
        "Failed" => {
            Readiness::Impaired(format!("the Pod has failed: {}", text(&object["status"]["message"])))
        }
        "Succeeded" => Readiness::Ready,
        _ => unless(is_ready, || "the Pod is not ready".to_owned()),
    }
}

fn definition(object: &Json) -> Readiness {
    if let Some(names) = condition(object, "NamesAccepted").filter(|names| names["status"] == "False") {
        return Readiness::Impaired(format!("its names are not accepted: {}", text(&names["message"])));
    }
    of_condition(object, "Established")
}

fn of_condition(object: &Json, name: &str) -> Readiness {
    let condition = condition(object, name);
    let is_so = condition.is_some_and(|condition| condition["status"] == "True");
    unless(is_so, || {
        let message = condition.map(|condition| text(&condition["message"])).unwrap_or_default();
        let message = if message.is_empty() { String::new() } else { format!(": {message}") };
        format!("the {} is not {name}{message}", text(&object["kind"]))
    })
}

fn unless(is_ready: bool, reason: impl FnOnce() -> String) -> Readiness {
    if is_ready { Readiness::Ready } else { Readiness::Degraded(reason()) }
}

fn condition<'a>(object: &'a Json, name: &str) -> Option<&'a Json> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == name)
}

fn count(object: &Json, key: &str) -> i64 {
    object["status"][key].as_i64().unwrap_or(0)
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

/// Says what the deletion of an object waits for.
fn deletion(object: &Json) -> String {
    let finalizers =
        object["metadata"]["finalizers"].as_array().into_iter().flatten().filter_map(Json::as_str);
    let mut waits: Vec<_> = finalizers
        .map(|finalizer| {
            let known = FINALIZERS.iter().find(|(name, _)| finalizer.starts_with(name));
            let who = known.map_or("whoever has put it there takes it away", |(_, who)| who);
            format!("the finalizer `{finalizer}`: {who}")
        })
        .collect();
    if object["kind"] == "Namespace" {
        let remaining = object["status"]["conditions"].as_array().into_iter().flatten();
        let remaining = remaining.filter(|condition| {
            condition["status"] == "True" && text(&condition["type"]).starts_with("Namespace")
        });
        waits.extend(remaining.map(|condition| text(&condition["message"]).to_owned()));
    }
    if waits.is_empty() { "to be gone".to_owned() } else { format!("to be gone; {}", waits.join("; ")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn degraded(object: &Json) -> bool {
        matches!(readiness(object, None, None), Readiness::Degraded(_))
    }

    #[test]
    fn a_deployment_is_ready_once_the_controller_has_seen_it_and_all_pods_are_new() {
        let mut object = json!({
            "kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2},
            "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2},
        });
        assert!(degraded(&object));
        object["status"]["observedGeneration"] = json!(2);
        assert_eq!(readiness(&object, None, None), Readiness::Ready);
        object["status"]["replicas"] = json!(3);
        assert!(degraded(&object));
        object["status"]["replicas"] = json!(2);
        object["status"]["availableReplicas"] = json!(1);
        assert!(degraded(&object));
        assert_eq!(readiness(&object, Some(false), None), Readiness::Ready);
        object["status"]["conditions"] =
            json!([{"type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": "timed out"}]);
        let failed = readiness(&object, None, Some("app: ImagePullBackOff"));
        let expected = "ProgressDeadlineExceeded: timed out (app: ImagePullBackOff)".to_owned();
        assert_eq!(failed, Readiness::Impaired(expected));
    }

    #[test]
    fn other_workloads_have_rules_of_their_own() {
        let stateful = |partition: i64, updated: i64| {
            json!({
                "kind": "StatefulSet", "metadata": {"generation": 1},
                "spec": {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": partition}}},
                "status": {"observedGeneration": 1, "readyReplicas": 3, "updatedReplicas": updated},
            })
        };
        assert!(degraded(&stateful(0, 2)));
        assert!(!degraded(&stateful(1, 2)));
        let job =
            |kind: &str| json!({"kind": "Job", "status": {"conditions": [{"type": kind, "status": "True"}]}});
        assert_eq!(readiness(&job("Complete"), None, None), Readiness::Ready);
        assert!(matches!(readiness(&job("Failed"), None, None), Readiness::Impaired(_)));
        assert!(degraded(&json!({"kind": "CustomResourceDefinition"})));
        assert_eq!(readiness(&json!({"kind": "Ingress"}), None, None), Readiness::Ready);
        assert!(matches!(readiness(&json!({"kind": "Ingress"}), Some(true), None), Readiness::Degraded(_)));
    }

    #[test]
    fn a_binding_is_ready_once_its_targets_are_registered() {
        let mut object = json!({"kind": "TargetGroupBinding", "metadata": {"generation": 2}});
        assert!(degraded(&object));
        object["status"] = json!({"observedGeneration": 1});
        assert!(degraded(&object));
        assert_eq!(readiness(&object, Some(false), None), Readiness::Ready);
        object["status"] = json!({"observedGeneration": 2});
        assert_eq!(readiness(&object, None, None), Readiness::Ready);
    }

    #[test]
    fn a_finalizer_that_keeps_an_object_is_named() {
        let object = json!({"kind": "Ingress", "metadata": {
            "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["ingress.k8s.aws/resources", "example.com/x"],
        }});
        let Readiness::Pending(reason) = readiness(&object, None, None) else {
            panic!("it is being deleted")
        };
        for word in ["ingress.k8s.aws/resources", "AWS Load Balancer Controller", "example.com/x"] {
            assert!(reason.contains(word), "{reason}");
        }
    }
}

//! What ties target groups to Services: objects in the cluster, which the controller itself makes true.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Arns;
use crate::controller::binding;
use crate::controller::group::GroupId;
use crate::controller::model::{Stack, TargetGroup};
use crate::controller::object::{Key, key, name, namespace, texts};
use crate::controller::reach::{BINDING, Done, Trouble};
use crate::controller::work::Work;

/// Makes, changes and deletes bindings. Before anything goes on, those are gone that are to go.
pub(super) fn deploy(work: &mut Work<'_>, stack: &Stack, arns: &Arns) -> Done<()> {
    let labels = labels(&stack.id);
    let mut present: BTreeMap<Key, Value> = BTreeMap::new();
    for object in BINDING.list(work.reach)? {
        let has = texts(&object, "/metadata/labels");
        if labels.iter().all(|(label, value)| has.get(*label) == Some(value)) {
            present.insert(key(&object), object);
        }
    }
    let wanted = stack.target_groups.iter().filter_map(|(name, group)| Some((group, arns.get(name)?)));
    let wanted: BTreeMap<Key, _> = wanted
        .map(|(group, arn)| ((group.binding.namespace.clone(), group.name.clone()), (group, arn)))
        .collect();
    for (key, object) in &present {
        if !wanted.contains_key(key) {
            remove(work, object)?;
        }
    }
    for (key, (group, arn)) in &wanted {
        let spec = spec(work, group, arn);
        match present.get(key) {
            None => {
                let object = json!({
                    "apiVersion": "elbv2.k8s.aws/v1beta1",
                    "kind": BINDING.kind,
                    "metadata": {
                        "name": key.1,
                        "namespace": key.0,
                        "labels": labels.iter().cloned().collect::<BTreeMap<_, _>>(),
                    },
                    "spec": spec,
                    "status": {},
                });
                BINDING.create(work.reach, &key.0, object)?;
            }
            Some(object) if object["spec"] != spec => {
                let mut patch = spec;
                if patch.get("networking").is_none() {
                    patch["networking"] = Value::Null;
                }
                BINDING.merge(work.reach, (&key.0, &key.1), "", json!({ "spec": patch }))?;
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Returns the labels of a group's bindings.
fn labels(id: &GroupId) -> Vec<(&'static str, String)> {
    match id {
        GroupId::Ingress { namespace, name } => vec![
            ("ingress.k8s.aws/stack-namespace", namespace.clone()),
            ("ingress.k8s.aws/stack-name", name.clone()),
        ],
        GroupId::Named(name) => vec![("ingress.k8s.aws/stack", name.clone())],
    }
}

fn spec(work: &Work<'_>, group: &TargetGroup, arn: &str) -> Value {
    let binding = &group.binding;
    let mut spec = json!({
        "ipAddressType": binding.ip_address_type,
        "serviceRef": { "name": binding.service, "port": binding.port },
        "targetGroupARN": arn,
        "targetType": group.target_type,
        "vpcID": work.settings.vpc_id,
    });
    if !binding.networking.is_null() {
        spec["networking"] = binding.networking.clone();
    }
    spec
}

/// Deletes a binding, and waits until it is gone: the other half of the controller takes its targets away.
fn remove(work: &mut Work<'_>, object: &Value) -> Done<()> {
    let (namespace, name) = (namespace(object), name(object));
    BINDING.delete(work.reach, namespace, name)?;
    let key = key(object);
    binding::reconcile(work, &key)?;
    match BINDING.get(work.reach, Some(namespace), name)? {
        None => Ok(()),
        Some(_) => Err(Trouble::other("timed out waiting for the condition")),
    }
}

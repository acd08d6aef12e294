//! What is expected of the targets, and what registers them.

use straddle_engine::resource::Problem;
use straddle_engine::schema::Attributes;
use straddle_engine::value::{Value, ValueMap};

use super::super::answer::Check;

/// The targets of a target group that a controller in a cluster registers: the pods of a Service, which an object of
/// the kind `TargetGroupBinding` ties to the target group. They are not registered here: an apply waits until they
/// are, are healthy, and answer, and a destroy deletes the object, waits until they are gone from the
/// target group, and only then goes on with what the controller needs for that.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub(crate) struct RegisteredTargetsInputs {
    /// The target group.
    #[attribute(replace, refers_to = "target_group")]
    pub(super) target_group_arn: String,
    /// What ties pods to it: an object of a cluster, such as `${kubernetes_object.web}`, or a table with its `cluster`
    /// (a name, or a table with one), `namespace` and `name`.
    #[attribute(write_only)]
    pub(super) binding: Value,
    /// How many targets have to be healthy before they count as there.
    #[attribute(default = 1, write_only)]
    pub(super) healthy_targets: Option<i64>,
    /// Where they have to answer, by way of their load balancer, before they count as there; such as
    /// `"http://${load_balancer.web.dns_name}"`. Nobody is asked if this is not set.
    #[attribute(write_only)]
    pub(super) url: Option<String>,
    /// What has to be answered there.
    #[attribute(write_only)]
    pub(super) check: Option<Check>,
}

/// The kind of the objects.
const BINDING: &str = "TargetGroupBinding";

/// Returns inputs with only those parts of the object that say which one it is.
pub(super) fn canonical(mut inputs: ValueMap) -> Result<ValueMap, Vec<Problem>> {
    let object = match inputs.get("binding") {
        Some(Value::Map(object)) => object,
        Some(Value::Unknown(_)) => return Ok(inputs),
        Some(_) | None => return Err(vec![no_binding("it is no object of a cluster.")]),
    };
    if let Some(kind) = object.get("kind").and_then(Value::as_str).filter(|kind| *kind != BINDING) {
        return Err(vec![no_binding(&format!("it is of the kind {kind}."))]);
    }
    let cluster = match object.get("cluster") {
        Some(Value::Map(cluster)) => cluster.get("name"),
        other => other,
    };
    let members =
        [("cluster", cluster), ("namespace", object.get("namespace")), ("name", object.get("name"))];
    let known =
        members.map(|(name, value)| Some((name.to_owned(), value.filter(|value| !value.is_null())?.clone())));
    let Some(identity) = known.into_iter().collect::<Option<ValueMap>>() else {
        return Err(vec![no_binding("its cluster, its namespace or its name is missing.")]);
    };
    inputs.insert("binding".to_owned(), Value::Map(identity));
    Ok(inputs)
}

fn no_binding(why: &str) -> Problem {
    Problem {
        attribute: "binding",
        message: format!("This is no {BINDING}: {why}"),
        hint: Some(
            "Write `${kubernetes_object.NAME}`, or a table with `cluster`, `namespace` and `name`."
                .to_owned(),
        ),
    }
}

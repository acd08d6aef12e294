//! What is expected of a load balancer: what the spec says, and what follows from its Ingress.

use std::collections::BTreeSet;

use straddle_engine::resource::Problem;
use straddle_engine::schema::Attributes;
use straddle_engine::value::{Value, ValueMap};

use super::super::answer::Check;
use super::annotations::{Fact, Reading};
use super::name::Origin;

/// The load balancer that the AWS Load Balancer Controller makes of an Ingress. It is not made here: the
/// plan foretells it, an apply waits until it is there, its targets are healthy and it answers, and a
/// destroy deletes the Ingress, waits until the load balancer, its target groups and its network
/// interfaces are gone from this account, and only then goes on with what they stood on.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub(crate) struct IngressLoadBalancerInputs {
    /// The Ingress: an object of a cluster, such as `${kubernetes_object.web}`, or a table with its
    /// `cluster` (a name, or a table with one), `namespace`, `name` and `manifest`. The attributes below
    /// are read of its annotations where the spec does not set them.
    #[attribute(replace)]
    pub(super) ingress: Value,
    /// What it has to answer before it counts as there; it is not asked if this is not set.
    #[attribute(write_only)]
    pub(super) check: Option<Check>,
    /// How many targets have to be healthy before it counts as there.
    #[attribute(default = 1, write_only)]
    pub(super) healthy_targets: Option<i64>,
    /// Its name.
    pub(super) name: Option<String>,
    /// Whether it is reached from the internet.
    #[attribute(one_of = ["internal", "internet-facing"])]
    pub(super) scheme: Option<String>,
    /// The subnets that it stands in.
    pub(super) subnets: Option<BTreeSet<String>>,
    /// Its security groups.
    pub(super) security_groups: Option<BTreeSet<String>>,
    /// The ports that it listens on.
    pub(super) ports: Option<BTreeSet<i64>>,
    /// What its targets are: addresses or instances.
    #[attribute(one_of = ["ip", "instance"])]
    pub(super) target_type: Option<String>,
}

impl IngressLoadBalancerInputs {
    /// Returns what the load balancer is made of.
    pub(super) fn origin(&self) -> Option<Origin> {
        let Value::Map(object) = &self.ingress else { return None };
        match Reading::of(object).origin() {
            Fact::Known(origin) => Some(origin),
            Fact::Unset | Fact::Later(_) => None,
        }
    }
}

/// Returns the Ingress in the form in which it is compared and recorded.
pub(super) fn ingress(origin: &Origin) -> Value {
    let Origin { cluster, namespace, ingress, group } = origin;
    let members = [("cluster", Some(cluster)), ("namespace", Some(namespace)), ("name", Some(ingress))];
    let members = members.into_iter().chain([("group", group.as_ref())]);
    let member = |(name, text): (&str, Option<&String>)| Some((name.to_owned(), Value::from(text?.as_str())));
    Value::Map(members.filter_map(member).collect())
}

/// Returns inputs with what follows from the Ingress where the spec does not set it.
pub(super) fn canonical(mut inputs: ValueMap) -> Result<ValueMap, Vec<Problem>> {
    let (object, reading) = match inputs.get("ingress") {
        Some(Value::Map(object)) if object.contains_key("manifest") => (object, Reading::of(object)),
        Some(unknown @ Value::Unknown(_)) => {
            let unknown = unknown.clone();
            for name in ["name", "scheme", "subnets", "security_groups", "ports", "target_type"] {
                inputs.entry(name.to_owned()).or_insert_with(|| unknown.clone());
            }
            return Ok(inputs);
        }
        Some(Value::Map(object)) => return whole(object, &inputs),
        Some(_) | None => return Err(vec![no_ingress("it is no object of a cluster.")]),
    };
    let kind = object.get("kind").and_then(Value::as_str);
    if let Some(kind) = kind.filter(|kind| *kind != "Ingress") {
        return Err(vec![no_ingress(&format!("it is of the kind {kind}."))]);
    }
    let identity = match reading.origin() {
        Fact::Known(origin) => ingress(&origin),
        Fact::Later(unknown) => unknown,
        Fact::Unset => return Err(vec![no_ingress("its cluster, its namespace or its name is missing.")]),
    };
    inputs.insert("ingress".to_owned(), identity);
    put(&mut inputs, "name", reading.name, |name| Value::from(name.as_str()));
    put(&mut inputs, "scheme", reading.scheme, |scheme| Value::from(scheme.as_str()));
    put(&mut inputs, "subnets", reading.subnets, |ids| texts(&ids));
    put(&mut inputs, "security_groups", reading.security_groups, |ids| texts(&ids));
    put(&mut inputs, "ports", reading.ports, |ports| {
        Value::List(ports.into_iter().map(Value::Integer).collect())
    });
    put(&mut inputs, "target_type", reading.target_type, |sort| Value::from(sort.as_str()));
    Ok(inputs)
}

/// Accepts an Ingress that is in the form in which it is recorded.
fn whole(object: &ValueMap, inputs: &ValueMap) -> Result<ValueMap, Vec<Problem>> {
    match Reading::of(object).origin() {
        Fact::Known(_) | Fact::Later(_) => Ok(inputs.clone()),
        Fact::Unset => Err(vec![no_ingress("its cluster, its namespace or its name is missing.")]),
    }
}

fn put<T>(inputs: &mut ValueMap, name: &str, fact: Fact<T>, value: impl FnOnce(T) -> Value) {
    let value = match fact {
        Fact::Known(known) => value(known),
        Fact::Later(unknown) => unknown,
        Fact::Unset => return,
    };
    inputs.entry(name.to_owned()).or_insert(value);
}

fn texts(texts: &BTreeSet<String>) -> Value {
    Value::List(texts.iter().map(|text| Value::from(text.as_str())).collect())
}

fn no_ingress(why: &str) -> Problem {
    Problem {
        attribute: "ingress",
        message: format!("This is no Ingress: {why}"),
        hint: Some(
            "Write `${kubernetes_object.NAME}`, or a table with `cluster`, `namespace`, `name` and `manifest`.".to_owned(),
        ),
    }
}

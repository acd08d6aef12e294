//! Groups: the Ingresses that share a load balancer, and whether an Ingress is for this controller.

use std::fmt;

use serde_json::Value;

use super::annotations::Annotations;
use super::object::{finalizers, has_finalizer, is_leaving, key, name, namespace, text, texts};
use super::reach::{CLASS_PARAMETERS, Done, INGRESS, INGRESS_CLASS, Reach, Trouble};
use super::settings::Settings;

/// What a load balancer is for: one Ingress, or all that name a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum GroupId {
    Ingress { namespace: String, name: String },
    Named(String),
}

/// The Ingresses that share a load balancer.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) id: GroupId,
    /// In the order in which their rules are asked.
    pub(super) members: Vec<Member>,
    /// Those that have the group's finalizer and belong to it no more.
    pub(super) leaving: Vec<Value>,
}

/// An Ingress, with what is said of all of its class.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) ingress: Value,
    pub(super) annotations: Annotations,
    /// The `spec` of the parameters of the class.
    pub(super) class: Value,
}

/// Who is meant by a class that is for this controller.
const CONTROLLER: &str = "ingress.k8s.aws/alb";
/// The finalizer of an Ingress that has a load balancer of its own.
const FINALIZER: &str = "ingress.k8s.aws/resources";
/// What the finalizers of the others begin with.
const GROUP_FINALIZER: &str = "group.ingress.k8s.aws/";
/// Where Ingresses are unless they say it: at the end of the order of numbers that can be given (1 to 1000) are
/// those that give greater ones.
const USUAL_ORDER: i64 = 0;

impl GroupId {
    /// Returns the group that a text means: one of a name has no slash.
    #[cfg(test)]
    pub(super) fn of_text(text: &str) -> Self {
        match text.split_once('/') {
            Some((namespace, name)) => {
                Self::Ingress { namespace: namespace.to_owned(), name: name.to_owned() }
            }
            None => Self::Named(text.to_owned()),
        }
    }

    /// Returns the finalizer of the group's Ingresses.
    pub(super) fn finalizer(&self) -> String {
        match self {
            Self::Ingress { .. } => FINALIZER.to_owned(),
            Self::Named(name) => format!("{GROUP_FINALIZER}{name}"),
        }
    }

    /// Returns the groups whose finalizers an Ingress has.
    pub(super) fn holding(ingress: &Value) -> Vec<Self> {
        let group = |finalizer: &str| {
            if finalizer == FINALIZER {
                let (namespace, name) = key(ingress);
                return Some(Self::Ingress { namespace, name });
            }
            finalizer.strip_prefix(GROUP_FINALIZER).map(|name| Self::Named(name.to_owned()))
        };
        finalizers(ingress).filter_map(group).collect()
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ingress { namespace, name } => write!(formatter, "{namespace}/{name}"),
            Self::Named(name) => formatter.write_str(name),
        }
    }
}

impl Member {
    /// Returns the namespace and name of the Ingress.
    pub(super) fn key(&self) -> (&str, &str) {
        (namespace(&self.ingress), name(&self.ingress))
    }

    /// Returns what the parameters of the class say at a JSON pointer, or else an annotation.
    pub(super) fn said<'a>(&'a self, of_class: &str, annotation: &str) -> Option<&'a str> {
        let class = self.class.pointer(of_class).and_then(Value::as_str);
        class.or_else(|| self.annotations.get(annotation))
    }

    fn order(&self) -> Done<i64> {
        self.annotations.number("group.order", USUAL_ORDER)
    }
}

/// Returns the group that an Ingress belongs to, and what is said of its class; `None` if it is not for this
/// controller, or being deleted.
///
/// # Errors
/// If its class, or what that names, does not exist.
pub(super) fn membership(
    reach: &mut dyn Reach,
    settings: &Settings,
    ingress: &Value,
) -> Done<Option<(GroupId, Member)>> {
    let of_another = !settings.namespace.is_empty() && settings.namespace != namespace(ingress);
    if is_leaving(ingress) || of_another {
        return Ok(None);
    }
    let Some(class) = class(reach, settings, ingress)? else { return Ok(None) };
    let member = Member { ingress: ingress.clone(), annotations: Annotations::of(ingress), class };
    let own = || {
        let (namespace, name) = key(ingress);
        GroupId::Ingress { namespace, name }
    };
    let named = member.said("/group/name", "group.name").map(|name| GroupId::Named(name.to_owned()));
    let id = named.unwrap_or_else(own);
    Ok(Some((id, member)))
}

/// Returns the parameters of the class that an Ingress has; null if the class has none.
fn class(reach: &mut dyn Reach, settings: &Settings, ingress: &Value) -> Done<Option<Value>> {
    let annotations = texts(ingress, "/metadata/annotations");
    if let Some(class) = annotations.get("kubernetes.io/ingress.class") {
        return Ok((*class == settings.ingress_class).then_some(Value::Null));
    }
    let name = text(ingress, "/spec/ingressClassName");
    if name.is_empty() {
        return Ok(None);
    }
    let invalid = |what: &str| Trouble::other(format!("invalid ingress class: {what}"));
    let class = INGRESS_CLASS.get(reach, None, name)?;
    let class =
        class.ok_or_else(|| invalid(&format!("IngressClass.networking.k8s.io \"{name}\" not found")))?;
    if text(&class, "/spec/controller") != CONTROLLER {
        return Ok(None);
    }
    let Some(parameters) = class.pointer("/spec/parameters").filter(|value| !value.is_null()) else {
        return Ok(Some(Value::Null));
    };
    let (group, kind) = (text(parameters, "/apiGroup"), text(parameters, "/kind"));
    if group != "elbv2.k8s.aws" || kind != CLASS_PARAMETERS.kind {
        return Err(invalid(&format!("IngressClass {name} references unknown parameters")));
    }
    let name = text(parameters, "/name");
    let parameters = CLASS_PARAMETERS.get(reach, None, name)?;
    let missing = || invalid(&format!("IngressClassParams.elbv2.k8s.aws \"{name}\" not found"));
    Ok(Some(parameters.ok_or_else(missing)?["spec"].take()))
}

/// Returns a group as it is now.
pub(super) fn load(reach: &mut dyn Reach, settings: &Settings, id: &GroupId) -> Done<Group> {
    let (mut members, mut leaving) = (Vec::new(), Vec::new());
    let finalizer = id.finalizer();
    for ingress in candidates(reach, id)? {
        // One whose class is gone belongs to nothing.
        match membership(reach, settings, &ingress) {
            Ok(Some((group, member))) if group == *id => members.push((member.order()?, member)),
            Ok(_) | Err(Trouble::Other(_)) => {
                if has_finalizer(&ingress, &finalizer) {
                    leaving.push(ingress);
                }
            }
            Err(trouble) => return Err(trouble),
        }
    }
    members.sort_by(|(order, one), (other_order, other)| (order, one.key()).cmp(&(other_order, other.key())));
    Ok(Group { id: id.clone(), members: members.into_iter().map(|(_, member)| member).collect(), leaving })
}

/// Returns the Ingresses that may belong to a group.
fn candidates(reach: &mut dyn Reach, id: &GroupId) -> Done<Vec<Value>> {
    match id {
        GroupId::Ingress { namespace, name } => {
            Ok(INGRESS.get(reach, Some(namespace), name)?.into_iter().collect())
        }
        GroupId::Named(_) => INGRESS.list(reach),
    }
}

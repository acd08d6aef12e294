//! How a controller was started: what the arguments of its Deployment say.

use std::collections::BTreeMap;

use serde_json::Value;

use super::object::{items, namespace, text};

/// How a controller was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(super) cluster: String,
    pub(super) region: String,
    pub(super) vpc_id: String,
    /// The name of the class in the old annotation.
    pub(super) ingress_class: String,
    /// Tags of everything that it makes.
    pub(super) default_tags: BTreeMap<String, String>,
    pub(super) default_target_type: String,
    pub(super) version: Version,
    /// A group to use in the place of the one that it would make.
    pub(super) back_group: Option<String>,
    /// Whether load balancers get a group of their own towards the nodes at all.
    pub(super) uses_back_group: bool,
    /// Whether it cares for the nodes' groups also where the load balancer's groups are named.
    pub(super) manages_rules: bool,
    pub(super) ssl_policy: String,
    /// The namespace that it looks at; empty are all.
    pub(super) namespace: String,
    /// The namespace and name of its account.
    pub(super) account: (String, String),
}

/// The controller's version: major, minor, patch.
pub(crate) type Version = (u64, u64, u64);

/// What it asks the instance for that its pod runs on, if its arguments do not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instance<'a> {
    pub(crate) region: &'a str,
    pub(crate) vpc_id: &'a str,
}

/// The end of the name of the controller's image, whatever registry has it.
const IMAGE: &str = "aws-load-balancer-controller";

impl Settings {
    /// Reads the settings of a Deployment, if it is one of a controller that can start: without the cluster's
    /// name it does not.
    pub(crate) fn of_deployment(deployment: &Value, instance: Instance<'_>) -> Option<Self> {
        let pod = deployment.pointer("/spec/template/spec")?;
        let mut containers = items(pod, "/containers").iter();
        let (container, version) = containers.find_map(|one| Some((one, version(text(one, "/image"))?)))?;
        let arguments = arguments(container);
        let get = |name: &str| arguments.get(name).filter(|value| !value.is_empty()).cloned();
        let is_set = |name: &str, usual: bool| get(name).map_or(usual, |value| value == "true");
        let account = Some(text(pod, "/serviceAccountName")).filter(|name| !name.is_empty());
        Some(Self {
            cluster: get("cluster-name")?,
            region: get("aws-region").unwrap_or_else(|| instance.region.to_owned()),
            vpc_id: get("aws-vpc-id").unwrap_or_else(|| instance.vpc_id.to_owned()),
            ingress_class: get("ingress-class").unwrap_or_else(|| "alb".to_owned()),
            default_tags: get("default-tags").map(|tags| table(&tags)).unwrap_or_default(),
            default_target_type: get("default-target-type").unwrap_or_else(|| "instance".to_owned()),
            version,
            back_group: get("backend-security-group"),
            uses_back_group: is_set("enable-backend-security-group", true),
            manages_rules: is_set("enable-manage-backend-security-group-rules", false),
            ssl_policy: get("default-ssl-policy").unwrap_or_else(|| "ELBSecurityPolicy-2016-08".to_owned()),
            namespace: get("watch-namespace").unwrap_or_default(),
            account: (namespace(deployment).to_owned(), account.unwrap_or("default").to_owned()),
        })
    }

    /// Tells whether it is at least of a version.
    pub(super) fn is_since(&self, major: u64, minor: u64) -> bool {
        self.version >= (major, minor, 0)
    }
}

/// Returns the version that an image of the controller has; `None` if it is of something else.
fn version(image: &str) -> Option<Version> {
    let (name, tag) = image.rsplit_once(':')?;
    if !name.ends_with(IMAGE) {
        return None;
    }
    let mut numbers = tag.strip_prefix('v')?.split('-').next()?.split('.').map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some((next()?, next()?, next()?))
}

/// Returns the arguments that have the form `--name=value`, or `--name` alone.
fn arguments(container: &Value) -> BTreeMap<String, String> {
    let all = items(container, "/args").iter().filter_map(Value::as_str);
    let named = all.filter_map(|argument| argument.strip_prefix("--"));
    let pair = |argument: &str| {
        let (name, value) = argument.split_once('=').unwrap_or((argument, "true"));
        (name.to_owned(), value.to_owned())
    };
    named.map(pair).collect()
}

fn table(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_and_image_say_how_it_is_started() {
        let deployment = json!({
            "metadata": { "namespace": "kube-system", "name": "any" },
            "spec": { "template": { "spec": {
                "serviceAccountName": "lbc",
                "containers": [
                    { "image": "registry.example/proxy:v1.0.0" },
                    {
                        "image": "public.ecr.aws/eks/aws-load-balancer-controller:v2.13.4",
                        "args": ["--cluster-name=main", "--default-tags=a=b,c=d", "--default-target-type=ip"],
                    },
                ],
            } } },
        });
        let instance = Instance { region: "us-east-1", vpc_id: "vpc-1" };
        let settings = Settings::of_deployment(&deployment, instance).expect("it is one of a controller");
        assert_eq!((settings.cluster.as_str(), settings.version), ("main", (2, 13, 4)));
        assert_eq!((settings.region.as_str(), settings.vpc_id.as_str()), ("us-east-1", "vpc-1"));
        assert_eq!(settings.account, ("kube-system".to_owned(), "lbc".to_owned()));
        assert_eq!(settings.default_tags.len(), 2);
        assert!(settings.is_since(2, 10) && !settings.is_since(3, 0));
        let mut other = deployment.clone();
        other["spec"]["template"]["spec"]["containers"][1]["args"] = json!([]);
        assert_eq!(Settings::of_deployment(&other, instance), None);
        other["spec"]["template"]["spec"]["containers"] = json!([{ "image": "nginx:v2.0.0" }]);
        assert_eq!(Settings::of_deployment(&other, instance), None);
    }
}

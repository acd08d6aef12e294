//! How a cluster is reached, as the spec says it and the state records it.

use std::fmt::Write;

use data_encoding::BASE64;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};
use straddle_engine::cluster::ClusterDescription as Found;
use straddle_engine::outside::Outside;
use straddle_engine::resource::{Home, Problem};
use straddle_engine::value::{Value, ValueMap};

/// What a cluster's value has that an account knows.
const MEMBERS: [&str; 4] = ["name", "endpoint", "certificate_authority", "account"];

/// How a cluster is reached, every part known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClusterDescription {
    /// What ids of things in it begin with.
    pub(crate) name: String,
    way: Way,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    /// A cluster of the account that says by itself how it is reached.
    Named,
    /// A cluster of EKS.
    Endpoint { url: String, certificate_authority: String },
    /// A context of a file as `kubectl` has it.
    Kubeconfig { file: String, context: Option<String> },
}

impl ClusterDescription {
    /// Reads the value of an attribute.
    ///
    /// # Errors
    /// What is missing in it.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        let text = |key: &str| value.as_map()?.get(key)?.as_str().map(str::to_owned);
        if let Some(file) = text("kubeconfig") {
            let context = text("context");
            let name = text("name").unwrap_or_else(|| context_name(&file, context.as_deref()));
            return Ok(Self { name, way: Way::Kubeconfig { file, context } });
        }
        let name = text("name").ok_or("it has no name")?;
        let way = match (text("endpoint"), text("certificate_authority")) {
            (Some(url), Some(certificate_authority)) => Way::Endpoint { url, certificate_authority },
            _ => Way::Named,
        };
        Ok(Self { name, way })
    }

    /// Tells whether the account has to be asked how the cluster is reached.
    pub(crate) fn is_named_only(&self) -> bool {
        self.way == Way::Named
    }

    /// Tells whether a file says how the cluster is reached, and who the caller is.
    pub(crate) fn is_of_kubeconfig(&self) -> bool {
        matches!(self.way, Way::Kubeconfig { .. })
    }

    /// Returns the cluster as the account describes it; `None` while it is being made.
    pub(crate) fn with(&self, found: Found) -> Option<Self> {
        let (url, certificate_authority) = (found.endpoint?, found.certificate_authority?);
        Some(Self { name: self.name.clone(), way: Way::Endpoint { url, certificate_authority } })
    }

    /// Tells whether the account's cluster of this name is not the one that is described.
    pub(crate) fn is_other_than(&self, found: &Found) -> bool {
        match &self.way {
            Way::Endpoint { url, .. } => found.endpoint.as_ref().is_some_and(|endpoint| endpoint != url),
            Way::Named | Way::Kubeconfig { .. } => false,
        }
    }

    /// Returns how to connect.
    ///
    /// # Errors
    /// Why that cannot be.
    pub(crate) async fn config(&self, outside: &Outside, is_sandbox: bool) -> Result<Config, String> {
        let (kubeconfig, context) = match &self.way {
            Way::Named => return Err("the account does not say yet how the cluster is reached".to_owned()),
            Way::Endpoint { url, certificate_authority } => {
                (of_endpoint(&self.name, url, certificate_authority, outside)?, None)
            }
            Way::Kubeconfig { file, context } => {
                let read = Kubeconfig::read_from(file);
                (read.map_err(|error| format!("{file}: {}", super::error::causes(&error)))?, context.clone())
            }
        };
        let options = KubeConfigOptions { context, cluster: None, user: None };
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
        let config = config.map_err(|error| format!("{}: {}", self.name, super::error::causes(&error)))?;
        if config.accept_invalid_certs {
            return Err(format!(
                "the kubeconfig of {} says `insecure-skip-tls-verify`; give it the cluster's \
                 `certificate-authority-data` instead",
                self.name
            ));
        }
        let host = config.cluster_url.host().unwrap_or_default();
        let is_here = ["127.0.0.1", "localhost", "[::1]"].contains(&host);
        if is_sandbox && self.is_of_kubeconfig() && !is_here {
            return Err(format!(
                "the kubeconfig of {} leads to {host}, and with a sandbox nothing outside of this machine is changed",
                self.name
            ));
        }
        Ok(config)
    }
}

/// Writes what is known of a cluster of EKS as `kubectl` would have it.
fn of_endpoint(
    name: &str,
    url: &str,
    certificate_authority: &str,
    outside: &Outside,
) -> Result<Kubeconfig, String> {
    BASE64
        .decode(certificate_authority.as_bytes())
        .map_err(|_| format!("the certificate authority of the cluster {name} is no Base64"))?;
    let mut cluster =
        serde_json::json!({ "server": url, "certificate-authority-data": certificate_authority });
    if let Some(address) = outside.address("https") {
        let host = url.strip_prefix("https://").unwrap_or(url);
        let host = host.split(['/', ':']).next().unwrap_or(host);
        cluster["tls-server-name"] = host.into();
        cluster["server"] = format!("https://{address}").into();
    }
    let kubeconfig = serde_json::json!({
        "clusters": [{ "name": name, "cluster": cluster }],
        "users": [{ "name": name, "user": {} }],
        "contexts": [{ "name": name, "context": { "cluster": name, "user": name } }],
        "current-context": name,
    });
    serde_json::from_value(kubeconfig).map_err(|error| error.to_string())
}

/// Returns what things of a context are called by: ids have slashes of their own.
fn context_name(file: &str, context: Option<&str>) -> String {
    let name = context.unwrap_or_else(|| file.rsplit('/').next().unwrap_or(file));
    name.chars().map(|character| if "/@#".contains(character) { '_' } else { character }).collect()
}

/// Returns the value of an attribute that says which cluster something is in, with what is needed of it:
/// it may be a whole `eks_cluster`, a name, or a table.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn described(attribute: &'static str, home: Home<'_>, value: Value) -> Result<Value, Problem> {
    let account = (!home.account_id.is_empty()).then(|| Value::from(home.account_id));
    let wrong = |what: String| Problem {
        attribute,
        message: format!("It says which cluster the thing is in; {what}."),
        hint: Some(
            "Write `cluster = \"${eks_cluster.NAME}\"`, the name of a cluster of the account, or \
             `cluster = { kubeconfig = \"FILE\", context = \"NAME\" }`."
                .to_owned(),
        ),
    };
    let mut given = match value {
        Value::String(name) => ValueMap::from([("name".to_owned(), Value::from(name))]),
        Value::Map(given) => given,
        Value::Unknown(unknown) => return Ok(Value::Unknown(unknown)),
        other @ (Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::List(_)) => {
            return Err(wrong(format!("{} does not", other.type_name())));
        }
    };
    let mut cluster = ValueMap::new();
    if given.contains_key("kubeconfig") {
        let other =
            given.keys().find(|key| !["kubeconfig", "context", "name", "account"].contains(&key.as_str()));
        if let Some(other) = other {
            return Err(wrong(format!("`{other}` has no meaning beside `kubeconfig`")));
        }
        if !given.contains_key("name")
            && let Some(file) = given["kubeconfig"].as_str()
            && given.get("context").is_none_or(Value::is_known)
        {
            let name = context_name(file, given.get("context").and_then(Value::as_str));
            cluster.insert("name".to_owned(), Value::from(name));
        }
        given.retain(|_, value| !value.is_null());
        cluster.append(&mut given);
    } else {
        // An `eks_cluster` has a setting of this name, and its address under another one.
        if let Some(url) = given.remove("endpoint_url") {
            given.insert("endpoint".to_owned(), url);
        }
        if !given.contains_key("name") {
            let mut known = String::new();
            for key in given.keys().take(5) {
                let _ = write!(known, "{}`{key}`", if known.is_empty() { "" } else { ", " });
            }
            return Err(wrong(format!("it has no `name` (it has {known})")));
        }
        let members =
            MEMBERS.iter().filter_map(|member| Some(((*member).to_owned(), given.remove(*member)?)));
        cluster.extend(members.filter(|(_, value)| !value.is_null()));
    }
    cluster.extend(account.map(|account| ("account".to_owned(), account)));
    Ok(Value::Map(cluster))
}

#[cfg(test)]
mod tests {
    use straddle_engine::address::Address;

    use super::*;

    const HOME: Home<'_> = Home { account_id: "222222222222", region: "eu-central-1" };

    fn map(entries: &[(&str, Value)]) -> Value {
        Value::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    }

    #[test]
    fn a_whole_cluster_is_cut_to_how_it_is_reached() {
        let url = Value::unknown(Address::new("eks_cluster", "main"), "endpoint_url");
        let whole = map(&[
            ("name", "main".into()),
            ("endpoint", map(&[("public", true.into())])),
            ("endpoint_url", url.clone()),
            ("certificate_authority", "Q0E=".into()),
            ("version", "1.33".into()),
        ]);
        let cluster = described("cluster", HOME, whole).unwrap();
        let expected = map(&[
            ("name", "main".into()),
            ("endpoint", url),
            ("certificate_authority", "Q0E=".into()),
            ("account", "222222222222".into()),
        ]);
        assert_eq!(cluster, expected);
        assert_eq!(described("cluster", HOME, cluster.clone()).unwrap(), cluster);
    }

    #[test]
    fn a_name_and_a_kubeconfig_are_clusters_too() {
        let named = described("cluster", HOME, "main".into()).unwrap();
        assert!(ClusterDescription::read(&named).unwrap().is_named_only());
        let file =
            map(&[("kubeconfig", "/k/config".into()), ("context", "arn:aws:eks:r:1:cluster/a".into())]);
        let described = described("cluster", HOME, file).unwrap();
        let read = ClusterDescription::read(&described).unwrap();
        assert_eq!((read.name.as_str(), read.is_of_kubeconfig()), ("arn:aws:eks:r:1:cluster_a", true));
    }

    #[test]
    fn what_is_no_cluster_is_refused() {
        for wrong in [Value::Bool(true), map(&[("nam", "main".into())])] {
            described("cluster", HOME, wrong).unwrap_err();
        }
    }
}

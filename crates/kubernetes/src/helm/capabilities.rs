//! What a cluster can do, as templates ask by `.Capabilities`.

use std::rc::Rc;

use super::template::{GoValue, Object};
use super::version::Version;

/// The version that charts are told they are rendered by. They compare it, and know the third one.
const HELM_VERSION: &str = "v3.17.2";

/// What a cluster can do.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// The version of Kubernetes, with a `v`: `v1.33.1-eks-1a2b3c4`.
    pub kubernetes_version: String,
    /// What it serves: `v1`, `apps/v1`, and with the kind `apps/v1/Deployment`.
    pub api_versions: Vec<String>,
}

/// What a cluster of this program's time serves if nothing else is known.
const API_VERSIONS: &str = "v1 admissionregistration.k8s.io/v1 apiextensions.k8s.io/v1 \
    apiregistration.k8s.io/v1 apps/v1 authentication.k8s.io/v1 authorization.k8s.io/v1 autoscaling/v1 \
    autoscaling/v2 batch/v1 certificates.k8s.io/v1 coordination.k8s.io/v1 discovery.k8s.io/v1 \
    events.k8s.io/v1 flowcontrol.apiserver.k8s.io/v1 networking.k8s.io/v1 node.k8s.io/v1 policy/v1 \
    rbac.authorization.k8s.io/v1 scheduling.k8s.io/v1 storage.k8s.io/v1";

impl Capabilities {
    /// Returns what a cluster of a version serves without anything that was added to it.
    #[must_use]
    pub fn of_version(kubernetes_version: &str) -> Self {
        Self {
            kubernetes_version: format!("v{}", kubernetes_version.trim_start_matches('v')),
            api_versions: API_VERSIONS.split_whitespace().map(str::to_owned).collect(),
        }
    }

    /// Returns the parts of the version; zeros if it is none.
    fn numbers(&self) -> [u64; 3] {
        Version::parse(&self.kubernetes_version).map_or([0; 3], |version| version.numbers())
    }

    /// Returns it as templates see it.
    pub(super) fn object(&self) -> GoValue {
        GoValue::Object(Rc::new(self.clone()))
    }
}

impl Object for Capabilities {
    fn type_name(&self) -> &'static str {
        "*chartutil.Capabilities"
    }

    fn member(&self, name: &str, _: &[GoValue]) -> Option<Result<GoValue, String>> {
        Some(Ok(match name {
            "KubeVersion" => GoValue::Object(Rc::new(KubeVersion(self.clone()))),
            "APIVersions" => GoValue::Object(Rc::new(ApiVersions(self.api_versions.clone()))),
            "HelmVersion" => GoValue::table([
                ("Version".to_owned(), GoValue::text(HELM_VERSION)),
                ("GitCommit".to_owned(), GoValue::text("")),
                ("GitTreeState".to_owned(), GoValue::text("")),
                ("GoVersion".to_owned(), GoValue::text("")),
            ]),
            _ => return None,
        }))
    }

    fn text(&self) -> String {
        self.kubernetes_version.clone()
    }

    fn data(&self) -> GoValue {
        let member = |name: &str| self.member(name, &[]).and_then(Result::ok).unwrap_or(GoValue::Nil);
        GoValue::table(
            ["KubeVersion", "APIVersions", "HelmVersion"].map(|name| (name.to_owned(), member(name))),
        )
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

struct KubeVersion(Capabilities);

impl Object for KubeVersion {
    fn type_name(&self) -> &'static str {
        "chartutil.KubeVersion"
    }

    fn member(&self, name: &str, _: &[GoValue]) -> Option<Result<GoValue, String>> {
        let [major, minor, _] = self.0.numbers();
        Some(Ok(GoValue::text(match name {
            "Version" | "GitVersion" | "String" => self.text(),
            "Major" => major.to_string(),
            "Minor" => minor.to_string(),
            _ => return None,
        })))
    }

    fn text(&self) -> String {
        self.0.kubernetes_version.clone()
    }

    fn data(&self) -> GoValue {
        let member = |name: &str| self.member(name, &[]).and_then(Result::ok).unwrap_or(GoValue::Nil);
        GoValue::table(["Version", "Major", "Minor"].map(|name| (name.to_owned(), member(name))))
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

struct ApiVersions(Vec<String>);

impl Object for ApiVersions {
    fn type_name(&self) -> &'static str {
        "chartutil.VersionSet"
    }

    fn member(&self, name: &str, arguments: &[GoValue]) -> Option<Result<GoValue, String>> {
        if name != "Has" {
            return None;
        }
        Some(match arguments {
            [GoValue::Text(wanted)] => Ok(GoValue::Bool(self.0.iter().any(|version| **version == **wanted))),
            _ => Err("Has takes the name of an API version".to_owned()),
        })
    }

    fn text(&self) -> String {
        format!("[{}]", self.0.join(" "))
    }

    fn data(&self) -> GoValue {
        GoValue::texts(&self.0)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

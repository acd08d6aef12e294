//! `helm_release`: the objects of a chart, each a resource of its own.

mod chance;
#[cfg(test)]
mod fetched;
mod installation;
mod lookups;
mod order;
mod rendering;
mod stand_ins;
#[cfg(test)]
mod tests;
mod troubles;

use std::collections::BTreeMap;

use straddle_engine::bundle::{Bundle, Context, Member, Trouble};
use straddle_engine::schema::Attributes;
use straddle_engine::value::{Value, ValueMap};

use crate::release::installation::Installation;

/// The objects of a chart, as [`Bundle`].
#[derive(Debug)]
pub struct HelmRelease;

/// The objects of a chart of Helm, rendered by this program: no `helm` is needed, and nothing of a release is
/// kept in the cluster. Each object is a resource of the kind `kubernetes_object` with its own line in the
/// plan, so that another version of the chart shows what it changes:
/// `helm_release.NAME['Deployment/kube-system/controller']`.
///
/// Definitions in `crds/` come first, and are brought up to date with the chart. Hooks of installing and upgrading
/// are resources as well: those before it come before all other objects, those after it after all, in the order
/// of their weights; they run again when they change. Hooks of deleting, rolling back and tests do not run.
/// Configurations of webhooks come once what answers them is ready.
///
/// Values may be known after apply. What the chart makes of them is unknown in the same place, and rendered
/// with what is known by then; a value that decides which objects there are has to be known when planning.
///
/// Keys, certificates and passwords that a chart draws by chance are drawn when the plan is carried out, and are
/// kept from then on, until what they are drawn for changes: other names of a certificate, another length. All
/// of a release belong together and are drawn together. `lookup` finds the objects of the release itself as the
/// last apply left them; of others it finds nothing.
#[derive(Debug, Clone, Attributes)]
pub struct Inputs {
    /// The cluster, such as `${eks_cluster.main}`.
    cluster: Value,
    /// The chart: its name in the `repository`; an address, such as `oci://public.ecr.aws/example/chart` or that
    /// of an archive; or a folder or a `.tgz` in the folder of the spec.
    chart: String,
    /// Where the chart is: the address of a repository, `https://...`, or of a folder of a registry, `oci://...`.
    repository: Option<String>,
    /// The version of the chart, or a constraint such as `^1.8`. With a constraint, or without a version,
    /// `charts.lock` beside the spec says which one is meant: `straddle charts lock` writes it. A chart in the
    /// folder of the spec has to be in this version.
    version: Option<String>,
    /// What the release is called. Without it, it has the name of the chart.
    release_name: Option<String>,
    /// The namespace of the release, and of objects that do not say theirs.
    #[attribute(default = "default")]
    namespace: Option<String>,
    /// Whether the namespace is made as well. It is one of the objects then.
    #[attribute(default = false)]
    create_namespace: Option<bool>,
    /// Files of YAML with values, in the folder of the spec; later ones win.
    values_files: Option<Vec<String>>,
    /// Values, over those of the files; tables are merged, `"${null}"` takes a value of the chart away.
    values: Option<BTreeMap<String, Value>>,
    /// The version of Kubernetes that the chart is told. Without it, that of the cluster if it is known.
    kubernetes_version: Option<String>,
    /// What the cluster serves besides Kubernetes' own, as charts ask for it: `monitoring.coreos.com/v1`, or with
    /// the kind, `monitoring.coreos.com/v1/ServiceMonitor`.
    api_versions: Option<Vec<String>>,
    /// What happens where somebody else has set a field of one of the objects to another value: `fail` names it,
    /// and who that is; `force` takes it over.
    #[attribute(one_of = ["fail", "force"])]
    conflicts: Option<String>,
    /// Whether to wait until what the objects describe is there, as `kubernetes_object` does.
    wait: Option<bool>,
}

impl Bundle for HelmRelease {
    const KIND: &'static str = "helm_release";
    const MEMBER_KIND: &'static str = "kubernetes_object";
    const PASSED: &'static [&'static str] = &["cluster", "conflicts", "wait"];
    const KEEPS: bool = true;
    const EXAMPLE: &'static str = include_str!("example.toml");

    type Inputs = Inputs;

    fn members(inputs: &ValueMap, context: &Context<'_>) -> Result<Vec<Member>, Vec<Trouble>> {
        let installation = Installation::read(inputs, context)?;
        let objects = rendering::objects(&installation, context).map_err(|trouble| vec![*trouble])?;
        let after = order::before(&objects);
        let members = objects.into_iter().zip(after);
        Ok(members.map(|((_, object), after)| object.into_member(after)).collect())
    }
}

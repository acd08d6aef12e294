//! What policies call the things that attributes of several kinds name.

/// The cluster that something is below of.
pub(crate) const CLUSTER: &str = "arn:{partition}:eks:{region}:{account}:cluster/{cluster_name}";

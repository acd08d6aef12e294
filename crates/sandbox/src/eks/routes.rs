//! The paths of EKS (API reference, "Request Syntax" of each action).

use crate::protocol::Route;

/// Where each operation is.
pub(crate) const ROUTES: &[Route] = &[
    (
        "POST",
        "/clusters/{clusterName}/access-entries/{principalArn}/access-policies",
        "AssociateAccessPolicy",
    ),
    ("POST", "/clusters/{clusterName}/encryption-config/associate", "AssociateEncryptionConfig"),
    ("POST", "/clusters/{clusterName}/access-entries", "CreateAccessEntry"),
    ("POST", "/clusters/{clusterName}/addons", "CreateAddon"),
    ("POST", "/clusters", "CreateCluster"),
    ("POST", "/clusters/{clusterName}/fargate-profiles", "CreateFargateProfile"),
    ("POST", "/clusters/{clusterName}/node-groups", "CreateNodegroup"),
    ("POST", "/clusters/{clusterName}/pod-identity-associations", "CreatePodIdentityAssociation"),
    ("DELETE", "/clusters/{clusterName}/access-entries/{principalArn}", "DeleteAccessEntry"),
    ("DELETE", "/clusters/{clusterName}/addons/{addonName}", "DeleteAddon"),
    ("DELETE", "/clusters/{name}", "DeleteCluster"),
    ("DELETE", "/clusters/{clusterName}/fargate-profiles/{fargateProfileName}", "DeleteFargateProfile"),
    ("DELETE", "/clusters/{clusterName}/node-groups/{nodegroupName}", "DeleteNodegroup"),
    (
        "DELETE",
        "/clusters/{clusterName}/pod-identity-associations/{associationId}",
        "DeletePodIdentityAssociation",
    ),
    ("GET", "/clusters/{clusterName}/access-entries/{principalArn}", "DescribeAccessEntry"),
    ("GET", "/clusters/{clusterName}/addons/{addonName}", "DescribeAddon"),
    ("GET", "/addons/configuration-schemas", "DescribeAddonConfiguration"),
    ("GET", "/addons/supported-versions", "DescribeAddonVersions"),
    ("GET", "/clusters/{name}", "DescribeCluster"),
    ("GET", "/cluster-versions", "DescribeClusterVersions"),
    ("GET", "/clusters/{clusterName}/fargate-profiles/{fargateProfileName}", "DescribeFargateProfile"),
    ("GET", "/clusters/{clusterName}/insights/{id}", "DescribeInsight"),
    ("GET", "/clusters/{clusterName}/node-groups/{nodegroupName}", "DescribeNodegroup"),
    (
        "GET",
        "/clusters/{clusterName}/pod-identity-associations/{associationId}",
        "DescribePodIdentityAssociation",
    ),
    ("GET", "/clusters/{name}/updates/{updateId}", "DescribeUpdate"),
    (
        "DELETE",
        "/clusters/{clusterName}/access-entries/{principalArn}/access-policies/{policyArn}",
        "DisassociateAccessPolicy",
    ),
    ("GET", "/clusters/{clusterName}/access-entries", "ListAccessEntries"),
    ("GET", "/access-policies", "ListAccessPolicies"),
    ("GET", "/clusters/{clusterName}/addons", "ListAddons"),
    (
        "GET",
        "/clusters/{clusterName}/access-entries/{principalArn}/access-policies",
        "ListAssociatedAccessPolicies",
    ),
    ("GET", "/clusters", "ListClusters"),
    ("GET", "/clusters/{clusterName}/fargate-profiles", "ListFargateProfiles"),
    ("POST", "/clusters/{clusterName}/insights", "ListInsights"),
    ("GET", "/clusters/{clusterName}/node-groups", "ListNodegroups"),
    ("GET", "/clusters/{clusterName}/pod-identity-associations", "ListPodIdentityAssociations"),
    ("GET", "/tags/{resourceArn}", "ListTagsForResource"),
    ("GET", "/clusters/{name}/updates", "ListUpdates"),
    ("POST", "/tags/{resourceArn}", "TagResource"),
    ("DELETE", "/tags/{resourceArn}", "UntagResource"),
    ("POST", "/clusters/{clusterName}/access-entries/{principalArn}", "UpdateAccessEntry"),
    ("POST", "/clusters/{clusterName}/addons/{addonName}/update", "UpdateAddon"),
    ("POST", "/clusters/{name}/update-config", "UpdateClusterConfig"),
    ("POST", "/clusters/{name}/updates", "UpdateClusterVersion"),
    ("POST", "/clusters/{clusterName}/node-groups/{nodegroupName}/update-config", "UpdateNodegroupConfig"),
    ("POST", "/clusters/{clusterName}/node-groups/{nodegroupName}/update-version", "UpdateNodegroupVersion"),
    (
        "POST",
        "/clusters/{clusterName}/pod-identity-associations/{associationId}",
        "UpdatePodIdentityAssociation",
    ),
];

/// Where the operation of EKS Auth is.
pub(crate) const AUTH_ROUTES: &[Route] =
    &[("POST", "/clusters/{clusterName}/assume-role-for-pod-identity", "AssumeRoleForPodIdentity")];

/// The parameters in query strings that are lists.
pub(crate) const LISTS: &[&str] = &["clusterVersions", "include", "owners", "publishers", "tagKeys", "types"];

//! Policies of AWS: those that clusters, nodes and administrators have attached.
//!
//! The documents are written for the sandbox. They allow what the policies are for, not every
//! action that those of AWS have gathered over the years.

use std::collections::BTreeMap;

use data_encoding::BASE32_NOPAD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::managed::{ManagedPolicy, Version};
use super::tags::Tags;

/// A policy of AWS.
pub(super) struct AwsManaged {
    arn: &'static str,
    pub(super) document: &'static str,
}

/// All that the sandbox has.
pub(super) const ALL: &[AwsManaged] = &[
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/AdministratorAccess",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/PowerUserAccess",
        document: r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"},
            {"Effect":"Allow","Action":["iam:CreateServiceLinkedRole","iam:DeleteServiceLinkedRole",
                "iam:ListRoles","organizations:DescribeOrganization"],"Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/ReadOnlyAccess",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[
            "ec2:Describe*","ec2:Get*","ec2:Search*","eks:Describe*","eks:List*",
            "elasticloadbalancing:Describe*","iam:Get*","iam:List*","iam:Simulate*",
            "organizations:Describe*","organizations:List*","ram:Get*","ram:List*",
            "servicequotas:Get*","servicequotas:List*","tag:Get*"],"Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy",
        document: r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":["ec2:Describe*","ec2:CreateTags","ec2:CreateSecurityGroup",
                "ec2:DeleteSecurityGroup","ec2:AuthorizeSecurityGroupIngress",
                "ec2:RevokeSecurityGroupIngress","ec2:ModifyInstanceAttribute","ec2:CreateRoute",
                "ec2:DeleteRoute","ec2:CreateVolume","ec2:AttachVolume","ec2:DetachVolume",
                "ec2:DeleteVolume","autoscaling:DescribeAutoScalingGroups",
                "autoscaling:UpdateAutoScalingGroup","elasticloadbalancing:*","kms:DescribeKey"],
                "Resource":"*"},
            {"Effect":"Allow","Action":"iam:CreateServiceLinkedRole","Resource":"*","Condition":{
                "StringEquals":{"iam:AWSServiceName":"elasticloadbalancing.amazonaws.com"}}}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/AmazonEKSServicePolicy",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:Describe*",
            "ec2:CreateNetworkInterface","ec2:CreateNetworkInterfacePermission",
            "ec2:DeleteNetworkInterface","ec2:ModifyNetworkInterfaceAttribute","ec2:CreateTags",
            "ec2:DeleteTags","eks:UpdateClusterVersion","iam:ListAttachedRolePolicies"],"Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/AmazonEKSVPCResourceController",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[
            "ec2:CreateNetworkInterface","ec2:DeleteNetworkInterface","ec2:DescribeNetworkInterfaces",
            "ec2:AttachNetworkInterface","ec2:DetachNetworkInterface","ec2:CreateNetworkInterfacePermission",
            "ec2:ModifyNetworkInterfaceAttribute","ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses"],"Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[
            "ec2:DescribeInstances","ec2:DescribeInstanceTypes","ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups","ec2:DescribeSubnets","ec2:DescribeVolumes","ec2:DescribeVpcs",
            "eks:DescribeCluster","eks-auth:AssumeRoleForPodIdentity"],"Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy",
        document: r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":["ec2:AssignPrivateIpAddresses","ec2:UnassignPrivateIpAddresses",
                "ec2:AttachNetworkInterface","ec2:DetachNetworkInterface","ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface","ec2:ModifyNetworkInterfaceAttribute",
                "ec2:DescribeInstances","ec2:DescribeInstanceTypes","ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSubnets","ec2:DescribeTags"],"Resource":"*"},
            {"Effect":"Allow","Action":"ec2:CreateTags","Resource":"arn:aws:ec2:*:*:network-interface/*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[
            "ecr:GetAuthorizationToken","ecr:BatchCheckLayerAvailability","ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer","ecr:Describe*","ecr:List*"],"Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[
            "ecr:GetAuthorizationToken","ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"],"Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[
            "ssm:UpdateInstanceInformation","ssm:GetParameter","ssm:GetParameters","ssm:GetDocument",
            "ssm:DescribeDocument","ssm:ListAssociations","ssmmessages:*","ec2messages:*"],"Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/AmazonEKSFargatePodExecutionRolePolicy",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[
            "ecr:GetAuthorizationToken","ecr:BatchCheckLayerAvailability","ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer"],"Resource":"*"}]}"#,
    },
];

/// Returns the policy of AWS with this ARN.
pub(super) fn find(arn: &str) -> Option<&'static AwsManaged> {
    ALL.iter().find(|policy| policy.arn == arn)
}

impl AwsManaged {
    /// Returns the policy in the form of an account's own.
    pub(super) fn policy(&self) -> ManagedPolicy {
        let hash = BASE32_NOPAD.encode(&Sha256::digest(self.arn));
        let made_at = Timestamp::UNIX_EPOCH;
        ManagedPolicy {
            name: super::managed::name_of(self.arn).to_owned(),
            path: super::managed::path_of(self.arn).to_owned(),
            id: format!("ANPA{}", &hash[..17]),
            arn: self.arn.to_owned(),
            description: None,
            made_at,
            updated_at: made_at,
            versions: BTreeMap::from([(1, Version { document: self.document.to_owned(), made_at })]),
            default_version: 1,
            last_version: 1,
            tags: Tags::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Document;

    #[test]
    fn every_document_can_be_evaluated() {
        for policy in ALL {
            Document::permissions(policy.document).expect(policy.arn);
        }
    }
}

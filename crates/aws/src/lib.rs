//! The AWS resource kinds and the connection to an account.

mod account;
mod assumed_role;
mod audit;
mod blockers;
mod client;
mod clusters;
mod discovery;
mod each;
mod ec2;
mod eks;
mod elb;
mod error;
mod essential;
mod iam;
mod lookup;
mod partition;
mod preflight;
mod ram;
mod tags;
#[cfg(test)]
mod testing;
mod zones;

use straddle_engine::registry::Registry;

/// Returns a registry of the AWS kinds. A kind is one file, and one line here.
#[must_use]
pub fn registry() -> Registry {
    let registry = Registry::new(account::Aws::new())
        .with::<ec2::eip::Eip>()
        .with::<ec2::internet_gateway::InternetGateway>()
        .with::<ec2::launch_template::LaunchTemplate>()
        .with::<ec2::nat_gateway::NatGateway>()
        .with::<ec2::route::Route>()
        .with::<ec2::route_table::RouteTable>()
        .with::<ec2::route_table_association::RouteTableAssociation>()
        .with::<ec2::security_group::SecurityGroup>()
        .with::<ec2::security_group_rule::SecurityGroupRule>()
        .with::<ec2::subnet::Subnet>()
        .with::<ec2::vpc::Vpc>()
        .with::<ec2::vpc_endpoint::VpcEndpoint>()
        .with::<eks::access_entry::AccessEntry>()
        .with::<eks::access_policy_association::AccessPolicyAssociation>()
        .with::<eks::addon::Addon>()
        .with::<eks::cluster::Cluster>()
        .with::<eks::fargate_profile::Profile>()
        .with::<eks::node_group::NodeGroup>()
        .with::<eks::pod_identity_association::PodIdentityAssociation>()
        .with::<elb::ingress_load_balancer::IngressLoadBalancer>()
        .with::<elb::listener::Listener>()
        .with::<elb::load_balancer::LoadBalancer>()
        .with::<elb::registered_targets::RegisteredTargets>()
        .with::<elb::target_group::TargetGroup>()
        .with::<iam::instance_profile::InstanceProfile>()
        .with::<iam::openid_connect_provider::OpenIdConnectProvider>()
        .with::<iam::policy::ManagedPolicy>()
        .with::<iam::role::Role>()
        .with::<iam::role_policy::RolePolicy>()
        .with::<iam::role_policy_attachment::RolePolicyAttachment>()
        .with::<iam::role_trust::RoleTrust>()
        .with::<iam::service_linked_role::ServiceLinkedRole>()
        .with::<ram::organization_sharing::OrganizationSharing>()
        .with::<ram::resource_share::ResourceShare>()
        .with::<ram::share_accepter::ShareAccepter>()
        .with_lookup::<lookup::caller::FindCaller>()
        .with_lookup::<lookup::eks_cluster::FindCluster>()
        .with_lookup::<lookup::iam_openid_connect_provider::FindOpenIdConnectProvider>()
        .with_lookup::<lookup::iam_role::FindRole>()
        .with_lookup::<lookup::security_group::FindSecurityGroup>()
        .with_lookup::<lookup::subnet::FindSubnet>()
        .with_lookup::<lookup::subnet::FindSubnets>()
        .with_lookup::<lookup::vpc::FindVpc>()
        .with_lookup::<lookup::zones::FindZones>()
        .with_discovery(discovery::AwsDiscovery)
        .with_sharing(ram::SHARING)
        .with_audit(audit::ByTagsAndNames)
        .with_diagnosis(blockers::Blockers)
        .with_gate(ram::participants::ParticipantsGone);
    preflight::with_checks(registry)
}

#[cfg(test)]
mod tests {
    use straddle_engine::permission::{Cause, Occasion, placeholders};

    use super::*;

    #[test]
    fn kinds_name_only_kinds_that_exist() {
        let registry = registry();
        assert!(registry.kinds().count() >= 8);
        for kind in registry.kinds() {
            let schema = kind.schema();
            let referred = schema.inputs.iter().flat_map(|attribute| attribute.refers_to);
            let children = schema.expansions.iter().map(|expansion| &expansion.child_kind);
            for named in referred.chain(children) {
                assert!(registry.kind(named).is_some(), "{} names {named}", schema.kind);
            }
            for expansion in &schema.expansions {
                let child = registry.kind(expansion.child_kind).expect("it was looked up above").schema();
                assert!(child.input(expansion.parent_attribute).is_some(), "{}", expansion.attribute);
            }
        }
    }

    /// The kinds that do not say yet what their calls have to be allowed.
    const NOTHING_SAID: &[&str] = &[];

    #[test]
    fn kinds_say_what_their_calls_have_to_be_allowed() {
        for kind in registry().kinds() {
            let (schema, needs) = (kind.schema(), kind.permissions());
            let name = schema.kind.as_str();
            assert_eq!(needs.is_empty(), NOTHING_SAID.contains(&name), "{name}");
            for occasion in [Occasion::Read, Occasion::Create, Occasion::Delete] {
                let is_said = needs.iter().any(|need| need.occasion == occasion);
                let is_never = (occasion == Occasion::Delete && kind.retained())
                    || (occasion == Occasion::Create && kind.made_by().is_some());
                assert!(is_said || is_never || needs.is_empty(), "{name}: {occasion:?}");
            }
            let attributes = || schema.inputs.iter().chain(&schema.outputs).map(|attribute| attribute.name);
            let is_known = |word: &str| {
                let attribute = word.split('.').next();
                PLACE.contains(&word) || attributes().any(|name| Some(name) == attribute)
            };
            for word in placeholders(kind.arn()) {
                assert!(is_known(word), "{name}: {word}");
            }
            for need in needs {
                let (Cause::Setting(names) | Cause::Changing(names)) = need.cause else { continue };
                assert!(names.iter().all(|name| is_known(name)), "{name}: {names:?}");
            }
            for need in needs {
                let condition = need.only_if.map(|(attribute, _)| attribute);
                for word in need.placeholders().chain(condition) {
                    assert!(is_known(word) || (word == "arn" && kind.arn() != "*"), "{name}: {word}");
                }
                assert!(need.actions.iter().all(|action| action.contains(':')), "{name}: {:?}", need.actions);
            }
        }
    }

    /// What every ARN may have in it.
    const PLACE: &[&str] = &["partition", "region", "account", "id"];
}

//! Tests of the steps, the observation and the checks of `eks_cluster`.

use aws_sdk_eks::types::builders::ClusterBuilder;
use aws_sdk_eks::types::{
    self, AuthenticationMode, ClusterHealth, ClusterIssue, ClusterIssueCode, ClusterStatus, LogSetup,
    LogType, Logging, VpcConfigResponse,
};
use straddle_engine::resource::Readiness;
use straddle_engine::schema::Tags;

use super::attributes::{Access, KubernetesNetwork};
use super::*;
use crate::eks::memory::Progress;
use crate::testing::{answered_by, intent};

type Seen = Observed<ClusterInputs, ClusterOutputs>;

fn builder() -> ClusterBuilder {
    let vpc = VpcConfigResponse::builder()
        .subnet_ids("subnet-2")
        .subnet_ids("subnet-1")
        .endpoint_public_access(true)
        .public_access_cidrs("0.0.0.0/0")
        .cluster_security_group_id("sg-1")
        .vpc_id("vpc-1");
    let setup = |log: LogType, on| LogSetup::builder().types(log).enabled(on).build();
    let logging = Logging::builder()
        .cluster_logging(setup(LogType::Api, true))
        .cluster_logging(setup(LogType::Audit, false));
    let issuer = types::Oidc::builder().issuer("https://oidc.example/id/1").build();
    types::Cluster::builder()
        .name("main")
        .arn("arn:aws:eks:us-east-1:444455556666:cluster/main")
        .version("1.33")
        .role_arn("arn:aws:iam::444455556666:role/cluster")
        .status(ClusterStatus::Active)
        .endpoint("https://1.example")
        .resources_vpc_config(vpc.build())
        .logging(logging.build())
        .identity(types::Identity::builder().oidc(issuer).build())
        .access_config(
            types::AccessConfigResponse::builder().authentication_mode(AuthenticationMode::ConfigMap).build(),
        )
        .tags("Name", "main")
        .tags("aws:cloudformation:stack-name", "x")
}

fn observe(cluster: ClusterBuilder) -> Seen {
    listing::observed(&cluster.build(), &Progress::Done)
}

/// Returns the step that makes the change.
fn step_for(observed: &Seen, change: impl FnOnce(&mut ClusterInputs)) -> Option<ClusterStep> {
    let mut desired = ClusterInputs { tags: observed.inputs.tags.clone(), ..observed.inputs.clone() };
    change(&mut desired);
    Cluster::next_step(observed, Some(&desired))
}

fn config_for(change: impl FnOnce(&mut ClusterInputs)) -> Config {
    match step_for(&observe(builder()), change) {
        Some(ClusterStep::UpdateConfig(config)) => config,
        other => panic!("not a change of the configuration: {other:?}"),
    }
}

fn set<const N: usize>(texts: [&str; N]) -> BTreeSet<String> {
    texts.map(str::to_owned).into()
}

#[test]
fn what_was_found_is_observed() {
    let Observed { inputs, outputs, readiness } = observe(builder());
    assert_eq!(readiness, Readiness::Ready);
    assert_eq!(inputs.subnet_ids, set(["subnet-1", "subnet-2"]));
    assert_eq!(inputs.logging, Some(set(["api"])), "EKS names logs that are off as well");
    assert_eq!(inputs.upgrade_policy.as_deref(), Some("EXTENDED"), "what EKS leaves out is its default");
    assert_eq!(inputs.tags, Some(Tags([("Name".to_owned(), "main".to_owned())].into())));
    assert_eq!(outputs.oidc_issuer.as_deref(), Some("https://oidc.example/id/1"));
    assert_eq!(outputs.cluster_security_group_id.as_deref(), Some("sg-1"));
    assert_eq!(outputs.endpoint_url.as_deref(), Some("https://1.example"));
}

#[test]
fn a_cluster_is_not_ready_while_eks_works_on_it() {
    let with = |status| observe(builder().status(status)).readiness;
    for (status, word) in [
        (ClusterStatus::Creating, "creating"),
        (ClusterStatus::Updating, "updating"),
        (ClusterStatus::Deleting, "deleting"),
    ] {
        assert_eq!(with(status), Readiness::Pending(word.to_owned()));
    }
    let cluster = builder().build();
    let under_way = listing::observed(&cluster, &Progress::UnderWay).readiness;
    assert_eq!(under_way, Readiness::Pending("update in progress".to_owned()));
}

#[test]
fn a_cluster_that_failed_says_why() {
    let issue = ClusterIssue::builder().code(ClusterIssueCode::InsufficientFreeAddresses);
    let issue = issue.message("no room").resource_ids("subnet-1").build();
    let failed = builder().status(ClusterStatus::Failed);
    let seen = observe(failed.clone().health(ClusterHealth::builder().issues(issue).build()));
    let reason = "InsufficientFreeAddresses: no room (subnet-1)";
    assert_eq!(seen.readiness, Readiness::Failed(reason.to_owned()));
    assert_eq!(observe(failed).readiness, Readiness::Failed("EKS does not say why".to_owned()));
}

#[test]
fn an_update_that_failed_is_told_and_not_begun_again() {
    let seen = listing::observed(&builder().build(), &Progress::Failed("the update failed: x".to_owned()));
    assert_eq!(seen.readiness, Readiness::Impaired("the update failed: x".to_owned()));
    assert_eq!(step_for(&seen, |cluster| cluster.version = Some("1.34".to_owned())), None);
    assert_eq!(Cluster::next_step(&seen, None), Some(ClusterStep::Delete));
}

#[test]
fn changes_come_one_by_one_in_the_order_that_eks_wants() {
    let mut seen = observe(builder());
    let key = Encryption { key_arn: "arn:aws:kms:us-east-1:444455556666:key/1".to_owned() };
    let desired = ClusterInputs {
        version: Some("1.34".to_owned()),
        access: Some(Access {
            authentication_mode: Some("API_AND_CONFIG_MAP".to_owned()),
            ..Access::default()
        }),
        auto_mode: Some(AutoMode { enabled: true, ..AutoMode::default() }),
        remote_networks: Some(RemoteNetworks { node_cidrs: Some(set(["10.1.0.0/16"])), pod_cidrs: None }),
        encryption: Some(key.clone()),
        logging: Some(set(["audit"])),
        upgrade_policy: Some("STANDARD".to_owned()),
        endpoint: Some(Endpoint { private: Some(true), ..Endpoint::default() }),
        subnet_ids: set(["subnet-1", "subnet-3"]),
        security_group_ids: Some(set(["sg-2"])),
        zonal_shift: Some(true),
        control_plane_tier: Some("tier-xl".to_owned()),
        deletion_protection: Some(true),
        tags: Some(Tags::default()),
        ..seen.inputs.clone()
    };
    let mut order = Vec::new();
    while let Some(step) = Cluster::next_step(&seen, Some(&desired)) {
        let (found, wanted) = (&mut seen.inputs, desired.clone());
        order.push(match &step {
            ClusterStep::UpdateVersion { .. } => {
                found.version = wanted.version;
                "version"
            }
            ClusterStep::AssociateEncryption(added) => {
                assert_eq!(added, &key);
                found.encryption = wanted.encryption;
                "encryption"
            }
            ClusterStep::UpdateConfig(config) => carried_out(config, found),
            ClusterStep::Tag { step, .. } => {
                assert_eq!(step, &TagStep::Remove(set(["Name"])));
                found.tags = wanted.tags;
                "tags"
            }
            ClusterStep::Delete => panic!("nothing is deleted"),
        });
    }
    let expected = [
        "version",
        "access",
        "auto mode",
        "remote networks",
        "encryption",
        "logging",
        "upgrade policy",
        "endpoint",
        "subnets",
        "groups",
        "zonal shift",
        "tier",
        "protection",
        "tags",
    ];
    assert_eq!(order, expected);
}

/// Does what EKS does with a change, and names it.
fn carried_out(config: &Config, found: &mut ClusterInputs) -> &'static str {
    match config.clone() {
        Config::Access(mode) => {
            found.access = Some(Access { authentication_mode: Some(mode), bootstrap_creator_admin: None });
            "access"
        }
        Config::AutoMode(mode) => {
            found.auto_mode = Some(mode);
            "auto mode"
        }
        Config::RemoteNetworks(networks) => {
            found.remote_networks = Some(networks);
            "remote networks"
        }
        Config::Logging(logs) => {
            found.logging = Some(logs);
            "logging"
        }
        Config::UpgradePolicy(policy) => {
            found.upgrade_policy = Some(policy);
            "upgrade policy"
        }
        Config::Endpoint(endpoint) => {
            assert_eq!(endpoint.public, Some(true), "what is not wanted otherwise is said as it is");
            found.endpoint = Some(endpoint);
            "endpoint"
        }
        Config::Subnets(ids) => {
            found.subnet_ids = ids;
            "subnets"
        }
        Config::SecurityGroups(ids) => {
            found.security_group_ids = Some(ids);
            "groups"
        }
        Config::ZonalShift(on) => {
            found.zonal_shift = Some(on);
            "zonal shift"
        }
        Config::ControlPlaneTier(tier) => {
            found.control_plane_tier = Some(tier);
            "tier"
        }
        Config::DeletionProtection(on) => {
            found.deletion_protection = Some(on);
            "protection"
        }
    }
}

#[test]
fn the_way_to_access_entries_alone_leads_over_both() {
    let api = |cluster: &mut ClusterInputs| {
        let mode = Some("API".to_owned());
        cluster.access = Some(Access { authentication_mode: mode, bootstrap_creator_admin: None });
    };
    assert_eq!(config_for(api), Config::Access("API_AND_CONFIG_MAP".to_owned()));
    let both = types::AccessConfigResponse::builder();
    let both = both.authentication_mode(AuthenticationMode::ApiAndConfigMap).build();
    let step = step_for(&observe(builder().access_config(both)), api);
    assert_eq!(step, Some(ClusterStep::UpdateConfig(Config::Access("API".to_owned()))));
}

#[test]
fn ranges_are_not_sent_for_an_endpoint_that_is_not_public() {
    let config = config_for(|cluster| {
        let ranges = Some(set(["0.0.0.0/0"]));
        cluster.endpoint =
            Some(Endpoint { public: Some(false), private: Some(true), public_access_cidrs: ranges });
    });
    let wanted = Endpoint { public: Some(false), private: Some(true), public_access_cidrs: None };
    assert_eq!(config, Config::Endpoint(wanted));
}

#[test]
fn protection_goes_off_before_a_cluster_is_deleted() {
    let unprotect = ClusterStep::UpdateConfig(Config::DeletionProtection(false));
    assert_eq!(Cluster::next_step(&observe(builder().deletion_protection(true)), None), Some(unprotect));
    assert_eq!(Cluster::next_step(&observe(builder()), None), Some(ClusterStep::Delete));
}

#[test]
fn what_only_counts_at_birth_can_be_written_down_later() {
    let (unset, yes, no) = (Value::Null, Value::from(true), Value::from(false));
    assert!(!Cluster::must_replace("access.bootstrap_creator_admin", &unset, &yes));
    assert!(Cluster::must_replace("access.bootstrap_creator_admin", &yes, &no));
    assert!(!Cluster::must_replace("encryption.key_arn", &unset, &Value::from("arn")));
    assert!(Cluster::must_replace("role_arn", &unset, &Value::from("arn")));
}

#[tokio::test]
async fn a_new_cluster_is_asked_for_with_token_and_tags() {
    let inputs = ClusterInputs {
        name: "main".to_owned(),
        role_arn: "arn:aws:iam::444455556666:role/cluster".to_owned(),
        subnet_ids: set(["subnet-1", "subnet-2"]),
        access: Some(Access {
            authentication_mode: Some("API".to_owned()),
            bootstrap_creator_admin: Some(true),
        }),
        logging: Some(set(["api"])),
        kubernetes_network: Some(KubernetesNetwork {
            service_ipv4_cidr: Some("172.20.0.0/16".to_owned()),
            ip_family: None,
        }),
        auto_mode: Some(AutoMode { enabled: true, ..AutoMode::default() }),
        ..ClusterInputs::default()
    };
    let answer = |_: &_| Ok(r#"{"cluster": {"name": "main"}}"#.to_owned());
    let create = async |client: &Client| Cluster::create(client, &intent("eks_cluster"), &inputs).await;
    let (made, asked) = answered_by(answer, create).await;
    assert_eq!(made, Ok(RemoteId::new("main")));
    let body: serde_json::Value = serde_json::from_str(&asked[0].body).expect("the body is JSON");
    assert_eq!(body["clientRequestToken"], "token-1");
    assert_eq!(body["tags"]["straddle:op"], "op-1");
    assert_eq!(body["accessConfig"]["bootstrapClusterCreatorAdminPermissions"], true);
    assert_eq!(body["logging"]["clusterLogging"][0]["types"][0], "api");
    assert_eq!(body["logging"]["clusterLogging"][1]["enabled"], false);
    assert_eq!(body["kubernetesNetworkConfig"]["elasticLoadBalancing"]["enabled"], true);
    assert_eq!(body["storageConfig"]["blockStorage"]["enabled"], true);
    assert!(body.get("version").is_none() && body.get("encryptionConfig").is_none(), "{body}");
}

#[tokio::test]
async fn a_version_goes_up_by_one_and_its_update_is_followed() {
    let answer = |asked: &crate::testing::Asked| {
        Ok(match asked.operation.as_str() {
            "clusters/main/updates/u-1" => {
                r#"{"update": {"id": "u-1", "status": "Failed",
                    "errors": [{"errorCode": "IpNotAvailable", "errorMessage": "no room"}]}}"#
            }
            "clusters/main/updates" => r#"{"update": {"id": "u-1", "status": "InProgress"}}"#,
            _ => r#"{"cluster": {"name": "main", "status": "ACTIVE", "version": "1.33"}}"#,
        }
        .to_owned())
    };
    let id = RemoteId::new("main");
    let step =
        |to: &str| ClusterStep::UpdateVersion { from: "1.33".to_owned(), to: to.to_owned(), force: false };
    let work = async |client: &Client| {
        let refused = Cluster::perform(client, &id, &step("1.32")).await.expect_err("there is no way back");
        assert_eq!(refused.class, ErrorClass::Rejected);
        Cluster::perform(client, &id, &step("1.35")).await.expect("it is accepted");
        let clusters =
            <Clusters as straddle_engine::resource::Listing>::fetch(client, std::slice::from_ref(&id));
        clusters.await.expect("it is read").observe(&id).expect("it is there").readiness
    };
    let (readiness, asked) = answered_by(answer, work).await;
    assert_eq!(readiness, Readiness::Impaired("the update failed: IpNotAvailable: no room".to_owned()));
    assert_eq!(asked.len(), 3, "{asked:?}");
    let body: serde_json::Value = serde_json::from_str(&asked[0].body).expect("the body is JSON");
    assert_eq!(body["version"], "1.34");
}

/// Checks at which attributes the problems are.
#[track_caller]
fn check_problems(inputs: &str, expected: &[&str]) {
    let inputs = straddle_engine::json::decode(inputs).expect("it is JSON");
    let problems = Cluster::check(inputs.as_map().expect("it is a table"));
    let problems: Vec<_> = problems.iter().map(|problem| problem.attribute).collect();
    assert_eq!(problems, expected, "{inputs:?}");
}

#[test]
fn what_eks_would_refuse_is_said_before() {
    check_problems(r#"{"name": "main", "subnet_ids": ["a", "b"]}"#, &[]);
    check_problems(r#"{"name": "-main"}"#, &["name"]);
    check_problems(r#"{"name": "ma in"}"#, &["name"]);
    check_problems(r#"{"subnet_ids": ["a"]}"#, &["subnet_ids"]);
    check_problems(r#"{"security_group_ids": ["1", "2", "3", "4", "5", "6"]}"#, &["security_group_ids"]);
    check_problems(r#"{"endpoint": {"public": false}}"#, &["endpoint"]);
    check_problems(r#"{"endpoint": {"public": false, "private": true}}"#, &[]);
    let ranges = r#"{"endpoint": {"public": false, "private": true, "public_access_cidrs": ["1.2.3.4/32"]}}"#;
    check_problems(ranges, &["endpoint"]);
    check_problems(r#"{"auto_mode": {"enabled": true}}"#, &["bootstrap_self_managed_addons"]);
    let auto_mode = r#"{"bootstrap_self_managed_addons": false,
        "auto_mode": {"enabled": true, "node_pools": ["system"]}}"#;
    check_problems(auto_mode, &["auto_mode"]);
    check_problems(r#"{"kubernetes_network": {"service_ipv4_cidr": "10.0.0.0/8"}}"#, &["kubernetes_network"]);
    let ipv6 = r#"{"kubernetes_network": {"ip_family": "ipv6", "service_ipv4_cidr": "10.0.0.0/16"}}"#;
    check_problems(ipv6, &["kubernetes_network"]);
}

#[test]
fn defaults_that_cost_something_or_are_hard_to_leave_are_said() {
    let advice = |inputs: &str| {
        let inputs = straddle_engine::json::decode(inputs).expect("it is JSON");
        let advice = Cluster::advice(inputs.as_map().expect("it is a table"));
        advice.iter().map(|advice| advice.attribute).collect::<Vec<_>>()
    };
    assert_eq!(advice(r#"{"name": "main"}"#), ["upgrade_policy", "access"]);
    let said = r#"{"upgrade_policy": "EXTENDED", "access": {"authentication_mode": "CONFIG_MAP"}}"#;
    assert_eq!(advice(said), Vec::<&str>::new());
}

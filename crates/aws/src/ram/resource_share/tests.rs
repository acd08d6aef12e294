//! Tests of what is seen of a share, and of the calls that bring it closer.

use aws_sdk_ram::types::{ResourceShareAssociationStatus, Tag};

use super::*;
use crate::testing::{Answer, Asked, answered_by, intent};

const ARN: &str = "arn:aws:ram:us-east-1:111122223333:resource-share/1";
const SUBNET: &str = "arn:aws:ec2:us-east-1:111122223333:subnet/subnet-1";
const OTHER_SUBNET: &str = "arn:aws:ec2:us-east-1:111122223333:subnet/subnet-2";
const APPS: &str = "444455556666";

type Seen = Observed<ResourceShareInputs, ResourceShareOutputs>;

/// What RAM lists of a share. Members are written as entity, status and message.
struct Listed {
    share: types::builders::ResourceShareBuilder,
    associations: Vec<types::ResourceShareAssociation>,
}

fn listed(status: &str) -> Listed {
    let tag = Tag::builder().key("team").value("net").build();
    let share = types::ResourceShare::builder()
        .resource_share_arn(ARN)
        .name("subnets")
        .owning_account_id("111122223333")
        .allow_external_principals(false)
        .status(ResourceShareStatus::from(status))
        .tags(tag);
    Listed { share, associations: Vec::new() }
}

impl Listed {
    fn with(mut self, entity: &str, status: &str) -> Self {
        let sort = if entity.contains("subnet/") {
            ResourceShareAssociationType::Resource
        } else {
            ResourceShareAssociationType::Principal
        };
        let association = types::ResourceShareAssociation::builder()
            .resource_share_arn(ARN)
            .associated_entity(entity)
            .association_type(sort)
            .status(ResourceShareAssociationStatus::from(status))
            .set_status_message((status == "FAILED").then(|| "no room".to_owned()))
            .build();
        self.associations.push(association);
        self
    }

    fn open_to_all(mut self) -> Self {
        self.share = self.share.allow_external_principals(true);
        self
    }

    fn seen(self) -> Option<Seen> {
        let listing = OwnShares::new(vec![self.share.build()], self.associations);
        ResourceShare::observe(&listing, &RemoteId::new(ARN))
    }

    fn readiness(self) -> Readiness {
        self.seen().expect("it is listed").readiness
    }
}

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn desired(resources: &[&str], principals: &[&str]) -> ResourceShareInputs {
    ResourceShareInputs {
        name: "subnets".to_owned(),
        resources: Some(set(resources)),
        principals: Some(set(principals)),
        allow_external_principals: Some(false),
        permissions: None,
        tags: Some(Tags([("team".to_owned(), "net".to_owned())].into())),
    }
}

fn step(listed: Listed, desired: &ResourceShareInputs) -> Option<ShareStep> {
    ResourceShare::next_step(&listed.seen().expect("it is listed"), Some(desired))
}

fn resource(arn: &str) -> Entity {
    Entity::Resource(arn.to_owned())
}

fn principal(principal: &str) -> Entity {
    Entity::Principal(principal.to_owned())
}

#[test]
fn a_share_with_all_its_members_is_ready_as_it_was_wanted() {
    let seen = listed("ACTIVE").with(SUBNET, "ASSOCIATED").with(APPS, "ASSOCIATED").seen();
    let seen = seen.expect("it is listed");
    assert_eq!(seen.inputs, desired(&[SUBNET], &[APPS]));
    assert_eq!((seen.readiness, seen.outputs.arn.as_str()), (Readiness::Ready, ARN));
    assert_eq!(seen.outputs.owner_id.as_deref(), Some("111122223333"));
}

#[test]
fn a_deleted_share_is_gone_and_one_that_is_being_deleted_is_not() {
    assert_eq!(listed("DELETED").seen(), None);
    assert_eq!(listed("DELETING").readiness(), Readiness::Pending("deleting".to_owned()));
    assert_eq!(listed("PENDING").readiness(), Readiness::Pending("pending".to_owned()));
    assert_eq!(listed("SOMETHING_NEW").readiness(), Readiness::Pending("something_new".to_owned()));
}

#[test]
fn a_share_that_failed_says_why_and_what_to_do() {
    let mut failed = listed("FAILED");
    failed.share = failed.share.status_message("Your account is not in an organization.");
    let Readiness::Failed(reason) = failed.readiness() else { panic!("it has failed") };
    assert!(reason.starts_with("Your account is not in an organization. If sharing"), "{reason}");
    assert!(reason.contains("`ram_organization_sharing`"), "{reason}");
}

#[test]
fn what_lingers_is_no_member() {
    let share = listed("ACTIVE")
        .with(SUBNET, "DISASSOCIATED")
        .with(SUBNET, "ASSOCIATED")
        .with(SUBNET, "FAILED")
        .with(OTHER_SUBNET, "DISASSOCIATED")
        .with(APPS, "DISASSOCIATED");
    let seen = share.seen().expect("it is listed");
    assert_eq!((&seen.inputs.resources, &seen.inputs.principals), (&Some(set(&[SUBNET])), &Some(set(&[]))));
    assert_eq!(seen.readiness, Readiness::Ready);
}

#[test]
fn members_on_their_way_are_waited_for_in_words() {
    let coming = || listed("ACTIVE").with(SUBNET, "ASSOCIATED").with(APPS, "ASSOCIATING");
    assert_eq!(coming().readiness(), Readiness::Pending("account 444455556666 to be let in".to_owned()));
    let leaving = listed("ACTIVE").with(SUBNET, "DISASSOCIATING").with(APPS, "ASSOCIATED");
    let seen = leaving.seen().expect("it is listed");
    assert_eq!(seen.readiness, Readiness::Pending("subnet-1 to be let out".to_owned()));
    assert_eq!(seen.inputs.resources, Some(set(&[])));
    for status in ["SUSPENDING", "RESTORING", "SOMETHING_NEW"] {
        let pending = listed("ACTIVE").with(SUBNET, status).readiness();
        assert_eq!(pending, Readiness::Pending("subnet-1 to be let in".to_owned()), "{status}");
    }
}

/// What accepts it may need the share, and its deletion must not wait for it either.
#[test]
fn an_invitation_is_told_and_not_waited_for() {
    let invited = listed("ACTIVE").with(APPS, "ASSOCIATING").open_to_all().seen().expect("it is listed");
    assert_eq!(invited.readiness, Readiness::Ready);
    let unit = "arn:aws:organizations::111122223333:ou/o-1/ou-1";
    let uninvited = listed("ACTIVE").with(unit, "ASSOCIATING").open_to_all();
    assert_eq!(uninvited.readiness(), Readiness::Pending("ou-1 to be let in".to_owned()));
    assert_eq!(invited.outputs.awaiting_acceptance, Some(set(&[APPS])));
}

#[test]
fn members_that_failed_are_let_out_one_by_one_and_then_in_again() {
    let broken =
        || listed("ACTIVE").with(APPS, "FAILED").with(SUBNET, "FAILED").with(OTHER_SUBNET, "ASSOCIATING");
    let wanted = desired(&[SUBNET, OTHER_SUBNET], &[APPS]);
    let reason = "account 444455556666: no room; subnet-1: no room".to_owned();
    assert_eq!(broken().readiness(), Readiness::Impaired(reason));
    assert_eq!(step(broken(), &wanted), Some(ShareStep::Disassociate(principal(APPS))));
    let half = listed("ACTIVE").with(APPS, "DISASSOCIATED").with(SUBNET, "FAILED");
    assert_eq!(step(half, &wanted), Some(ShareStep::Disassociate(resource(SUBNET))));
    let out = || {
        listed("ACTIVE")
            .with(APPS, "DISASSOCIATED")
            .with(SUBNET, "DISASSOCIATED")
            .with(OTHER_SUBNET, "ASSOCIATED")
    };
    assert_eq!(out().readiness(), Readiness::Ready);
    assert_eq!(step(out(), &wanted), Some(ShareStep::Associate(resource(SUBNET))));
}

#[test]
fn a_suspended_member_is_neither_ready_nor_touched() {
    let share = || listed("ACTIVE").with(SUBNET, "ASSOCIATED").with(APPS, "SUSPENDED");
    let suspended = "RAM has suspended account 444455556666".to_owned();
    assert_eq!(share().readiness(), Readiness::Impaired(suspended));
    assert_eq!(step(share(), &desired(&[SUBNET], &[APPS])), None);
}

#[test]
fn who_comes_is_let_in_before_who_goes_is_let_out() {
    let share = || listed("ACTIVE").with(SUBNET, "ASSOCIATED").with(APPS, "ASSOCIATED");
    let organization = "arn:aws:organizations::111122223333:organization/o-1";
    let wanted = desired(&[SUBNET], &[organization]);
    assert_eq!(step(share(), &wanted), Some(ShareStep::Associate(principal(organization))));
    let both = share().with(organization, "ASSOCIATED");
    assert_eq!(step(both, &wanted), Some(ShareStep::Disassociate(principal(APPS))));
}

#[test]
fn the_door_is_opened_before_and_closed_after_the_members_change() {
    let outside = "777788889999";
    let open = ResourceShareInputs { allow_external_principals: Some(true), ..desired(&[], &[outside]) };
    let update =
        |external| ShareStep::Update { name: "subnets".to_owned(), allow_external_principals: external };
    assert_eq!(step(listed("ACTIVE"), &open), Some(update(true)));
    let opened = listed("ACTIVE").open_to_all();
    assert_eq!(step(opened, &open), Some(ShareStep::Associate(principal(outside))));
    let closing = desired(&[], &[]);
    let full = listed("ACTIVE").with(outside, "ASSOCIATED").open_to_all();
    assert_eq!(step(full, &closing), Some(ShareStep::Disassociate(principal(outside))));
    let empty = listed("ACTIVE").with(outside, "DISASSOCIATED").open_to_all();
    assert_eq!(step(empty, &closing), Some(update(false)));
}

#[test]
fn what_the_spec_leaves_open_stays() {
    let share = listed("ACTIVE").with(SUBNET, "ASSOCIATED").open_to_all();
    let wanted = ResourceShareInputs {
        resources: None,
        principals: None,
        allow_external_principals: None,
        ..desired(&[], &[])
    };
    assert_eq!(step(share, &wanted), None);
}

#[test]
fn names_and_tags_change_in_place_and_deletion_is_one_call() {
    let renamed = ResourceShareInputs { name: "new".to_owned(), ..desired(&[], &[]) };
    let update = ShareStep::Update { name: "new".to_owned(), allow_external_principals: false };
    assert_eq!(step(listed("ACTIVE"), &renamed), Some(update));
    let tagged = ResourceShareInputs {
        tags: Some(Tags([("team".to_owned(), "apps".to_owned())].into())),
        ..desired(&[], &[])
    };
    assert_eq!(step(listed("ACTIVE"), &tagged).map(|step| step.operation()), Some("TagResource"));
    let failed = listed("FAILED").with(APPS, "FAILED").seen().expect("it is listed");
    assert_eq!(ResourceShare::next_step(&failed, Some(&renamed)), None);
    assert_eq!(ResourceShare::next_step(&failed, None), Some(ShareStep::Delete));
}

#[test]
fn a_refusal_about_the_organization_says_how_to_switch_sharing_on() {
    let error = |code: &str, message: &str| {
        let error = ProviderError::new(ErrorClass::Rejected, "CreateResourceShare", message);
        let error = explained(ProviderError { code: code.to_owned(), ..error });
        (error.class, error.message)
    };
    let message = "The resource you are attempting to share can only be shared within your AWS Organization.";
    let (class, text) = error("OperationNotPermittedException", message);
    assert!(text.starts_with("The resource") && text.contains("`ram_organization_sharing`"), "{text}");
    assert_eq!(class, ErrorClass::Rejected);
    assert_eq!(error("OperationNotPermittedException", "no").1, "no");
    assert_eq!(error("MalformedArnException", message).1, message);
    // Sharing may have been switched on a moment ago.
    let message = format!("{message} Or that onboarding process is still in progress.");
    let (class, text) = error("InvalidParameterException", &message);
    assert_eq!(class, ErrorClass::Propagation);
    assert!(text.contains("`ram_organization_sharing`"), "{text}");
}

/// A RAM that knows this share and another one, refuses ARNs that it does not know, and begins every
/// list with an empty page.
fn ram(asked: &Asked) -> Answer {
    let listed = |name: &str, items: &str| {
        let second = asked.body.contains("\"nextToken\":\"2\"");
        let page = if second { format!("[{items}]") } else { "[],\"nextToken\":\"2\"".to_owned() };
        Ok(format!("{{\"{name}\":{page}}}"))
    };
    let share =
        |arn: &str| format!("{{\"resourceShareArn\":\"{arn}\",\"name\":\"x\",\"status\":\"ACTIVE\"}}");
    let association = |arn: &str, sort: &str, entity: &str| {
        format!(
            "{{\"resourceShareArn\":\"{arn}\",\"associationType\":\"{sort}\",\"associatedEntity\":\"{entity}\",\
             \"status\":\"ASSOCIATED\"}}"
        )
    };
    match asked.operation.as_str() {
        "getresourceshares" if asked.body.contains("gone") => Err("UnknownResourceException"),
        "getresourceshares" => listed("resourceShares", &format!("{},{}", share("arn:other"), share(ARN))),
        "getresourceshareassociations" if asked.body.contains("RESOURCE") => {
            listed("resourceShareAssociations", &association(ARN, "RESOURCE", SUBNET))
        }
        "getresourceshareassociations" => listed(
            "resourceShareAssociations",
            &[association(ARN, "PRINCIPAL", APPS), association("arn:other", "PRINCIPAL", "777788889999")]
                .join(","),
        ),
        "createresourceshare" => Ok(format!("{{\"resourceShare\":{}}}", share(ARN))),
        other => panic!("{other} is not called"),
    }
}

#[tokio::test]
async fn every_page_is_read_and_an_unknown_share_spoils_none() {
    use straddle_engine::resource::Listing;
    let ids = [RemoteId::new(ARN), RemoteId::new("arn:gone")];
    let (listing, log) = answered_by(ram, async |client| OwnShares::fetch(client, &ids).await).await;
    let listing = listing.expect("it was answered");
    let seen = ResourceShare::observe(&listing, &ids[0]).expect("it is listed");
    assert_eq!((seen.inputs.resources, seen.inputs.principals), (Some(set(&[SUBNET])), Some(set(&[APPS]))));
    assert_eq!(ResourceShare::observe(&listing, &ids[1]), None);
    assert_eq!(ResourceShare::observe(&listing, &RemoteId::new("arn:other")), None);
    // The refused call, two pages of shares, and two pages of each sort of members.
    assert_eq!(log.len(), 1 + 2 + 4, "{log:#?}");
    let members = log.iter().filter(|asked| asked.operation == "getresourceshareassociations");
    assert!(
        members.clone().all(|asked| asked.body.contains(ARN) && !asked.body.contains("arn:other")),
        "{log:#?}"
    );
}

#[tokio::test]
async fn the_birth_call_has_the_token_the_first_members_and_our_tag() {
    let inputs = ResourceShareInputs { allow_external_principals: None, ..desired(&[SUBNET], &[APPS]) };
    let create =
        async |client: &Client| ResourceShare::create(client, &intent("ram_resource_share"), &inputs).await;
    let (made, log) = answered_by(ram, create).await;
    assert_eq!(made, Ok(RemoteId::new(ARN)));
    let [asked] = log.as_slice() else { panic!("one call: {log:#?}") };
    for part in [
        "\"clientToken\":\"token-1\"",
        "\"allowExternalPrincipals\":false",
        SUBNET,
        APPS,
        "straddle:op",
        "op-1",
    ] {
        assert!(asked.body.contains(part), "{part} is missing in {}", asked.body);
    }
}

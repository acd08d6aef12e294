//! Tests of where the gate stands, and of what keeps it closed.

use straddle_engine::address::{Kind, RemoteId};
use straddle_engine::difference::Form;
use straddle_engine::plan::{AttributeChange, Mode, Options};
use straddle_engine::spec::Lifecycle;
use straddle_engine::state::{Object, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::testing::client;

const OWNER: &str = "111122223333";
const APPS: &str = "444455556666";
const DATA: &str = "777788889999";
const ORGANIZATION: &str = "arn:aws:organizations::111122223333:organization/o-1";

/// A share: its name, the subnets in it, and whom it is for.
type Share<'a> = (&'a str, &'a [&'a str], &'a [&'a str]);

fn arn(subnet: &str) -> String {
    format!("arn:aws:ec2:us-east-1:{OWNER}:subnet/{subnet}")
}

fn members((_, subnets, principals): Share<'_>) -> ValueMap {
    let subnets = subnets.iter().map(|subnet| Value::from(arn(subnet))).collect();
    let principals = principals.iter().map(|principal| Value::from(*principal)).collect();
    [("resources".to_owned(), Value::List(subnets)), ("principals".to_owned(), Value::List(principals))]
        .into()
}

fn address(share: &str) -> Address {
    Address::new(ResourceShare::KIND, share)
}

fn object(id: &str, inputs: ValueMap) -> Object {
    Object {
        remote_id: RemoteId::new(id),
        operation_id: "op".to_owned(),
        inputs,
        outputs: ValueMap::new(),
        status: Status::Ready,
        is_being_made: false,
        created_at: "2026-01-01T00:00:00Z".parse().expect("it is a time"),
        changed_at: None,
    }
}

fn prior(kind: &str, account_id: &str, object: Object, dependencies: &[&Address]) -> ResourceState {
    ResourceState {
        kind: Kind::new(kind),
        account: AccountName::new(if account_id == OWNER { "network" } else { "apps" }),
        account_id: account_id.to_owned(),
        region: "us-east-1".to_owned(),
        object: Some(object),
        deposed: Vec::new(),
        dependencies: dependencies.iter().map(|address| (*address).clone()).collect(),
        lifecycle: Lifecycle::default(),
    }
}

fn state(shares: &[Share<'_>]) -> State {
    let mut state = State::empty("test", "lineage");
    for share in shares {
        let share_prior = prior(ResourceShare::KIND, OWNER, object(share.0, members(*share)), &[]);
        state.resources.insert(address(share.0), share_prior);
    }
    state
}

fn change(address: Address, action: ChangeAction, inputs: ValueMap) -> Change {
    Change {
        kind: Kind::new(ResourceShare::KIND),
        account: AccountName::new("network"),
        account_id: OWNER.to_owned(),
        region: "us-east-1".to_owned(),
        action,
        remote_id: Some(RemoteId::new(address.block().name.as_ref())),
        reasons: vec![Reason::Differs],
        attributes: Vec::new(),
        follows: BTreeMap::new(),
        rounds: Vec::new(),
        last_round: None,
        inputs,
        dependencies: BTreeSet::new(),
        lifecycle: Lifecycle::default(),
        address,
    }
}

fn plan(changes: Vec<Change>) -> Plan {
    Plan {
        mode: Mode::Apply,
        options: Options::default(),
        stack: "test".to_owned(),
        lineage: "lineage".to_owned(),
        serial: 0,
        spec_digest: String::new(),
        nonce: String::new(),
        accounts: BTreeMap::new(),
        changes,
        left_out: Vec::new(),
        drift: Vec::new(),
        unchanged: 0,
        renames: Vec::new(),
        imports: Vec::new(),
        lookups: Vec::new(),
        told: Vec::new(),
        outputs: Vec::new(),
    }
}

/// Returns who is waited for in which subnet, as `subnet: accounts` or `subnet: all but accounts`.
#[track_caller]
fn waits(before: &[Share<'_>], changes: &[(Share<'_>, ChangeAction)]) -> Vec<String> {
    let changes = changes.iter().map(|(share, action)| change(address(share.0), *action, members(*share)));
    let placed = ParticipantsGone.place(&plan(changes.collect()), &state(before));
    let mut texts = Vec::new();
    for placement in placed {
        for (subnet, losers) in Losses::of(&placement.subject).by_subnet {
            let list = |accounts: BTreeSet<String>| accounts.into_iter().collect::<Vec<_>>().join(" ");
            texts.push(match losers {
                Losers::Only(accounts) => format!("{subnet}: {}", list(accounts)),
                Losers::AllBut(accounts) => format!("{subnet}: all but {}", list(accounts)),
            });
        }
    }
    texts
}

const MAIN: Share<'_> = ("main", &["subnet-1", "subnet-2"], &[APPS, DATA]);

#[test]
fn a_share_goes_only_when_everybody_has_left() {
    let expected = ["subnet-1: 444455556666 777788889999", "subnet-2: 444455556666 777788889999"];
    assert_eq!(waits(&[MAIN], &[(("main", &[], &[]), ChangeAction::Delete)]), expected);
}

#[test]
fn a_share_that_loses_nothing_waits_for_nobody() {
    let more = ("main", &["subnet-1", "subnet-2", "subnet-3"][..], &[APPS, DATA][..]);
    assert_eq!(waits(&[MAIN], &[(more, ChangeAction::Update)]), Vec::<String>::new());
    assert_eq!(waits(&[], &[(MAIN, ChangeAction::Create)]), Vec::<String>::new());
    assert_eq!(waits(&[MAIN], &[(MAIN, ChangeAction::Forget)]), Vec::<String>::new());
    let no_subnets = ("main", &[][..], &[APPS][..]);
    assert_eq!(waits(&[no_subnets], &[(no_subnets, ChangeAction::Delete)]), Vec::<String>::new());
}

#[test]
fn a_subnet_that_leaves_is_left_by_all_and_a_principal_leaves_all_subnets() {
    let smaller = ("main", &["subnet-1"][..], &[APPS, DATA][..]);
    assert_eq!(waits(&[MAIN], &[(smaller, ChangeAction::Update)]), ["subnet-2: 444455556666 777788889999"]);
    let fewer = ("main", &["subnet-1", "subnet-2"][..], &[DATA][..]);
    let expected = ["subnet-1: 444455556666", "subnet-2: 444455556666"];
    assert_eq!(waits(&[MAIN], &[(fewer, ChangeAction::Update)]), expected);
}

#[test]
fn who_has_the_subnet_by_another_share_loses_nothing() {
    let other = ("other", &["subnet-1"][..], &[APPS][..]);
    let gone = (MAIN, ChangeAction::Delete);
    let expected = ["subnet-1: 777788889999", "subnet-2: 444455556666 777788889999"];
    assert_eq!(waits(&[MAIN, other], &[gone]), expected);
    assert_eq!(waits(&[MAIN], &[gone, (other, ChangeAction::Create)]), expected);
    let renamed = (("renamed", MAIN.1, MAIN.2), ChangeAction::Create);
    assert_eq!(waits(&[MAIN], &[gone, renamed]), Vec::<String>::new());
}

#[test]
fn a_share_that_is_replaced_without_a_gap_waits_for_nobody() {
    let first = ChangeAction::Replace(ReplaceOrder::CreateFirst);
    assert_eq!(waits(&[MAIN], &[(MAIN, first)]), Vec::<String>::new());
    let last = ChangeAction::Replace(ReplaceOrder::DeleteFirst);
    assert_eq!(waits(&[MAIN], &[(MAIN, last)]).len(), 2);
}

/// Forgetting a share leaves it in place; that it is gone is the only reason that does not.
#[test]
fn a_share_that_is_only_forgotten_goes_on_holding() {
    let kept = ("kept", &["subnet-1", "subnet-2"][..], &[APPS, DATA][..]);
    let waits = |reason: Reason| {
        let mut forget = change(address("kept"), ChangeAction::Forget, ValueMap::new());
        forget.reasons = vec![reason];
        let gone = change(address("main"), ChangeAction::Delete, ValueMap::new());
        ParticipantsGone.place(&plan(vec![forget, gone]), &state(&[MAIN, kept])).len()
    };
    for reason in [Reason::Removed, Reason::Retained, Reason::NeverDeleted] {
        assert_eq!(waits(reason), 0);
    }
    assert_eq!(waits(Reason::Vanished { remote_id: RemoteId::new("kept") }), 1);
}

#[test]
fn a_group_stands_for_everybody_who_is_not_known_to_stay() {
    let open = ("main", &["subnet-1"][..], &[ORGANIZATION, APPS][..]);
    let closed = ("main", &["subnet-1"][..], &[APPS][..]);
    assert_eq!(waits(&[open], &[(closed, ChangeAction::Update)]), ["subnet-1: all but 444455556666"]);
    let group = ("main", &["subnet-1"][..], &[ORGANIZATION][..]);
    assert_eq!(waits(&[closed], &[(group, ChangeAction::Update)]), Vec::<String>::new());
}

#[test]
fn a_role_belongs_to_its_account() {
    let role = "arn:aws:iam::444455556666:role/x";
    let before = ("main", &["subnet-1"][..], &[role][..]);
    let after = ("main", &["subnet-1"][..], &[][..]);
    assert_eq!(waits(&[before], &[(after, ChangeAction::Update)]), ["subnet-1: 444455556666"]);
    let account = ("main", &["subnet-1"][..], &[APPS][..]);
    assert_eq!(waits(&[before], &[(account, ChangeAction::Update)]), Vec::<String>::new());
}

/// What comes instead of a known member is another one; a set of which nothing is known may be
/// the same one.
#[test]
fn what_is_not_known_yet() {
    let unknown = || Value::unknown(Address::new("subnet", "new"), "arn");
    let place = |resources: Value| {
        let inputs: ValueMap =
            members(MAIN).into_iter().chain([("resources".to_owned(), resources)]).collect();
        let change = change(address("main"), ChangeAction::Update, inputs);
        ParticipantsGone.place(&plan(vec![change]), &state(&[MAIN])).len()
    };
    assert_eq!(place(Value::List(vec![Value::from(arn("subnet-1")), unknown()])), 1);
    assert_eq!(place(unknown()), 0);
}

/// What others added is let out by the update, too.
#[test]
fn members_that_others_added_are_waited_for_like_ours() {
    let ours = ("main", &["subnet-1"][..], &[APPS][..]);
    let mut update = change(address("main"), ChangeAction::Update, members(ours));
    let seen = members(("main", &["subnet-1"], &[APPS, DATA]));
    update.attributes = vec![AttributeChange {
        name: "principals".to_owned(),
        before: seen["principals"].clone(),
        after: members(ours)["principals"].clone(),
        replaces: false,
        sensitive: false,
        form: Form::Data,
    }];
    let placed = ParticipantsGone.place(&plan(vec![update]), &state(&[ours]));
    let losses = Losses::of(&placed[0].subject);
    assert_eq!(losses.by_subnet["subnet-1"], Losers::Only([DATA.to_owned()].into()));
}

#[test]
fn it_stands_between_what_the_participants_have_and_the_share() {
    let share = address("main");
    let mut state = state(&[MAIN]);
    let cluster = Address::new("eks_cluster", "main");
    let own = Address::new("route_table", "own");
    let apart = Address::new("iam_role", "apart");
    for (address, account, needs) in [(&cluster, APPS, true), (&own, OWNER, true), (&apart, APPS, false)] {
        let needed = if needs { vec![&share] } else { vec![] };
        state
            .resources
            .insert(address.clone(), prior("thing", account, object("x", ValueMap::new()), &needed));
    }
    let delete = |address: &Address| change(address.clone(), ChangeAction::Delete, ValueMap::new());
    let plan = plan([&share, &cluster, &own, &apart].map(delete).into());
    let placed = ParticipantsGone.place(&plan, &state);
    let [placement] = placed.as_slice() else { panic!("{placed:#?}") };
    assert_eq!(placement.after, [Anchor::Unmade(cluster.clone()), Anchor::Made(cluster)]);
    assert_eq!(placement.before, [Anchor::Unmade(share.clone())]);
    assert_eq!((placement.account.as_str(), placement.timeout), ("network", PATIENCE));
    let smaller = members(("main", &["subnet-1"], &[APPS]));
    let update = change(share.clone(), ChangeAction::Update, smaller);
    let placed = ParticipantsGone.place(&super::tests::plan(vec![update]), &state);
    assert_eq!(placed[0].before, [Anchor::Withdrawn(share)]);
}

fn interface(number: usize, owner: &str, subnet: &str) -> NetworkInterface {
    NetworkInterface::builder()
        .network_interface_id(format!("eni-{number}"))
        .owner_id(owner)
        .subnet_id(subnet)
        .description(if number == 1 { "Amazon EKS main" } else { "" })
        .build()
}

#[test]
fn interfaces_of_those_who_lose_their_subnet_keep_it_closed() {
    let by_subnet = [
        ("subnet-1".to_owned(), Losers::Only([APPS.to_owned()].into())),
        ("subnet-2".to_owned(), Losers::AllBut([DATA.to_owned()].into())),
    ];
    let losses = Losses { owner: OWNER.to_owned(), by_subnet: by_subnet.into() };
    assert_eq!(Losses::of(&losses.subject()), losses);
    let concern = |owner: &str, subnet: &str| losses.concern(&interface(1, owner, subnet));
    assert!(concern(APPS, "subnet-1") && concern(APPS, "subnet-2") && concern("999900001111", "subnet-2"));
    assert!(!concern(DATA, "subnet-1") && !concern(DATA, "subnet-2"));
    assert!(!concern(OWNER, "subnet-2") && !concern(APPS, "subnet-3"));
}

#[test]
fn the_first_few_interfaces_are_named_and_the_rest_is_counted() {
    assert_eq!(readiness(&[]), Readiness::Ready);
    let texts: Vec<_> = (1..=5).map(|number| describe(&interface(number, APPS, "subnet-1"))).collect();
    let Readiness::Pending(text) = readiness(&texts) else { panic!("there are interfaces") };
    let named = "eni-1 of account 444455556666 in subnet-1 (Amazon EKS main), eni-2 of account 444455556666 in \
                 subnet-1, eni-3 of account 444455556666 in subnet-1 and 2 more to be deleted";
    assert!(text.starts_with(named), "{text}");
    let Readiness::Pending(text) = readiness(&texts[..1]) else { panic!("there is an interface") };
    assert!(text.starts_with("eni-1 of account 444455556666 in subnet-1 (Amazon EKS main) to be"), "{text}");
}

/// Answers one call on this machine with the interfaces, and returns what it asked for.
async fn answer(listener: &TcpListener, interfaces: &[NetworkInterface]) -> String {
    let item = |interface: &NetworkInterface| {
        let part = |name: &str, text: Option<&str>| format!("<{name}>{}</{name}>", text.unwrap_or_default());
        let parts = [
            part("networkInterfaceId", interface.network_interface_id()),
            part("ownerId", interface.owner_id()),
            part("subnetId", interface.subnet_id()),
            part("description", interface.description()),
        ];
        format!("<item>{}</item>", parts.concat())
    };
    let items: Vec<_> = interfaces.iter().map(item).collect();
    let body = format!(
        "<DescribeNetworkInterfacesResponse><networkInterfaceSet>{}</networkInterfaceSet>\
         </DescribeNetworkInterfacesResponse>",
        items.concat()
    );
    let (mut stream, _) = listener.accept().await.expect("the call comes");
    let mut request = Vec::new();
    while !request.ends_with(b"=subnet-2") {
        assert_ne!(stream.read_buf(&mut request).await.expect("it is readable"), 0, "the call is whole");
    }
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).await.expect("it is read");
    String::from_utf8(request).expect("it is text")
}

async fn checked(interfaces: &[NetworkInterface]) -> (String, Readiness) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the machine has a port left");
    let port = listener.local_addr().expect("it is bound").port();
    let connection = Connection::new(client(OWNER, port));
    let connections = [(AccountName::new("network"), connection)].into();
    let deletion = change(address("main"), ChangeAction::Delete, ValueMap::new());
    let placed = ParticipantsGone.place(&plan(vec![deletion]), &state(&[MAIN]));
    let look = ParticipantsGone.check(&connections, &placed[0]);
    let (request, readiness) = futures::future::join(answer(&listener, interfaces), look).await;
    (request, readiness.expect("it was answered"))
}

#[tokio::test]
async fn the_owner_looks_into_the_subnets_that_somebody_loses() {
    let left = [interface(1, APPS, "subnet-1"), interface(2, OWNER, "subnet-2")];
    let (request, readiness) = checked(&left).await;
    for part in ["Action=DescribeNetworkInterfaces", "Filter.1.Value.1=subnet-1", "Filter.1.Value.2=subnet-2"]
    {
        assert!(request.contains(part), "{part} is missing in {request}");
    }
    assert!(matches!(&readiness, Readiness::Pending(text) if text.contains("eni-1")), "{readiness:?}");
    assert_eq!(checked(&left[1..]).await.1, Readiness::Ready);
}

//! Tests of the steps, the observation and the checks of `listener`.

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, ForwardActionConfig, RedirectActionConfig, RedirectActionStatusCodeEnum,
    TargetGroupStickinessConfig, TargetGroupTuple,
};
use straddle_engine::schema::AttributeValue;

use super::*;

type Seen = Observed<ListenerInputs, ListenerOutputs>;

const ARN: &str =
    "arn:aws:elasticloadbalancing:us-east-1:111122223333:listener/app/web/50dc6c495c0c9188/f2f7dc8e";

fn forward(groups: &[(&str, i32)]) -> Action {
    let group = |(arn, weight): &(&str, i32)| {
        TargetGroupTuple::builder().target_group_arn(*arn).weight(*weight).build()
    };
    let stickiness = TargetGroupStickinessConfig::builder().enabled(false).build();
    let config = ForwardActionConfig::builder()
        .set_target_groups(Some(groups.iter().map(group).collect()))
        .target_group_stickiness_config(stickiness)
        .build();
    Action::builder().r#type(ActionTypeEnum::Forward).forward_config(config).build()
}

fn observe(action: Action, certificates: &[&str]) -> Seen {
    let listener = types::Listener::builder()
        .listener_arn(ARN)
        .load_balancer_arn("arn:lb")
        .port(80)
        .protocol(ProtocolEnum::Http)
        .default_actions(action)
        .build();
    let certificates = certificates.iter().map(|&arn| arn.to_owned()).collect();
    let listing = Listeners::of_one(listener, certificates);
    Listener::observe(&listing, &RemoteId::new(ARN)).expect("it is listed")
}

/// Returns inputs as a spec writes them.
fn inputs(action: Value) -> ListenerInputs {
    let values = [
        ("load_balancer_arn", Value::from("arn:lb")),
        ("port", Value::from(80)),
        ("protocol", Value::from("HTTP")),
        ("default_action", action),
    ];
    let values = values.map(|(name, value)| (name.to_owned(), value)).into();
    ListenerInputs::from_values(&values).expect("the types fit")
}

fn table<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Map(members.map(|(name, value)| (name.to_owned(), value)).into())
}

fn to_group(arn: &str) -> Value {
    table([("type", Value::from("forward")), ("target_group_arn", Value::from(arn))])
}

#[test]
fn a_single_group_can_be_written_both_ways() {
    let observed = observe(forward(&[("arn:one", 1)]), &[]);
    assert_eq!(Listener::next_step(&observed, Some(&inputs(to_group("arn:one")))), None);
    let group = table([("arn", Value::from("arn:one")), ("weight", Value::from(1))]);
    let listed = table([("type", Value::from("forward")), ("target_groups", Value::from(vec![group]))]);
    assert_eq!(Listener::next_step(&observed, Some(&inputs(listed))), None);
    let other = inputs(to_group("arn:two"));
    let modify = ListenerStep::Modify(Box::new(other.clone()));
    assert_eq!(Listener::next_step(&observed, Some(&other)), Some(modify));
}

#[test]
fn weights_are_sent_and_read() {
    let observed = observe(forward(&[("arn:one", 9), ("arn:two", 1)]), &[]);
    let action = &observed.inputs.default_action;
    let weights = table([("arn", Value::from("arn:one")), ("weight", Value::from(9))]);
    let groups =
        action.to_value().as_map().and_then(|action| action["target_groups"].as_list().map(<[_]>::to_vec));
    assert_eq!(groups.expect("there are two")[0], weights);
    let sent = action.to_sdk();
    let sent = sent.forward_config().expect("it forwards").target_groups();
    assert_eq!(sent.iter().map(TargetGroupTuple::weight).collect::<Vec<_>>(), [Some(9), Some(1)]);
}

#[test]
fn what_a_redirect_leaves_open_is_kept() {
    let config = RedirectActionConfig::builder()
        .protocol("HTTPS")
        .port("443")
        .host("#{host}")
        .status_code(RedirectActionStatusCodeEnum::Http301)
        .build();
    let action = Action::builder().r#type(ActionTypeEnum::Redirect).redirect_config(config).build();
    let redirect = table([
        ("status_code", Value::from("HTTP_301")),
        ("protocol", Value::from("HTTPS")),
        ("port", Value::from("443")),
        ("path", Value::from("/#{path}")),
        ("query", Value::from("#{query}")),
    ]);
    let wanted = inputs(table([("type", Value::from("redirect")), ("redirect", redirect)]));
    assert_eq!(Listener::next_step(&observe(action, &[]), Some(&wanted)), None);
}

#[test]
fn a_listener_that_asks_for_a_login_differs() {
    let login = Action::builder().r#type(ActionTypeEnum::AuthenticateOidc).build();
    let actions = [login, forward(&[("arn:one", 1)])];
    let observed = DefaultAction::observed(&actions).to_value();
    let action_type = observed.as_map().and_then(|action| action["type"].as_str().map(str::to_owned));
    assert_eq!(action_type.as_deref(), Some("authenticate-oidc, forward"));
}

#[test]
fn certificates_come_before_others_go() {
    let observed = observe(forward(&[("arn:one", 1)]), &["arn:old"]);
    let wanted = |arns: &[&str]| ListenerInputs {
        additional_certificate_arns: Some(arns.iter().map(|&arn| arn.to_owned()).collect()),
        ..inputs(to_group("arn:one"))
    };
    let set = |arn: &str| [arn.to_owned()].into();
    let next = |wanted: ListenerInputs| Listener::next_step(&observed, Some(&wanted));
    assert_eq!(next(wanted(&["arn:new"])), Some(ListenerStep::AddCertificates(set("arn:new"))));
    assert_eq!(next(wanted(&[])), Some(ListenerStep::RemoveCertificates(set("arn:old"))));
    assert_eq!(next(wanted(&["arn:old"])), None);
}

#[test]
fn what_does_not_go_together_is_a_problem() {
    let wrong = |change: &dyn Fn(&mut ValueMap)| -> Vec<String> {
        let mut values = inputs(to_group("arn:one")).to_values();
        change(&mut values);
        Listener::check(&values).into_iter().map(|problem| problem.message).collect()
    };
    assert_eq!(wrong(&|_| ()), Vec::<String>::new());
    let problem = |message: &str, found: Vec<String>| assert_eq!(found, [message.to_owned()]);
    problem("There is no port 0.", wrong(&|values| drop(values.insert("port".to_owned(), Value::from(0)))));
    problem(
        "A listener that takes HTTPS needs a certificate.",
        wrong(&|values| drop(values.insert("protocol".to_owned(), Value::from("HTTPS")))),
    );
    problem(
        "A listener that takes HTTP has no `ssl_policy`.",
        wrong(&|values| drop(values.insert("ssl_policy".to_owned(), Value::from("x")))),
    );
    let action =
        |action: Value| wrong(&|values| drop(values.insert("default_action".to_owned(), action.clone())));
    problem(
        "An action of the type `redirect` needs `redirect`.",
        action(table([("type", Value::from("redirect"))])),
    );
    let mixed = table([
        ("type", Value::from("forward")),
        ("target_group_arn", Value::from("arn:one")),
        ("redirect", table([])),
    ]);
    problem("An action of the type `forward` has no `redirect`.", action(mixed));
}

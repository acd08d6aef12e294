//! What a listener does with a connection.

use aws_sdk_elasticloadbalancingv2::types::{
    self, Action, ActionTypeEnum, FixedResponseActionConfig, ForwardActionConfig, RedirectActionConfig,
    RedirectActionStatusCodeEnum, TargetGroupStickinessConfig, TargetGroupTuple,
};
use straddle_engine::schema::Attributes;
use straddle_engine::value::{Value, ValueMap};

use super::super::number;

pub(super) const FORWARD: &str = "forward";
pub(super) const REDIRECT: &str = "redirect";
pub(super) const FIXED_RESPONSE: &str = "fixed-response";

/// What is done with a connection.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct DefaultAction {
    /// `forward` sends it to targets, `redirect` sends the client elsewhere, `fixed-response` answers it.
    #[attribute(one_of = ["forward", "redirect", "fixed-response"])]
    r#type: String,
    /// The target group that it goes to.
    #[attribute(refers_to = "target_group")]
    target_group_arn: Option<String>,
    /// The target groups that connections are spread over, instead of one.
    target_groups: Option<Vec<WeightedGroup>>,
    /// Whether a client stays with one of several target groups.
    stickiness: Option<GroupStickiness>,
    /// Where a client is sent.
    redirect: Option<Redirect>,
    /// What a client is answered.
    fixed_response: Option<FixedResponse>,
}

/// A target group and its part of the connections.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct WeightedGroup {
    /// The target group.
    #[attribute(refers_to = "target_group")]
    arn: String,
    /// Its part, in relation to the weights of the others: 0 to 999.
    #[attribute(default = 1, always)]
    weight: Option<i64>,
}

/// Whether a client stays with one of several target groups.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct GroupStickiness {
    /// Whether it does.
    #[attribute(default = false)]
    enabled: Option<bool>,
    /// For how many seconds.
    duration: Option<i64>,
}

/// Where a client is sent. What is not set stays as the client asked for it.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct Redirect {
    /// `HTTP_301` for ever, `HTTP_302` for now.
    #[attribute(one_of = ["HTTP_301", "HTTP_302"])]
    status_code: String,
    /// `HTTP` or `HTTPS`.
    #[attribute(default = "#{protocol}", always)]
    protocol: Option<String>,
    /// The port.
    #[attribute(default = "#{port}", always)]
    port: Option<String>,
    /// The host's name.
    #[attribute(default = "#{host}", always)]
    host: Option<String>,
    /// The path, from its first slash on.
    #[attribute(default = "/#{path}", always)]
    path: Option<String>,
    /// What follows the question mark.
    #[attribute(default = "#{query}", always)]
    query: Option<String>,
}

/// What a client is answered.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct FixedResponse {
    /// The code of HTTP: 2xx, 4xx or 5xx.
    status_code: String,
    /// What the body is.
    #[attribute(one_of = [
        "text/plain",
        "text/css",
        "text/html",
        "application/javascript",
        "application/json",
    ])]
    content_type: Option<String>,
    /// The body.
    message_body: Option<String>,
}

impl DefaultAction {
    /// Returns the action as the API takes it.
    pub(super) fn to_sdk(&self) -> Action {
        let action = Action::builder().r#type(ActionTypeEnum::from(self.r#type.as_str()));
        match self.r#type.as_str() {
            FORWARD => match &self.target_groups {
                Some(groups) => action.forward_config(self.forward(groups)),
                None => action.set_target_group_arn(self.target_group_arn.clone()),
            },
            REDIRECT => action.set_redirect_config(self.redirect.as_ref().map(Redirect::to_sdk)),
            _ => action.set_fixed_response_config(self.fixed_response.as_ref().map(FixedResponse::to_sdk)),
        }
        .build()
    }

    fn forward(&self, groups: &[WeightedGroup]) -> ForwardActionConfig {
        let group = |group: &WeightedGroup| {
            let weight = group.weight.map(number);
            TargetGroupTuple::builder().target_group_arn(&group.arn).set_weight(weight).build()
        };
        let stickiness = self.stickiness.as_ref().map(|stickiness| {
            TargetGroupStickinessConfig::builder()
                .enabled(stickiness.enabled.unwrap_or_default())
                .set_duration_seconds(stickiness.duration.map(number))
                .build()
        });
        ForwardActionConfig::builder()
            .set_target_groups(Some(groups.iter().map(group).collect()))
            .set_target_group_stickiness_config(stickiness)
            .build()
    }

    /// Returns what a listener does. One that asks for a login first does more than a spec can say, and
    /// differs from all that it says.
    pub(super) fn observed(actions: &[Action]) -> Self {
        let types: Vec<_> = actions.iter().filter_map(Action::r#type).map(ActionTypeEnum::as_str).collect();
        let Some(last) = actions.last() else { return Self::default() };
        let forward = last.forward_config();
        let groups = forward.map(ForwardActionConfig::target_groups).unwrap_or_default();
        let single = match groups {
            [] => last.target_group_arn(),
            [group] => group.target_group_arn(),
            _ => None,
        };
        let stickiness = forward.and_then(ForwardActionConfig::target_group_stickiness_config);
        let weighted = |group: &TargetGroupTuple| WeightedGroup {
            arn: group.target_group_arn().unwrap_or_default().to_owned(),
            weight: Some(group.weight().map_or(1, i64::from)),
        };
        Self {
            r#type: types.join(", "),
            target_group_arn: single.map(str::to_owned),
            target_groups: (!groups.is_empty()).then(|| groups.iter().map(weighted).collect()),
            stickiness: Some(GroupStickiness {
                enabled: Some(stickiness.and_then(TargetGroupStickinessConfig::enabled).unwrap_or_default()),
                duration: stickiness.and_then(TargetGroupStickinessConfig::duration_seconds).map(i64::from),
            }),
            redirect: last.redirect_config().map(Redirect::observed),
            fixed_response: last.fixed_response_config().map(FixedResponse::observed),
        }
    }
}

impl Redirect {
    fn to_sdk(&self) -> RedirectActionConfig {
        RedirectActionConfig::builder()
            .status_code(RedirectActionStatusCodeEnum::from(self.status_code.as_str()))
            .set_protocol(self.protocol.clone())
            .set_port(self.port.clone())
            .set_host(self.host.clone())
            .set_path(self.path.clone())
            .set_query(self.query.clone())
            .build()
    }

    fn observed(config: &types::RedirectActionConfig) -> Self {
        let or_kept = |part: Option<&str>, kept: &str| Some(part.unwrap_or(kept).to_owned());
        Self {
            status_code: config.status_code().map(|code| code.as_str().to_owned()).unwrap_or_default(),
            protocol: or_kept(config.protocol(), "#{protocol}"),
            port: or_kept(config.port(), "#{port}"),
            host: or_kept(config.host(), "#{host}"),
            path: or_kept(config.path(), "/#{path}"),
            query: or_kept(config.query(), "#{query}"),
        }
    }
}

impl FixedResponse {
    fn to_sdk(&self) -> FixedResponseActionConfig {
        FixedResponseActionConfig::builder()
            .status_code(&self.status_code)
            .set_content_type(self.content_type.clone())
            .set_message_body(self.message_body.clone())
            .build()
    }

    fn observed(config: &types::FixedResponseActionConfig) -> Self {
        Self {
            status_code: config.status_code().unwrap_or_default().to_owned(),
            content_type: config.content_type().map(str::to_owned),
            message_body: config.message_body().map(str::to_owned),
        }
    }
}

/// Leaves out of what was found of a listener one of the two ways to say where connections go, whether clients
/// stay where there is nothing else, and what only has to do with TLS where there is none.
pub(super) fn essential(mut found: ValueMap) -> ValueMap {
    let protocol = found.get("protocol").and_then(Value::as_str).unwrap_or_default();
    if !["HTTPS", "TLS"].contains(&protocol) {
        found.retain(|name, _| name != "ssl_policy" && name != "mutual_authentication");
    }
    let Some(Value::Map(action)) = found.get_mut("default_action") else { return found };
    let groups = action.get("target_groups").map(Value::items).unwrap_or_default();
    if groups.len() > 1 {
        action.remove("target_group_arn");
    } else {
        action.remove("target_groups");
        action.remove("stickiness");
    }
    found
}

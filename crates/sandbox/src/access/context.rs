//! The condition keys of a call: who asks, with which tags, where.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::call::{Call, Parameters};
use crate::identity::{Caller, Identity};
use crate::world::World;

/// Values of condition keys, whose names are in small letters.
pub(crate) type Context = BTreeMap<String, Vec<String>>;

/// Returns the condition keys that every action has ("AWS global condition context keys").
pub(crate) fn of_call(world: &World, call: &Call) -> Context {
    let mut context = of_caller(world, &call.caller);
    set(&mut context, "aws:RequestedRegion", &call.region);
    // The sandbox stands for endpoints that nobody reaches in another way.
    set(&mut context, "aws:SecureTransport", "true");
    let tags = given_tags(&call.parameters);
    let mut keys: Vec<_> = tags.iter().map(|(key, _)| key.clone()).collect();
    let removed = ["TagKeys", "tagKeys"].into_iter().flat_map(|name| call.parameters.texts(name));
    keys.extend(removed.map(str::to_owned));
    for (key, value) in tags {
        set(&mut context, &format!("aws:RequestTag/{key}"), &value);
    }
    if !keys.is_empty() {
        context.insert("aws:tagkeys".to_owned(), keys);
    }
    let operation_keys = [
        ("AWSServiceName", "iam:AWSServiceName"),
        ("PolicyArn", "iam:PolicyARN"),
        ("PermissionsBoundary", "iam:PermissionsBoundary"),
        ("ExternalId", "sts:ExternalId"),
        ("RoleSessionName", "sts:RoleSessionName"),
    ];
    for (parameter, key) in operation_keys {
        if let Some(value) = call.parameters.text(parameter) {
            set(&mut context, key, value);
        }
    }
    context
}

/// Returns the condition keys that tell of a caller.
fn of_caller(world: &World, caller: &Caller) -> Context {
    let mut context = Context::new();
    if caller.identity == Identity::Nobody {
        return context;
    }
    set(&mut context, "aws:PrincipalAccount", caller.account.as_str());
    set(&mut context, "aws:userid", &caller.user_id);
    if world.organization.accounts.contains_key(&caller.account) {
        set(&mut context, "aws:PrincipalOrgID", &world.organization.id());
    }
    let directory = world.directories.get(&caller.account);
    let (kind, arn, tags) = match &caller.identity {
        Identity::Role(session) => {
            let role = directory.and_then(|directory| directory.roles.get(&session.role_name));
            let mut tags = role.map(|role| role.tags.clone()).unwrap_or_default();
            // A session's tags come before those of its role.
            tags.extend(session.tags.clone());
            ("AssumedRole", &session.role_arn, tags)
        }
        Identity::User(name) => {
            set(&mut context, "aws:username", name);
            ("User", &caller.arn, directory.map(|directory| directory.tags_of_user(name)).unwrap_or_default())
        }
        Identity::Administrator | Identity::Nobody => ("Account", &caller.arn, BTreeMap::new()),
    };
    set(&mut context, "aws:PrincipalType", kind);
    set(&mut context, "aws:PrincipalArn", arn);
    for (key, value) in tags {
        set(&mut context, &format!("aws:PrincipalTag/{key}"), &value);
    }
    context
}

/// Sets a key to one value.
pub(crate) fn set(context: &mut Context, key: &str, value: &str) {
    context.insert(key.to_lowercase(), vec![value.to_owned()]);
}

/// Returns the condition keys of a thing's tags.
pub(crate) fn of_tags(tags: &BTreeMap<String, String>, service: &str) -> Context {
    let mut context = Context::new();
    for (key, value) in tags {
        set(&mut context, &format!("aws:ResourceTag/{key}"), value);
        set(&mut context, &format!("{service}:ResourceTag/{key}"), value);
    }
    context
}

/// Returns the tags in a call, whatever form its service has for them.
fn given_tags(parameters: &Parameters) -> Vec<(String, String)> {
    let specified = parameters.tables("TagSpecification");
    let specified = specified.iter().flat_map(|specification| specification.tables("Tag"));
    let plain = ["Tag", "Tags", "tags"].into_iter().flat_map(|name| parameters.tables(name));
    let text = |tag: &Parameters, names: [&str; 2]| {
        let value = names.into_iter().find_map(|name| tag.0.get(name).and_then(Value::as_str));
        value.unwrap_or_default().to_owned()
    };
    let listed = specified.chain(plain);
    let listed = listed.map(|tag| (text(&tag, ["Key", "key"]), text(&tag, ["Value", "value"])));
    let table = parameters.table("tags").0.into_iter();
    let table = table.map(|(key, value)| (key, value.as_str().unwrap_or_default().to_owned()));
    listed.chain(table).collect()
}

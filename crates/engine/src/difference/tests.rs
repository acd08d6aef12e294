//! Where values differ, as text: `path: before -> after`.

use super::*;
use crate::json;

fn value(text: &str) -> Value {
    json::decode(text).expect("the text is JSON")
}

/// Returns the places at which two JSON texts differ, and how many parts are the same.
fn between(form: Form, before: &str, after: &str) -> (Vec<String>, usize) {
    let Differences { places, unchanged } = differences(form, &value(before), &value(after));
    let text = |value: &Value| json::encode(value).expect("everything is known");
    let place = |Difference { path, before, after }: &Difference| {
        format!("{path}: {} -> {}", text(before), text(after))
    };
    (places.iter().map(place).collect(), unchanged)
}

fn check(form: Form, before: &str, after: &str, expected: &[&str]) {
    assert_eq!(between(form, before, after).0, expected, "{before} {after}");
}

#[test]
fn tables_differ_by_key() {
    let before = r#"{"a": {"b": 1, "c/d": 2}, "e": 3, "f": 4, "it's": 5}"#;
    let after = r#"{"a": {"b": 2, "c/d": 3}, "e": 3, "g": 4, "it's": 6}"#;
    let expected = ["a.b: 1 -> 2", "a['c/d']: 2 -> 3", "f: 4 -> null", "g: null -> 4", "\"it's\": 5 -> 6"];
    check(Form::Data, before, after, &expected);
    assert_eq!(between(Form::Data, before, after).1, 1);
}

#[test]
fn tables_in_lists_differ_by_name_or_position() {
    let named = |items: &str| format!(r#"{{"containers": [{items}]}}"#);
    let before = named(r#"{"name": "web", "ports": [80, 443]}, {"name": "log", "level": 1}"#);
    let after = named(r#"{"name": "new"}, {"name": "web", "ports": [80]}"#);
    check(
        Form::Data,
        &before,
        &after,
        &[
            r#"containers['new']: null -> {"name":"new"}"#,
            "containers['web'].ports: [80,443] -> [80]",
            r#"containers['log']: {"level":1,"name":"log"} -> null"#,
        ],
    );
    check(Form::Data, r#"[[1], {"a": [1]}]"#, r#"[[1], {"a": [2]}]"#, &["[1].a: [1] -> [2]"]);
}

#[test]
fn what_moved_in_a_list_is_seen_in_the_whole_list() {
    let moved = |one: &str, other: &str| (format!("[{one}, {other}]"), format!("[{other}, {one}]"));
    for (before, after) in [
        moved(r#"{"name": "a"}"#, r#"{"name": "b"}"#),
        moved(r#"{"x": 1}"#, r#"{"x": 2}"#),
        (r#"[{"x": 1}]"#.to_owned(), r#"[{"x": 1}, {"x": 2}]"#.to_owned()),
        (r#"[{"name": "a"}, {"name": "a"}]"#.to_owned(), r#"[{"name": "a"}, 1]"#.to_owned()),
    ] {
        let places = differences(Form::Data, &value(&before), &value(&after)).places;
        assert_eq!(places.iter().map(|place| &*place.path).collect::<Vec<_>>(), [""], "{before}");
    }
}

const READ: &str =
    r#"{"Sid": "Read", "Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}"#;
const DENY: &str = r#"{"Effect": "Deny", "Action": "s3:Put*", "Resource": ["a", "b"]}"#;

fn check_policy(before: &[&str], after: &[&str], expected: &[&str]) {
    let policy = |statements: &[&str]| {
        format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(", "))
    };
    check(Form::Policy, &policy(before), &policy(after), expected);
}

#[test]
fn statements_have_no_order_and_their_values_are_sets() {
    check_policy(&[READ, DENY], &[DENY, READ], &[]);
    let other = READ.replace(r#"["s3:Get*", "s3:List*"]"#, r#"["s3:List*", "s3:Get*", "s3:Get*"]"#);
    check_policy(&[READ], &[&other.replace(r#""*""#, r#"["*"]"#)], &[]);
}

#[test]
fn statements_come_and_go_as_wholes() {
    check_policy(
        &[READ],
        &[DENY],
        &[
            r#"Statement[0]: null -> {"Action":"s3:Put*","Effect":"Deny","Resource":["a","b"]}"#,
            r#"Statement['Read']: {"Action":["s3:Get*","s3:List*"],"Effect":"Allow","Resource":"*","Sid":"Read"} -> null"#,
        ],
    );
}

#[test]
fn statements_are_known_again_by_their_sid_or_by_what_stayed() {
    let denied = READ.replace("Allow", "Deny").replace(r#""*""#, r#""x""#);
    check_policy(
        &[DENY, READ],
        &[&denied, &DENY.replace("s3:Put*", "s3:Get*")],
        &[
            r#"Statement['Read'].Effect: "Allow" -> "Deny""#,
            r#"Statement['Read'].Resource: "*" -> "x""#,
            r#"Statement[1].Action: "s3:Put*" -> "s3:Get*""#,
        ],
    );
    // Another name and nothing else.
    check_policy(
        &[READ, DENY],
        &[DENY, &READ.replace("Read", "See")],
        &[r#"Statement['See'].Sid: "Read" -> "See""#],
    );
    // Twice the same statement: one of them stays.
    check_policy(
        &[DENY, DENY],
        &[DENY, &DENY.replace(r#""a""#, r#""c""#)],
        &[r#"Statement[1].Resource: ["a","b"] -> ["b","c"]"#],
    );
}

#[test]
fn conditions_and_principals_differ_by_what_they_name() {
    let statement = |principal: &str, condition: &str| {
        format!(
            r#"{{"Effect": "Allow", "Action": "*", "Principal": {principal},
                "Condition": {{"StringEquals": {{"aws:x": {condition}}}}}}}"#
        )
    };
    check_policy(&[&statement(r#""*""#, "true")], &[&statement(r#"{"AWS": ["*"]}"#, r#"["true"]"#)], &[]);
    check_policy(
        &[&statement(r#"{"AWS": "arn:aws:iam::111122223333:root"}"#, r#""a""#)],
        &[&statement(r#"{"AWS": ["111122223333", "444455556666"]}"#, r#"["b", "a"]"#)],
        &[
            r#"Statement[0].Condition.StringEquals['aws:x']: ["a"] -> ["a","b"]"#,
            r#"Statement[0].Principal.AWS: ["111122223333"] -> ["111122223333","444455556666"]"#,
        ],
    );
}

#[test]
fn what_is_no_policy_differs_as_a_whole() {
    check(Form::Policy, r#""text""#, r#"{"Statement": []}"#, &[r#": "text" -> {"Statement":[]}"#]);
    check(
        Form::Policy,
        r#"{"Statement": "x"}"#,
        r#"{"Statement": [1]}"#,
        &["Statement[0]: null -> 1", r#"Statement[0]: "x" -> null"#],
    );
}

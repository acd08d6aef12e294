//! The rules of a listener: hosts and paths of Ingresses, in the order in which they are asked.

use serde_json::{Value, json};

use super::{Build, backend};
use crate::controller::group::Member;
use crate::controller::model::Rule;
use crate::controller::object::{items, text};
use crate::controller::reach::{Done, Trouble};
use crate::controller::work::Work;

/// Works out the rules of a listener: those of one Ingress after those of the other.
pub(super) fn build(
    work: &mut Work<'_>,
    build: &mut Build<'_>,
    port: u16,
    members: &[Member],
) -> Done<Vec<Rule>> {
    let mut rules: Vec<Rule> = Vec::new();
    for member in members {
        for rule in items(&member.ingress, "/spec/rules") {
            for path in sorted(items(rule, "/http/paths")) {
                let tags = super::member_tags(member)?;
                let name = format!("{port}:{}", rules.len() + 1);
                let mut all = build.tags.clone();
                all.extend(tags);
                rules.push(Rule {
                    conditions: conditions(member, rule, path)?,
                    actions: backend::actions(work, build, member, &path["backend"])?,
                    tags: build.with_own_tags(work, all, &name),
                });
            }
        }
    }
    Ok(rules)
}

/// Sorts paths: exact ones come first, then those with prefixes, the longest first, then what is left to the
/// controller, in its own order.
fn sorted(paths: &[Value]) -> Vec<&Value> {
    let of = |kind: &str| paths.iter().filter(|path| text(path, "/pathType") == kind).collect::<Vec<_>>();
    let (mut prefixes, known) = (of("Prefix"), ["Exact", "Prefix"]);
    prefixes.sort_by_key(|path| std::cmp::Reverse(text(path, "/path").trim_end_matches('/').len()));
    let others = paths.iter().filter(|path| !known.contains(&text(path, "/pathType")));
    of("Exact").into_iter().chain(prefixes).chain(others).collect()
}

/// Returns which requests a rule is about.
fn conditions(member: &Member, rule: &Value, path: &Value) -> Done<Vec<Value>> {
    let host = Some(text(rule, "/host")).filter(|host| !host.is_empty());
    let (mut hosts, mut patterns) = (Vec::from_iter(host.map(str::to_owned)), patterns(path)?);
    let mut conditions = Vec::new();
    let service = text(path, "/backend/service/name");
    let more = member.annotations.json(&format!("conditions.{service}"))?;
    for condition in more.as_ref().and_then(Value::as_array).into_iter().flatten() {
        let values = |config: &str| {
            let values = items(&condition[config], "/values").iter().filter_map(Value::as_str);
            values.map(str::to_owned).collect::<Vec<_>>()
        };
        match text(condition, "/field") {
            "host-header" => hosts.extend(values("hostHeaderConfig")),
            "path-pattern" => patterns.extend(values("pathPatternConfig")),
            _ => conditions.push(super::backend::capitalised(condition)),
        }
    }
    let mut all = Vec::new();
    if !hosts.is_empty() {
        all.push(json!({ "Field": "host-header", "HostHeaderConfig": { "Values": hosts } }));
    }
    if !patterns.is_empty() {
        all.push(json!({ "Field": "path-pattern", "PathPatternConfig": { "Values": patterns } }));
    }
    all.extend(conditions);
    if all.is_empty() {
        all.push(json!({ "Field": "path-pattern", "PathPatternConfig": { "Values": ["/*"] } }));
    }
    Ok(all)
}

/// Returns the patterns that a path means.
fn patterns(path: &Value) -> Done<Vec<String>> {
    let (kind, path) = (text(path, "/pathType"), text(path, "/path"));
    let has_wildcard = path.contains(['*', '?']);
    match kind {
        "Exact" | "Prefix" if has_wildcard => {
            let kind = kind.to_lowercase();
            Err(Trouble::other(format!("{kind} path shouldn't contain wildcards: {path}")))
        }
        "Exact" => Ok(vec![path.to_owned()]),
        "Prefix" => match path.trim_end_matches('/') {
            "" => Ok(vec!["/*".to_owned()]),
            path => Ok(vec![path.to_owned(), format!("{path}/*")]),
        },
        _ if path.is_empty() => Ok(vec!["/*".to_owned()]),
        _ => Ok(vec![path.to_owned()]),
    }
}

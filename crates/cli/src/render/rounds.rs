//! The rounds of a plan: what changes in each, where a service does not make a change at once.

use straddle_engine::plan::{AttributeChange, Change, ChangeAction, Plan, Round};
use straddle_engine::value::{SENSITIVE, Value};

use crate::render::plan::heading;
use crate::render::value::{LONGEST_INLINE, inline};
use crate::render::{Palette, difference, paint};
use crate::safe::Safe;

/// Renders the rounds of a plan; nothing if it has none.
pub(crate) fn rounds(plan: &Plan, palette: &Palette) -> String {
    let Some(last) = plan.changes.iter().filter_map(|change| change.last_round).max() else {
        return String::new();
    };
    let mut text = heading(&format!("In {last} rounds, each once everything before it is done"), palette);
    for number in 1..=last {
        let items: Vec<_> = plan.changes.iter().filter_map(|change| item(change, number, palette)).collect();
        for (position, item) in items.iter().enumerate() {
            let number = if position == 0 { number.to_string() } else { String::new() };
            text += &format!("{} {item}\n", paint(palette.update, format!("{number:>3}")));
        }
    }
    text + "\n"
}

/// Says what a change does in a round; `None` if that is nothing.
fn item(change: &Change, number: usize, palette: &Palette) -> Option<String> {
    let round = change.rounds.iter().find(|round| round.number == number);
    let what = match (round, change.last_round == Some(number)) {
        (Some(round), _) => steps(&round.attributes, palette),
        (None, true) => last(change, palette),
        (None, false) => return None,
    };
    Some(format!("{}: {what}", paint(palette.strong, Safe(&change.address))))
}

/// Says what is left for the last round.
fn last(change: &Change, palette: &Palette) -> String {
    match change.action {
        ChangeAction::Create => return "created".to_owned(),
        ChangeAction::Replace(_) => return "replaced".to_owned(),
        ChangeAction::Update | ChangeAction::Delete | ChangeAction::DeleteDeposed | ChangeAction::Forget => {}
    }
    let reached = |name: &str| {
        let attributes = change.rounds.iter().rev().flat_map(|round: &Round| &round.attributes);
        attributes.filter(|attribute| attribute.name == name).map(|attribute| &attribute.after).next()
    };
    let left = change.attributes.iter().map(|attribute| AttributeChange {
        before: reached(&attribute.name).unwrap_or(&attribute.before).clone(),
        ..attribute.clone()
    });
    let left: Vec<_> = left.filter(|attribute| attribute.before != attribute.after).collect();
    if left.is_empty() { "is as it shall be".to_owned() } else { steps(&left, palette) }
}

fn steps(attributes: &[AttributeChange], palette: &Palette) -> String {
    attributes.iter().map(|attribute| step(attribute, palette)).collect::<Vec<_>>().join(", ")
}

/// Renders an attribute: both values if they are short.
fn step(attribute: &AttributeChange, palette: &Palette) -> String {
    let AttributeChange { name, before, after, sensitive, .. } = attribute;
    let shown = |value: &Value| if *sensitive { SENSITIVE.to_owned() } else { inline(value) };
    let (before, after) = (shown(before), shown(after));
    let is_short = [&before, &after].iter().all(|text| text.chars().count() <= LONGEST_INLINE);
    if is_short && !sensitive {
        format!("{} {}", Safe(name), difference::arrow(&before, &after, palette))
    } else {
        Safe(name).to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use snapbox::{IntoData, assert_data_eq, str};
    use straddle_engine::address::{AccountName, Address, Kind};
    use straddle_engine::difference::Form;
    use straddle_engine::plan::Reason;
    use straddle_engine::spec::Lifecycle;
    use straddle_engine::value::ValueMap;

    use super::*;
    use crate::render::tests::empty_plan;

    fn attribute(name: &str, before: &str, after: &str) -> AttributeChange {
        AttributeChange {
            name: name.to_owned(),
            before: Value::from(before),
            after: Value::from(after),
            replaces: false,
            sensitive: name == "secret",
            form: Form::Data,
        }
    }

    fn change(name: &str, attributes: Vec<AttributeChange>, rounds: Vec<Vec<AttributeChange>>) -> Change {
        let round = |(position, attributes)| Round { number: position + 1, attributes };
        Change {
            address: Address::new("eks_cluster", name),
            kind: Kind::new("eks_cluster"),
            account: AccountName::new("apps"),
            account_id: "444455556666".to_owned(),
            region: "us-east-1".to_owned(),
            action: ChangeAction::Update,
            remote_id: None,
            reasons: vec![Reason::Differs],
            attributes,
            follows: BTreeMap::new(),
            rounds: rounds.into_iter().enumerate().map(round).collect(),
            last_round: Some(2),
            inputs: ValueMap::new(),
            dependencies: BTreeSet::new(),
            lifecycle: Lifecycle::default(),
        }
    }

    #[test]
    fn each_round_says_what_changes_in_it() {
        let secret = || attribute("secret", "one", "two");
        let cluster = change(
            "main",
            vec![secret(), attribute("version", "1.33", "1.35")],
            vec![vec![attribute("version", "1.33", "1.34")]],
        );
        let done = change("done", vec![secret()], vec![vec![secret()]]);
        let new = Change { action: ChangeAction::Create, ..change("new", Vec::new(), Vec::new()) };
        let other = Change { last_round: None, ..change("other", vec![secret()], Vec::new()) };
        let plan = Plan { changes: vec![cluster, done, new, other], ..empty_plan() };
        let text = rounds(&plan, &Palette::plain());
        assert_data_eq!(
            text,
            str![[r#"
In 2 rounds, each once everything before it is done

  1 eks_cluster.main: version "1.33" -> "1.34"
    eks_cluster.done: secret
  2 eks_cluster.main: secret, version "1.34" -> "1.35"
    eks_cluster.done: is as it shall be
    eks_cluster.new: created


"#]]
            .raw()
        );
    }
}

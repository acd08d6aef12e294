//! What a change of a policy gives and takes away, in words and as JSON.

use serde_json::{Value as Json, json};
use straddle_engine::difference::Form;
use straddle_engine::plan::{AttributeChange, Plan};
use straddle_engine::policy::grants::{Grant, GrantChanges};
use straddle_engine::value::{Value, ValueMap};

use crate::render::block::{Content, Marker, Row};
use crate::render::value::BRACKETS;
use crate::render::{Palette, paint};
use crate::safe::Safe;

/// Makes the row that says what a policy gives and takes away. Of a new policy, whose whole text is
/// shown anyway, it says what should be looked at twice. `account` is the policy's own.
pub(crate) fn row(attribute: &AttributeChange, account: &str, whole: bool, palette: &Palette) -> Option<Row> {
    let changes = changes(attribute)?;
    let gained = changes.gained.iter().filter(|grant| !whole || !grant.remarks(account).is_empty());
    let gained = gained.map(|grant| (Marker::Add, grant));
    let lost = changes.lost.iter().map(|grant| (Marker::Remove, grant));
    let rows: Vec<_> =
        gained.chain(lost).map(|(marker, grant)| Row::text(marker, text(grant, account, palette))).collect();
    let name = format!("what {} grants", Safe(&attribute.name));
    (!rows.is_empty()).then(|| Row::new(Marker::None, name, Content::Rows { brackets: BRACKETS, rows }))
}

fn text(grant: &Grant, account: &str, palette: &Palette) -> String {
    let text = Safe(&grant.to_string()).to_string();
    let remarks: Vec<_> = grant.remarks(account).iter().map(ToString::to_string).collect();
    if remarks.is_empty() {
        return text;
    }
    format!("{text}  {}", paint(palette.replace, format!("({})", Safe(&remarks.join(", ")))))
}

/// Adds to the changes of a plan what their policies give and take away.
pub(crate) fn add(shown: &mut Json, plan: &Plan) {
    let Some(changes) = shown.get_mut("changes").and_then(Json::as_array_mut) else { return };
    for (json, change) in changes.iter_mut().zip(&plan.changes) {
        let Some(attributes) = json.get_mut("attributes").and_then(Json::as_array_mut) else { continue };
        for (json, attribute) in attributes.iter_mut().zip(&change.attributes) {
            if let Some(found) = self::changes(attribute) {
                let list = |grants: &[Grant]| -> Json {
                    grants.iter().map(|grant| object(grant, &change.account_id)).collect()
                };
                json["grants"] = json!({ "gained": list(&found.gained), "lost": list(&found.lost) });
            }
        }
    }
}

fn object(grant: &Grant, account: &str) -> Json {
    let Grant { effect, actions, resources, principals, condition } = grant;
    json!({
        "effect": effect,
        "actions": actions,
        "resources": resources,
        "principals": principals,
        "condition": condition,
        "remarks": grant.remarks(account).iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn changes(attribute: &AttributeChange) -> Option<GrantChanges> {
    let nothing = || Value::Map(ValueMap::from([("Statement".to_owned(), Value::List(Vec::new()))]));
    let policy = |value: &Value| if value.is_null() { nothing() } else { value.clone() };
    match attribute.form {
        Form::Data => None,
        Form::Policy => GrantChanges::between(&policy(&attribute.before), &policy(&attribute.after))
            .filter(|changes| !changes.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::block;

    fn policy(action: &str) -> Value {
        let text = format!(r#"{{"Statement": {{"Effect": "Allow", "Action": {action}, "Resource": "*"}}}}"#);
        straddle_engine::policy::Policy::from_text(&text).into()
    }

    fn shown(before: Value, after: Value, whole: bool) -> String {
        let attribute = AttributeChange {
            name: "document".to_owned(),
            before,
            after,
            replaces: false,
            sensitive: false,
            form: Form::Policy,
        };
        let mut text = String::new();
        let palette = Palette::plain();
        let row = row(&attribute, "111122223333", whole, &palette);
        block::write(&mut text, &row.into_iter().collect::<Vec<_>>(), 0, &palette);
        text
    }

    #[test]
    fn a_change_says_what_is_gained_and_lost() {
        let before = policy(r#"["s3:GetObject", "s3:ListBucket"]"#);
        let after = policy(r#"["s3:GetObject", "s3:*"]"#);
        let expected = "  what document grants = [\n    \
                        + allows s3:* on *  (every action, with everything)\n    \
                        - allows s3:ListBucket on *\n  ]\n";
        assert_eq!(shown(before.clone(), after, false), expected);
        assert_eq!(shown(before.clone(), before, false), "");
    }

    #[test]
    fn of_a_new_policy_only_what_is_far_reaching_is_said() {
        assert_eq!(shown(Value::Null, policy(r#""s3:GetObject""#), true), "");
        let expected = "  what document grants = [\n    + allows s3:PutObject on *  (with everything)\n  ]\n";
        assert_eq!(shown(Value::Null, policy(r#""s3:PutObject""#), true), expected);
    }
}

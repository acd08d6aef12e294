//! The short form of the controller's policy: `{ load_balancer_controller = "v2.13.4" }`.

use straddle_engine::resource::Problem;
use straddle_engine::value::{Value, ValueMap};

use super::document::{CLUSTER_TAG, Scope, document};
use super::version::{Version, of_chart};
use crate::client::Place;

const CONTROLLER: &str = "load_balancer_controller";
const CHART: &str = "chart";
const VPC_ID: &str = "vpc_id";
const CLUSTER: &str = "cluster";
const SECURITY_GROUPS: &str = "security_groups";
const NAMES: [&str; 5] = [CONTROLLER, CHART, VPC_ID, CLUSTER, SECURITY_GROUPS];

/// Replaces the short form of the controller's policy in this attribute by the document.
pub(crate) fn canonical(
    attribute: &'static str,
    place: &Place,
    mut inputs: ValueMap,
) -> Result<ValueMap, Vec<Problem>> {
    if let Some(Value::Map(entries)) = inputs.get(attribute)
        && entries.contains_key(CONTROLLER)
    {
        let problem = |(message, hint): (String, &str)| {
            vec![Problem { attribute, message, hint: Some(hint.to_owned()) }]
        };
        let scope = scope(entries, place).map_err(problem)?;
        inputs.insert(attribute.to_owned(), document(&scope));
    }
    Ok(inputs)
}

fn scope(entries: &ValueMap, place: &Place) -> Result<Scope, (String, &'static str)> {
    if let Some(name) = entries.keys().find(|name| !NAMES.contains(&name.as_str())) {
        let names = NAMES.map(|name| format!("`{name}`")).join(", ");
        let message =
            format!("The policy of the controller has no `{}`; it has {names}.", name.escape_debug());
        return Err((message, "Anything else is written as a whole document with `Statement`."));
    }
    let set = |name: &str| entries.get(name).filter(|value| !value.is_null()).cloned();
    Ok(Scope {
        version: version(entries)?,
        partition: place.partition.clone(),
        vpc_id: set(VPC_ID),
        cluster: set(CLUSTER),
        manages_security_groups: security_groups(entries)?,
    })
}

fn version(entries: &ValueMap) -> Result<Version, (String, &'static str)> {
    let known = "Which actions the policy has depends on it, so it has to be known from the start.";
    let text = |name: &str| entries.get(name).map(Value::as_str);
    let Some(Some(version)) = text(CONTROLLER) else {
        return Err(("The controller's version is no text that is known.".to_owned(), known));
    };
    let version = Version::parse(version).map_err(|message| (message, known))?;
    match text(CHART) {
        None => Ok(version),
        Some(chart) => match chart.map(of_chart) {
            Some(Some(installed)) if installed == version => Ok(version),
            Some(Some(installed)) => {
                let chart = chart.unwrap_or_default();
                let message =
                    format!("The chart {chart} installs the controller {installed}, and not {version}.");
                Err((message, "Write the version of the chart: a policy of another one lacks actions."))
            }
            Some(None) | None => Err((
                "The chart's version is none that is known.".to_owned(),
                "Write it as in `version` of the release, such as `1.13.4`, or take `chart` out.",
            )),
        },
    }
}

fn security_groups(entries: &ValueMap) -> Result<bool, (String, &'static str)> {
    match entries.get(SECURITY_GROUPS) {
        None | Some(Value::Null) => Ok(true),
        Some(Value::Bool(managed)) => Ok(*managed),
        Some(_) => Err((
            "`security_groups` is no boolean that is known.".to_owned(),
            "Write `false` if each Ingress names its groups, and the controller is to change none.",
        )),
    }
}

/// Returns the short forms that may stand for a policy, the newest version first; who asks checks which one
/// does.
pub(crate) fn shorthands(document: &Value) -> Vec<Value> {
    // Nothing else takes so much text that it were worth a try.
    let names_controllers_tag = document.as_map().is_some() && mentions(document, CLUSTER_TAG);
    let versions = Version::known().filter(|_| names_controllers_tag);
    let short = |version: Version, security_groups: Option<bool>| {
        let version = (CONTROLLER.to_owned(), Value::from(format!("{version}.0")));
        let groups = security_groups.map(|managed| (SECURITY_GROUPS.to_owned(), Value::from(managed)));
        Value::Map(std::iter::once(version).chain(groups).collect())
    };
    versions.flat_map(|version| [short(version, None), short(version, Some(false))]).collect()
}

fn mentions(value: &Value, text: &str) -> bool {
    match value {
        Value::String(found) => found.contains(text),
        Value::List(items) => items.iter().any(|item| mentions(item, text)),
        Value::Map(entries) => {
            entries.iter().any(|(name, value)| name.contains(text) || mentions(value, text))
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Unknown(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::testing::json;

    fn place() -> Place {
        Place {
            partition: "aws".to_owned(),
            region: "us-east-1".to_owned(),
            account: "111122223333".to_owned(),
        }
    }

    fn of(short: &str) -> Result<String, String> {
        let inputs = ValueMap::from([("document".to_owned(), json(short))]);
        let found =
            canonical("document", &place(), inputs).map_err(|problems| problems[0].message.clone())?;
        Ok(straddle_engine::json::encode(&found["document"]).expect("every part is known"))
    }

    #[test]
    fn the_short_form_is_the_document_of_the_version() {
        let short = |version: &str| of(&format!(r#"{{"load_balancer_controller": "{version}"}}"#));
        let new = short("v2.13.4").expect("the version is known");
        assert!(new.contains("ec2:DescribeRouteTables"), "{new}");
        assert!(!short("v2.5.4").expect("the version is known").contains("ec2:DescribeRouteTables"));
        let narrow = r#"{"load_balancer_controller": "v3.0.0", "vpc_id": "vpc-1", "security_groups": false}"#;
        assert!(!of(narrow).expect("it is right").contains("CreateSecurityGroup"));
    }

    #[test]
    fn a_document_has_the_short_form_of_the_newest_version() {
        let of = |short: &Value| {
            let inputs = ValueMap::from([("document".to_owned(), short.clone())]);
            canonical("document", &place(), inputs).expect("it is right")["document"].clone()
        };
        for (written, expected) in [
            (r#"{"load_balancer_controller": "v2.13.4"}"#, r#"{"load_balancer_controller": "v3.5.0"}"#),
            (r#"{"load_balancer_controller": "v2.5.4"}"#, r#"{"load_balancer_controller": "v2.6.0"}"#),
            (
                r#"{"load_balancer_controller": "v3.0.0", "security_groups": false}"#,
                r#"{"load_balancer_controller": "v3.5.0", "security_groups": false}"#,
            ),
        ] {
            let document = of(&json(written));
            let first = shorthands(&document).into_iter().find(|short| of(short) == document);
            assert_eq!(first, Some(json(expected)), "{written}");
        }
        assert_eq!(shorthands(&json(r#"{"Statement": []}"#)), Vec::<Value>::new());
    }

    #[test]
    fn a_document_stays_as_it_is() {
        assert_eq!(of(r#"{"Statement":[]}"#), Ok(r#"{"Statement":[]}"#.to_owned()));
    }

    #[test]
    fn the_version_of_the_chart_is_compared() {
        let pair = |version: &str, chart: &str| {
            of(&format!(r#"{{"load_balancer_controller": "{version}", "chart": "{chart}"}}"#))
        };
        pair("v2.13.4", "1.13.4").expect("they belong together");
        let message = pair("v2.5.4", "3.5.0").expect_err("they do not");
        assert!(message.contains("installs the controller v3.5, and not v2.5"), "{message}");
        pair("v2.5.4", "latest").expect_err("that is no version");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (short, part) in [
            (r#"{"load_balancer_controller": "2.13.4"}"#, "no version of the controller"),
            (r#"{"load_balancer_controller": "v2.13.4", "vpc": "vpc-1"}"#, "has no `vpc`"),
            (r#"{"load_balancer_controller": "v2.13.4", "security_groups": "no"}"#, "no boolean"),
            (r#"{"load_balancer_controller": 2}"#, "no text"),
        ] {
            let message = of(short).expect_err("it is wrong");
            assert!(message.contains(part), "{short}: {message}");
        }
    }
}

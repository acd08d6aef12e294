//! The query protocols of EC2, IAM and STS: a form comes in, XML goes out.

use serde_json::{Map, Value, json};

use super::xml;
use crate::call::{Parameters, Refusal};
use crate::server::{Incoming, Outgoing};

/// Reads a form: `Filter.1.Value.2=x` is a list in a table in a list.
pub(crate) fn read(request: &Incoming) -> Result<(String, Parameters), Refusal> {
    let mut root = Map::new();
    let mut operation = None;
    for (name, value) in request.form() {
        match name.as_str() {
            "Action" => operation = Some(value),
            "Version" => {}
            _ => insert(&mut root, &name, value)?,
        }
    }
    let operation = operation.ok_or_else(|| Refusal::new("MissingAction", "The action is missing"))?;
    let parameters = root.into_iter().map(|(name, value)| (name, with_lists(value))).collect();
    Ok((operation, Parameters(parameters)))
}

/// How deep names may go: deeper than any parameter of these services.
const DEPTH: usize = 16;

fn insert(root: &mut Map<String, Value>, name: &str, value: String) -> Result<(), Refusal> {
    let malformed = || Refusal::new("MalformedQueryString", format!("The parameter {name} is malformed"));
    let parts: Vec<_> = name.split('.').collect();
    let (last, above) = parts.split_last().ok_or_else(malformed)?;
    if above.len() > DEPTH {
        return Err(malformed());
    }
    let mut table = root;
    for part in above {
        let entry = table.entry(*part).or_insert_with(|| Value::Object(Map::new()));
        table = entry.as_object_mut().ok_or_else(malformed)?;
    }
    let previous = table.insert((*last).to_owned(), Value::String(value));
    if previous.is_some() { Err(malformed()) } else { Ok(()) }
}

/// Turns tables whose names are all numbers into lists, and `member` tables into what they hold.
fn with_lists(value: Value) -> Value {
    let Value::Object(entries) = value else { return value };
    if entries.len() == 1
        && let Some(Value::Object(_)) = entries.get("member")
    {
        let (_, members) = entries.into_iter().next().expect("it has one entry");
        return with_lists(members);
    }
    let numbered: Option<Vec<u32>> = entries.keys().map(|key| key.parse().ok()).collect();
    let entries = entries.into_iter().map(|(key, value)| (key, with_lists(value)));
    match numbered {
        Some(numbers) => {
            let mut items: Vec<_> = numbers.into_iter().zip(entries.map(|(_, value)| value)).collect();
            items.sort_by_key(|(number, _)| *number);
            Value::Array(items.into_iter().map(|(_, value)| value).collect())
        }
        None => Value::Object(entries.collect()),
    }
}

/// Writes an answer of EC2: the request's id and the body side by side.
pub(crate) fn ec2_answer(namespace: &str, operation: &str, body: &Value, request_id: &str) -> Outgoing {
    let mut content = json!({ "requestId": request_id });
    if let (Some(content), Some(body)) = (content.as_object_mut(), body.as_object()) {
        content.extend(body.clone());
    }
    let root = format!("{operation}Response");
    Outgoing::xml(200, xml::document(&root, namespace, &content, "item"), request_id)
}

/// Writes a refusal of EC2.
pub(crate) fn ec2_refusal(refusal: &Refusal, request_id: &str) -> Outgoing {
    let error = json!({ "Error": { "Code": refusal.code, "Message": refusal.message } });
    let content = json!({ "Errors": error, "RequestID": request_id });
    Outgoing::xml(refusal.status, xml::document("Response", "", &content, "item"), request_id)
}

/// Writes an answer of IAM or STS: the body in a result element.
pub(crate) fn answer(namespace: &str, operation: &str, body: &Value, request_id: &str) -> Outgoing {
    let content = json!({
        format!("{operation}Result"): body,
        "ResponseMetadata": { "RequestId": request_id },
    });
    let root = format!("{operation}Response");
    Outgoing::xml(200, xml::document(&root, namespace, &content, "member"), request_id)
}

/// Writes a refusal of IAM or STS.
pub(crate) fn refusal(namespace: &str, refusal: &Refusal, request_id: &str) -> Outgoing {
    let blamed = if refusal.status < 500 { "Sender" } else { "Receiver" };
    let error = json!({ "Type": blamed, "Code": refusal.code, "Message": refusal.message });
    let content = json!({ "Error": error, "RequestId": request_id });
    let document = xml::document("ErrorResponse", namespace, &content, "member");
    Outgoing::xml(refusal.status, document, request_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(form: &str) -> Value {
        let request = Incoming::post(form.as_bytes());
        let (operation, parameters) = read(&request).expect("it is well formed");
        assert_eq!(operation, "X");
        Value::Object(parameters.0)
    }

    #[test]
    fn forms_become_lists_and_tables() {
        let form = "Action=X&Version=1&VpcId.2=b&VpcId.1=a&Filter.1.Name=n&Filter.1.Value.1=v%20w";
        let expected = json!({ "VpcId": ["a", "b"], "Filter": [{ "Name": "n", "Value": ["v w"] }] });
        assert_eq!(parameters(form), expected);
        assert_eq!(parameters("Action=X&Tags.member.1.Key=k"), json!({ "Tags": [{ "Key": "k" }] }));
    }

    #[test]
    fn malformed_forms_are_refused() {
        for form in ["VpcId=1", "Action=X&a=1&a=2", "Action=X&a=1&a.b=2"] {
            read(&Incoming::post(form.as_bytes())).expect_err(form);
        }
    }
}

//! XML out of values: tables are elements, lists repeat one.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use serde_json::Value;

/// Writes a document with one root element, whose attribute `xmlns` is left out if it is empty.
pub(crate) fn document(root: &str, namespace: &str, body: &Value, item: &str) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    write(&mut writer, Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    let mut start = BytesStart::new(root);
    if !namespace.is_empty() {
        start.push_attribute(("xmlns", namespace));
    }
    write(&mut writer, Event::Start(start));
    content(&mut writer, body, item);
    write(&mut writer, Event::End(BytesEnd::new(root)));
    writer.into_inner()
}

fn element(writer: &mut Writer<Vec<u8>>, name: &str, value: &Value, item: &str) {
    if value.is_null() {
        return;
    }
    let item = match name {
        // The items of maps, which have a key and a value, are called otherwise than those of lists.
        _ if name.ends_with("Map") => "entry",
        // So are the groups in launch templates, which have no name there.
        "groupSet" if value[0].is_string() => "groupId",
        _ => item,
    };
    write(writer, Event::Start(BytesStart::new(name)));
    content(writer, value, item);
    write(writer, Event::End(BytesEnd::new(name)));
}

fn content(writer: &mut Writer<Vec<u8>>, value: &Value, item: &str) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => text(writer, if *flag { "true" } else { "false" }),
        Value::Number(number) => text(writer, &number.to_string()),
        Value::String(string) => text(writer, string),
        Value::Array(items) => items.iter().for_each(|value| element(writer, item, value, item)),
        Value::Object(entries) => {
            entries.iter().for_each(|(name, value)| element(writer, name, value, item));
        }
    }
}

fn text(writer: &mut Writer<Vec<u8>>, text: &str) {
    write(writer, Event::Text(BytesText::new(text)));
}

fn write(writer: &mut Writer<Vec<u8>>, event: Event<'_>) {
    writer.write_event(event).expect("writing into memory does not fail");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(root: &str, namespace: &str, body: &Value) -> String {
        String::from_utf8(document(root, namespace, body, "item")).expect("texts are UTF-8")
    }

    #[test]
    fn lists_repeat_their_item_and_null_is_left_out() {
        let body = json!({ "vpcSet": [{ "vpcId": "vpc-1", "isDefault": false, "none": null }] });
        let xml = written("Answer", "urn:x", &body);
        assert_eq!(
            xml,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Answer xmlns=\"urn:x\"><vpcSet><item>\
             <vpcId>vpc-1</vpcId><isDefault>false</isDefault></item></vpcSet></Answer>"
        );
    }

    #[test]
    fn maps_have_entries() {
        let xml = written("A", "", &json!({ "SummaryMap": [{ "key": "Users", "value": 1 }] }));
        let map = "<SummaryMap><entry><key>Users</key><value>1</value></entry></SummaryMap>";
        assert!(xml.ends_with(&format!("<A>{map}</A>")), "{xml}");
    }

    #[test]
    fn groups_without_a_name_are_items_of_their_own() {
        let xml = written("A", "", &json!({ "groupSet": ["sg-1", "sg-2"] }));
        assert!(
            xml.ends_with("<groupSet><groupId>sg-1</groupId><groupId>sg-2</groupId></groupSet></A>"),
            "{xml}"
        );
        let xml = written("A", "", &json!({ "groupSet": [{ "groupId": "sg-1" }] }));
        assert!(xml.ends_with("<groupSet><item><groupId>sg-1</groupId></item></groupSet></A>"), "{xml}");
    }

    #[test]
    fn text_is_escaped() {
        let xml = written("A", "", &json!({ "v": "<&>\"" }));
        assert!(xml.ends_with("<A><v>&lt;&amp;&gt;&quot;</v></A>"), "{xml}");
    }
}

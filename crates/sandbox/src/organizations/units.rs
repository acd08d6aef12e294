//! The root and the organizational units below it.

use serde_json::{Value, json};

use super::{PAGING, managed, required};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::{Organization, Unit, World};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("ListRoots", &["NextToken", "MaxResults"], list_roots),
    Operation::new("CreateOrganizationalUnit", &["ParentId", "Name"], create),
    Operation::new("DescribeOrganizationalUnit", &["OrganizationalUnitId"], describe),
    Operation::new("UpdateOrganizationalUnit", &["OrganizationalUnitId", "Name"], rename),
    Operation::new("DeleteOrganizationalUnit", &["OrganizationalUnitId"], delete),
    Operation::new(
        "ListOrganizationalUnitsForParent",
        &["ParentId", "NextToken", "MaxResults"],
        list_of_parent,
    ),
    Operation::new("ListParents", &["ChildId", "NextToken", "MaxResults"], list_parents),
    Operation::new("ListChildren", &["ParentId", "ChildType", "NextToken", "MaxResults"], list_children),
];

fn list_roots(world: &mut World, call: &Call) -> Answer {
    let organization = managed(world, call)?;
    let root = organization.root();
    let arn = organization.arn(&format!("root/{}/{root}", organization.id()));
    Ok(
        json!({ "Roots": [{ "Id": root, "Arn": arn, "Name": "Root", "PolicyTypes": super::policies::types() }] }),
    )
}

/// Checks that this is the id of the root or of a unit.
pub(super) fn check_parent(organization: &Organization, id: &str, not_found: &str) -> Result<(), Refusal> {
    if id == organization.root() || organization.units.contains_key(id) {
        return Ok(());
    }
    Err(Refusal::new(not_found, "You specified a parent that doesn't exist."))
}

fn create(world: &mut World, call: &Call) -> Answer {
    let (parent, name) = (required(call, "ParentId")?, required(call, "Name")?);
    let organization = managed(world, call)?;
    check_parent(organization, parent, "ParentNotFoundException")?;
    check_name(organization, parent, name)?;
    let suffix = world.new_id("ou").replace("ou-0", "");
    let organization = &mut world.organization;
    let id = format!("ou-{}-{}", &organization.root()[2..], &suffix[..8]);
    let unit = Unit { name: name.to_owned(), parent: parent.to_owned() };
    organization.units.insert(id.clone(), unit);
    Ok(json!({ "OrganizationalUnit": shown(organization, &id) }))
}

fn check_name(organization: &Organization, parent: &str, name: &str) -> Result<(), Refusal> {
    if organization.units.values().any(|unit| unit.parent == parent && unit.name == name) {
        let message = "An OU with the same name already exists.";
        return Err(Refusal::new("DuplicateOrganizationalUnitException", message));
    }
    Ok(())
}

fn describe(world: &mut World, call: &Call) -> Answer {
    let organization = managed(world, call)?;
    let id = unit_id(organization, call)?;
    Ok(json!({ "OrganizationalUnit": shown(organization, &id) }))
}

fn unit_id(organization: &Organization, call: &Call) -> Result<String, Refusal> {
    let id = required(call, "OrganizationalUnitId")?;
    if organization.units.contains_key(id) {
        return Ok(id.to_owned());
    }
    let message = "You specified an organizational unit that doesn't exist.";
    Err(Refusal::new("OrganizationalUnitNotFoundException", message))
}

fn shown(organization: &Organization, id: &str) -> Value {
    let arn = organization.arn(&format!("ou/{}/{id}", organization.id()));
    json!({ "Id": id, "Arn": arn, "Name": organization.units.get(id).map(|unit| unit.name.as_str()) })
}

fn rename(world: &mut World, call: &Call) -> Answer {
    let organization = managed(world, call)?;
    let id = unit_id(organization, call)?;
    if let Some(name) = call.parameters.text("Name") {
        let parent = organization.units.get(&id).map(|unit| unit.parent.clone()).unwrap_or_default();
        check_name(organization, &parent, name)?;
        organization.units.insert(id.clone(), Unit { name: name.to_owned(), parent });
    }
    Ok(json!({ "OrganizationalUnit": shown(organization, &id) }))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let organization = managed(world, call)?;
    let id = unit_id(organization, call)?;
    let has_units = organization.units.values().any(|unit| unit.parent == id);
    if has_units || organization.members().any(|(account, _)| organization.place(account) == id) {
        let message = "The specified OU is not empty. Move all accounts to another root or to other OUs.";
        return Err(Refusal::new("OrganizationalUnitNotEmptyException", message));
    }
    organization.units.remove(&id);
    organization.attached.remove(&id);
    Ok(json!({}))
}

fn list_of_parent(world: &mut World, call: &Call) -> Answer {
    let organization = managed(world, call)?;
    let units = children(organization, required(call, "ParentId")?)?;
    let (page, next) = PAGING.cut(&call.parameters, units.map(|id| (id.clone(), shown(organization, id))))?;
    Ok(json!({ "OrganizationalUnits": page, "NextToken": next }))
}

fn children<'a>(
    organization: &'a Organization,
    parent: &'a str,
) -> Result<impl Iterator<Item = &'a String>, Refusal> {
    check_parent(organization, parent, "ParentNotFoundException")?;
    Ok(organization.units.iter().filter(move |(_, unit)| unit.parent == parent).map(|(id, _)| id))
}

fn list_parents(world: &mut World, call: &Call) -> Answer {
    let organization = managed(world, call)?;
    let child = required(call, "ChildId")?;
    let of_unit = organization.units.get(child).map(|unit| unit.parent.clone());
    let of_account = || super::accounts::member(organization, child).ok().map(|id| organization.place(&id));
    let parent = of_unit
        .or_else(of_account)
        .ok_or_else(|| Refusal::new("ChildNotFoundException", "You specified a child that doesn't exist."))?;
    let sort = if parent == organization.root() { "ROOT" } else { "ORGANIZATIONAL_UNIT" };
    Ok(json!({ "Parents": [{ "Id": parent, "Type": sort }] }))
}

fn list_children(world: &mut World, call: &Call) -> Answer {
    let organization = managed(world, call)?;
    let (parent, sort) = (required(call, "ParentId")?, required(call, "ChildType")?);
    let units = children(organization, parent)?;
    let ids: Vec<String> = match sort {
        "ORGANIZATIONAL_UNIT" => units.cloned().collect(),
        "ACCOUNT" => {
            let all = organization.members().map(|(id, _)| id);
            all.filter(|id| organization.place(id) == parent).map(ToString::to_string).collect()
        }
        _ => return Err(Refusal::new("InvalidInputException", "You specified an invalid child type.")),
    };
    let shown = ids.into_iter().map(|id| (id.clone(), json!({ "Id": id, "Type": sort })));
    let (page, next) = PAGING.cut(&call.parameters, shown)?;
    Ok(json!({ "Children": page, "NextToken": next }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Account, text};

    #[test]
    fn accounts_move_between_units() {
        let mut account = Account::new();
        let root = text(&account.ok("organizations:ListRoots", json!({}))["Roots"][0]["Id"]);
        let wanted = json!({ "ParentId": root, "Name": "workloads" });
        let unit = account.ok("organizations:CreateOrganizationalUnit", wanted.clone());
        let unit = text(&unit["OrganizationalUnit"]["Id"]);
        account.refused(
            "organizations:CreateOrganizationalUnit",
            wanted,
            "DuplicateOrganizationalUnitException",
        );
        let moved =
            json!({ "AccountId": "222222222222", "SourceParentId": root, "DestinationParentId": unit });
        account.ok("organizations:MoveAccount", moved.clone());
        account.refused("organizations:MoveAccount", moved, "DuplicateAccountException");
        let parents = account.ok("organizations:ListParents", json!({ "ChildId": "222222222222" }));
        assert_eq!(parents["Parents"], json!([{ "Id": unit, "Type": "ORGANIZATIONAL_UNIT" }]));
        let children = json!({ "ParentId": unit, "ChildType": "ACCOUNT" });
        let children = account.ok("organizations:ListChildren", children);
        assert_eq!(children["Children"][0]["Id"], "222222222222");
        let deleted = json!({ "OrganizationalUnitId": unit });
        let code = "OrganizationalUnitNotEmptyException";
        account.refused("organizations:DeleteOrganizationalUnit", deleted.clone(), code);
        let back =
            json!({ "AccountId": "222222222222", "SourceParentId": unit, "DestinationParentId": root });
        account.ok("organizations:MoveAccount", back.clone());
        account.refused("organizations:MoveAccount", back, "DuplicateAccountException");
        account.ok("organizations:DeleteOrganizationalUnit", deleted.clone());
        let code = "OrganizationalUnitNotFoundException";
        account.refused("organizations:DescribeOrganizationalUnit", deleted, code);
        let gone = json!({ "ParentId": unit });
        account.refused("organizations:ListAccountsForParent", gone, "ParentNotFoundException");
    }

    #[test]
    fn units_are_renamed_and_listed() {
        let mut account = Account::new();
        let root = text(&account.ok("organizations:ListRoots", json!({}))["Roots"][0]["Id"]);
        let create = |account: &mut Account, name: &str| {
            let made = json!({ "ParentId": root, "Name": name });
            let made = account.ok("organizations:CreateOrganizationalUnit", made);
            text(&made["OrganizationalUnit"]["Id"])
        };
        let (one, _) = (create(&mut account, "one"), create(&mut account, "two"));
        let rename = |name: &str| json!({ "OrganizationalUnitId": one, "Name": name });
        let operation = "organizations:UpdateOrganizationalUnit";
        account.refused(operation, rename("two"), "DuplicateOrganizationalUnitException");
        account.ok(operation, rename("three"));
        let units = json!({ "ParentId": root });
        let units = account.ok("organizations:ListOrganizationalUnitsForParent", units);
        let names = units["OrganizationalUnits"].as_array().into_iter().flatten();
        let mut names: Vec<_> = names.map(|unit| text(&unit["Name"])).collect();
        names.sort();
        assert_eq!(names, ["three", "two"]);
    }
}

//! What files of manifests come to.

use std::sync::Arc;

use straddle_engine::address::Address;
use straddle_engine::bundle::Standing;
use straddle_engine::json;
use straddle_engine::spec::Tree;
use straddle_engine::supply::{Supplied, Supply};

use super::*;

/// Files in memory.
struct InMemory(BTreeMap<&'static str, &'static str>);

impl Files for InMemory {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        self.0.get(path).map(|text| Arc::from(*text)).ok_or_else(|| "there is no such file".to_owned())
    }

    fn matching(&self, pattern: &str) -> Result<Vec<String>, String> {
        let end = pattern.trim_start_matches('*');
        Ok(self.0.keys().filter(|path| path.ends_with(end)).map(|path| (*path).to_owned()).collect())
    }

    fn tree(&self, _: &str) -> Result<Arc<Tree>, String> {
        unreachable!("manifests are no folders")
    }

    fn supplied(&self, _: &Supply) -> Option<Supplied> {
        unreachable!("manifests are not fetched")
    }
}

const SHOP: &str = "\
apiVersion: v1
kind: Namespace
metadata:
  name: shop
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: web, namespace: shop, labels: {app: web}}
- apiVersion: networking.k8s.io/v1
  kind: Ingress
  metadata: {name: web, namespace: shop}
  spec: {rules: [{http: {paths: [{backend: {service: {name: web}}}]}}]}
---
";

fn inputs(text: &str) -> ValueMap {
    let value = straddle_engine::yaml::decode(text).expect("the inputs are YAML");
    value.as_map().expect("they are a table").clone()
}

fn worked_out(
    inputs: &ValueMap,
    files: &[(&'static str, &'static str)],
) -> Result<Vec<Member>, Vec<Trouble>> {
    let files = InMemory(files.iter().copied().collect());
    let address = Address::new("kubernetes_manifests", "shop");
    let context = Context { files: &files, address: &address, standing: &Standing::default() };
    KubernetesManifests::members(inputs, &context)
}

fn shown(members: &[Member]) -> Vec<String> {
    members.iter().map(|member| member.key.clone()).collect()
}

/// Returns what is wrong as `input: text of the place: message`.
fn troubles(inputs: &str, files: &[(&'static str, &'static str)]) -> Vec<String> {
    let texts: BTreeMap<_, _> = files.iter().copied().collect();
    let found = worked_out(&self::inputs(inputs), files).expect_err("something is wrong");
    let line = |trouble: Trouble| {
        let place = trouble.place.map(|place| {
            let text = texts[place.file.as_str()];
            format!("{}[{}]: ", place.file, text[place.range].lines().next().unwrap_or_default())
        });
        format!("{}: {}{}", trouble.input, place.unwrap_or_default(), trouble.message)
    };
    found.into_iter().map(line).collect()
}

#[test]
fn every_object_is_a_member() {
    let members = worked_out(&inputs("{files: ['*.yaml']}"), &[("shop.yaml", SHOP)]).expect("they are sound");
    assert_eq!(shown(&members), ["Namespace/shop", "Service/shop/web", "Ingress/shop/web"]);
    let place = members[0].place.clone().expect("it is in a file");
    assert_eq!(&SHOP[place.range], "shop");
}

#[test]
fn patches_are_merged_and_unknown_values_stay_in_place() {
    let unknown = Value::unknown(Address::new("subnet", "a"), "id");
    let mut inputs = inputs(
        "{files: [shop.yaml], labels: {team: a, app: x}, patch: {Ingress/shop/web: {metadata: {annotations: {}}}}}",
    );
    let Some(Value::Map(patch)) = inputs.get_mut("patch") else { panic!("there is a patch") };
    let Some(Value::Map(ingress)) = patch.get_mut("Ingress/shop/web") else { panic!("it has the object") };
    let Some(Value::Map(metadata)) = ingress.get_mut("metadata") else { panic!("it has metadata") };
    metadata.insert("annotations".to_owned(), ValueMap::from([("a".to_owned(), unknown.clone())]).into());
    let members = worked_out(&inputs, &[("shop.yaml", SHOP)]).expect("they are sound");
    let metadata = |position: usize| {
        members[position].attributes["manifest"].as_map().expect("it is one")["metadata"].clone()
    };
    assert_eq!(
        metadata(2).as_map().expect("it is one")["annotations"].as_map().expect("it is one")["a"],
        unknown
    );
    let service = json::encode(&metadata(1)).expect("everything is known");
    assert_eq!(service, r#"{"labels":{"app":"x","team":"a"},"name":"web","namespace":"shop"}"#);
}

#[test]
fn a_namespace_is_given_to_what_needs_one() {
    const MIXED: &str = "
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: own}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: c}}
---
{apiVersion: example.com/v1, kind: Thing, metadata: {name: d}}
---
{apiVersion: example.com/v1, kind: Whole, metadata: {name: e}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: wholes.example.com}
spec: {group: example.com, scope: Cluster, names: {kind: Whole}}
";
    let keys = |inputs: &str| -> Vec<String> {
        let members = worked_out(&self::inputs(inputs), &[("m.yaml", MIXED)]).expect("they are sound");
        members.into_iter().map(|member| member.key).take(5).collect()
    };
    assert_eq!(
        keys("{files: [m.yaml], namespace: shop}"),
        ["ConfigMap/shop/a", "ConfigMap/own/b", "ClusterRole/c", "Thing/shop/d", "Whole/e"]
    );
    assert_eq!(
        keys("{files: [m.yaml]}"),
        ["ConfigMap/default/a", "ConfigMap/own/b", "ClusterRole/c", "Thing/d", "Whole/e"]
    );
}

#[test]
fn problems_are_told_where_they_stand() {
    assert_eq!(
        troubles(
            "{files: [a.yaml, b.yaml, missing.yaml, '*.json', a.yaml]}",
            &[
                (
                    "a.yaml",
                    "kind: ConfigMap\nmetadata: {name: a}\n---\n- 1\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: 8}\n"
                ),
                ("b.yaml", "a: 1\nb:\n  c: 1\n  c: 2\n"),
            ],
        ),
        [
            "files[0]: a.yaml[kind]: the object has no `apiVersion`",
            "files[0]: a.yaml[- 1]: expected an object, which is a table, found a list",
            "files[0]: a.yaml[8]: `metadata.name` has to be a text that is not empty, found a whole number",
            "files[1]: b.yaml[c]: the key `c` is there twice",
            "files[2]: `missing.yaml`: there is no such file",
            "files[3]: no file has such a name",
        ]
    );
    assert_eq!(
        troubles("{text: \"a: 1\\nb: [1\"}", &[]).len(),
        1,
        "text that is in no file is told by its line"
    );
    assert_eq!(troubles("{}", &[]), [": has neither `files` nor `text`"]);
}

#[test]
fn patches_change_what_is_there_and_not_what_it_is_called() {
    assert_eq!(
        troubles(
            "{files: [shop.yaml], patch: {Service/shop/wbe: {a: 1}, Service/shop/web: {metadata: {name: x}}, Namespace/shop: 1}}",
            &[("shop.yaml", SHOP)],
        ),
        [
            "patch.Namespace/shop: expected a table, found a whole number",
            "patch.Service/shop/web: changes what the object is called",
        ]
    );
    assert_eq!(
        troubles("{files: [shop.yaml], patch: {Service/shop/wbe: {a: 1}}}", &[("shop.yaml", SHOP)]),
        ["patch.Service/shop/wbe: the files have no `Service/shop/wbe`"]
    );
}

//! Whole specs with manifests, from text to resources.

use straddle_engine::address::Address;
use straddle_engine::spec::{LoadFailure, Scope, Spec};
use straddle_engine::supply::Supplies;
use straddle_engine::value::{Value, ValueMap};

use crate::loading::load_with;

struct Nothing;

impl Scope for Nothing {
    fn attribute(&self, address: &Address, attribute: &str) -> Value {
        Value::unknown(address.clone(), attribute)
    }

    fn stack_id(&self) -> Value {
        Value::from("lineage")
    }
}

const SHOP: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  namespace: shop
spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
";

fn load(text: &str, files: &[(&str, &str)]) -> Result<Spec, Box<LoadFailure>> {
    load_with(text, files, Supplies::new())
}

#[test]
fn objects_of_files_are_resources_that_wait_for_what_they_name() {
    let spec = load(
        r#"
        [kubernetes_object.settings]
        cluster  = "demo"
        manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: other}}"
        [kubernetes_manifests.shop]
        cluster = "demo"
        files   = ["manifests/*.yaml"]
        [kubernetes_manifests.shop.patch."Ingress/shop/web".metadata.annotations]
        "example.com/after" = "${kubernetes_object.settings.uid}"
        [kubernetes_manifests.shop.patch."Service/shop/web".spec]
        type  = "NodePort"
        ports = "${null}"
        [output.ingress]
        value = "${kubernetes_manifests.shop['Ingress/shop/web'].name}"
        "#,
        &[("manifests/shop.yaml", SHOP)],
    );
    let spec = spec.unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics));
    let addresses: Vec<_> = spec.resources.keys().map(ToString::to_string).collect();
    assert_eq!(
        addresses,
        [
            "kubernetes_manifests.shop['Ingress/shop/web']",
            "kubernetes_manifests.shop['Namespace/shop']",
            "kubernetes_manifests.shop['Service/shop/web']",
            "kubernetes_object.settings",
        ]
    );
    let ingress = &spec.resources[&addresses[0].parse::<Address>().expect("it is an address")];
    assert_eq!(ingress.kind.as_str(), "kubernetes_object");
    let needed: Vec<_> = ingress.dependencies.iter().map(ToString::to_string).collect();
    assert_eq!(needed, addresses[1..]);
    let manifest = ingress.attributes["manifest"].evaluate(&Nothing).expect("it can be evaluated");
    let annotations =
        &manifest.as_map().expect("it is one")["metadata"].as_map().expect("it is one")["annotations"];
    let unknown = annotations.first_unknown().expect("the id of an object is not known");
    assert_eq!(unknown.origin.to_string(), "kubernetes_object.settings.uid");
    let service = &spec.resources[&addresses[2].parse::<Address>().expect("it is an address")];
    let manifest = service.attributes["manifest"].evaluate(&Nothing).expect("it can be evaluated");
    let patched = ValueMap::from([("type".to_owned(), Value::from("NodePort"))]);
    assert_eq!(manifest.as_map().expect("it is one")["spec"], Value::Map(patched));
    let name = spec.outputs["ingress"].value.evaluate(&Nothing).expect("it can be evaluated");
    assert_eq!(name, Value::unknown(ingress.address.clone(), "name"));
}

#[test]
fn problems_are_shown_in_the_file_that_has_them() {
    let broken = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
    let failure = load(
        "[kubernetes_manifests.shop]\ncluster = \"demo\"\nfiles = [\"a.yaml\"]\n",
        &[("a.yaml", broken)],
    )
    .expect_err("one object is there twice");
    let problem = failure.diagnostics.iter().next().expect("there is a problem");
    let place = |span| failure.sources.location(span).to_string();
    assert_eq!(problem.span.map(place).as_deref(), Some("a.yaml:8:18"));
    assert_eq!(problem.label, "`Namespace/shop` is there twice");
    let related: Vec<_> = problem.related.iter().map(|related| place(related.span)).collect();
    assert_eq!(related, ["main.toml:6:23", "a.yaml:4:9"]);
}

/// Returns how many outputs with these values would show something sensitive.
fn sensitive_outputs(values: &[&str]) -> usize {
    const SECRET: &str = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: door, namespace: shop}\n";
    let written = r#"
        [kubernetes_manifests.shop]
        cluster = "demo"
        files   = ["shop.yaml"]
        [kubernetes_manifests.plain]
        cluster = "demo"
        files   = ["plain.yaml"]
        [kubernetes_object.one]
        cluster  = "demo"
        manifest = "{apiVersion: v1, kind: Service, metadata: {name: one, namespace: shop}}"
        "#;
    let outputs = values.iter().enumerate();
    let outputs = outputs.map(|(number, value)| format!("[output.o{number}]\nvalue = \"{value}\"\n"));
    let text = format!("{written}{}", outputs.collect::<String>());
    let with_secret = format!("{SHOP}{SECRET}");
    let Err(failure) = load(&text, &[("shop.yaml", &with_secret), ("plain.yaml", SHOP)]) else { return 0 };
    assert!(failure.diagnostics.iter().all(|problem| problem.code == "sensitive-output"), "{failure:#?}");
    failure.diagnostics.iter().count()
}

#[test]
fn of_whole_objects_only_secrets_have_something_sensitive() {
    let plain = [
        "${kubernetes_manifests.shop['Ingress/shop/web']}",
        "${kubernetes_manifests.plain}",
        "${kubernetes_object.one}",
        "${kubernetes_manifests.shop['Secret/shop/door'].name}",
    ];
    assert_eq!(sensitive_outputs(&plain), 0);
    let secret = ["${kubernetes_manifests.shop['Secret/shop/door']}", "${kubernetes_manifests.shop}"];
    assert_eq!(sensitive_outputs(&secret), 2);
}

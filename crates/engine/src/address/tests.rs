//! Addresses as text, and back.

use super::*;

#[test]
fn addresses_survive_a_round_trip() {
    for text in [
        "vpc.main",
        "subnet.public['a']",
        "route_table.public/route['0.0.0.0/0']",
        "route_table.public['it\\'s']/association['\\\\']",
        "network/vpc.main",
        "outer/network['eu/x']/route_table.public['a']/route['0.0.0.0/0']",
    ] {
        let address: Address = text.parse().expect("the address is well formed");
        assert_eq!(address.to_string(), text);
    }
}

#[test]
fn broken_addresses_are_refused() {
    for text in [
        "",
        "vpc",
        "vpc.",
        ".main",
        "vpc.main[",
        "vpc.main['a",
        "vpc.main['a']x",
        "vpc.main/route",
        "1.a",
        "network/vpc",
        "network//vpc.main",
        "/vpc.main",
        "network[eu]/vpc.main",
    ] {
        assert!(text.parse::<Address>().is_err(), "{text} was taken");
    }
}

#[test]
fn tag_values_fit_the_narrowest_alphabet() {
    let address = Address::new("route_table", "public").with_key("a b").child("route", "0.0.0.0/0");
    assert_eq!(address.tag_value(), "route_table.public:a=20b/route:0.0.0.0=2f0");
    let long = Address::new("vpc", "x").with_key("k".repeat(300));
    assert_eq!(long.tag_value().len(), 256);
}

#[test]
fn components_in_tag_values_are_told_from_parts() {
    let address: Address = "outer/network['a b']/table.t/route['x']".parse().expect("it is well formed");
    assert_eq!(address.tag_value(), "outer/network:a=20b/table.t/route:x");
}

fn renamed(from: &str, to: &str, address: &str) -> Option<String> {
    let parse = |text: &str| text.parse::<Target>().expect("the name is well formed");
    let (from, to) = (parse(from), parse(to));
    assert_eq!(from.to_string().parse::<Target>(), Ok(from.clone()));
    let address: Address = address.parse().expect("the address is well formed");
    let covered = Target::covering(&address).contains(&from);
    from.renamed(&to, &address).filter(|_| covered).map(|address| address.to_string())
}

#[test]
fn what_is_renamed_takes_its_parts_and_instances_along() {
    for (from, to, address, expected) in [
        ("subnet.a", "subnet.b", "subnet.a", "subnet.b"),
        ("subnet.a", "subnet.b['x']", "subnet.a", "subnet.b['x']"),
        ("table.a", "table.b['x']", "table.a/route['r']", "table.b['x']/route['r']"),
        ("table.a['x']", "table.b", "table.a['x']/route['r']", "table.b/route['r']"),
        ("table.a", "table.b", "table.a['x']/route['r']", "table.b['x']/route['r']"),
        ("route.r", "table.b/route['r']", "route.r", "table.b/route['r']"),
        ("vpc.main", "network['eu']/vpc.main", "vpc.main", "network['eu']/vpc.main"),
        ("network/vpc.main", "vpc.main", "network/vpc.main", "vpc.main"),
        ("a", "b['x']", "a/inner['k']/vpc.main", "b['x']/inner['k']/vpc.main"),
        ("a", "b", "a['x']/vpc.main", "b['x']/vpc.main"),
        ("a/b['x']", "c", "a/b['x']/vpc.main", "c/vpc.main"),
    ] {
        assert_eq!(renamed(from, to, address).as_deref(), Some(expected), "{from} -> {to}");
    }
}

#[test]
fn what_a_name_does_not_cover_stays() {
    for (from, to, address) in [
        ("subnet.a", "subnet.b", "subnet.ab"),
        ("subnet.a", "subnet.b['x']", "subnet.a['k']"),
        ("subnet.a['x']", "subnet.b", "subnet.a['k']"),
        ("a", "b['x']", "a['k']/vpc.main"),
        ("a", "b", "ab/vpc.main"),
        ("vpc.main", "vpc.other", "a/vpc.main"),
    ] {
        assert_eq!(renamed(from, to, address), None, "{from} -> {to}");
    }
}

#[test]
fn a_target_covers_what_is_under_it() {
    let read = |target: &str, address: &str| {
        let target: Target = target.parse().expect("the target is well formed");
        let address: Address = address.parse().expect("the address is well formed");
        (target.covers(&address), target.covers_whole(&address))
    };
    assert_eq!(read("subnet.public", "subnet.public"), (true, true));
    assert_eq!(read("subnet.public", "subnet.public['a']"), (true, true));
    assert_eq!(read("table.main", "table.main['a']/route['x']"), (true, false));
    assert_eq!(read("table.main['a']", "table.main['a']/route['x']"), (true, false));
    assert_eq!(read("table.main['a']/route['x']", "table.main['a']/route['x']"), (true, true));
    assert_eq!(read("table.main['a']/route['x']", "table.main['a']"), (false, false));
    assert_eq!(read("table.main['a']", "table.main['b']/route['x']"), (false, false));
    assert_eq!(read("subnet.public['a']", "subnet.public['b']"), (false, false));
    assert_eq!(read("net", "net['eu']/subnet.public['b']"), (true, true));
    assert_eq!(read("net['us']", "net['eu']/subnet.public['b']"), (false, false));
}

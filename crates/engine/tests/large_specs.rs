//! Large specs: they load, in time that grows with their size alone, and without deep recursion.

mod support;

use std::fmt::Write as _;

use straddle_engine::diagnostic::Sources;
use straddle_engine::spec::{LoadFailure, Loaded, SpecText, load_text};

const HEAD: &str = r#"
[stack]
name = "large"
tags = { project = "large" }
[account.main]
id = "111122223333"
region = "us-east-1"
[vpc.main]
cidr_block = "10.0.0.0/16"
"#;

fn load(text: &str) -> Result<Loaded, Box<LoadFailure>> {
    let mut sources = Sources::default();
    sources.add("main.toml", format!("{HEAD}{text}"));
    load_text(SpecText { sources, ..SpecText::default() }, &support::registry())
}

fn blocks(count: usize, block: impl Fn(usize) -> String) -> String {
    (0..count).map(block).collect()
}

fn count(text: &str) -> usize {
    let loaded = load(text).unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics.iter().next()));
    loaded.spec.resources.len()
}

#[test]
fn many_blocks_with_children() {
    let text = blocks(5_000, |number| {
        format!(
            "[subnet.s{number}]\nvpc_id = \"${{vpc.main.id}}\"\n\
             cidr_block = \"${{cidrsubnet(vpc.main.cidr_block, 13, {number})}}\"\n\
             [route_table.t{number}]\nvpc_id = \"${{vpc.main.id}}\"\nsubnets = [\"${{subnet.s{number}.id}}\"]\n"
        )
    });
    assert_eq!(count(&text), 15_001);
}

#[test]
fn many_instances_with_children() {
    let mut text = "[local]\nzones = {".to_owned();
    for number in 0..5_000 {
        write!(text, "k{number} = {{ number = {number}, vpc = \"${{vpc.main.id}}\" }}, ")
            .expect("text takes everything");
    }
    text.push_str(
        "}\n[subnet.many]\nfor_each = \"${local.zones}\"\nvpc_id = \"${each.value.vpc}\"\n\
         cidr_block = \"${cidrsubnet(vpc.main.cidr_block, 13, each.value.number)}\"\n\
         [route_table.all]\nvpc_id = \"${vpc.main.id}\"\nsubnets = \"${subnet.many[*].id}\"\n",
    );
    assert_eq!(count(&text), 10_002);
}

#[test]
fn long_chains_need_no_deep_recursion() {
    let text = blocks(20_000, |number| match number {
        0 => "[eip.e0]\n".to_owned(),
        _ => format!("[eip.e{number}]\ntags = {{ Previous = \"${{eip.e{}.public_ip}}\" }}\n", number - 1),
    });
    assert_eq!(count(&text), 20_001);
    let circle = text.replace("[eip.e0]\n", "[eip.e0]\ntags = { Last = \"${eip.e19999.public_ip}\" }\n");
    let failure = load(&circle).expect_err("the chain is a circle");
    assert_eq!(failure.error_count(), 1);
    let cycle = failure.diagnostics.iter().next().expect("there is one error");
    assert!(cycle.detail.contains("(19981 more)"), "{}", cycle.detail);
}

#[test]
fn deep_local_values_are_refused_in_time() {
    let forms = [
        "${[PREVIOUS, PREVIOUS][0]}",
        "${[for x in [PREVIOUS] : [for y in [x] : y][0]][0]}",
        "${{for x in [PREVIOUS] : 'a' => x}.a}",
        "${true ? coalesce(element([PREVIOUS], 0), 1) : 1}",
        "text ${PREVIOUS}",
        "${subnet.all[PREVIOUS].id}",
    ];
    for form in forms {
        let chain = |depth| {
            let local = |number: usize| match number.checked_sub(1) {
                None => "l0 = \"${vpc.main.id}\"\n".to_owned(),
                Some(previous) => {
                    format!("l{number} = \"{}\"\n", form.replace("PREVIOUS", &format!("local.l{previous}")))
                }
            };
            let locals = blocks(depth, local);
            format!(
                "[subnet.all]\nfor_each = ['a']\nvpc_id = 'vpc-1'\ncidr_block = '10.0.0.0/24'\n\
                 [local]\n{locals}[output.last]\nvalue = \"${{local.l{}}}\"\n",
                depth - 1
            )
        };
        assert!(load(&chain(30)).is_ok(), "{form}: {:?}", load(&chain(30)).err());
        let failure = load(&chain(1000)).expect_err("the values are nested too deep");
        let first = failure.diagnostics.iter().next().map(|diagnostic| diagnostic.code);
        assert_eq!(first, Some("invalid-expression"), "{form}");
    }
}

#[test]
fn values_inside_of_values_are_refused_in_time() {
    let chain = |depth| {
        let local = |number| match number {
            0 => "l0 = [1]\n".to_owned(),
            _ => format!("l{number} = \"${{[local.l{0}]}}\"\n", number - 1),
        };
        format!("[local]\n{}", blocks(depth, local))
    };
    assert!(load(&chain(60)).is_ok());
    let failure = load(&chain(20_000)).expect_err("the values are nested too deep");
    let codes: Vec<_> = failure.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, ["value-too-large"]);
}

#[test]
fn values_that_double_are_refused() {
    let local = |number| match number {
        0 => "l0 = [1]\n".to_owned(),
        _ => format!("l{number} = \"${{concat(local.l{0}, local.l{0})}}\"\n", number - 1),
    };
    let failure = load(&format!("[local]\n{}", blocks(60, local))).expect_err("the values are too large");
    let codes: Vec<_> = failure.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, ["value-too-large"]);
}

/// Returns the codes of what is wrong with a spec.
fn codes(text: &str) -> Vec<&'static str> {
    let failure = load(text).expect_err("the spec is refused");
    failure.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn too_many_resources_are_refused() {
    let list = blocks(400, |number| format!("'{number}',"));
    let text = blocks(251, |number| format!("[eip.e{number}]\nfor_each = [{list}]\n"));
    assert_eq!(codes(&text), ["too-many-resources"]);
}

#[test]
fn too_many_resources_are_refused_before_they_are_made() {
    let many = "${flatten([for x in range(400) : [for y in range(400) : join('-', [x, y])]])}";
    assert_eq!(codes(&format!("[eip.e]\nfor_each = \"{many}\"\n")), ["too-many-resources"]);
    let inline = format!("[route_table.r]\nvpc_id = \"${{vpc.main.id}}\"\nsubnets = \"{many}\"\n");
    assert_eq!(codes(&inline), ["too-many-resources"]);
}

#[test]
fn what_copies_a_large_value_again_and_again_is_refused() {
    let long = "x".repeat(1_000_000);
    let vpcs =
        "[vpc.all]\nfor_each = \"${[for x in range(2000) : tostring(x)]}\"\ncidr_block = \"10.0.0.0/16\"\n";
    let locals = format!("[local]\nknown = [\"{long}\"]\nlate = [\"{long}\", \"${{vpc.main.id}}\"]\n{vpcs}");
    let value = format!("{{ a = \"{long}\", b = \"${{vpc.main.id}}\" }}");
    for copied in ["local.late", "local.known[*]", "vpc.all", "each.value", "each.key"] {
        let text = format!("${{[for x in range(100000) : length({copied})]}}");
        let eip = format!("[eip.a]\nfor_each = {{ {long} = {value} }}\ntags = {{ Name = \"{text}\" }}\n");
        assert_eq!(codes(&format!("{locals}{eip}")), ["too-much-work"], "{copied}");
    }
}

#[test]
fn picking_from_a_large_value_costs_what_is_picked() {
    let entries = blocks(5_000, |number| format!("k{number} = {{ id = \"${{vpc.main.id}}\", n = 1 }}\n"));
    let picked = "${tostring(sum([for key in keys(local.table) : local.table[key].n]))}";
    let text = format!("[eip.a]\ntags = {{ Name = \"{picked}\" }}\n[local.table]\n{entries}");
    assert_eq!(count(&text), 2);
}

//! Expressions from text to value.

mod functions;
mod random;
mod syntax;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ast::Expression;
use super::evaluate::{Evaluation, Failure};
use super::parse_expression;
use crate::address::{AccountName, Address, BlockAddress, Kind};
use crate::diagnostic::{Diagnostic, Sources, Span};
use crate::spec::files::FileReader;
use crate::spec::sensitivity::Sensitivities;
use crate::spec::text::TextMap;
use crate::spec::world::{AccountFacts, Local, LocalName, LocalSort, Shape, World};
use crate::spec::{Scope, SpecFiles};
use crate::supply::Supplies;
use crate::value::{AttributeReference, Unknown, Value, ValueMap};

fn parse(text: &str) -> Result<Expression, Box<Diagnostic>> {
    let inner = format!("${{{text}}}");
    let file = format!("'{inner}'");
    let mut sources = Sources::default();
    let source = sources.add("test.toml", file.as_str());
    let map = TextMap::new(&file, Span::new(source, 0..file.len()), &inner);
    parse_expression(&inner, 2, &map).map(|(expression, _)| expression)
}

/// Knows `vpc.main.cidr_block` and the stack's id, and nothing else.
struct Network;

impl Scope for Network {
    fn attribute(&self, address: &Address, attribute: &str) -> Value {
        match attribute {
            "cidr_block" => Value::from("10.0.0.0/16"),
            "key" => Value::from(address.key().unwrap_or_default()),
            _ => Value::unknown(address.clone(), attribute),
        }
    }

    fn stack_id(&self) -> Value {
        Value::from("lineage")
    }
}

fn world() -> World {
    let block = |kind, name| BlockAddress::new(Kind::new(kind), name);
    let subnets = block("subnet", "public");
    let keyed = ["a", "b"].map(|key| (Arc::from(key), Address::of_block(subnets.clone()).with_key(key)));
    let vpc = block("vpc", "main");
    let zones = ValueMap::from([("a".to_owned(), Value::from(7)), ("b".to_owned(), Value::from(8))]);
    let files = [
        ("motd.txt", "Welcome."),
        ("hello.tmpl", "Hello ${join(' and ', names)}!"),
        ("dollar.txt", "a $${x} ${y}"),
        ("broken.tmpl", "one\ntwo ${1 +}"),
        ("outside.tmpl", "${vpc.main.id}"),
        ("nested.tmpl", "${file('motd.txt')}"),
        ("directive.tmpl", "\n%{ for x in y }"),
        ("curl.tmpl", "%{http_code} $${x} ${a + 1}"),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    World {
        files: Arc::new(FileReader::new(SpecFiles::InMemory(files), Supplies::new(), &Sources::default())),
        stack_name: "test".to_owned(),
        variables: BTreeMap::from([
            ("zones".to_owned(), Some(Value::Map(zones))),
            ("list".to_owned(), Some(Value::from(vec![3, 1, 2, 1]))),
        ]),
        attributes: BTreeMap::new(),
        lookups: BTreeMap::new(),
        sensitive: Sensitivities::default(),
        locals: BTreeMap::from([(LocalName::new(LocalSort::Local, "two"), Local::Known(Value::Integer(2)))]),
        accounts: BTreeMap::from([(
            AccountName::new("main"),
            Some(AccountFacts { id: Value::from("111122223333"), region: Value::from("us-east-1") }),
        )]),
        shapes: BTreeMap::from([
            (vpc.clone(), Shape::Single(Address::of_block(vpc))),
            (subnets, Shape::Keyed(BTreeMap::from(keyed))),
        ]),
    }
}

fn evaluate(text: &str) -> Result<Value, String> {
    let expression = parse(text).map_err(|diagnostic| diagnostic.label)?;
    let world = world();
    let value =
        Evaluation::new(&world, None, &Network).expression(&expression).map(std::borrow::Cow::into_owned);
    value.map_err(|failure| match failure {
        Failure::Broken => "broken".to_owned(),
        Failure::Wrong(diagnostic) | Failure::Fatal(diagnostic) => diagnostic.label,
    })
}

/// The result is written as an expression too.
#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(evaluate(text), evaluate(expected), "{text}");
    assert!(evaluate(text).is_ok(), "{text}: {:?}", evaluate(text));
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    assert_eq!(evaluate(text), Err(expected.to_owned()), "{text}");
}

#[track_caller]
fn check_unknown(text: &str, origin: &str, exact: bool) {
    let (address, attribute) = origin.rsplit_once('.').expect("an origin has an attribute");
    let address = address.parse().expect("the address is well formed");
    let origin = AttributeReference { address, attribute: attribute.to_owned() };
    assert_eq!(evaluate(text), Ok(Value::Unknown(Unknown { origin, exact })), "{text}");
}

#[test]
fn operators() {
    check("1 + 2 * 3", "7");
    check("7 / 2", "3.5");
    check("8 / 2", "4");
    check("-7 % 3", "-1");
    check("1 < 2 && 'a' < 'b' || false", "true");
    check("1 == 1.0", "true");
    check("[1, {a = 2}] == [1, {a: 2}]", "true");
    check("null == 1", "false");
    check("local.two > 1 ? 'yes' : 'no'", "'yes'");
    check_error("1 == '1'", "a whole number never equals a string");
    check_error("9223372036854775807 + 1", "the result is too large for a whole number");
    check_error("!1", "expected a boolean, found a whole number");
    check_error("1 && true", "expected a boolean, found a whole number");
}

#[test]
fn references_and_paths() {
    check("var.zones.a", "7");
    check("var.zones['b']", "8");
    check("var.list[0]", "3");
    check("account.main.id", "'111122223333'");
    check("account.main.region", "'us-east-1'");
    check("stack.name", "'test'");
    check("stack.id", "'lineage'");
    check("subnet.public[*].key", "['a', 'b']");
    check("(subnet.public[*].key)[1]", "'b'");
    check("subnet.public[local.two == 2 ? 'a' : 'b'].key", "'a'");
    check("[{a = {b = 1}}, {a = {b = 2}}][*].a.b", "[1, 2]");
    check("{x = 1, 'y z' = 2, ('k') = 3}[*]", "[3, 1, 2]");
    check_error("var.list[9]", "there is no position 9 in a list of length 4");
    check_error("var.list.a", "`a` is looked up in a list, not in a table");
    check_error("subnet.public['c'].id", "`subnet.public` has no `['c']`");
}

#[test]
fn unknown_values_spread_and_keep_their_origin() {
    check_unknown("vpc.main.id", "vpc.main.id", true);
    check_unknown("(subnet.public[*].id)[1]", "subnet.public['b'].id", true);
    check_unknown("true ? vpc.main.id : 1", "vpc.main.id", true);
    check_unknown("[vpc.main.id][0]", "vpc.main.id", true);
    check_unknown("lookup({a = vpc.main.id}, 'a')", "vpc.main.id", true);
    check_unknown("vpc.main.list[0].name", "vpc.main.list", false);
    check_unknown("vpc.main.count + 1", "vpc.main.count", false);
    check_unknown("upper(vpc.main.id)", "vpc.main.id", false);
    check_unknown("join(',', subnet.public[*].id)", "subnet.public['a'].id", false);
    check_unknown("vpc.main.flag ? 1 : 2", "vpc.main.flag", false);
    check_unknown("subnet.public[vpc.main.id].id", "vpc.main.id", false);
    check_unknown("jsonencode([vpc.main.id])", "vpc.main.id", false);
}

#[test]
fn unknown_values_stay_inside_lists_and_tables() {
    check("length(subnet.public[*].id)", "2");
    check("keys({a = vpc.main.id})", "['a']");
    check("length(concat(subnet.public[*].id, [vpc.main.id]))", "3");
    check("merge({a = vpc.main.id}, {b = 1}).b", "1");
    check("false && vpc.main.flag", "false");
    check("vpc.main.flag && false", "false");
    check("vpc.main.flag || true", "true");
    check("lookup({a = 1}, 'a', vpc.main.id)", "1");
}

#[test]
fn what_would_not_fit_into_memory_is_refused() {
    let doubled = "join('', [for a in range(1000) : join('', [for b in range(1000) : 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'])])";
    check_error(doubled, "this makes too many or too large values");
    let nested = "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : 0]]]";
    check_error(nested, "this makes too many or too large values");
    let replaced =
        "replace(join('', [for a in range(9999) : 'a']), 'a', join('', [for a in range(9999) : 'b']))";
    check_error(replaced, "the result would be larger than 16 MiB");
    check_error("indent(99999999999, 'a')", "the result would be larger than 16 MiB");
    check_error(
        "join(join('', [for a in range(9999) : 'a']), range(9999))",
        "the result would be larger than 16 MiB",
    );
}

#[test]
fn for_expressions() {
    check("[for x in var.list : x * 2]", "[6, 2, 4, 2]");
    check("[for x in var.list : x if x > 1]", "[3, 2]");
    check("[for position, x in ['a', 'b'] : position]", "[0, 1]");
    check("[for key, value in var.zones : format('%s=%d', key, value)]", "['a=7', 'b=8']");
    check("[for value in var.zones : value]", "[7, 8]");
    check("{for x in ['a', 'b'] : x => upper(x)}", "{a = 'A', b = 'B'}");
    check("{for key, value in var.zones : key => value if value == 8}", "{b = 8}");
    check("{for x in ['ab', 'cd', 'ae'] : substr(x, 0, 1) => x...}", "{a = ['ab', 'ae'], c = ['cd']}");
    check("[for x in [1, 2] : [for y in [10, 20] : x + y]]", "[[11, 21], [12, 22]]");
    check("[for x in [1, 2] : [for x in [10] : x]]", "[[10], [10]]");
    check("flatten([for a in [{n = [1, 2]}, {n = [3]}] : [for b in a.n : b + length(a.n)]])", "[3, 4, 4]");
    check("[for x in [{a = [{b = 1}]}] : x.a[0].b]", "[1]");
    check("[for x in [[1], [2]] : x][1][0]", "2");
    check("[for x in [{b = 1}, {b = 2}] : x][*].b", "[1, 2]");
    check("[for s in ['a', 'b'] : subnet.public[s].key]", "['a', 'b']");
    check("{for = 1}", "{'for' = 1}");
    check("length([for x in [] : nothing.here.either if x])", "0");
    check_error("{for x in ['a', 'a'] : x => 1}", "more than one item has the key `a`");
    check_error("[for x in 1 : x]", "`for` takes a list or a table, found a whole number");
    check_error("[for x in [1] : x if x]", "expected a boolean, found a whole number");
    check_error("[for x in [1] : y]", "a word alone names nothing");
    check_error("[for var in [1] : 1]", "`var` means something else and names no item");
    check_error("[for x [1] : 1]", "expected `in`, found `[`");
    check_error("[for x in [1] : x", "expected `]`, found `}`");
    check_error("[for x in [1] : x] + x", "a word alone names nothing");
}

#[test]
fn for_expressions_keep_what_is_known() {
    check_unknown("[for x in vpc.main.list : x]", "vpc.main.list", false);
    check_unknown("[for x in [1] : x if vpc.main.flag]", "vpc.main.flag", false);
    check_unknown("{for x in [vpc.main.id] : x => 1}", "vpc.main.id", false);
    check_unknown("{for x in ['a'] : x => vpc.main.id}.a", "vpc.main.id", true);
    check_unknown("[for x in [vpc.main.id] : x][0]", "vpc.main.id", true);
    check_unknown("[for s in ['b'] : subnet.public[s].id][0]", "subnet.public['b'].id", true);
    check("length([for x in subnet.public[*].id : x])", "2");
    check("keys({for x in ['a', 'b'] : x => vpc.main.id})", "['a', 'b']");
}

//! Expressions from text to value.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ast::{Expression, ExpressionKind};
use super::evaluate::{Evaluation, Failure};
use super::functions;
use super::parse_expression;
use crate::address::{AccountName, Address, BlockAddress, Kind};
use crate::diagnostic::{Diagnostic, Sources, Span};
use crate::spec::files::FileReader;
use crate::spec::text::TextMap;
use crate::spec::world::{AccountFacts, Local, LocalName, LocalSort, Shape, World};
use crate::spec::{Scope, SpecFiles};
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
        files: Arc::new(FileReader::new(SpecFiles::InMemory(files), &Sources::default())),
        stack_name: "test".to_owned(),
        variables: BTreeMap::from([
            ("zones".to_owned(), Some(Value::Map(zones))),
            ("list".to_owned(), Some(Value::from(vec![3, 1, 2, 1]))),
        ]),
        attributes: BTreeMap::new(),
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
        Failure::Wrong(diagnostic) => diagnostic.label,
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
fn network_functions() {
    check("cidrsubnet(vpc.main.cidr_block, 4, 9)", "'10.0.144.0/20'");
    check("cidrsubnet('10.1.2.3/16', 0, 0)", "'10.1.0.0/16'");
    check("cidrsubnet('2001:db8::/32', 32, 1)", "'2001:db8:0:1::/64'");
    check("cidrsubnet('0.0.0.0/0', 32, 4294967295)", "'255.255.255.255/32'");
    check("cidrsubnet('::/0', 128, 5)", "'::5/128'");
    check("cidrhost('10.0.0.0/16', 5)", "'10.0.0.5'");
    check("cidrhost('10.0.0.0/24', -1)", "'10.0.0.255'");
    check("cidrhost('::/0', -1)", "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'");
    check_error("cidrsubnet('10.0.0.0/30', 3, 0)", "`10.0.0.0/30` has room for 0 to 2 more bits, not 3");
    check_error("cidrhost('10.0.0.0/30', 4)", "2 bits number 4 places from 0, and 4 is not among them");
    check_error("cidrhost('10.0.0.0', 4)", "`10.0.0.0` is no address range such as `10.0.0.0/16`");
}

#[test]
fn text_functions() {
    check("join(',', ['a', 1, true])", "'a,1,true'");
    check("split(',', 'a,b')", "['a', 'b']");
    check("upper('a') == 'A' && lower('A') == 'a'", "true");
    check("trim('  a ')", "'a'");
    check("trim('xxay', 'xy')", "'a'");
    check("replace('a-b-c', '-', '+')", "'a+b+c'");
    check("format('%s is %03d, %5.1f%% %q %v', 'x', 7, 1.25, 'q', true)", "'x is 007,   1.2% \"q\" true'");
    check("format('%-4s|%4s|%04d', 'a', 'b', -5)", "'a   |   b|-005'");
    check("tostring(5)", "'5'");
    check("tonumber('5') + tonumber('0.5')", "5.5");
    check_error("format('%d', 'x')", "`%d` takes a whole number, not a string");
    check_error("format('%s')", "the pattern wants more values than are given");
    check_error("format('%9999s', 'x')", "a width is at most 1000");
    check_error("split('', 'x')", "the separator is empty");
}

#[test]
fn collection_functions() {
    check("keys(var.zones)", "['a', 'b']");
    check("values(var.zones)", "[7, 8]");
    check("length(var.list) + length('äb') + length(var.zones)", "8");
    check("sort(var.list)", "[1, 1, 2, 3]");
    check("distinct(var.list)", "[3, 1, 2]");
    check("index(var.list, 2)", "2");
    check("concat([1], [2, 3], [])", "[1, 2, 3]");
    check("merge({a = 1, b = 1}, null, {b = 2})", "{a = 1, b = 2}");
    check("lookup(var.zones, 'a')", "7");
    check("lookup(var.zones, 'z', 9)", "9");
    check_error("lookup(var.zones, 'z')", "there is no `z`, and no default is given");
    check_error("index(var.list, 9)", "the value is not in the list");
    check_error("sort([1, 'a'])", "only strings, or only numbers, have an order");
}

#[test]
fn encodings() {
    check("base64encode('hello')", "'aGVsbG8='");
    check("sha256('')", "'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'");
    check("jsonencode({b = [1, 2.5, null], '$a' = true})", r#"'{"$a":true,"b":[1,2.5,null]}'"#);
    check(r#"jsondecode('{"a": [1, 2.5, null, true, "x"]}')"#, "{a = [1, 2.5, null, true, 'x']}");
    assert!(evaluate("jsondecode('{')").is_err());
    check_error("jsondecode('18446744073709551615')", "the number 18446744073709551615 is out of range");
}

#[test]
fn the_first_expression_that_evaluates() {
    check("try(var.zones.z, var.zones.a)", "7");
    check("can(var.zones.z)", "false");
    check("can(var.zones.a)", "true");
    check_error("try(var.zones.z)", "the table has no `z`");
    check_unknown("try(vpc.main.id, 1)", "vpc.main.id", true);
    check_unknown("can(vpc.main.id)", "vpc.main.id", false);
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
fn every_example_comes_to_what_the_reference_says() {
    for function in functions::all() {
        let found = evaluate(function.example);
        assert!(found.is_ok(), "{}: {found:?}", function.example);
        assert_eq!(found, evaluate(function.result), "{}", function.example);
    }
}

#[test]
fn functions_keep_what_is_known() {
    check("length(slice([vpc.main.id, 1], 0, 1))", "1");
    check("keys(zipmap(['a'], [vpc.main.id]))", "['a']");
    check("contains([vpc.main.id, 1], 1)", "true");
    check_unknown("contains([vpc.main.id], 1)", "vpc.main.id", false);
    check_unknown("one([vpc.main.id])", "vpc.main.id", true);
    check_unknown("element([vpc.main.id], 5)", "vpc.main.id", true);
    check_unknown("reverse([1, vpc.main.id])[0]", "vpc.main.id", true);
    check_unknown("flatten([1, vpc.main.id])", "vpc.main.id", false);
    check_unknown("compact(['', vpc.main.id])", "vpc.main.id", false);
    check_unknown("coalesce(null, vpc.main.id, 'x')", "vpc.main.id", false);
    check_unknown("max(1, vpc.main.count)", "vpc.main.count", false);
    check_unknown("setunion([1], [vpc.main.id])", "vpc.main.id", false);
    check("coalesce('x', vpc.main.id)", "'x'");
}

#[test]
fn numbers_and_ranges() {
    check(
        "[range(3), range(1, 3), range(3, 1), range(0, 10, 5), range(0)]",
        "[[0, 1, 2], [1, 2], [3, 2], [0, 5], []]",
    );
    check("[floor(-1.5), ceil(-1.5), floor(3), abs(-2.5)]", "[-2, -1, 3, 2.5]");
    check("[sum([]), sum([1, 2]), min(2, 1.5), max([1])]", "[0, 3, 1.5, 1]");
    check_error("range(0, 10, 0)", "a step of 0 leads nowhere");
    check_error("range(9223372036854775807)", "the result would be larger than 16 MiB");
    check("length(range(-9223372036854775807, 9223372036854775807, 9223372036854775807))", "2");
    check_error("max('a')", "expected numbers, found a string");
    check_error("max([])", "the list is empty");
    check_error("abs(0 - 9223372036854775807 - 1)", "the result is too large for a whole number");
    check_error("floor(92233720368547758080.5)", "the result is too large for a whole number");
}

#[test]
fn address_ranges_follow_each_other() {
    check("cidrsubnets('10.0.0.0/24', 1, 2, 2)", "['10.0.0.0/25', '10.0.0.128/26', '10.0.0.192/26']");
    check("cidrsubnets('10.0.0.0/24', 2, 1)", "['10.0.0.0/26', '10.0.0.128/25']");
    check("cidrsubnets('::/0', 1, 1)", "['::/1', '8000::/1']");
    check_error("cidrsubnets('10.0.0.0/24', 1, 1, 8)", "`10.0.0.0/24` has no room left for a part of /32");
    check_error("cidrsubnets('::/0', 0, 128)", "`::/0` has no room left for a part of /128");
    check_error("cidrnetmask('::/0')", "ranges of IPv6 have no mask, only a length");
}

#[test]
fn patterns_in_text() {
    check("regex('b+', 'abbc')", "'bb'");
    check("regex('(b+)(x)?', 'abbc')", "['bb', null]");
    check("regex('(?P<letters>b+)', 'abbc')", "{letters = 'bb'}");
    check("regexall('x', 'abc')", "[]");
    check("replace('a1b22', '/[0-9]+/', '<$0>')", "'a<1>b<22>'");
    check("replace('a/b/c', '/', '-')", "'a-b-c'");
    check("can(regex('^v', 'web'))", "false");
    check_error("regex('x', 'abc')", "the text does not match");
    check_error("regex('(', 'abc')", "the regular expression cannot be used: unclosed group");
    check_error("regex('a{1000}{1000}', 'a')", "the regular expression cannot be used: it is too large");
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

#[test]
fn files_are_read_as_they_are_and_templates_with_what_they_get() {
    check("file('dollar.txt')", "join('', ['a $', '$', '{x} ', '$', '{y}'])");
    check("templatefile('curl.tmpl', {a = 1})", "join('', ['%{http_code} ', '$', '{x} 2'])");
    check("can(file('missing.txt'))", "false");
    check_unknown("templatefile('hello.tmpl', {names = [vpc.main.id]})", "vpc.main.id", false);
    check_unknown("file(vpc.main.id)", "vpc.main.id", false);
    check_error(
        "templatefile('hello.tmpl', {})",
        "in `hello.tmpl` line 1: `names` is not handed to the template",
    );
    check_error(
        "templatefile('outside.tmpl', {})",
        "in `outside.tmpl` line 1: `vpc` is not handed to the template",
    );
    check_error("templatefile('broken.tmpl', {})", "in `broken.tmpl` line 2: expected a value, found `}`");
    check_error(
        "templatefile('nested.tmpl', {})",
        "in `nested.tmpl` line 1: a template reads no other files",
    );
    check_error(
        "templatefile('directive.tmpl', {})",
        "in `directive.tmpl` line 2: `%{for` means nothing here",
    );
    check_error(
        "templatefile('hello.tmpl', {names = [[]]})",
        "in `hello.tmpl`: item 0 is a list, which has no text form",
    );
    check_error("file('../secret')", "`../secret` leads out of the folder of the spec with `..`");
}

#[test]
fn mistakes_get_a_hint() {
    let hint = |text: &str| parse(text).expect_err("the expression is wrong").hint.unwrap_or_default();
    assert_eq!(hint("timestamp()"), "Pass the time as a variable: `--var now=\"$(date --iso-8601)\"`.");
    assert_eq!(hint("tolist([1])"), "Leave the function out.");
    assert_eq!(hint("cidrsubet('a', 1, 1)"), "Did you mean `cidrsubnet`?");
    assert_eq!(hint("[for i in [1] : i-1]"), "Names may have dashes in them: write spaces around a minus.");
    assert_eq!(hint("[for zone in ['a'] : zon]"), "Did you mean `zone`?");
    assert_eq!(hint("keys()"), "It is called as `keys(table)`.");
}

fn shape(expression: &Expression) -> String {
    match &expression.kind {
        ExpressionKind::Binary(operator, left, right) => {
            format!("({} {} {})", shape(left), operator.symbol(), shape(right))
        }
        ExpressionKind::Unary(operator, operand) => format!("({operator:?} {})", shape(operand)),
        ExpressionKind::Conditional(inner) => {
            format!("({} ? {} : {})", shape(&inner.condition), shape(&inner.then), shape(&inner.otherwise))
        }
        ExpressionKind::Literal(Value::Integer(value)) => value.to_string(),
        ExpressionKind::Literal(_)
        | ExpressionKind::Reference(_)
        | ExpressionKind::Attribute(_)
        | ExpressionKind::Access(..)
        | ExpressionKind::Splat(..)
        | ExpressionKind::List(_)
        | ExpressionKind::Map(_)
        | ExpressionKind::Bound(_)
        | ExpressionKind::For(_)
        | ExpressionKind::Call(..) => "_".to_owned(),
    }
}

#[test]
fn operators_bind_as_in_arithmetic() {
    let check = |text: &str, expected: &str| {
        assert_eq!(shape(&parse(text).expect("the expression is well formed")), expected, "{text}");
    };
    check("1 + 2 * 3 - 4", "((1 + (2 * 3)) - 4)");
    check("(1 + 2) * 3", "((1 + 2) * 3)");
    check("1 < 2 && 3 == 4 || 5 > 6", "(((1 < 2) && (3 == 4)) || (5 > 6))");
    check("1 == 2 ? 3 : 4 == 5 ? 6 : 7", "((1 == 2) ? 3 : ((4 == 5) ? 6 : 7))");
    check("!true && -1 < 2", "((Not _) && ((Negate 1) < 2))");
}

#[test]
fn limits_of_size_and_depth_hold() {
    assert!(parse(&format!("{}1{}", "(".repeat(100), ")".repeat(100))).is_err());
    assert!(parse(&format!("{}1", "-".repeat(100))).is_err());
    assert!(parse(&format!("1{}", " + 1".repeat(300))).is_err());
    assert!(parse(&format!("1{}", " + 1".repeat(200))).is_ok());
    assert!(parse(&format!("{}1", "1 ? 2 : ".repeat(100))).is_err());
    assert!(parse(&format!("var.zones{}", ".a".repeat(100))).is_err());
}

#[test]
fn broken_expressions_are_refused() {
    let broken = ["", "1 +", "(1", "[1, 2", "{a = 1", "vpc", "var", "nope(1)", "length()", "a.b.c.0", "1 2"];
    for text in broken {
        assert!(parse(text).is_err(), "{text} was taken");
    }
}

/// Random words in random order: whatever they mean, nothing panics.
#[test]
fn random_expressions_never_panic() {
    const WORDS: [&str; 48] = [
        "1",
        "0",
        "-1",
        "2.5",
        "9223372036854775807",
        "'a'",
        "\"b\"",
        "'10.0.0.0/8'",
        "true",
        "null",
        "var.zones",
        "var.list",
        "local.two",
        "vpc.main.id",
        "vpc.main.cidr_block",
        "subnet.public[*].id",
        "subnet.public['a'].key",
        "account.main.id",
        "stack.id",
        "each.key",
        "cidrsubnet(",
        "cidrhost(",
        "format('%s %d', ",
        "join(',', ",
        "merge(",
        "try(",
        "can(",
        "sort(",
        "index(",
        "lookup(",
        "jsonencode(",
        "split(",
        ")",
        "(",
        "[",
        "]",
        "{",
        "}",
        "a =",
        ",",
        ".",
        "[*]",
        "?",
        ":",
        "+",
        "/",
        "&&",
        "==",
    ];
    let mut state: u64 = 0x2545_f491_4f6c_dd1d;
    let mut random = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).expect("31 bits fit") % limit
    };
    let mut evaluated = 0;
    for _ in 0..50_000 {
        let words = (0..=random(9)).map(|_| WORDS[random(WORDS.len())]);
        let text = words.collect::<Vec<_>>().join(" ");
        evaluated += usize::from(evaluate(&text).is_ok());
    }
    assert!(evaluated > 1000, "only {evaluated} of the random expressions mean something");
}

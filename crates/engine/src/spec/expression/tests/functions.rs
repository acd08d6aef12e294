//! What functions return, and what they say of wrong arguments.

use super::{check, check_error, check_unknown, evaluate};
use crate::spec::expression::functions;

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
    check("can(vpc.main.id)", "true");
    check_unknown("can(upper(vpc.main.id))", "vpc.main.id", false);
}

#[test]
fn what_may_still_fail_is_not_chosen_yet() {
    check("length(try(subnet.public[*].id, []))", "2");
    check("keys(try({a = vpc.main.id}, {}))", "['a']");
    check_unknown("try([vpc.main.list[0]], [])", "vpc.main.list", false);
    check_unknown("try([for id in subnet.public[*].id : upper(id)], [])", "subnet.public['a'].id", false);
    check_unknown("try({a = vpc.main.count + 1}, {})", "vpc.main.count", false);
    check_unknown("try([vpc.main.list[9], 1][1], 2)", "vpc.main.list", false);
    check_unknown("try(length([vpc.main.list[9]]), 0)", "vpc.main.list", false);
    check_unknown("try(vpc.main.list && false, 0)", "vpc.main.list", false);
    check_unknown("try(flatten([1, vpc.main.list[9]]), 0)", "vpc.main.list", false);
    check_unknown("can([vpc.main.list[9], 1][1])", "vpc.main.list", false);
    check("try(var.list[9], [vpc.main.list[0]])[0] == 1 || true", "true");
    check("[for item in [vpc.main.list[9]] : can(item)]", "[true]");
    check("try([upper(vpc.main.id), 1 / 0], 'impossible')", "'impossible'");
}

#[test]
fn limits_choose_no_value() {
    let much = "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : 0]]]";
    for call in [format!("try({much}, 1)"), format!("can({much})")] {
        check_error(&call, "this makes too many or too large values");
    }
    let deep = format!("{}1{}", "[".repeat(60), "]".repeat(60));
    check(&format!("can({deep})"), "true");
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
fn files_are_read_as_they_are_and_templates_with_what_they_get() {
    check("file('dollar.txt')", "join('', ['a $', '$', '{x} ', '$', '{y}'])");
    check("templatefile('curl.tmpl', {a = 1})", "join('', ['%{http_code} ', '$', '{x} 2'])");
    check("can(file('missing.txt'))", "false");
    check_unknown("templatefile('hello.tmpl', {names = [vpc.main.id]})", "vpc.main.id", false);
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
fn which_file_is_read_must_be_known_whatever_is_chosen_later() {
    let unknown = "depends on `vpc.main.id`, which is known only after apply";
    for expression in [
        "file(vpc.main.id)",
        "templatefile(vpc.main.id, {})",
        "try(file(vpc.main.id), 'none')",
        "can(file(vpc.main.id))",
        "vpc.main.flag ? file(vpc.main.id) : 'none'",
        "vpc.main.flag ? 'none' : file(vpc.main.id)",
        "[for x in vpc.main.list : file(vpc.main.id)]",
        "[for x in vpc.main.list : x if x == file(vpc.main.id)]",
        "{for x in vpc.main.list : x => file(vpc.main.id)}",
        "[for x in [vpc.main.id, 'motd.txt'] : file(x) if vpc.main.flag]",
        "{for x in [vpc.main.id] : x => file(x)}",
        "[for x in ['motd.txt', vpc.main.id] : vpc.main.flag ? file(x) : '']",
        "{(vpc.main.flag) = file(vpc.main.id)}",
        "vpc.main.list[file(vpc.main.id)]",
        "vpc.main.list[*][file(vpc.main.id)]",
        "coalesce(vpc.main.count, file(vpc.main.id))",
        "try(vpc.main.list[0], file(vpc.main.id))",
        "false || file(vpc.main.id)",
    ] {
        check_error(expression, unknown);
    }
    check_error("[for x in vpc.main.list : file(x)]", &unknown.replace("main.id", "main.list"));
    check("true || file(vpc.main.id)", "true");
    check_unknown("vpc.main.flag ? file('motd.txt') : file('missing.txt')", "vpc.main.flag", false);
    check_unknown("[for x in vpc.main.list : file('motd.txt')]", "vpc.main.list", false);
}

//! How expressions are read: what binds how, what is refused, and what is said then.

use super::parse;
use crate::spec::expression::ast::{Expression, ExpressionKind};
use crate::value::Value;

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

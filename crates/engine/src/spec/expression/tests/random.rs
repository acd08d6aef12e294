//! Random expressions: whatever they mean, nothing panics, and unknown values hide no other result.
//!
//! `STRADDLE_CASES` sets how many there are; each run makes the same ones.

use std::borrow::Cow;

use super::{Network, parse, world};
use crate::address::Address;
use crate::diagnostic::Diagnostic;
use crate::spec::Scope;
use crate::spec::expression::evaluate::{Evaluation, Failure};
use crate::spec::expression::functions::{self, Function};
use crate::spec::world::World;
use crate::value::Value;

/// How many expressions are made unless `STRADDLE_CASES` says otherwise.
const CASES: usize = 20_000;

#[test]
fn random_expressions_never_panic_and_always_mean_the_same() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let world = world();
    let cases = cases();
    let mut evaluated = 0;
    let mut compared = 0;
    for _ in 0..cases {
        let text = random.text();
        let found = evaluate(&text, &world, &Network);
        assert_eq!(found, evaluate(&text, &world, &Network), "evaluated again: {text}");
        let Ok(found) = found else { continue };
        evaluated += 1;
        if let Ok(later) = evaluate(&text, &world, &AfterApply) {
            assert!(becomes(&found, &later), "{found:?} becomes {later:?}: {text}");
            compared += usize::from(text.contains("vpc.main") || text.contains(".id"));
        }
    }
    assert!(evaluated > cases / 10, "only {evaluated} of {cases} random expressions mean something");
    assert!(compared > cases / 200, "only {compared} of {cases} name something unknown");
    assert!(evaluated < cases / 2, "only {} of {cases} are refused", cases - evaluated);
}

/// Tells whether two values differ only in what is unknown in the first: no length is guessed.
fn becomes(found: &Value, later: &Value) -> bool {
    match (found, later) {
        (Value::Unknown(_), _) => true,
        (Value::List(found), Value::List(later)) => {
            found.len() == later.len() && found.iter().zip(later).all(|(found, later)| becomes(found, later))
        }
        (Value::Map(found), Value::Map(later)) => {
            found.keys().eq(later.keys())
                && found.values().zip(later.values()).all(|(found, later)| becomes(found, later))
        }
        (found, later) => found == later,
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever runs the test says how long")]
fn cases() -> usize {
    std::env::var("STRADDLE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES)
}

fn evaluate(text: &str, world: &World, scope: &dyn Scope) -> Result<Value, Option<Box<Diagnostic>>> {
    let expression = parse(text).map_err(Some)?;
    let value = Evaluation::new(world, None, scope).expression(&expression).map(Cow::into_owned);
    value.map_err(|failure| match failure {
        Failure::Broken => None,
        Failure::Wrong(diagnostic) | Failure::Fatal(diagnostic) => Some(diagnostic),
    })
}

/// Knows what [`Network`] does not know yet.
struct AfterApply;

impl Scope for AfterApply {
    fn attribute(&self, address: &Address, attribute: &str) -> Value {
        match attribute {
            "id" => Value::from(format!("{address}-1").as_str()),
            "count" => Value::from(2),
            "flag" => Value::Bool(true),
            "list" => Value::from(vec![5, 6]),
            _ => Network.attribute(address, attribute),
        }
    }

    fn stack_id(&self) -> Value {
        Network.stack_id()
    }
}

/// Values of every type, known and unknown.
const ATOMS: [&str; 44] = [
    "0",
    "1",
    "2",
    "-1",
    "64",
    "2.5",
    "9223372036854775807",
    "0.000000001",
    "'a'",
    "''",
    "'b,c'",
    "'äöü 🦀'",
    "\"x\\n\"",
    "'10.0.0.0/8'",
    "'::/0'",
    "'%s %d'",
    "'{\"a\": [1]}'",
    "'(b+)'",
    "'YQ=='",
    "true",
    "false",
    "null",
    "[]",
    "{}",
    "[1, 'a', null]",
    "{a = 1, 'b c' = [2]}",
    "var.zones",
    "var.list",
    "var.missing",
    "local.two",
    "vpc.main.id",
    "vpc.main.count",
    "vpc.main.flag",
    "vpc.main.list",
    "vpc.main.cidr_block",
    "subnet.public[*].id",
    "subnet.public['a'].key",
    "subnet.public['z'].id",
    "account.main.id",
    "account.main.region",
    "stack.id",
    "stack.name",
    "each.key",
    "'motd.txt'",
];

const OPERATORS: [&str; 13] = ["||", "&&", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"];

/// What is put into texts to break them.
const SHARDS: [&str; 24] = [
    "(", ")", "[", "]", "{", "}", ",", ".", "[*]", "?", ":", "=>", "...", "'", "\"", "\\", "${", "$", "for ",
    " in ", " if ", "\u{0}", "🦀", "\u{202e}",
];

/// A sequence of numbers that is the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits fit") % limit
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Returns an expression that is well formed, one that was, or just text.
    fn text(&mut self) -> String {
        let depth = 1 + self.below(4);
        match self.below(10) {
            0 => (0..self.below(40)).map(|_| self.character()).collect(),
            1 => {
                let words = (0..=self.below(9)).map(|_| self.word());
                words.collect::<Vec<_>>().join(" ")
            }
            2..=4 => {
                let text = self.expression(depth, 0);
                self.broken(&text)
            }
            _ => self.expression(depth, 0),
        }
    }

    fn character(&mut self) -> char {
        loop {
            let limit = self.one_of(&[0x80, 0x300, 0x11_0000]);
            let code = u32::try_from(self.below(limit)).expect("the limit is small");
            if let Some(character) = char::from_u32(code) {
                return character;
            }
        }
    }

    fn word(&mut self) -> String {
        match self.below(4) {
            0 => self.one_of(&ATOMS).to_owned(),
            1 => self.one_of(&OPERATORS).to_owned(),
            2 => format!("{}(", self.function().name()),
            _ => self.one_of(&SHARDS).to_owned(),
        }
    }

    fn function(&mut self) -> &'static Function {
        let count = functions::all().count();
        functions::all().nth(self.below(count)).expect("there are so many functions")
    }

    /// Deletes, inserts, doubles and swaps some characters.
    fn broken(&mut self, text: &str) -> String {
        let mut characters: Vec<_> = text.chars().collect();
        for _ in 0..=self.below(3) {
            let place = self.below(characters.len().max(1)).min(characters.len());
            let is_inside = place < characters.len();
            match self.below(4) {
                0 if is_inside => {
                    characters.remove(place);
                }
                1 if is_inside => characters.insert(place, characters[place]),
                2 if place + 1 < characters.len() => characters.swap(place, place + 1),
                _ => {
                    let shard = self.one_of(&SHARDS);
                    characters.splice(place..place, shard.chars());
                }
            }
        }
        characters.into_iter().collect()
    }

    /// Returns a well-formed expression; inside of `names` for-expressions, their items have names.
    fn expression(&mut self, depth: usize, names: usize) -> String {
        if depth == 0 {
            return self.atom(names);
        }
        let inner = |random: &mut Self| {
            let depth = random.below(depth);
            random.expression(depth, names)
        };
        match self.below(14) {
            0 => self.atom(names),
            1 => format!("({} {} {})", inner(self), self.one_of(&OPERATORS), inner(self)),
            2 => format!("({} ? {} : {})", inner(self), inner(self), inner(self)),
            3 => format!("{}({})", self.one_of(&["!", "-"]), inner(self)),
            4 => format!("[{}, {}]", inner(self), inner(self)),
            5 => format!("{{a = {}, (tostring({})) = {}}}", inner(self), inner(self), inner(self)),
            6 => format!("({})[{}]", inner(self), inner(self)),
            7 => {
                format!("({}){}", inner(self), self.one_of(&[".a", "[*]", "[*].a", "[0]", "['a']", "[*][0]"]))
            }
            8 | 9 => self.comprehension(depth, names),
            _ => self.call(depth, names),
        }
    }

    fn atom(&mut self, names: usize) -> String {
        if names > 0 && self.below(3) == 0 {
            return format!("{}{}", self.one_of(&["k", "v"]), self.below(names));
        }
        self.one_of(&ATOMS).to_owned()
    }

    fn comprehension(&mut self, depth: usize, names: usize) -> String {
        let collection = self.expression(depth - 1, names);
        let head = format!("for k{names}, v{names} in {collection}");
        let value = self.expression(depth - 1, names + 1);
        let condition = match self.below(3) {
            0 => format!(" if {}", self.expression(depth - 1, names + 1)),
            _ => String::new(),
        };
        match self.below(3) {
            0 => format!("[{head} : {value}{condition}]"),
            1 => format!("{{{head} : tostring(k{names}) => {value}{condition}}}"),
            _ => {
                let key = self.expression(depth - 1, names + 1);
                format!("{{{head} : {key} => {value}...{condition}}}")
            }
        }
    }

    /// Calls any function, mostly with as many arguments as it takes.
    fn call(&mut self, depth: usize, names: usize) -> String {
        let function = self.function();
        let counts: Vec<_> = (0..6).filter(|count| function.takes(*count)).collect();
        let count = if self.below(20) == 0 { self.below(6) } else { self.one_of(&counts) };
        let arguments: Vec<_> = (0..count).map(|_| self.expression(depth - 1, names)).collect();
        format!("{}({})", function.name(), arguments.join(", "))
    }
}

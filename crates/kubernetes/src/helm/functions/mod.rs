//! The functions that templates of charts call: Go's own, those of Sprig and those of Helm.
//!
//! What they are called and take is known from their documentation, <https://masterminds.github.io/sprig/>
//! and <https://helm.sh/docs/chart_template_guide/function_list/>; what they return in every corner was
//! tried on helm.

mod arguments;
mod builtin;
mod certificates;
mod charts;
mod dates;
mod encoding;
mod kinds;
mod lists;
mod numbers;
mod patterns;
mod random;
mod tables;
mod text;
mod versions;
mod words;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::template::{CallError, Executor, GoValue};

type Returned = Result<GoValue, CallError>;

/// A function of templates.
#[derive(Clone, Copy)]
pub(super) struct Function {
    name: &'static str,
    /// How many arguments it takes.
    pub(super) least: usize,
    /// Without end if `None`.
    pub(super) most: Option<usize>,
    /// Whether it returns something else each time.
    pub(super) is_by_chance: bool,
    pub(super) run: fn(&Executor<'_>, &[GoValue]) -> Returned,
}

/// A function that takes exactly so many arguments.
const fn takes(count: usize, name: &'static str, run: fn(&Executor<'_>, &[GoValue]) -> Returned) -> Function {
    Function { name, least: count, most: Some(count), is_by_chance: false, run }
}

/// A function that takes so many arguments or more.
const fn takes_from(
    least: usize,
    name: &'static str,
    run: fn(&Executor<'_>, &[GoValue]) -> Returned,
) -> Function {
    Function { name, least, most: None, is_by_chance: false, run }
}

/// The same function, which returns something else each time.
const fn by_chance(function: Function) -> Function {
    Function { is_by_chance: true, ..function }
}

static FUNCTIONS: LazyLock<BTreeMap<&'static str, Function>> = LazyLock::new(|| {
    let groups = [
        builtin::FUNCTIONS,
        certificates::FUNCTIONS,
        charts::FUNCTIONS,
        dates::FUNCTIONS,
        encoding::FUNCTIONS,
        kinds::FUNCTIONS,
        lists::FUNCTIONS,
        numbers::FUNCTIONS,
        patterns::FUNCTIONS,
        tables::FUNCTIONS,
        text::FUNCTIONS,
        versions::FUNCTIONS,
        words::FUNCTIONS,
        UNSUPPORTED,
    ];
    let random = random::FUNCTIONS.iter().copied().map(by_chance);
    groups.into_iter().flatten().copied().chain(random).map(|function| (function.name, function)).collect()
});

/// Functions that Helm has and this program does not: a chart may name them where nothing calls them.
const UNSUPPORTED: &[Function] = &[
    takes_from(0, "decryptAES", |_, _| unsupported("decryptAES")),
    takes_from(0, "derivePassword", |_, _| unsupported("derivePassword")),
    takes_from(0, "encryptAES", |_, _| unsupported("encryptAES")),
    takes_from(0, "getHostByName", |_, _| unsupported("getHostByName")),
    takes_from(0, "durationRound", |_, _| unsupported("durationRound")),
];

fn unsupported(name: &str) -> Returned {
    Err(format!("the function {name} is not supported: it has no result that could be planned").into())
}

/// Returns the function of a name.
pub(super) fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.get(name)
}

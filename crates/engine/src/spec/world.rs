//! What expressions may refer to besides resources; fixed once a spec is loaded.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::address::{AccountName, Address, BlockAddress, ComponentPath, Kind};
use crate::diagnostic::Diagnostic;
use crate::spec::Scope;
use crate::spec::expression::evaluate::{Evaluated, Evaluation, Failure};
use crate::spec::files::FileReader;
use crate::spec::pattern::Pattern;
use crate::spec::sensitivity::{Reach, Sensitivities, Sensitivity, revealed};
use crate::value::Value;

/// What expressions may refer to besides resources.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) stack_name: String,
    /// `None` for a variable whose problem was reported.
    pub(crate) variables: BTreeMap<String, Option<Value>>,
    pub(crate) locals: BTreeMap<LocalName, Local>,
    /// `None` for an account whose problem was reported.
    pub(crate) accounts: BTreeMap<AccountName, Option<AccountFacts>>,
    pub(crate) shapes: BTreeMap<BlockAddress, Shape>,
    /// What can be asked of the resources of each kind.
    pub(crate) attributes: BTreeMap<Kind, Vec<&'static str>>,
    /// The kinds of lookups, which their addresses do not tell.
    pub(crate) lookups: BTreeMap<BlockAddress, Kind>,
    /// What must not be shown of all this.
    pub(crate) sensitive: Sensitivities,
    /// What `file` and `templatefile` read.
    pub(crate) files: Arc<FileReader>,
}

impl World {
    /// Returns the values of variables that the spec calls sensitive.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Value> {
        let sensitive = self.variables.iter().filter(|(name, _)| self.sensitive.has_variable(name));
        sensitive.filter_map(|(_, value)| value.as_ref())
    }

    /// Finds out how sensitive the local values are that a pattern needs.
    pub(crate) fn learn_locals(&mut self, pattern: &Pattern) {
        self.sensitive.learn_locals(pattern, &self.locals);
    }

    /// Returns how sensitive the value of a pattern is.
    pub(crate) fn sensitivity(&self, pattern: &Pattern, each: Option<&Each>) -> Sensitivity {
        Reach::new(&self.sensitive, each.map(|each| &*each.value)).pattern(pattern)
    }

    /// Returns the value of a pattern. What is said of one that has none quotes nothing sensitive.
    pub(crate) fn evaluate(
        &self,
        pattern: &Pattern,
        each: Option<&Each>,
        scope: &dyn Scope,
    ) -> Evaluated<Value> {
        let result = Evaluation::new(self, each, scope).pattern(pattern);
        let Err(failure @ (Failure::Wrong(_) | Failure::Fatal(_))) = result else { return result };
        if !self.sensitivity(pattern, each).touched {
            return Err(failure);
        }
        let masked = Evaluation::new(self, each, scope).masked().pattern(pattern);
        let masked = masked.err().and_then(Failure::reason);
        let told = |problem: Box<Diagnostic>| revealed(*problem, masked.as_slice()).into();
        Err(match failure {
            Failure::Wrong(problem) => Failure::Wrong(told(problem)),
            Failure::Fatal(problem) => Failure::Fatal(told(problem)),
            Failure::Broken => Failure::Broken,
        })
    }
}

/// Names a value that is worked out once: an entry of `[local]`, or what goes into a component
/// and comes out of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LocalName {
    /// The component that it is in.
    pub(crate) component: ComponentPath,
    pub(crate) sort: LocalSort,
    pub(crate) name: String,
}

/// The sorts of such values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LocalSort {
    /// An entry of `[local]`.
    Local,
    /// What a `[use]` gives to a component.
    Input,
    /// What a component tells.
    Output,
    /// The outputs of one name of all instances of a `[use]`, by key.
    Outputs,
    /// The value of a `[use]` with `for_each` for this instance.
    EachValue,
}

impl LocalName {
    /// Names a value of the spec itself.
    pub(crate) fn new(sort: LocalSort, name: impl Into<String>) -> Self {
        Self { component: ComponentPath::default(), sort, name: name.into() }
    }

    /// Returns the name of the same value inside of a component.
    pub(crate) fn within(self, component: ComponentPath) -> Self {
        Self { component, ..self }
    }
}

impl fmt::Display for LocalName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.sort {
            LocalSort::Local => "local",
            LocalSort::Input => "input",
            LocalSort::Output => "output",
            LocalSort::Outputs => "use",
            LocalSort::EachValue => "each",
        };
        write!(formatter, "{}{word}.{}", self.component, self.name)
    }
}

/// What an expression can ask of an account.
#[derive(Debug, Clone)]
pub(crate) struct AccountFacts {
    pub(crate) id: Value,
    pub(crate) region: Value,
}

/// An entry of `[local]`.
#[derive(Debug, Clone)]
pub(crate) enum Local {
    Known(Value),
    /// Depends on what is known only later.
    Symbolic(Arc<Pattern>),
    Broken,
}

/// Which resources a block stands for.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Single(Address),
    /// With `for_each`: by key.
    Keyed(BTreeMap<Arc<str>, Address>),
    Broken,
}

/// The key and value that an instance of a block with `for_each` has.
#[derive(Debug)]
pub(crate) struct Each {
    pub(crate) key: Arc<str>,
    pub(crate) value: Arc<Pattern>,
}

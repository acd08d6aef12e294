//! What an expression is made of.

use crate::address::{AccountName, BlockAddress};
use crate::diagnostic::Span;
use crate::spec::expression::functions::Function;
use crate::spec::world::LocalName;
use crate::value::{AttributeReference, Value};

/// An expression and where it is written.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    pub(crate) span: Span,
    pub(crate) kind: ExpressionKind,
}

/// The sorts of expression.
#[derive(Debug, Clone)]
pub(crate) enum ExpressionKind {
    Literal(Value),
    Reference(Reference),
    /// A name that a for-expression around it gives to each item: how many such names are outside of it.
    Bound(usize),
    /// An attribute of one atomic resource; made by expansion, never written.
    Attribute(AttributeReference),
    Access(Box<Expression>, Step),
    /// Every item of a list or table, each followed by the same steps.
    Splat(Box<Expression>, Vec<Step>),
    Unary(UnaryOperator, Box<Expression>),
    Binary(BinaryOperator, Box<Expression>, Box<Expression>),
    Conditional(Box<Conditional>),
    List(Vec<Expression>),
    Map(Vec<(Expression, Expression)>),
    Call(&'static Function, Vec<Expression>),
    For(Box<Comprehension>),
}

/// `[for value in collection : item if condition]`, or the same in braces with `key => value`.
#[derive(Debug, Clone)]
pub(crate) struct Comprehension {
    /// Whether keys or positions have a name too; it comes before that of the items.
    pub(crate) names_keys: bool,
    pub(crate) collection: Expression,
    pub(crate) result: ComprehensionResult,
    pub(crate) condition: Option<Expression>,
}

/// What a for-expression makes.
#[derive(Debug, Clone)]
pub(crate) enum ComprehensionResult {
    List(Expression),
    Table {
        key: Expression,
        value: Expression,
        /// Whether the values of equal keys become a list, as `...` asks for.
        grouped: bool,
    },
}

/// `condition ? then : otherwise`.
#[derive(Debug, Clone)]
pub(crate) struct Conditional {
    pub(crate) condition: Expression,
    pub(crate) then: Expression,
    pub(crate) otherwise: Expression,
}

/// One step into a value.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// `.name`
    Name(String, Span),
    /// `[expression]`
    Index(Box<Expression>),
}

/// Something that an expression names.
#[derive(Debug, Clone)]
pub(crate) enum Reference {
    Variable(String),
    Local(LocalName),
    AccountId(AccountName),
    AccountRegion(AccountName),
    StackName,
    StackId,
    EachKey,
    EachValue,
    Resource(ResourceReference),
    /// All attributes of a resource as a table; the attribute in the reference is its id.
    Whole(ResourceReference),
    /// An output of a component; linking puts a value in its place.
    Use(UseReference),
}

/// `use.name.output`, `use.name['key'].output` or `use.name[*].output`.
#[derive(Debug, Clone)]
pub(crate) struct UseReference {
    pub(crate) name: String,
    pub(crate) name_span: Span,
    pub(crate) instance: Instance,
    pub(crate) output: String,
    pub(crate) output_span: Span,
}

/// `kind.name.attribute`, `kind.name['key'].attribute` or `kind.name[*].attribute`.
#[derive(Debug, Clone)]
pub(crate) struct ResourceReference {
    pub(crate) block: BlockAddress,
    pub(crate) block_span: Span,
    pub(crate) instance: Instance,
    pub(crate) attribute: String,
    pub(crate) attribute_span: Span,
}

/// Which resources of a block are meant.
#[derive(Debug, Clone)]
pub(crate) enum Instance {
    /// The only one of a block without `for_each`.
    Single,
    /// The one with this key.
    Key(Box<Expression>),
    /// All of them, sorted by key.
    All,
}

/// An operator before its operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnaryOperator {
    Not,
    Negate,
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BinaryOperator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl BinaryOperator {
    /// Returns the operator as it is written.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }

    /// Returns how tightly the operator binds; more is tighter.
    pub(crate) fn power(self) -> u8 {
        match self {
            Self::Or => 2,
            Self::And => 3,
            Self::Equal | Self::NotEqual => 4,
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => 5,
            Self::Add | Self::Subtract => 6,
            Self::Multiply | Self::Divide | Self::Remainder => 7,
        }
    }
}

impl Expression {
    /// Calls `visit` with every reference in this expression and where it is written.
    pub(crate) fn visit_references<'a>(&'a self, visit: &mut dyn FnMut(&'a Reference, Span)) {
        match &self.kind {
            ExpressionKind::Literal(_) | ExpressionKind::Bound(_) | ExpressionKind::Attribute(_) => {}
            ExpressionKind::Reference(reference) => reference.visit(self.span, visit),
            ExpressionKind::Access(source, step) => {
                source.visit_references(visit);
                step.visit_references(visit);
            }
            ExpressionKind::Splat(source, steps) => {
                source.visit_references(visit);
                for step in steps {
                    step.visit_references(visit);
                }
            }
            ExpressionKind::Unary(_, operand) => operand.visit_references(visit),
            ExpressionKind::Binary(_, left, right) => {
                left.visit_references(visit);
                right.visit_references(visit);
            }
            ExpressionKind::Conditional(conditional) => {
                conditional.condition.visit_references(visit);
                conditional.then.visit_references(visit);
                conditional.otherwise.visit_references(visit);
            }
            ExpressionKind::List(items) | ExpressionKind::Call(_, items) => {
                for item in items {
                    item.visit_references(visit);
                }
            }
            ExpressionKind::Map(entries) => {
                for (key, value) in entries {
                    key.visit_references(visit);
                    value.visit_references(visit);
                }
            }
            ExpressionKind::For(comprehension) => comprehension.visit_references(visit),
        }
    }
}

impl Comprehension {
    fn visit_references<'a>(&'a self, visit: &mut dyn FnMut(&'a Reference, Span)) {
        self.collection.visit_references(visit);
        match &self.result {
            ComprehensionResult::List(item) => item.visit_references(visit),
            ComprehensionResult::Table { key, value, .. } => {
                key.visit_references(visit);
                value.visit_references(visit);
            }
        }
        if let Some(condition) = &self.condition {
            condition.visit_references(visit);
        }
    }
}

impl Step {
    fn visit_references<'a>(&'a self, visit: &mut dyn FnMut(&'a Reference, Span)) {
        match self {
            Self::Name(..) => {}
            Self::Index(index) => index.visit_references(visit),
        }
    }
}

impl Reference {
    fn visit<'a>(&'a self, span: Span, visit: &mut dyn FnMut(&'a Self, Span)) {
        visit(self, span);
        if let Self::Resource(ResourceReference { instance: Instance::Key(key), .. })
        | Self::Whole(ResourceReference { instance: Instance::Key(key), .. })
        | Self::Use(UseReference { instance: Instance::Key(key), .. }) = self
        {
            key.visit_references(visit);
        }
    }
}

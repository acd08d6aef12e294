//! The attributes of the blocks that are no resources, and those that every resource takes: what
//! the readers of these blocks offer in their messages, and what the JSON Schema is made of.

/// An attribute of a block that is no resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReservedAttribute {
    pub(crate) name: &'static str,
    pub(crate) documentation: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
}

/// What an attribute takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Anything, expressions too.
    Any,
    /// A text, in which expressions can stand.
    Text,
    /// A text as it is.
    PlainText,
    /// A list of texts as they are.
    PlainTexts,
    /// One of these words.
    Word(&'static [&'static str]),
    /// The type of a variable.
    VariableType,
    /// `true` or `false`.
    Flag,
    /// Texts by name, in which expressions can stand.
    Tags,
    /// Texts by name, as they are.
    PlainTextsByName,
    /// Anything by name, expressions too.
    Values,
    /// A table of lengths of time for these names.
    Durations(&'static [&'static str]),
    /// A table, or a list of texts, in which expressions can stand.
    Instances,
}

const fn optional(name: &'static str, documentation: &'static str, shape: Shape) -> ReservedAttribute {
    ReservedAttribute { name, documentation, shape, required: false }
}

const fn required(name: &'static str, documentation: &'static str, shape: Shape) -> ReservedAttribute {
    ReservedAttribute { name, documentation, shape, required: true }
}

/// `[stack]`.
pub(crate) const STACK: &[ReservedAttribute] = &[
    required("name", "Names the stack and its state file.", Shape::PlainText),
    optional(
        "requires",
        "The versions of straddle that the spec is written for, such as `>=0.1`.",
        Shape::PlainText,
    ),
    optional("tags", "Tags for everything that can have some.", Shape::Tags),
];

/// `[var.NAME]`.
pub(crate) const VARIABLE: &[ReservedAttribute] = &[
    optional("default", "The value if none is given.", Shape::Any),
    optional("type", "What values are allowed.", Shape::VariableType),
    optional("description", "What it is for.", Shape::PlainText),
    optional("sensitive", "Whether neither the value nor what is made of it is shown.", Shape::Flag),
];

/// `[defaults]`.
pub(crate) const DEFAULTS: &[ReservedAttribute] = &[
    optional("account", "The account of the resources of this file.", Shape::Text),
    optional("tags", "Tags for the resources of this file.", Shape::Tags),
];

/// `[output.NAME]`.
pub(crate) const OUTPUT: &[ReservedAttribute] = &[
    required("value", "What the stack tells the outside.", Shape::Any),
    optional("description", "What it is for.", Shape::PlainText),
    optional("sensitive", "Whether the value is shown only to who asks for it by name.", Shape::Flag),
];

/// `[account.NAME]` in a component, where whoever uses it says which account that is.
pub(crate) const ACCOUNT_NAME: &[ReservedAttribute] =
    &[optional("description", "What the account is for.", Shape::PlainText)];

/// `[component]`.
pub(crate) const COMPONENT: &[ReservedAttribute] = &[
    optional("name", "What the component is called.", Shape::PlainText),
    optional("description", "What it is for.", Shape::PlainText),
    optional(
        "requires",
        "The versions of straddle that the component is written for, such as `>=0.1`.",
        Shape::PlainText,
    ),
];

/// `[use.NAME]`.
pub(crate) const USE: &[ReservedAttribute] = &[
    required(
        "source",
        "The folder of the component, inside the spec's folder, such as `./components/network`.",
        Shape::PlainText,
    ),
    optional("inputs", "What the component wants, by name.", Shape::Values),
    optional("accounts", "Which account each of the component's names is.", Shape::PlainTextsByName),
    optional(
        "account",
        "Where everything lives, if the component has no names for accounts.",
        Shape::PlainText,
    ),
    optional(
        "for_each",
        "One instance for each entry of a table or each string of a list.",
        Shape::Instances,
    ),
    optional(
        "depends_on",
        "Addresses of what has to be there before anything of the component.",
        Shape::PlainTexts,
    ),
];

/// `[[moved]]`.
pub(crate) const MOVED: &[ReservedAttribute] = &[
    required("from", "What it was called, such as `subnet.public['a']`.", Shape::PlainText),
    required("to", "What it is called now.", Shape::PlainText),
];

/// `[[removed]]`.
pub(crate) const REMOVED: &[ReservedAttribute] = &[
    required("from", "What is no longer in the spec.", Shape::PlainText),
    optional("destroy", "Whether it is deleted; if not, it is only forgotten.", Shape::Flag),
];

/// `[[import]]`.
pub(crate) const IMPORT: &[ReservedAttribute] = &[
    required("to", "The resource that it becomes, such as `subnet.public['a']`.", Shape::PlainText),
    required(
        "id",
        "What the service calls it, in the form that the reference of its kind shows.",
        Shape::Text,
    ),
    optional(
        "take_over",
        "Whether it may be taken from another stack, which says in a tag that it is its.",
        Shape::Flag,
    ),
];

/// What every `[lookup.NAME]` takes, whatever it looks up.
pub(crate) const LOOKUP: &[ReservedAttribute] = &[
    required("kind", "What is looked up.", Shape::PlainText),
    optional("account", "The account that it is looked up in.", Shape::Text),
    optional("depends_on", "Addresses of what has to be there before it is read.", Shape::PlainTexts),
    optional("for_each", "One lookup for each entry of a table or each string of a list.", Shape::Instances),
];

/// What every resource takes, whatever its kind.
pub(crate) const ANY_RESOURCE: &[ReservedAttribute] = &[
    optional("account", "The account that it lives in.", Shape::Text),
    optional(
        "depends_on",
        "Addresses of what has to be there first, where no reference says so.",
        Shape::PlainTexts,
    ),
    optional(
        "for_each",
        "One resource for each entry of a table or each string of a list.",
        Shape::Instances,
    ),
    optional("ignore_changes", "Attributes whose differences are left alone.", Shape::PlainTexts),
    optional(
        "prevent_destroy",
        "Refuses plans that would delete or replace it, also when its block is gone.",
        Shape::Flag,
    ),
    optional(
        "replace_order",
        "Whether a replacement is made before or after the old one is deleted, if not as the kind does it.",
        Shape::Word(&["create_first", "delete_first"]),
    ),
    optional("retain_on_destroy", "Destroying it only forgets it.", Shape::Flag),
    optional(
        "timeouts",
        "How long to wait, such as `30m`.",
        Shape::Durations(&["create", "update", "delete"]),
    ),
];

/// Returns the names of attributes.
pub(crate) fn names(attributes: &[ReservedAttribute]) -> Vec<&'static str> {
    attributes.iter().map(|attribute| attribute.name).collect()
}

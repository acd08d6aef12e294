//! What templates work with: the few types of Go that reach them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::numbers::float_text;

/// How deep data may be. Tables can be put into themselves, so something has to end it.
pub(super) const DEEPEST: usize = 500;

/// A table, which everybody who holds it sees change.
pub(in crate::helm) type Table = Rc<RefCell<BTreeMap<String, GoValue>>>;

/// A value of Go's.
#[derive(Clone)]
pub(in crate::helm) enum GoValue {
    Nil,
    Bool(bool),
    /// `int`, which literals are.
    Int(i64),
    /// `int64`, which arithmetic functions make.
    Int64(i64),
    /// `float64`, which every number of a chart's values is.
    Float(f64),
    Text(Rc<str>),
    List(Rc<Vec<GoValue>>),
    Table(Table),
    /// A struct, with fields and methods.
    Object(Rc<dyn Object>),
}

/// Something with fields and methods of its own.
pub(in crate::helm) trait Object {
    /// Returns the name of Go's type.
    fn type_name(&self) -> &'static str;

    /// Returns a field or what a method says; `None` if there is no such member.
    fn member(&self, name: &str, arguments: &[GoValue]) -> Option<Result<GoValue, String>>;

    /// Returns the text that a template prints for it.
    fn text(&self) -> String;

    /// Returns the same as plain data, which is ranged over and encoded.
    fn data(&self) -> GoValue;

    /// Whether it counts as nothing in an `if`. Structs never do.
    fn is_empty(&self) -> bool {
        false
    }

    /// Returns itself as the Rust type it has, for functions that know it.
    fn as_any(&self) -> &dyn std::any::Any;
}

impl GoValue {
    pub(in crate::helm) fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Rc::from(text.as_ref()))
    }

    pub(in crate::helm) fn list(items: Vec<Self>) -> Self {
        Self::List(Rc::new(items))
    }

    pub(in crate::helm) fn texts<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::list(items.into_iter().map(Self::text).collect())
    }

    pub(in crate::helm) fn table(entries: impl IntoIterator<Item = (String, Self)>) -> Self {
        Self::Table(Rc::new(RefCell::new(entries.into_iter().collect())))
    }

    /// Returns the length of something that has one, in bytes for text.
    pub(in crate::helm) fn length(&self) -> Option<usize> {
        match self {
            Self::Text(text) => Some(text.len()),
            Self::List(items) => Some(items.len()),
            Self::Table(table) => Some(table.borrow().len()),
            Self::Object(object) => object.data().length(),
            Self::Nil | Self::Bool(_) | Self::Int(_) | Self::Int64(_) | Self::Float(_) => None,
        }
    }

    /// Whether a condition holds.
    pub(in crate::helm) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(word) => *word,
            Self::Int(number) | Self::Int64(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Table(table) => !table.borrow().is_empty(),
            Self::Object(object) => !object.is_empty(),
        }
    }

    /// Returns the name of Go's kind of type.
    pub(in crate::helm) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "invalid",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) => "int64",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "slice",
            Self::Table(_) => "map",
            Self::Object(object) => match object.data() {
                Self::List(_) => "slice",
                _ if object.type_name().starts_with('*') => "ptr",
                _ if object.type_name().ends_with("Files") => "map",
                _ => "struct",
            },
        }
    }

    /// Returns the name of Go's type.
    pub(in crate::helm) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) => "int64",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Table(_) => "map[string]interface {}",
            Self::Object(object) => object.type_name(),
        }
    }

    /// Whether two values are the same all the way down, type by type.
    pub(in crate::helm) fn is_deeply_equal(&self, other: &Self) -> bool {
        self.is_equal_to_depth(other, DEEPEST)
    }

    fn is_equal_to_depth(&self, other: &Self, depth: usize) -> bool {
        if depth == 0 {
            return false;
        }
        match (self, other) {
            (Self::Nil, Self::Nil) => true,
            (Self::Bool(one), Self::Bool(two)) => one == two,
            (Self::Int(one), Self::Int(two)) | (Self::Int64(one), Self::Int64(two)) => one == two,
            (Self::Float(one), Self::Float(two)) => {
                one.partial_cmp(two).is_some_and(std::cmp::Ordering::is_eq)
            }
            (Self::Text(one), Self::Text(two)) => one == two,
            (Self::List(one), Self::List(two)) => {
                one.len() == two.len()
                    && one.iter().zip(&**two).all(|(one, two)| one.is_equal_to_depth(two, depth - 1))
            }
            (Self::Table(one), Self::Table(two)) => {
                Rc::ptr_eq(one, two) || {
                    let (one, two) = (one.borrow(), two.borrow());
                    one.len() == two.len()
                        && one.iter().zip(&*two).all(|((key, one), (other_key, two))| {
                            key == other_key && one.is_equal_to_depth(two, depth - 1)
                        })
                }
            }
            (Self::Object(one), Self::Object(two)) => {
                Rc::ptr_eq(one, two) || one.data().is_equal_to_depth(&two.data(), depth - 1)
            }
            _ => false,
        }
    }

    /// Returns the text that `%v` gives.
    pub(in crate::helm) fn display(&self) -> String {
        let mut text = String::new();
        self.display_into(&mut text, DEEPEST);
        text
    }

    fn display_into(&self, into: &mut String, depth: usize) {
        if depth == 0 {
            into.push_str("<too deep>");
            return;
        }
        match self {
            Self::Nil => into.push_str("<nil>"),
            Self::Bool(word) => into.push_str(if *word { "true" } else { "false" }),
            Self::Int(number) | Self::Int64(number) => into.push_str(&number.to_string()),
            Self::Float(number) => into.push_str(&float_text(*number)),
            Self::Text(text) => into.push_str(text),
            Self::List(items) => {
                into.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        into.push(' ');
                    }
                    item.display_into(into, depth - 1);
                }
                into.push(']');
            }
            Self::Table(table) => {
                into.push_str("map[");
                for (index, (key, value)) in table.borrow().iter().enumerate() {
                    if index > 0 {
                        into.push(' ');
                    }
                    into.push_str(key);
                    into.push(':');
                    value.display_into(into, depth - 1);
                }
                into.push(']');
            }
            Self::Object(object) => into.push_str(&object.text()),
        }
    }
}

//! One change of a plan: what, where, why, and each attribute that differs.

use anstyle::Style;
use straddle_engine::address::{AccountName, Address};
use straddle_engine::plan::{AttributeChange, Change, ChangeAction, Drift, Options, Reason};
use straddle_engine::resource::{ADDRESS_TAG, ReplaceOrder, STACK_TAG};
use straddle_engine::value::{SENSITIVE, Value};

use crate::render::block::{self, Content, Marker, Row};
use crate::render::{Palette, paint};
use crate::render::{difference, grants};
use crate::safe::Safe;

/// Columns before the reasons and attributes of a change.
const INDENT: usize = 6;

/// What a sort of change is shown as.
pub(crate) struct Look {
    pub(crate) symbol: &'static str,
    /// What the symbol means.
    pub(crate) meaning: &'static str,
    /// Whether nothing is done but to wait for others.
    pub(crate) waits: bool,
    style: fn(&Palette) -> Style,
}

impl Look {
    pub(crate) fn of(action: ChangeAction) -> Self {
        let look = |symbol, meaning, style| Self { symbol, meaning, waits: false, style };
        match action {
            ChangeAction::Create => look("+", "create", |palette| palette.create),
            ChangeAction::Update => look("~", "update in place", |palette| palette.update),
            ChangeAction::Replace(ReplaceOrder::DeleteFirst) => {
                look("-/+", "replace, the old one goes first", |palette| palette.replace)
            }
            ChangeAction::Replace(ReplaceOrder::CreateFirst) => {
                look("+/-", "replace, the new one comes first", |palette| palette.replace)
            }
            ChangeAction::Delete => look("-", "delete", |palette| palette.delete),
            ChangeAction::DeleteDeposed => {
                look("-", "delete a former object of the resource", |palette| palette.delete)
            }
            ChangeAction::Forget => look(".", "forget, and leave alone", |palette| palette.faint),
        }
    }

    /// Returns what a change is shown as; of what somebody else makes, that is a wait.
    pub(crate) fn of_change(change: &Change, options: &Options) -> Self {
        let waited_for = change.lifecycle.is_made_by_others();
        let deletes_all = options.delete_made_by_others;
        let look = |symbol, meaning, style| Self { symbol, meaning, waits: true, style };
        match change.action {
            ChangeAction::Create if waited_for => {
                look("(+)", "others make it: wait until it is there", |palette| palette.create)
            }
            ChangeAction::Update if waited_for => {
                look("(~)", "others change it: wait until it is as expected", |palette| palette.update)
            }
            ChangeAction::Replace(_) if waited_for && !deletes_all => {
                look("(/)", "others replace it: wait for that", |palette| palette.replace)
            }
            ChangeAction::Delete | ChangeAction::DeleteDeposed if waited_for && !deletes_all => {
                look("(-)", "others take it away: wait until it is gone", |palette| palette.delete)
            }
            ChangeAction::Create
            | ChangeAction::Update
            | ChangeAction::Replace(_)
            | ChangeAction::Delete
            | ChangeAction::DeleteDeposed
            | ChangeAction::Forget => Self::of(change.action),
        }
    }

    /// Returns the symbol in its colour, in three columns.
    pub(crate) fn padded(&self, palette: &Palette) -> String {
        paint((self.style)(palette), format!("{:>3}", self.symbol)).to_string()
    }
}

/// Renders a change.
pub(crate) fn change(change: &Change, options: &Options, palette: &Palette) -> String {
    let mut text = format!("{} ", Look::of_change(change, options).padded(palette));
    text += &place(&change.address, &change.account, &change.region, palette);
    if let Some(remote_id) = &change.remote_id {
        text += &format!(" {}", Safe(remote_id));
    }
    text.push('\n');
    for reason in reasons(&change.reasons) {
        text += &format!("{:INDENT$}{}\n", "", paint(palette.faint, reason));
    }
    for (name, followed) in &change.follows {
        let words = format!("{} follows {}", Safe(name), Safe(followed));
        text += &format!("{:INDENT$}{}\n", "", paint(palette.faint, words));
    }
    let whole = matches!(change.action, ChangeAction::Create);
    let shown = change
        .attributes
        .iter()
        .map(|attribute| if whole { without_own_tags(attribute) } else { attribute.clone() });
    let rows: Vec<_> = shown
        .filter(|attribute| attribute.before != attribute.after)
        .flat_map(|attribute| {
            let grants = grants::row(&attribute, &change.account_id, whole, palette);
            attribute_rows(&attribute, whole, palette).into_iter().chain(grants)
        })
        .collect();
    block::write(&mut text, &rows, INDENT, palette);
    text
}

/// Leaves out the tags that everything gets by which it is found again: they tell nothing about
/// a new thing.
fn without_own_tags(attribute: &AttributeChange) -> AttributeChange {
    let mut attribute = attribute.clone();
    if attribute.name == "tags"
        && let Value::Map(tags) = &mut attribute.after
    {
        tags.retain(|name, _| ![STACK_TAG, ADDRESS_TAG].contains(&&**name));
        if tags.is_empty() {
            attribute.after = Value::Null;
        }
    }
    attribute
}

/// Renders what others changed.
pub(crate) fn drift(drift: &Drift, palette: &Palette) -> String {
    let what = if drift.gone { "is gone" } else { "differs" };
    let mut text = format!("{} ", paint(palette.warning, "  !"));
    text += &place(&drift.address, &drift.account, &drift.region, palette);
    text += &format!(" {} {what}\n", Safe(&drift.remote_id));
    if drift.is_made_by_others {
        let words = "only who makes it can put it right: an apply waits for that, and changes nothing itself";
        text += &format!("{:INDENT$}{}\n", "", paint(palette.faint, words));
    }
    let rows: Vec<_> =
        drift.attributes.iter().flat_map(|attribute| attribute_rows(attribute, false, palette)).collect();
    block::write(&mut text, &rows, INDENT, palette);
    text
}

/// Renders a resource with its account and region.
pub(crate) fn place(address: &Address, account: &AccountName, region: &str, palette: &Palette) -> String {
    let place = format!("[{} {}]", Safe(account), Safe(region));
    format!("{} {}", paint(palette.strong, Safe(address)), paint(palette.faint, place))
}

/// Renders an attribute. One of a thing that comes into being as a `whole` needs no sign of its own.
fn attribute_rows(attribute: &AttributeChange, whole: bool, palette: &Palette) -> Vec<Row> {
    let AttributeChange { name, before, after, form, .. } = attribute;
    let name = Safe(name).to_string();
    let mut rows = match (attribute.sensitive, whole) {
        (true, true) => vec![Row::new(Marker::None, name, Content::Text(SENSITIVE.to_owned()))],
        (true, false) => vec![sensitive_row(name, before, after, palette)],
        (false, true) => vec![crate::render::value::row(Marker::None, &name, after)],
        (false, false) => difference::rows(&name, before, after, *form, palette),
    };
    if let Some(last) = rows.last_mut().filter(|_| attribute.replaces) {
        last.remark = "makes the replacement necessary";
    }
    rows
}

/// Renders something sensitive that differs.
pub(crate) fn sensitive_row(name: String, before: &Value, after: &Value, palette: &Palette) -> Row {
    let (marker, text) = match (before.is_null(), after.is_null()) {
        (true, _) => (Marker::Add, SENSITIVE.to_owned()),
        (false, true) => (Marker::Remove, SENSITIVE.to_owned()),
        (false, false) if before == after => (Marker::None, SENSITIVE.to_owned()),
        (false, false) => {
            (Marker::Modify, difference::arrow(SENSITIVE, "(another sensitive value)", palette))
        }
    };
    Row::new(marker, name, Content::Text(text))
}

/// Says why, one line for each reason that is not plain from the symbol.
fn reasons(reasons: &[Reason]) -> Vec<String> {
    let fixed: Vec<_> = reasons
        .iter()
        .filter_map(
            |reason| if let Reason::CannotChange { attribute } = reason { Some(attribute) } else { None },
        )
        .map(|attribute| Safe(attribute).to_string())
        .collect();
    let replaced = (!fixed.is_empty())
        .then(|| format!("must be replaced: {} cannot be changed in place", fixed.join(", ")));
    replaced.into_iter().chain(reasons.iter().filter_map(reason)).collect()
}

fn reason(reason: &Reason) -> Option<String> {
    match reason {
        Reason::New | Reason::Differs | Reason::CannotChange { .. } | Reason::Destroy => None,
        Reason::Vanished { remote_id } => Some(format!("is gone; it was {}", Safe(remote_id))),
        Reason::NotInSpec => Some("is no longer in the spec".to_owned()),
        Reason::Unfinished => Some("an earlier run ended before everything was done".to_owned()),
        Reason::Impaired { reason } => {
            Some(format!("a part of it failed and is made anew, says the service: {}", Safe(reason)))
        }
        Reason::Failed { reason } => Some(format!("will never be ready, says the service: {}", Safe(reason))),
        Reason::Moved { from } => Some(format!("moves to another place; it is in {}", Safe(from))),
        Reason::Exchanged { with } => {
            Some(format!("must be replaced: it and {} exchange what only one can have at a time", Safe(with)))
        }
        Reason::Deposed => Some("was replaced by another object, or made twice".to_owned()),
        Reason::Asked => Some("is to be replaced, since --replace asks for it".to_owned()),
        Reason::Imported => Some("exists, and becomes a resource of the stack".to_owned()),
        Reason::Retained => Some("retain_on_destroy: stays in the account, and is only forgotten".to_owned()),
        Reason::NeverDeleted => {
            Some("others may rely on it: stays in the account, and is only forgotten".to_owned())
        }
        Reason::Removed => {
            Some("[[removed]] with destroy = false: stays in the account, and is only forgotten".to_owned())
        }
        Reason::OutOfReach => {
            Some("its cluster does not answer: it is only forgotten, whether it is there or not".to_owned())
        }
        Reason::MakerStays => {
            Some("what others make it for stays, and so does it: it is only forgotten".to_owned())
        }
        Reason::Renamed { from } => {
            Some(format!("was {} and is renamed; its tag straddle:address follows", Safe(from)))
        }
    }
}

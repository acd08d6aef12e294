//! The colours of the program. Everything is readable without them.

use std::fmt;

use anstyle::{AnsiColor, Style};

/// The styles of one stream; all of them do nothing if it has no colours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Palette {
    /// Whether the styles do anything.
    pub(crate) is_colored: bool,
    /// What comes into being.
    pub(crate) create: Style,
    /// What changes in place.
    pub(crate) update: Style,
    /// What goes away.
    pub(crate) delete: Style,
    /// What is replaced.
    pub(crate) replace: Style,
    /// What the eye should find first.
    pub(crate) strong: Style,
    /// What the eye may skip.
    pub(crate) faint: Style,
    /// What went wrong.
    pub(crate) failure: Style,
    /// What may go wrong.
    pub(crate) warning: Style,
}

impl Palette {
    /// Returns styles that do nothing.
    pub(crate) const fn plain() -> Self {
        let none = Style::new();
        Self {
            is_colored: false,
            create: none,
            update: none,
            delete: none,
            replace: none,
            strong: none,
            faint: none,
            failure: none,
            warning: none,
        }
    }

    /// Returns the colours.
    pub(crate) const fn colored() -> Self {
        Self {
            is_colored: true,
            create: AnsiColor::Green.on_default(),
            update: AnsiColor::Yellow.on_default(),
            delete: AnsiColor::Red.on_default(),
            replace: AnsiColor::Magenta.on_default(),
            strong: Style::new().bold(),
            faint: Style::new().dimmed(),
            failure: AnsiColor::Red.on_default().bold(),
            warning: AnsiColor::Yellow.on_default().bold(),
        }
    }
}

/// Shows a thing in a style.
pub(crate) fn paint<T: fmt::Display>(style: Style, thing: T) -> Painted<T> {
    Painted { style, thing }
}

/// A thing in a style.
pub(crate) struct Painted<T> {
    style: Style,
    thing: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}{:#}", self.style, self.thing, self.style)
    }
}

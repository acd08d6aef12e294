//! Writes TOML.

use std::fmt::Write;

/// Why writing into a string cannot fail.
pub(crate) const TAKES_EVERYTHING: &str = "a string takes everything";

/// Writes a reference to the id of a resource.
pub(crate) fn reference(kind: &str, name: &str) -> String {
    text(&format!("${{{kind}.{name}.id}}"))
}

/// Writes a text.
pub(crate) fn text(text: &str) -> String {
    format!("\"{text}\"")
}

/// A block of a spec.
pub(crate) struct Block {
    pub(crate) text: String,
}

impl Block {
    pub(crate) fn new(kind: &str, name: &str) -> Self {
        Self { text: format!("[{kind}.{name}]\n") }
    }

    pub(crate) fn set(&mut self, attribute: &str, value: impl std::fmt::Display) -> &mut Self {
        writeln!(self.text, "{attribute} = {value}").expect(TAKES_EVERYTHING);
        self
    }

    pub(crate) fn tags(&mut self, tags: u8) -> &mut Self {
        match tags % 4 {
            0 => self,
            1 => self.set("tags", "{ one = \"1\" }"),
            2 => self.set("tags", "{ one = \"2\", two = \"2\" }"),
            _ => self.set("tags", "{ two = \"3\" }"),
        }
    }

    pub(crate) fn protect(&mut self, protected: bool) -> &mut Self {
        if protected { self.set("prevent_destroy", true) } else { self }
    }
}

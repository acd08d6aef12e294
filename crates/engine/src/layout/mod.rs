//! The layout of a file in the spec language: [`lay_out`] changes white space and nothing else.
//!
//! [`syntax`] reads the text into lines and values that keep every word and comment as written,
//! and [`mod@print`] writes them. The syntax comes from `toml_parser`, which is also what the loader
//! reads with: whatever the one takes the other takes.

mod print;
mod syntax;

use crate::diagnostic::{Diagnostic, Diagnostics, SourceId, Sources, Span};
use crate::spec::syntax::parse;

/// Returns the text of a file as this program lays it out. A text that is laid out already comes
/// back as it was.
///
/// # Errors
/// If the text is no TOML; every problem has its place.
pub fn lay_out(source: SourceId, sources: &Sources) -> Result<String, Diagnostics> {
    let text = &sources.get(source).text;
    let errors = parse(source, text).errors;
    if !errors.is_empty() {
        let mut problems = Diagnostics::default();
        problems.extend(errors);
        return Err(problems);
    }
    let laid_out = print::print(text, &syntax::read(text));
    if is_same_data(text, &laid_out) {
        return Ok(laid_out);
    }
    // Whatever goes wrong here, the user's text is not the price.
    let diagnostic = Diagnostic::error("defect", "a defect of this program")
        .with_span(Span::new(source, 0..0), "laying out this file would change what it says")
        .with_hint("Please report this with the file. It was left as it is.");
    Err(diagnostic.into())
}

/// Tells whether two texts say the same, in the same order.
fn is_same_data(one: &str, other: &str) -> bool {
    // Not by `==`: a number that is none is not equal to itself.
    let data = |text: &str| text.parse::<toml::Table>().map(|table| format!("{table:?}"));
    match (data(one), data(other)) {
        (Ok(one), Ok(other)) => one == other,
        (Err(_), Err(_)) => true,
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
    }
}

#[cfg(test)]
mod tests;

//! The functions of expressions as Markdown, made from the same table that calls them.

use straddle_engine::spec::FunctionGroup;

/// Renders the page of the functions.
pub(crate) fn functions(groups: &[FunctionGroup]) -> String {
    let mut text = "# Functions\n\n\
        What can be called inside `${...}`. Lists are in `[]`, tables in `{}`, and text is in single or double quotes.\n"
        .to_owned();
    for group in groups {
        text += &format!("\n## {}\n", group.title);
        for function in group.functions {
            text += &format!(
                "\n### `{}`\n\n{}\n\n    {}\n    = {}\n",
                function.signature, function.documentation, function.example, function.result
            );
        }
    }
    text
}

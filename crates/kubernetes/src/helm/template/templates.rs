//! The named templates of a chart.

use std::collections::BTreeMap;
use std::rc::Rc;

use gotmpl::TemplateError as ParseError;
use gotmpl::parse::{ListNode, Parser};

use super::check::check;
use super::failure::TemplateError;

/// A file's name and text, where errors are looked up.
pub(super) struct Source {
    pub(super) name: String,
    pub(super) text: String,
}

/// A template that can run.
pub(super) struct Template {
    pub(super) body: ListNode,
    pub(super) source: Rc<Source>,
}

/// Templates by name. A copy costs little: what is in it is shared.
#[derive(Clone, Default)]
pub(in crate::helm) struct Templates {
    by_name: BTreeMap<String, Rc<Template>>,
}

impl Templates {
    /// Adds the template of a file, and those that it defines. One that has something in it takes the
    /// place of an earlier one of its name, as in Go.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub(in crate::helm) fn add(
        &mut self,
        name: &str,
        text: &str,
        is_function: &dyn Fn(&str) -> bool,
    ) -> Result<(), TemplateError> {
        let source = Rc::new(Source { name: name.to_owned(), text: text.to_owned() });
        let parsed = Parser::with_name(Some(name), text, "{{", "}}").and_then(Parser::parse);
        let (body, definitions) = parsed.map_err(|error| unreadable(name, error))?;
        let checked = |body: &ListNode| {
            check(body, is_function).map_err(|(line, problem)| TemplateError::parse(name, line, &problem))
        };
        checked(&body)?;
        let mut defined_here: BTreeMap<String, bool> = BTreeMap::new();
        for definition in definitions {
            checked(&definition.body)?;
            let has_content = !definition.body.is_empty_tree();
            let before = defined_here.insert(definition.name.to_string(), has_content);
            if before == Some(true) && has_content {
                let problem =
                    format!("template: multiple definition of template {:?}", definition.name.as_str());
                return Err(TemplateError::parse(name, definition.pos.line, &problem));
            }
            self.put(&definition.name, definition.body, &source);
        }
        self.put(name, body, &source);
        Ok(())
    }

    fn put(&mut self, name: &str, body: ListNode, source: &Rc<Source>) {
        if body.is_empty_tree() && self.by_name.contains_key(name) {
            return;
        }
        let template = Template { body, source: Rc::clone(source) };
        self.by_name.insert(name.to_owned(), Rc::new(template));
    }

    pub(super) fn get(&self, name: &str) -> Option<&Rc<Template>> {
        self.by_name.get(name)
    }
}

fn unreadable(name: &str, error: ParseError) -> TemplateError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is another crate's")]
    match error {
        ParseError::Parse { line, message, .. } | ParseError::Lex { line, message, .. } => {
            TemplateError::parse(name, line, &message)
        }
        other => TemplateError::parse(name, 1, &other.to_string()),
    }
}

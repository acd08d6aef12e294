//! What Go checks as it reads a template: that functions and variables are there.

use gotmpl::parse::{BranchNode, Expr, ListNode, Node, PipeNode, Pos, SmolStr};

/// Looks for a function or variable that is not there.
///
/// # Errors
/// The line of the first one, and what is wrong.
pub(super) fn check(body: &ListNode, is_function: &dyn Fn(&str) -> bool) -> Result<(), (usize, String)> {
    let mut checker = Checker { is_function, variables: vec![SmolStr::new_static("$")], branches: 0 };
    checker.list(body)
}

struct Checker<'a> {
    is_function: &'a dyn Fn(&str) -> bool,
    /// The variables that can be seen, with inner ones at the end.
    variables: Vec<SmolStr>,
    /// How many branches are around.
    branches: usize,
}

type Checked = Result<(), (usize, String)>;

impl Checker<'_> {
    fn list(&mut self, list: &ListNode) -> Checked {
        list.nodes.iter().try_for_each(|node| self.node(node))
    }

    fn node(&mut self, node: &Node) -> Checked {
        match node {
            Node::Define(definition) if self.branches > 0 => {
                Err((definition.pos.line, "unexpected <define> in command".to_owned()))
            }
            Node::Text(_) | Node::Define(_) | Node::Break(_) | Node::Continue(_) => Ok(()),
            Node::List(list) => self.list(list),
            Node::Action(action) => self.pipeline(&action.pipe),
            Node::If(branch) | Node::With(branch) | Node::Range(branch) => self.branch(branch),
            Node::Template(template) => {
                let seen = self.variables.len();
                let checked = template.pipe.as_ref().map_or(Ok(()), |pipe| self.pipeline(pipe));
                self.variables.truncate(seen);
                checked
            }
        }
    }

    fn branch(&mut self, branch: &BranchNode) -> Checked {
        let seen = self.variables.len();
        self.pipeline(&branch.pipe)?;
        let inside = self.variables.len();
        self.branches += 1;
        self.list(&branch.body)?;
        self.variables.truncate(inside);
        if let Some(other) = &branch.else_body {
            self.list(other)?;
        }
        self.branches -= 1;
        self.variables.truncate(seen);
        Ok(())
    }

    fn pipeline(&mut self, pipeline: &PipeNode) -> Checked {
        if pipeline.is_assign {
            for name in &pipeline.decl {
                self.variable(pipeline.pos, name)?;
            }
        }
        // Go declares first, so that a variable may stand in its own definition.
        if !pipeline.is_assign {
            self.variables.extend(pipeline.decl.iter().cloned());
        }
        for command in &pipeline.commands {
            command.args.iter().try_for_each(|operand| self.expression(operand))?;
        }
        Ok(())
    }

    fn expression(&mut self, expression: &Expr) -> Checked {
        match expression {
            Expr::Identifier(place, name) if !(self.is_function)(name) => {
                Err((place.line, format!("function {:?} not defined", name.as_str())))
            }
            Expr::Variable(place, name, _) => self.variable(*place, name),
            Expr::Pipe(_, inner) => {
                let seen = self.variables.len();
                let checked = self.pipeline(inner);
                self.variables.truncate(seen);
                checked
            }
            Expr::Chain(_, inner, _) => self.expression(inner),
            Expr::Identifier(..)
            | Expr::Dot(_)
            | Expr::Nil(_)
            | Expr::Bool(..)
            | Expr::Number(..)
            | Expr::String(..)
            | Expr::Field(..) => Ok(()),
        }
    }

    fn variable(&self, place: Pos, name: &SmolStr) -> Checked {
        if self.variables.contains(name) {
            return Ok(());
        }
        Err((place.line, format!("undefined variable {:?}", name.as_str())))
    }
}

//! Runs templates.

use std::rc::Rc;

use gotmpl::parse::{
    BranchNode, CommandNode, Expr, ListNode, Node, Number, PipeNode, Pos, SmolStr, TemplateNode,
};

use super::describe;
use super::failure::{CallError, Failure, Place};
use super::templates::{Source, Template, Templates};
use super::value::GoValue;
use super::world::World;
use crate::helm::functions::{Function, function};

/// How often templates may call each other before one has come back.
const DEEPEST_CALL: usize = 1000;

/// How much a rendering may do, in nodes that are looked at: far more than any chart, and still
/// seconds.
const MOST_STEPS: u64 = 5_000_000;

/// How far a range counts.
const LONGEST_COUNT: i64 = 1_000_000;

/// How much text a rendering may make, in bytes.
const MOST_TEXT: usize = 64 << 20;

/// Runs templates of one set.
pub(in crate::helm) struct Executor<'a> {
    pub(in crate::helm) world: &'a World<'a>,
    pub(in crate::helm) templates: Templates,
}

impl Executor<'_> {
    /// Returns the text that a template makes of a value.
    pub(in crate::helm) fn run(&self, name: &str, dot: &GoValue) -> Result<String, CallError> {
        let Some(template) = self.templates.get(name) else {
            return Err(format!("template: no template {name:?} associated with template \"gotpl\"").into());
        };
        let mut text = String::new();
        self.run_template(name, template, dot, &mut text)?;
        Ok(text)
    }

    /// As `run`, for a template that nothing calls.
    pub(in crate::helm) fn run_file(&self, name: &str, dot: &GoValue) -> Result<String, Failure> {
        let mut text = String::new();
        if let Some(template) = self.templates.get(name) {
            self.run_template(name, template, dot, &mut text)?;
        }
        Ok(text)
    }

    fn run_template(
        &self,
        name: &str,
        template: &Rc<Template>,
        dot: &GoValue,
        into: &mut String,
    ) -> Result<(), Failure> {
        let depth = self.world.depth.get() + 1;
        let mut run = Run {
            executor: self,
            name,
            source: &template.source,
            variables: vec![(SmolStr::new_static("$"), dot.clone())],
        };
        if depth > DEEPEST_CALL {
            let problem = format!(
                "rendering template has a nested reference name: {name}: more than {DEEPEST_CALL} calls inside of each other"
            );
            return Err(run.failed(template.body.pos, name, &problem.into()));
        }
        self.world.depth.set(depth);
        let result = run.list(&template.body, dot, into);
        self.world.depth.set(depth - 1);
        result.map(|_| ())
    }
}

/// How a piece of a template ended.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    On,
    Break,
    Continue,
}

/// One template that runs.
struct Run<'a> {
    executor: &'a Executor<'a>,
    name: &'a str,
    source: &'a Source,
    /// With inner ones at the end.
    variables: Vec<(SmolStr, GoValue)>,
}

type Evaluated = Result<GoValue, Failure>;

impl Run<'_> {
    fn list(&mut self, list: &ListNode, dot: &GoValue, into: &mut String) -> Result<Flow, Failure> {
        for node in &list.nodes {
            let flow = self.node(node, dot, into)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, node: &Node, dot: &GoValue, into: &mut String) -> Result<Flow, Failure> {
        match node {
            Node::Text(text) => into.push_str(&text.text),
            Node::Define(_) => {}
            Node::Action(action) => {
                let value = self.pipeline(&action.pipe, dot)?;
                if action.pipe.decl.is_empty() {
                    print(&value, into);
                }
                self.step(action.pos, into.len())?;
            }
            Node::Template(template) => self.call_template(template, dot, into)?,
            Node::List(list) => return self.list(list, dot, into),
            Node::If(branch) => return self.branch(branch, dot, into, None),
            Node::With(branch) => return self.branch(branch, dot, into, Some(())),
            Node::Range(branch) => return self.range(branch, dot, into),
            Node::Break(_) => return Ok(Flow::Break),
            Node::Continue(_) => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    /// Counts what is done, and stops what does not end.
    fn step(&self, place: Pos, length: usize) -> Result<(), Failure> {
        let steps = self.executor.world.steps.get() + 1;
        self.executor.world.steps.set(steps);
        if steps > MOST_STEPS {
            let problem = format!("the templates have not ended after {MOST_STEPS} steps");
            return Err(self.failed(place, "...", &problem.into()));
        }
        if length > MOST_TEXT {
            let problem = format!("the templates make more than {MOST_TEXT} bytes of text");
            return Err(self.failed(place, "...", &problem.into()));
        }
        Ok(())
    }

    /// An `if`, or a `with`, whose value is the dot inside.
    fn branch(
        &mut self,
        branch: &BranchNode,
        dot: &GoValue,
        into: &mut String,
        with: Option<()>,
    ) -> Result<Flow, Failure> {
        let seen = self.variables.len();
        let value = self.pipeline(&branch.pipe, dot)?;
        let flow = if value.is_true() {
            self.list(&branch.body, with.map_or(dot, |()| &value), into)
        } else {
            branch.else_body.as_ref().map_or(Ok(Flow::On), |other| self.list(other, dot, into))
        };
        self.variables.truncate(seen);
        flow
    }

    fn range(&mut self, branch: &BranchNode, dot: &GoValue, into: &mut String) -> Result<Flow, Failure> {
        let seen = self.variables.len();
        let over = self.operands_of(&branch.pipe, dot)?;
        let items = entries(&over).ok_or_else(|| {
            let context = describe::pipeline(&PipeNode { decl: Vec::new(), ..branch.pipe.clone() });
            let place = branch.pipe.commands.first().map_or(branch.pos, |command| command.pos);
            self.failed(place, &context, &format!("range can't iterate over {}", over.display()).into())
        })?;
        if items.is_empty() {
            let flow = branch.else_body.as_ref().map_or(Ok(Flow::On), |other| self.list(other, dot, into));
            self.variables.truncate(seen);
            return flow;
        }
        for (index, item) in items {
            self.step(branch.pos, into.len())?;
            match branch.pipe.decl.as_slice() {
                [] => {}
                [name] => self.bind(name, item.clone(), branch.pipe.is_assign),
                [first, second, ..] => {
                    self.bind(first, index, branch.pipe.is_assign);
                    self.bind(second, item.clone(), branch.pipe.is_assign);
                }
            }
            let flow = self.list(&branch.body, &item, into)?;
            self.variables.truncate(seen);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::On)
    }

    fn call_template(
        &mut self,
        node: &TemplateNode,
        dot: &GoValue,
        into: &mut String,
    ) -> Result<(), Failure> {
        let executor = self.executor;
        let Some(template) = executor.templates.get(&node.name) else {
            let context = format!("{{{{template {:?}}}}}", node.name.as_str());
            let problem = format!("template {:?} not defined", node.name.as_str());
            return Err(self.failed(node.pos, &context, &problem.into()));
        };
        let seen = self.variables.len();
        let value = node.pipe.as_ref().map_or(Ok(GoValue::Nil), |pipe| self.pipeline(pipe, dot))?;
        self.variables.truncate(seen);
        self.step(node.pos, into.len())?;
        executor.run_template(&node.name, template, &value, into)
    }

    fn bind(&mut self, name: &SmolStr, value: GoValue, is_assign: bool) {
        if is_assign {
            if let Some((_, slot)) = self.variables.iter_mut().rev().find(|(seen, _)| seen == name) {
                *slot = value;
            }
        } else {
            self.variables.push((name.clone(), value));
        }
    }

    fn pipeline(&mut self, pipeline: &PipeNode, dot: &GoValue) -> Evaluated {
        let value = self.operands_of(pipeline, dot)?;
        for name in &pipeline.decl {
            self.bind(name, value.clone(), pipeline.is_assign);
        }
        Ok(value)
    }

    /// Evaluates a pipeline without what it declares.
    fn operands_of(&mut self, pipeline: &PipeNode, dot: &GoValue) -> Evaluated {
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, dot, value)?);
        }
        Ok(value.unwrap_or(GoValue::Nil))
    }

    /// Evaluates one command; `last` is what came out of the one before.
    fn command(&mut self, command: &CommandNode, dot: &GoValue, last: Option<GoValue>) -> Evaluated {
        let Some((first, rest)) = command.args.split_first() else { return Ok(GoValue::Nil) };
        match first {
            Expr::Identifier(place, name) => self.call(*place, name, Some(command), rest, dot, last),
            Expr::Field(..) | Expr::Chain(..) | Expr::Variable(..) => {
                let mut arguments = self.arguments(rest, dot)?;
                arguments.extend(last);
                self.member(first, dot, &arguments)
            }
            Expr::Dot(_)
            | Expr::Nil(_)
            | Expr::Bool(..)
            | Expr::Number(..)
            | Expr::String(..)
            | Expr::Pipe(..) => {
                if !rest.is_empty() || last.is_some() {
                    let context = describe::expression(first);
                    let problem = format!("can't give argument to non-function {context}");
                    return Err(self.failed(first.pos(), &context, &problem.into()));
                }
                if matches!(first, Expr::Nil(_)) {
                    return Err(self.failed(first.pos(), "nil", &"nil is not a command".into()));
                }
                self.operand(first, dot)
            }
        }
    }

    fn arguments(&mut self, operands: &[Expr], dot: &GoValue) -> Result<Vec<GoValue>, Failure> {
        operands.iter().map(|operand| self.operand(operand, dot)).collect()
    }

    fn operand(&mut self, operand: &Expr, dot: &GoValue) -> Evaluated {
        Ok(match operand {
            Expr::Dot(_) => dot.clone(),
            Expr::Nil(_) => GoValue::Nil,
            Expr::Bool(_, word) => GoValue::Bool(*word),
            Expr::Number(_, Number::Int(number)) => GoValue::Int(*number),
            Expr::Number(place, Number::Uint(number)) => {
                let problem = format!("integer overflow: {number} overflows int");
                return Err(self.failed(*place, &number.to_string(), &problem.into()));
            }
            Expr::Number(_, Number::Float(number)) => GoValue::Float(*number),
            Expr::String(_, text) => GoValue::text(text),
            Expr::Pipe(_, inner) => {
                let seen = self.variables.len();
                let value = self.pipeline(inner, dot)?;
                self.variables.truncate(seen);
                value
            }
            Expr::Identifier(place, name) => self.call(*place, name, None, &[], dot, None)?,
            Expr::Field(..) | Expr::Chain(..) | Expr::Variable(..) => self.member(operand, dot, &[])?,
        })
    }

    /// Evaluates a name with the fields that are taken of it.
    fn member(&mut self, operand: &Expr, dot: &GoValue, arguments: &[GoValue]) -> Evaluated {
        let (start, names) = match operand {
            Expr::Field(_, names) => (dot.clone(), names),
            Expr::Variable(_, name, names) => (self.variable(name), names),
            Expr::Chain(_, inner, names) => (self.operand(inner, dot)?, names),
            Expr::Dot(_)
            | Expr::Nil(_)
            | Expr::Bool(..)
            | Expr::Number(..)
            | Expr::String(..)
            | Expr::Identifier(..)
            | Expr::Pipe(..) => return self.operand(operand, dot),
        };
        // What is nil before the first field has no type, and all fields of it are nil.
        if matches!(start, GoValue::Nil) {
            return Ok(start);
        }
        let mut value = start;
        for (index, name) in names.iter().enumerate() {
            let given = if index + 1 == names.len() { arguments } else { &[] };
            value = member(&value, name, given).map_err(|problem| {
                self.failed(place_of(operand, names), &describe::expression(operand), &problem)
            })?;
        }
        if names.is_empty() && !arguments.is_empty() {
            let context = describe::expression(operand);
            let problem = format!("can't give argument to non-function {context}");
            return Err(self.failed(operand.pos(), &context, &problem.into()));
        }
        Ok(value)
    }

    fn variable(&self, name: &SmolStr) -> GoValue {
        let found = self.variables.iter().rev().find(|(seen, _)| seen == name);
        found.map_or(GoValue::Nil, |(_, value)| value.clone())
    }

    fn call(
        &mut self,
        place: Pos,
        name: &SmolStr,
        command: Option<&CommandNode>,
        operands: &[Expr],
        dot: &GoValue,
        last: Option<GoValue>,
    ) -> Evaluated {
        let context = || command.map_or_else(|| name.to_string(), describe::command);
        self.step(place, 0)?;
        let Some(Function { least, most, is_by_chance, run, .. }) = function(name) else {
            let problem = format!("{:?} is not a defined function", name.as_str());
            return Err(self.failed(place, &context(), &problem.into()));
        };
        let count = operands.len() + usize::from(last.is_some());
        if count < *least || most.is_some_and(|most| count > most) {
            let at_least = if *most == Some(*least) { "" } else { "at least " };
            let problem = format!("wrong number of args for {name}: want {at_least}{least} got {count}");
            return Err(self.failed(place, name, &problem.into()));
        }
        if matches!(name.as_str(), "and" | "or") {
            return self.logic(name == "or", operands, dot, last);
        }
        let mut arguments = self.arguments(operands, dot)?;
        arguments.extend(last);
        if *is_by_chance {
            self.executor.world.note_chance(name, &arguments);
        }
        run(self.executor, &arguments).map_err(|problem| match problem.argument {
            None => self.failed(place, &context(), &problem.within(&format!("error calling {name}: "))),
            Some((index, expected)) => match operands.get(index) {
                Some(operand) => self.wrong_argument(operand, expected, &problem),
                None => self.failed(place, name, &problem),
            },
        })
    }

    /// Returns the error of an operand that is of another type than a function takes.
    fn wrong_argument(&self, operand: &Expr, expected: &str, problem: &CallError) -> Failure {
        let context = describe::expression(operand);
        match operand {
            Expr::Bool(..) | Expr::Number(..) | Expr::String(..) => {
                let problem = format!("expected {expected}; found {context}");
                self.failed(operand.pos(), &context, &problem.into())
            }
            Expr::Field(_, names) | Expr::Variable(_, _, names) => {
                self.failed(place_of(operand, names), &context, problem)
            }
            _ => self.failed(operand.pos(), &context, problem),
        }
    }

    /// Evaluates operands until one decides.
    fn logic(&mut self, decides: bool, operands: &[Expr], dot: &GoValue, last: Option<GoValue>) -> Evaluated {
        let mut value = GoValue::Nil;
        for operand in operands {
            value = self.operand(operand, dot)?;
            if value.is_true() == decides {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    /// Returns the error of what failed at a place of this template.
    fn failed(&self, place: Pos, context: &str, problem: &CallError) -> Failure {
        let before = &self.source.text[..place.offset.min(self.source.text.len())];
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        Place { template: &self.source.name, line, column, running: self.name, context }.error(problem)
    }
}

/// Returns where Go says that something stands that has fields: at the second of several.
fn place_of(operand: &Expr, names: &[SmolStr]) -> Pos {
    let place = operand.pos();
    let first = match operand {
        Expr::Field(..) if names.len() > 1 => names.first().map_or(0, |name| name.len() + 1),
        Expr::Variable(_, name, _) if !names.is_empty() => name.len(),
        _ => 0,
    };
    Pos::new(place.offset + first, place.line)
}

/// Returns a field of a value.
fn member(value: &GoValue, name: &str, arguments: &[GoValue]) -> Result<GoValue, CallError> {
    match value {
        GoValue::Nil => Err(format!("nil pointer evaluating interface {{}}.{name}").into()),
        GoValue::Table(_) if !arguments.is_empty() => {
            Err(format!("{name} is not a method but has arguments").into())
        }
        GoValue::Table(table) => Ok(table.borrow().get(name).cloned().unwrap_or(GoValue::Nil)),
        GoValue::Object(object) => match object.member(name, arguments) {
            Some(found) => {
                found.map_err(|problem| CallError::from(problem).within(&format!("error calling {name}: ")))
            }
            None => Err(format!("can't evaluate field {name} in type {}", object.type_name()).into()),
        },
        GoValue::Bool(_)
        | GoValue::Int(_)
        | GoValue::Int64(_)
        | GoValue::Float(_)
        | GoValue::Text(_)
        | GoValue::List(_) => Err(format!("can't evaluate field {name} in type interface {{}}").into()),
    }
}

/// Returns what is ranged over, with keys; `None` if a value is not many.
fn entries(value: &GoValue) -> Option<Vec<(GoValue, GoValue)>> {
    let numbered =
        |items: &mut dyn Iterator<Item = GoValue>| (0..).map(GoValue::Int).zip(items).collect::<Vec<_>>();
    match value {
        GoValue::Nil => Some(Vec::new()),
        GoValue::List(items) => Some(numbered(&mut items.iter().cloned())),
        GoValue::Table(table) => {
            Some(table.borrow().iter().map(|(key, value)| (GoValue::text(key), value.clone())).collect())
        }
        // Since Go 1.24, as helm 4 has it.
        GoValue::Int(most) | GoValue::Int64(most) => {
            (*most <= LONGEST_COUNT).then(|| numbered(&mut (0..*most).map(GoValue::Int)))
        }
        GoValue::Object(object) => entries(&object.data()),
        GoValue::Bool(_) | GoValue::Float(_) | GoValue::Text(_) => None,
    }
}

/// Prints a value as a template does.
fn print(value: &GoValue, into: &mut String) {
    match value {
        GoValue::Nil => into.push_str("<no value>"),
        GoValue::Text(text) => into.push_str(text),
        other => into.push_str(&other.display()),
    }
}

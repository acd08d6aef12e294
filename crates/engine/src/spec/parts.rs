//! Which part of a program needs which.

use crate::address::BlockAddress;
use crate::diagnostic::Span;
use crate::spec::components::program::Program;
use crate::spec::expression::ast::Reference;
use crate::spec::order::{Part, PartGraph, Wait};
use crate::spec::pattern::Pattern;

/// Returns which part of a program needs which.
pub(crate) fn part_graph(program: &Program) -> PartGraph {
    let mut graph = PartGraph::default();
    for (name, pattern) in &program.locals {
        for wait in [Wait::Whole, Wait::Parent] {
            let part = Part::Local(name.clone(), wait);
            graph.add(&part);
            add_needs(&mut graph, program, &part, pattern, wait);
        }
        let part = |wait| Part::Local(name.clone(), wait);
        graph.need(&part(Wait::Whole), &part(Wait::Parent), pattern.span);
    }
    for (name, account) in &program.accounts {
        let part = Part::Account(name.clone());
        graph.add(&part);
        for pattern in account.attributes.values() {
            add_needs(&mut graph, program, &part, pattern, Wait::Whole);
        }
    }
    for (address, resource) in &program.resources {
        let own = Part::Own(address.clone());
        graph.add(&own);
        let patterns = resource.for_each.iter().chain(&resource.account).chain(resource.attributes.values());
        for pattern in patterns {
            add_needs(&mut graph, program, &own, pattern, Wait::Whole);
        }
        for (target, span) in &resource.depends_on {
            add_block(&mut graph, program, &own, target.block(), Wait::Whole, *span);
        }
        if !resource.expansions.is_empty() {
            let children = Part::Children(address.clone());
            graph.need(&children, &own, resource.span);
            for (_, pattern) in &resource.expansions {
                add_needs(&mut graph, program, &children, pattern, Wait::Parent);
            }
        }
    }
    graph
}

fn add_needs(graph: &mut PartGraph, program: &Program, part: &Part, pattern: &Pattern, wait: Wait) {
    pattern.visit_references(&mut |reference, span| match reference {
        Reference::Local(name) => graph.need(part, &Part::Local(name.clone(), wait), span),
        Reference::AccountId(name) | Reference::AccountRegion(name) => {
            graph.need(part, &Part::Account(name.clone()), span);
        }
        Reference::Resource(reference) | Reference::Whole(reference) => {
            add_block(graph, program, part, &reference.block, wait, span);
        }
        Reference::Variable(_)
        | Reference::StackName
        | Reference::StackId
        | Reference::EachKey
        | Reference::EachValue
        | Reference::Use(_) => {}
    });
}

fn add_block(
    graph: &mut PartGraph,
    program: &Program,
    part: &Part,
    block: &BlockAddress,
    wait: Wait,
    span: Span,
) {
    graph.need(part, &Part::Own(block.clone()), span);
    let expands = program.resources.get(block).is_some_and(|target| !target.expansions.is_empty());
    if wait == Wait::Whole && expands {
        graph.need(part, &Part::Children(block.clone()), span);
    }
}

//! Changes that a person makes by hand, in contrast to those of programs that keep an object as they want it.
//!
//! Who edits an object of a stack is no other owner of it: the change is drift, which a plan shows and an apply
//! puts back. Who applies one, or a controller that changes it, has a claim to the field.

use crate::cluster::Refusal;

/// Commands of kubectl that change single fields: the names under which it does. `kubectl apply` is not among
/// them, with which somebody else keeps the object.
const COMMANDS: &[&str] = &[
    "kubectl-annotate",
    "kubectl-create",
    "kubectl-edit",
    "kubectl-expose",
    "kubectl-label",
    "kubectl-patch",
    "kubectl-replace",
    "kubectl-rollout",
    "kubectl-run",
    "kubectl-set",
    "kubectl-taint",
];

/// Tells whether all that a change is refused for was set by a person.
pub(crate) fn is_by_hand(refusal: &Refusal) -> bool {
    let mut fields = refusal.fields.iter();
    !refusal.fields.is_empty() && fields.all(|(_, message)| is_of_person(message))
}

/// Reads who has set a field, in the words of the API server: `conflict with "kubectl-edit" using v1`. Those who
/// have applied it are named without a version.
fn is_of_person(message: &str) -> bool {
    let named = message.strip_prefix("conflict with \"").and_then(|rest| rest.split_once('"'));
    named.is_some_and(|(manager, rest)| {
        let is_scaled = manager == "kubectl" && rest.starts_with(" with subresource \"scale\" using ");
        is_scaled || (COMMANDS.contains(&manager) && rest.starts_with(" using "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_told_from_claims() {
        for (message, expected) in [
            ("conflict with \"kubectl-edit\" using v1", true),
            ("conflict with \"kubectl-patch\" using apps/v1 at 2026-01-01T00:00:00Z", true),
            ("conflict with \"kubectl\" with subresource \"scale\" using apps/v1", true),
            ("conflict with \"kube-controller-manager\" with subresource \"scale\" using apps/v1", false),
            ("conflict with \"kubectl-client-side-apply\" using apps/v1", false),
            ("conflict with \"kubectl\"", false),
            ("conflict with \"kubectl-edit\"", false),
            ("conflict with \"argocd-controller\" using v1", false),
            ("field is immutable", false),
        ] {
            assert_eq!(is_of_person(message), expected, "{message}");
        }
    }
}

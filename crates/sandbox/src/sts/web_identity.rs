//! `AssumeRoleWithWebIdentity`: credentials of a role for the token of another provider.

use serde_json::Value;

use super::session::{self, Assumed, Wanted};
use crate::access::{Context, of_tags, set};
use crate::call::{Answer, Call, Operation, Permission, Refusal};
use crate::iam::Provider;
use crate::issuer::Token;
use crate::policy::{Decision, Document, Principal, Question};
use crate::validation;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[Operation::new(
    "AssumeRoleWithWebIdentity",
    &["RoleArn", "RoleSessionName", "WebIdentityToken", "DurationSeconds", "Policy", "PolicyArns"],
    assume_role,
)
.with(Permission::Open)];

fn assume_role(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let arn = validation::required(parameters, "RoleArn")?;
    let wanted = Wanted::read(parameters)?;
    let token = Token::read(validation::required(parameters, "WebIdentityToken")?).ok_or_else(|| {
        invalid(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        )
    })?;
    let assumed = session::role(world, arn)?.ok_or_else(not_authorized)?;
    let provider = verified(world, &assumed, &token)?;
    check_trust(world, call, &assumed, &provider, &token)?;
    wanted.check_duration(&assumed.role, &call.caller)?;
    wanted.check_policies(world, &assumed.account)?;
    let mut answer = wanted.issue(world, assumed);
    answer["SubjectFromWebIdentityToken"] = Value::from(token.text("sub"));
    answer["Provider"] = Value::from(provider.arn);
    answer["Audience"] = Value::from(token.audiences().first().copied());
    Ok(answer)
}

/// Returns the provider whose token it is: registered in the role's account, for this audience,
/// really signed by it and not too old.
fn verified(world: &World, assumed: &Assumed, token: &Token) -> Result<Provider, Refusal> {
    let issuer = token.text("iss").unwrap_or_default();
    let address = issuer.strip_prefix("https://").unwrap_or(issuer).trim_end_matches('/');
    let directory = world.directories.get(&assumed.account);
    let provider = directory.and_then(|directory| directory.provider(address, world.now()));
    let provider = provider
        .ok_or_else(|| invalid(&format!("No OpenIDConnect provider found in your account for {issuer}")))?;
    let is_known = |audience: &&str| provider.clients.contains(*audience);
    if !token.audiences().iter().any(is_known) {
        return Err(invalid("Incorrect token audience"));
    }
    let signer = world.issuers.get(issuer).ok_or_else(|| {
        let message = "Couldn't retrieve verification key from your identity provider, please reference \
                       AssumeRoleWithWebIdentity documentation for requirements";
        invalid(message)
    })?;
    if !signer.signed(token) {
        return Err(invalid("Invalid signature"));
    }
    let now = world.now().as_second();
    let second = |claim: &str| token.claims.get(claim).and_then(Value::as_i64);
    match second("exp") {
        Some(expiry) if expiry > now => Ok(provider.clone()),
        Some(expiry) => {
            let message = format!(
                "Token expired: current date/time {now} must be before the expiration date/time {expiry}"
            );
            Err(Refusal::new("ExpiredTokenException", message))
        }
        None => Err(invalid("Missing a required claim: exp")),
    }
}

/// Checks that the role trusts whom the token is of: "an IAM role trust policy … uses the issuer
/// with `:aud` and `:sub` as condition keys" (Available keys for AWS OIDC federation).
fn check_trust(
    world: &World,
    call: &Call,
    assumed: &Assumed,
    provider: &Provider,
    token: &Token,
) -> Result<(), Refusal> {
    let mut context: Context = of_tags(&assumed.role.tags, "iam");
    let values = [("sub", token.text("sub").into_iter().collect()), ("aud", token.audiences())];
    for (claim, values) in values {
        let key = format!("{}:{claim}", provider.address).to_lowercase();
        context.insert(key, values.into_iter().map(str::to_owned).collect());
    }
    set(&mut context, "aws:FederatedProvider", &provider.arn);
    if let Some(name) = call.parameters.text("RoleSessionName") {
        set(&mut context, "sts:RoleSessionName", name);
    }
    let question = Question {
        action: "sts:AssumeRoleWithWebIdentity",
        resource: &assumed.role.arn,
        principals: &[Principal::Federated(provider.arn.clone())],
        context,
    };
    let trust = Document::read(&assumed.role.trust.document(world)).map_err(|_| not_authorized())?;
    if trust.decide(&question) == Decision::Allowed { Ok(()) } else { Err(not_authorized()) }
}

fn invalid(message: &str) -> Refusal {
    Refusal::new("InvalidIdentityToken", message)
}

fn not_authorized() -> Refusal {
    Refusal::forbidden("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
}

#[cfg(test)]
mod tests;

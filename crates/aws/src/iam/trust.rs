//! Trust policies: who may assume a role. The common ones have a short form.

use straddle_engine::resource::Problem;
use straddle_engine::value::{Value, ValueMap};

use super::document::{document, table, versioned};
use crate::client::Place;

/// The names that a short form has.
const NAMES: [&str; 8] =
    [SERVICE, OIDC_PROVIDER, SERVICE_ACCOUNTS, AUDIENCES, ACCOUNT, ROLE, EXTERNAL_ID, SESSION_TAGS];
const SERVICE: &str = "service";
pub(crate) const OIDC_PROVIDER: &str = "oidc_provider";
pub(crate) const SERVICE_ACCOUNTS: &str = "service_accounts";
pub(crate) const AUDIENCES: &str = "audiences";
pub(crate) const ACCOUNT: &str = "account";
pub(crate) const ROLE: &str = "role";
pub(crate) const EXTERNAL_ID: &str = "external_id";
pub(crate) const SESSION_TAGS: &str = "session_tags";

/// The service that assumes roles for pods, with tags that say for which ones (EKS user guide,
/// "Create IAM role with trust policy required by EKS Pod Identity").
pub(crate) const POD_IDENTITY: &str = "pods.eks.amazonaws.com";
/// Whom the tokens of Kubernetes service accounts are for unless something else is said (EKS user
/// guide, "Assign IAM roles to Kubernetes service accounts").
pub(crate) const STS: &str = "sts.amazonaws.com";
const ASSUME: &str = "sts:AssumeRole";
const TAG: &str = "sts:TagSession";

/// Returns the trust of a role that nobody may assume for now.
pub(crate) fn nobody() -> Value {
    let anybody = table([("AWS", Value::from("*"))]);
    document(vec![table([
        ("Effect", Value::from("Deny")),
        ("Principal", anybody),
        ("Action", Value::from(ASSUME)),
    ])])
}

/// Replaces the short form of a trust policy in this attribute by the document that it stands for.
pub(crate) fn canonical(
    attribute: &'static str,
    place: &Place,
    mut inputs: ValueMap,
) -> Result<ValueMap, Vec<Problem>> {
    if let Some(Value::Map(entries)) = inputs.get(attribute)
        && !entries.contains_key("Statement")
    {
        let whole = ShortForm { attribute, place, entries }.document().map_err(|problem| vec![problem])?;
        inputs.insert(attribute.to_owned(), whole);
    }
    Ok(versioned(attribute, inputs))
}

/// A short form, parts of which may be unknown.
struct ShortForm<'a> {
    attribute: &'static str,
    place: &'a Place,
    entries: &'a ValueMap,
}

impl ShortForm<'_> {
    fn document(&self) -> Result<Value, Problem> {
        self.check_names()?;
        let mut statements = Vec::new();
        if let Some(services) = self.entry(SERVICE) {
            let actions = self.actions_of_services(services)?;
            let principal = table([("Service", texts(services, SERVICE, self)?)]);
            statements.push(allow(principal, actions, None));
        }
        if let Some(provider) = self.entry(OIDC_PROVIDER) {
            statements.push(self.of_provider(provider)?);
        }
        let principals: Vec<_> = [self.accounts()?, self.roles()?].into_iter().flatten().collect();
        if !principals.is_empty() {
            statements.extend(self.of_principals(one_list(principals))?);
        }
        if statements.is_empty() {
            return Err(self.problem(
                "It says of nobody that they may assume the role.",
                "Write one of `service`, `oidc_provider`, `account` and `role`, or a whole document with \
                 `Statement`.",
            ));
        }
        Ok(document(statements))
    }

    /// Returns what is written under a name.
    fn entry(&self, name: &str) -> Option<&Value> {
        self.entries.get(name).filter(|value| !value.is_null())
    }

    fn check_names(&self) -> Result<(), Problem> {
        if let Some(name) = self.entries.keys().find(|name| !NAMES.contains(&name.as_str())) {
            let names = NAMES.map(|name| format!("`{name}`")).join(", ");
            return Err(self.problem(
                format!("A short form of a trust policy has no `{}`.", name.escape_debug()),
                format!("It has {names}. Anything else is written as a whole document with `Statement`."),
            ));
        }
        for (name, of) in [
            (SERVICE_ACCOUNTS, [OIDC_PROVIDER; 2]),
            (AUDIENCES, [OIDC_PROVIDER; 2]),
            (EXTERNAL_ID, [ACCOUNT, ROLE]),
        ] {
            if self.entry(name).is_some() && of.iter().all(|of| self.entry(of).is_none()) {
                let of = if of[0] == of[1] {
                    format!("`{}`", of[0])
                } else {
                    format!("`{}` or `{}`", of[0], of[1])
                };
                return Err(self.problem(
                    format!("`{name}` says something about {of}, and there is none."),
                    format!("Write {of} beside it, or take it out."),
                ));
            }
        }
        Ok(())
    }

    /// Returns what services do: all of them assume the role, and some say with tags for whom.
    fn actions_of_services(&self, services: &Value) -> Result<Value, Problem> {
        let is_pod_identity = services.items().iter().any(|service| service.as_str() == Some(POD_IDENTITY));
        let with_tags = self.session_tags()?;
        Ok(match services.first_unknown() {
            Some(unknown) if !is_pod_identity && !with_tags => unknown.derived(),
            _ if is_pod_identity || with_tags => Value::from(vec![ASSUME, TAG]),
            _ => Value::from(ASSUME),
        })
    }

    fn session_tags(&self) -> Result<bool, Problem> {
        match self.entry(SESSION_TAGS) {
            None => Ok(false),
            Some(Value::Bool(with_tags)) => Ok(*with_tags),
            Some(_) => Err(self.problem(
                "`session_tags` is no boolean that is known.",
                "Write `true` if the sessions have tags, or take it out.",
            )),
        }
    }

    /// Pins both whom a token is for and whom it is of: without the one, tokens that were made for
    /// others are good here; without the other, every service account of the cluster is.
    fn of_provider(&self, provider: &Value) -> Result<Value, Problem> {
        let Some(accounts) = self.entry(SERVICE_ACCOUNTS) else {
            return Err(self.problem(
                "`service_accounts` is missing: every service account of the cluster could assume the role.",
                "Write `service_accounts = [\"NAMESPACE/NAME\"]` beside `oidc_provider`.",
            ));
        };
        let subjects = map(accounts, &|account| self.subject(account))?;
        let audiences = match self.entry(AUDIENCES) {
            Some(audiences) => texts(audiences, AUDIENCES, self)?,
            None => Value::from(STS),
        };
        let condition = match provider {
            Value::Unknown(unknown) => unknown.derived(),
            Value::String(arn) => {
                let issuer = self.issuer(arn)?;
                let keys = [(format!("{issuer}:aud"), audiences), (format!("{issuer}:sub"), subjects)];
                table([("StringEquals", Value::Map(ValueMap::from(keys)))])
            }
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::List(_)
            | Value::Map(_) => return Err(self.no_provider(provider.type_name())),
        };
        let principal = table([("Federated", provider.clone())]);
        let action = Value::from("sts:AssumeRoleWithWebIdentity");
        Ok(allow(principal, action, Some(condition)))
    }

    /// Returns the address of a provider without `https://`, as keys of conditions have it.
    fn issuer<'v>(&self, arn: &'v str) -> Result<&'v str, Problem> {
        let issuer = arn.split_once(":oidc-provider/").filter(|(start, _)| start.starts_with("arn:"));
        let issuer = issuer.map(|(_, issuer)| issuer).filter(|issuer| !issuer.is_empty());
        issuer.ok_or_else(|| self.no_provider(&format!("`{}`", arn.escape_debug())))
    }

    fn no_provider(&self, found: &str) -> Problem {
        self.problem(
            format!("`oidc_provider` takes the ARN of a provider in the role's account; this is {found}."),
            "Write `\"${iam_openid_connect_provider.NAME.arn}\"`.",
        )
    }

    /// Returns the subject of a service account that is written `NAMESPACE/NAME`.
    fn subject(&self, account: &Value) -> Result<Value, Problem> {
        if let Value::Unknown(unknown) = account {
            return Ok(unknown.derived());
        }
        let text = account.as_str().unwrap_or_default();
        let is_name = |name: &str| {
            let allowed =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
            !name.is_empty() && name.bytes().all(allowed)
        };
        match text.split_once('/') {
            Some((namespace, name)) if is_name(namespace) && is_name(name) => {
                Ok(Value::from(subject_of((namespace, name))))
            }
            _ => Err(self.problem(
                format!("`{}` is no service account.", text.escape_debug()),
                "Write `NAMESPACE/NAME`. Patterns are possible in a whole document with `Statement` alone, \
                 with `StringLike`.",
            )),
        }
    }

    fn accounts(&self) -> Result<Option<Value>, Problem> {
        let is_id = |id: &&str| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
        let root = |account: &Value| {
            if let Value::Unknown(unknown) = account {
                return Ok(unknown.derived());
            }
            let root = |id| Value::from(format!("arn:{}:iam::{id}:root", self.place.partition));
            account.as_str().filter(is_id).map(root).ok_or_else(|| {
                self.problem(
                    "`account` takes the id of an account.",
                    "Write its 12 digits as text, or `\"${account.NAME.id}\"`.",
                )
            })
        };
        self.entry(ACCOUNT).map(|accounts| map(accounts, &root)).transpose()
    }

    fn roles(&self) -> Result<Option<Value>, Problem> {
        let role = |role: &Value| {
            let arn = role.as_str().unwrap_or_default();
            if matches!(role, Value::Unknown(_)) || (arn.starts_with("arn:") && arn.contains(":role/")) {
                return Ok(role.clone());
            }
            Err(if arn.contains(":assumed-role/") {
                self.problem(
                    format!("`{}` is a session of a role, and ends.", arn.escape_debug()),
                    "Write the ARN of the role itself.",
                )
            } else {
                self.problem(
                    "`role` takes the ARN of a role.",
                    "Write `\"${iam_role.NAME.arn}\"`, or the ARN of a role of another account.",
                )
            })
        };
        self.entry(ROLE).map(|roles| map(roles, &role)).transpose()
    }

    /// An external id is asked for by `AssumeRole` alone, so that tags of sessions are allowed by a
    /// statement of their own (IAM user guide, "Pass session tags in AWS STS").
    fn of_principals(&self, principals: Value) -> Result<Vec<Value>, Problem> {
        let principal = table([("AWS", principals)]);
        let external_id = self.entry(EXTERNAL_ID).map(|ids| texts(ids, EXTERNAL_ID, self)).transpose()?;
        let condition = external_id.map(|ids| table([("StringEquals", table([("sts:ExternalId", ids)]))]));
        let mut statements = vec![allow(principal.clone(), Value::from(ASSUME), condition)];
        if self.session_tags()? {
            statements.push(allow(principal, Value::from(TAG), None));
        }
        Ok(statements)
    }

    fn problem(&self, message: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem { attribute: self.attribute, message: message.into(), hint: Some(hint.into()) }
    }
}

/// Returns what the tokens of a service account call it, by its namespace and name.
pub(crate) fn subject_of((namespace, name): (&str, &str)) -> String {
    format!("system:serviceaccount:{namespace}:{name}")
}

fn allow(principal: Value, action: Value, condition: Option<Value>) -> Value {
    let statement = [("Effect", Value::from("Allow")), ("Principal", principal), ("Action", action)];
    table(statement.into_iter().chain(condition.map(|condition| ("Condition", condition))))
}

/// Changes a single value, or each one of a list.
fn map(value: &Value, change: &dyn Fn(&Value) -> Result<Value, Problem>) -> Result<Value, Problem> {
    match value.as_list() {
        Some(items) => Ok(Value::List(items.iter().map(change).collect::<Result<_, _>>()?)),
        None => change(value),
    }
}

/// Checks that something is text, or a list of texts.
fn texts(value: &Value, name: &str, form: &ShortForm<'_>) -> Result<Value, Problem> {
    map(value, &|item| {
        if let Value::String(_) | Value::Unknown(_) = item {
            return Ok(item.clone());
        }
        Err(form.problem(
            format!("`{name}` takes text, or a list of texts; this is {}.", item.type_name()),
            format!("Write `{name} = \"...\"` or `{name} = [\"...\"]`."),
        ))
    })
}

/// Puts single values and lists into one list; one single value stays as it is.
fn one_list(mut values: Vec<Value>) -> Value {
    if values.len() == 1 {
        return values.remove(0);
    }
    Value::List(values.iter().flat_map(Value::items).cloned().collect())
}

/// Returns the short form that may stand for a trust policy; who asks checks whether it does.
pub(crate) fn shorthand(document: &Value) -> Option<Value> {
    let elements = document.as_map()?;
    let statements = elements.get("Statement")?;
    let mut short = ValueMap::new();
    let mut principals = Vec::new();
    for statement in statements.items() {
        let statement = statement.as_map()?;
        let (kind, of) = only_entry(statement.get("Principal")?)?;
        let actions = statement.get("Action")?;
        let condition = statement.get("Condition");
        match kind {
            "Service" => drop(short.insert(SERVICE.to_owned(), of.clone())),
            "Federated" => {
                let tokens = condition.and_then(|condition| of_tokens(of.as_str()?, condition))?;
                short.insert(OIDC_PROVIDER.to_owned(), of.clone());
                short.extend(tokens);
            }
            "AWS" if actions.items().iter().any(|action| action.as_str() == Some(ASSUME)) => {
                principals = of.items().to_vec();
                if let Some(id) = condition.and_then(|it| it.as_map()?.get("StringEquals")?.as_map()) {
                    let id = id.get("sts:ExternalId")?;
                    short.insert(EXTERNAL_ID.to_owned(), id.clone());
                }
            }
            _ => {}
        }
        let tags = actions.items().iter().any(|action| action.as_str() == Some(TAG));
        let is_pod_identity = of.items().iter().any(|of| of.as_str() == Some(POD_IDENTITY));
        if tags && !is_pod_identity {
            short.insert(SESSION_TAGS.to_owned(), Value::from(true));
        }
    }
    let (accounts, roles): (Vec<_>, Vec<_>) =
        principals.into_iter().partition(|principal| account_of_root(principal).is_some());
    let accounts: Vec<_> = accounts.iter().filter_map(account_of_root).map(Value::from).collect();
    for (name, values) in [(ACCOUNT, accounts), (ROLE, roles)] {
        if !values.is_empty() {
            short.insert(name.to_owned(), one_list(vec![one_or_all(values)]));
        }
    }
    (!short.is_empty()).then_some(Value::Map(short))
}

/// Returns the account whose root a principal is; a bare id is as good.
fn account_of_root(principal: &Value) -> Option<&str> {
    let text = principal.as_str()?;
    let id = text.strip_suffix(":root").and_then(|arn| arn.rsplit(':').next()).unwrap_or(text);
    (id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit())).then_some(id)
}

/// Returns whom tokens have to be for and of, as the short form says it.
fn of_tokens(provider: &str, condition: &Value) -> Option<Vec<(String, Value)>> {
    let (_, issuer) = provider.split_once(":oidc-provider/")?;
    let equals = condition.as_map()?.get("StringEquals")?.as_map()?;
    let account = |subject: &Value| {
        let account = subject.as_str()?.strip_prefix("system:serviceaccount:")?;
        Some(Value::from(account.replacen(':', "/", 1)))
    };
    let subjects = equals.get(&format!("{issuer}:sub"))?;
    let accounts = subjects.items().iter().map(account).collect::<Option<Vec<_>>>()?;
    let audiences = equals.get(&format!("{issuer}:aud"))?;
    let mut tokens = vec![(SERVICE_ACCOUNTS.to_owned(), Value::List(accounts))];
    if audiences.items() != [Value::from(STS)] {
        tokens.push((AUDIENCES.to_owned(), audiences.clone()));
    }
    Some(tokens)
}

fn only_entry(value: &Value) -> Option<(&str, &Value)> {
    let mut entries = value.as_map()?.iter();
    let (name, value) = entries.next().filter(|_| entries.next().is_none())?;
    Some((name, value))
}

fn one_or_all(mut values: Vec<Value>) -> Value {
    if values.len() == 1 { values.remove(0) } else { Value::List(values) }
}

#[cfg(test)]
mod tests;

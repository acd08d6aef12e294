//! The accounts of a spec, what the files say for all their resources, and where each one lives.

use std::sync::Arc;

use crate::address::{AccountName, Address, ComponentPath};
use crate::diagnostic::{Diagnostic, Span};
use crate::schema::AttributeSchema;
use crate::spec::accounts::check_account;
use crate::spec::check::{account_name, check_tags};
use crate::spec::components::program::DefaultAccount;
use crate::spec::evaluator::{Evaluator, Reported};
use crate::spec::pattern::Pattern;
use crate::spec::sensitivity::{revealed, shown_value};
use crate::spec::suggest;
use crate::spec::world::{AccountFacts, Each};
use crate::value::{Value, ValueMap};

/// What a file's `[defaults]` come to.
#[derive(Default)]
pub(crate) struct FileDefaults {
    pub(crate) account: Option<AccountName>,
    pub(crate) tags: Option<Arc<Pattern>>,
}

impl Evaluator<'_> {
    pub(super) fn account(&mut self, name: &AccountName) {
        let block = &self.program.accounts[name];
        let mut values = ValueMap::new();
        let mut sound = true;
        for (attribute, pattern) in &block.attributes {
            if self.world.sensitivity(pattern, None).is_any() {
                let detail = "Plans, states and messages name accounts and how they are reached.";
                self.diagnostics.push(shown_value(pattern.span, detail.to_owned()));
                sound = false;
                continue;
            }
            match self.static_value(pattern, None, None) {
                Some(value) => {
                    values.insert(attribute.clone(), value);
                }
                None => sound = false,
            }
        }
        // What could not be evaluated was reported; that it is missing is no second problem.
        let account = sound
            .then(|| {
                let stack = &self.world.stack_name;
                check_account(name, stack, block, values, &self.account_schema, self.diagnostics)
            })
            .flatten();
        let facts = account.as_ref().map(|account| AccountFacts {
            id: Value::from(account.id.as_str()),
            region: Value::from(account.region.as_str()),
        });
        self.world.accounts.insert(name.clone(), facts);
        self.accounts.extend(account.map(|account| (name.clone(), account)));
    }

    pub(super) fn tags_and_defaults(&mut self) {
        let program = self.program;
        self.stack_tags = program.stack.tags.as_ref().and_then(|pattern| self.static_tags(pattern));
        for (place, written) in &program.defaults {
            let tags = written.tags.as_ref().and_then(|pattern| self.static_tags(pattern));
            let account = written
                .account
                .as_ref()
                .and_then(|pattern| self.named_account(pattern, None, None, &place.0).ok()?);
            self.defaults.insert(place.clone(), FileDefaults { account, tags });
        }
    }

    fn static_tags(&mut self, pattern: &Arc<Pattern>) -> Option<Arc<Pattern>> {
        let value = self.static_value(pattern, None, None)?;
        let schema = AttributeSchema::new("tags", "Tags.", crate::schema::AttributeType::Tags);
        let mut problems = crate::spec::check::check_attribute(&schema, &value, pattern);
        problems.extend(check_tags(&value, pattern));
        let sound = problems.is_empty();
        let constant = Pattern::constant(pattern.span, value);
        let sensitivity = self.world.sensitivity(pattern, None);
        if !sensitivity.touched {
            self.diagnostics.extend(problems);
            return sound.then_some(constant);
        }
        self.diagnostics.extend(problems.into_iter().map(|problem| revealed(problem, &[])));
        let tags = if sensitivity.is_any() { Pattern::sealed(constant) } else { constant };
        sound.then_some(tags)
    }

    /// Returns the account that a pattern names, `None` if it names none.
    fn named_account(
        &mut self,
        pattern: &Arc<Pattern>,
        each: Option<&Each>,
        address: Option<&Address>,
        component: &ComponentPath,
    ) -> Result<Option<AccountName>, Reported> {
        if self.world.sensitivity(pattern, each).is_any() {
            let detail = "Plans, states and messages name the account of everything.";
            self.report(shown_value(pattern.span, detail.to_owned()), address);
            return Err(Reported);
        }
        let value = self.static_value(pattern, each, address).ok_or(Reported)?;
        let name = account_name(&value, pattern).map_err(|diagnostic| {
            self.report(*diagnostic, address);
            Reported
        })?;
        let Some(name) = name else { return Ok(None) };
        let known = match self.program.settings.get(component) {
            None => self.world.accounts.get_key_value(name.as_str()).map(|(known, _)| known.clone()),
            Some(setting) => setting.accounts.get(name.as_str()).cloned(),
        };
        if known.is_some() {
            return Ok(known);
        }
        let diagnostic = Diagnostic::error("unknown-account", "unknown account")
            .with_span(pattern.span, format!("there is no `[account.{}]`", name.escape_debug()));
        let names = self.account_names(component);
        let names = names.iter().map(AccountName::as_str);
        self.report(suggest::did_you_mean(diagnostic, &name, names), address);
        Err(Reported)
    }

    /// Returns the account of a resource: its own, its file's, its component's, or the only one.
    pub(crate) fn account_of(
        &mut self,
        written: Option<&Arc<Pattern>>,
        each: Option<&Each>,
        address: &Address,
        header: Span,
    ) -> Result<AccountName, Reported> {
        let component = address.component();
        if let Some(pattern) = written
            && let Some(account) = self.named_account(pattern, each, Some(address), component)?
        {
            return Ok(account);
        }
        self.default_account(component, header, address)
    }

    /// Returns the account of what stands at a place of a component and does not say where it lives.
    fn default_account(
        &mut self,
        component: &ComponentPath,
        header: Span,
        address: &Address,
    ) -> Result<AccountName, Reported> {
        let place = (component.clone(), header.source);
        if self.program.defaults.get(&place).is_some_and(|defaults| defaults.account.is_some()) {
            let account = self.defaults.get(&place).and_then(|defaults| defaults.account.clone());
            return account.ok_or(Reported);
        }
        match self.program.settings.get(component).map(|setting| setting.account.clone()) {
            Some(DefaultAccount::Known(account)) => return Ok(account),
            Some(DefaultAccount::OfUser(user, span)) => return self.default_account(&user, span, address),
            Some(DefaultAccount::None) | None => {}
        }
        let names = self.account_names(component);
        let diagnostic = Diagnostic::error("missing-account", "missing account");
        let diagnostic = match names.as_slice() {
            [only] if component.is_root() => return Ok(only.clone()),
            [] => diagnostic
                .with_span(header, "the spec has no account for it")
                .with_hint("Write `[account.NAME]` and below it `id = \"...\"` and `region = \"...\"`."),
            names => {
                let names: Vec<_> = names.iter().map(AccountName::as_str).collect();
                diagnostic
                    .with_span(header, "does not say in which account it lives")
                    .with_detail(format!("The accounts are {}.", suggest::list(&names)))
                    .with_hint("Write `account = \"NAME\"` here, or in `[defaults]` for the whole file.")
            }
        };
        self.report(diagnostic, Some(address));
        Err(Reported)
    }

    /// Returns how accounts are called in a component.
    fn account_names(&self, component: &ComponentPath) -> Vec<AccountName> {
        match self.program.settings.get(component) {
            Some(setting) => setting.accounts.keys().cloned().collect(),
            None => self.world.accounts.keys().cloned().collect(),
        }
    }
}

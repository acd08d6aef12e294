//! From the block of a bundle to the resources that it brings in; see [`crate::bundle`].

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::address::Address;
use crate::bundle::{AnyBundle, Context, Files, Member, Place, Standing, Trouble, member_address};
use crate::diagnostic::{Diagnostic, SourceId, Span};
use crate::spec::Tree;
use crate::spec::evaluator::{Draft, Evaluator};
use crate::spec::expression::evaluate::{Evaluated, Evaluation, Failure, wrong};
use crate::spec::files::{FileReader, Unreadable};
use crate::spec::normalize::normalize_inputs;
use crate::spec::order::Wait;
use crate::spec::pattern::{Content, Pattern};
use crate::spec::resource_block::ResourceBlock;
use crate::spec::sensitivity::{WITHHELD, sensitive_key};
use crate::spec::world::Shape;
use crate::supply::{Supplied, Supply};
use crate::value::{Value, ValueMap};

/// The code of problems that are none once something is fetched.
pub(crate) const UNFETCHED: &str = "unfetched";

/// One attribute of one member of a bundle.
#[derive(Debug, Clone)]
pub(crate) struct MemberAttribute {
    bundle: Arc<WrittenBundle>,
    key: Arc<str>,
    attribute: String,
    /// Whether it is made of something sensitive.
    pub(crate) is_sensitive: bool,
}

/// A bundle as it is written, and what was last worked out of it.
struct WrittenBundle {
    bundle: Arc<dyn AnyBundle>,
    /// The block, or one instance of it.
    address: Address,
    attributes: BTreeMap<String, Arc<Pattern>>,
    /// The header.
    span: Span,
    /// Whether everything was known when the spec was loaded, and so never changes.
    is_fixed: bool,
    /// What it was last made of, and what it came to: members have the same, until more is known.
    last: Mutex<Option<(ValueMap, Standing, Made)>>,
}

/// What a bundle came to.
type Made = Result<Arc<BTreeMap<String, Member>>, Arc<[Trouble]>>;

impl fmt::Debug for WrittenBundle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("WrittenBundle").field(&self.span).finish()
    }
}

/// The files beside the file of the spec that has the block.
struct FilesBeside<'a> {
    reader: &'a FileReader,
    source: SourceId,
}

impl Files for FilesBeside<'_> {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        self.reader.read_shown(self.source, path).map_err(Unreadable::into_reason)
    }

    fn matching(&self, pattern: &str) -> Result<Vec<String>, String> {
        self.reader.matching(self.source, pattern).map_err(Unreadable::into_reason)
    }

    fn tree(&self, path: &str) -> Result<Arc<Tree>, String> {
        self.reader.tree(self.source, path).map_err(Unreadable::into_reason)
    }

    fn supplied(&self, supply: &Supply) -> Option<Supplied> {
        self.reader.supplied(supply)
    }
}

impl WrittenBundle {
    /// Works out the members, unless that was done last.
    fn members(&self, inputs: ValueMap, standing: Standing, files: &FileReader) -> Made {
        let inputs = match normalize_inputs(self.bundle.schema(), inputs) {
            Ok(inputs) => inputs,
            Err(invalid) => {
                return Err(invalid.into_iter().map(|text| Trouble::new(text.path, text.message)).collect());
            }
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let standing = if self.bundle.keeps() { standing } else { Standing::default() };
        let is_same = |last: &&(ValueMap, Standing, Made)| last.1 == standing && last.0 == inputs;
        if let Some((.., made)) = last.as_ref().filter(is_same) {
            return made.clone();
        }
        let files = FilesBeside { reader: files, source: self.span.source };
        let context = Context { files: &files, address: &self.address, standing: &standing };
        let made = self.bundle.work_out(&inputs, &context).and_then(by_key);
        let made = made.map(Arc::new).map_err(Arc::from);
        *last = Some((inputs, standing, made.clone()));
        made
    }

    /// Returns what it came to, if that never changes.
    fn fixed(&self) -> Option<Made> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|_| self.is_fixed).map(|(.., made)| made.clone())
    }

    /// Describes what is wrong; where it stands in a file, there.
    fn describe(&self, trouble: &Trouble, files: &FileReader) -> Diagnostic {
        let (input, inner) =
            trouble.input.split_at(trouble.input.find(['.', '[']).unwrap_or(trouble.input.len()));
        let written = self.attributes.get(input);
        let span =
            written.map_or(self.span, |pattern| pattern.locate(inner.strip_prefix('.').unwrap_or(inner)));
        let place = |place: &Place| self.place(place, files);
        let diagnostic = match trouble.place.as_ref().and_then(place) {
            Some(found) => Diagnostic::error("invalid-content", "invalid content of a file")
                .with_span(found, trouble.message.as_str())
                .with_related(span, "the file is read here"),
            None => problem(trouble).with_span(span, trouble.message.as_str()),
        };
        let diagnostic = match &trouble.related {
            Some((related, message)) => match place(related) {
                Some(found) => diagnostic.with_related(found, message.as_str()),
                None => diagnostic,
            },
            None => diagnostic,
        };
        let diagnostic = diagnostic.with_detail(trouble.detail.as_str());
        match &trouble.hint {
            Some(hint) => diagnostic.with_hint(hint.as_str()),
            None => diagnostic,
        }
    }

    fn place(&self, place: &Place, files: &FileReader) -> Option<Span> {
        let source = files.shown_as(self.span.source, &place.file)?;
        Some(Span::new(source, place.range.clone()))
    }
}

fn problem(trouble: &Trouble) -> Diagnostic {
    if trouble.is_unfetched {
        Diagnostic::error(UNFETCHED, "something has to be fetched first")
    } else {
        Diagnostic::error("invalid-value", "invalid value")
    }
}

/// Sorts members by key; two of one key are reported.
fn by_key(members: Vec<Member>) -> Result<BTreeMap<String, Member>, Vec<Trouble>> {
    let mut sorted = BTreeMap::<String, Member>::new();
    let mut troubles = Vec::new();
    for member in members {
        let Some(first) = sorted.get(&member.key) else {
            sorted.insert(member.key.clone(), member);
            continue;
        };
        let trouble = Trouble::new("", format!("`{}` is there twice", member.key.escape_debug()))
            .with_detail("Each becomes a resource of its own, named by this.");
        let trouble = match member.place {
            Some(place) => trouble.at(place),
            None => trouble,
        };
        troubles.push(match &first.place {
            Some(place) => trouble.with_related(place.clone(), "first here"),
            None => trouble,
        });
    }
    if troubles.is_empty() { Ok(sorted) } else { Err(troubles) }
}

impl Evaluator<'_> {
    /// Works out the resources that a bundle brings in; what is wrong is reported.
    pub(crate) fn own_bundle(&mut self, block: &ResourceBlock, bundle: &Arc<dyn AnyBundle>) {
        let shape = self.bring_in(block, bundle).map_or(Shape::Broken, Shape::Keyed);
        self.world.shapes.insert(block.address.clone(), shape);
    }

    fn bring_in(
        &mut self,
        block: &ResourceBlock,
        bundle: &Arc<dyn AnyBundle>,
    ) -> Option<BTreeMap<Arc<str>, Address>> {
        let whole = Address::of_block(block.address.clone());
        let instances = match &block.for_each {
            None => vec![(whole, None)],
            Some(for_each) => self.keyed_instances(block, for_each)?,
        };
        self.check_depends_on(block);
        let depends_on = self.depends_on(block);
        let mut addresses = BTreeMap::new();
        let mut drafts = Vec::new();
        for (instance, each) in instances {
            let account = self.account_for(block, each.as_deref(), &instance)?;
            let mut draft = Draft {
                address: instance,
                kind: bundle.schema().kind.clone(),
                account,
                attributes: block.attributes.clone(),
                follows: BTreeMap::new(),
                each,
                dependencies: depends_on.clone(),
                depends_on: depends_on.clone(),
                lifecycle: block.lifecycle.clone(),
                span: block.span,
            };
            let needed = block.attributes.values().chain(&block.for_each);
            for pattern in needed {
                let each = draft.each.as_deref();
                self.collect_dependencies(pattern, each, Wait::Whole, &mut draft.dependencies);
            }
            drafts.extend(self.members(&draft, bundle, &mut addresses)?);
        }
        // That a bundle has no members is for its kind to say.
        let member_kind = bundle.member_kind().clone();
        self.world.shapes.insert(block.address.clone(), Shape::Keyed(addresses.clone()));
        for draft in drafts {
            self.add(draft, &*member_kind, Wait::Whole);
        }
        Some(addresses)
    }

    /// Returns what one instance of a bundle brings in, before it is checked.
    fn members(
        &mut self,
        whole: &Draft,
        bundle: &Arc<dyn AnyBundle>,
        addresses: &mut BTreeMap<Arc<str>, Address>,
    ) -> Option<Vec<Draft>> {
        let inputs = self.sound_inputs(whole, &**bundle)?;
        let written = Arc::new(WrittenBundle {
            bundle: bundle.clone(),
            address: whole.address.clone(),
            attributes: whole.attributes.clone(),
            span: whole.span,
            is_fixed: !bundle.keeps() && inputs.values().all(Value::is_known),
            last: Mutex::default(),
        });
        let masked = self.masked_members(whole, &written);
        let members = match written.members(inputs, Standing::default(), &self.world.files) {
            Ok(members) => members,
            Err(troubles) => {
                self.report_troubles(&written, &troubles, &whole.address, masked.as_ref());
                return None;
            }
        };
        if !self.has_room_for(members.len(), whole.span) {
            return None;
        }
        if let Some(Ok(masked)) = &masked
            && !masked.keys().eq(members.keys())
        {
            self.report(sensitive_key(whole.span), Some(&whole.address));
            return None;
        }
        let mut drafts = Vec::with_capacity(members.len());
        for (key, member) in &*members {
            let address = member_address(&whole.address, key);
            let name: Arc<str> = Arc::from(address.key().expect("members have keys"));
            if addresses.insert(name, address.clone()).is_some() {
                // Keys of instances and of members have met.
                self.report(same_name(whole.span, &address), Some(&whole.address));
                return None;
            }
            let is_sensitive = match &masked {
                None => false,
                Some(Ok(masked)) => masked.get(key).is_none_or(|masked| may_tell(member, masked)),
                Some(Err(_)) => true,
            };
            let attributes = self.member_attributes(whole, &written, member, is_sensitive);
            let after = member.after.iter().filter(|key| members.contains_key(*key));
            let after: BTreeSet<_> = after.map(|key| member_address(&whole.address, key)).collect();
            let span = self.span_of(&written, member);
            drafts.push(member_draft(whole, &written, address, attributes, &after, span));
        }
        Some(drafts)
    }

    fn span_of(&self, written: &WrittenBundle, member: &Member) -> Span {
        let found = member.place.as_ref().and_then(|place| written.place(place, &self.world.files));
        found.unwrap_or(written.span)
    }

    fn member_attributes(
        &self,
        whole: &Draft,
        written: &Arc<WrittenBundle>,
        member: &Member,
        is_sensitive: bool,
    ) -> BTreeMap<String, Arc<Pattern>> {
        let span = self.span_of(written, member);
        let passed = written.bundle.passed().iter();
        let passed =
            passed.filter_map(|name| Some(((*name).to_owned(), written.attributes.get(*name)?.clone())));
        let own = member.attributes.keys().map(|name| {
            let content = Content::Member(MemberAttribute {
                bundle: written.clone(),
                key: Arc::from(member.key.as_str()),
                attribute: name.clone(),
                is_sensitive,
            });
            (name.clone(), Arc::new(Pattern { span, content }))
        });
        let schema = written.bundle.member_kind().schema();
        self.with_tags(passed.chain(own).collect(), schema, whole.span, whole.address.component())
    }

    /// Returns what a bundle with stand-ins in the place of sensitive values comes to; `None` if it has none.
    fn masked_members(&self, whole: &Draft, written: &WrittenBundle) -> Option<Made> {
        let each = whole.each.as_deref();
        let mut patterns = whole.attributes.values();
        if !patterns.any(|pattern| self.world.sensitivity(pattern, each).touched) {
            return None;
        }
        let masked = Evaluation::new(&self.world, each, &self.scope).masked();
        let inputs = masked.inputs(&whole.attributes);
        let nothing = Standing::default();
        let made = |inputs| written.members(inputs, nothing, &self.world.files);
        Some(inputs.map_or_else(|_| Err(Arc::from([])), made))
    }

    /// Reports what is wrong with a bundle. What may tell something sensitive is said only if it is said
    /// of stand-ins as well.
    fn report_troubles(
        &mut self,
        written: &WrittenBundle,
        troubles: &[Trouble],
        address: &Address,
        masked: Option<&Made>,
    ) {
        let told = |trouble: &Trouble| match masked {
            None => true,
            Some(Err(masked)) => masked.contains(trouble),
            Some(Ok(_)) => false,
        };
        for trouble in troubles {
            let mut diagnostic = written.describe(trouble, &self.world.files);
            if !told(trouble) {
                WITHHELD.clone_into(&mut diagnostic.label);
                (diagnostic.detail, diagnostic.hint) = (String::new(), None);
            }
            self.report(diagnostic, Some(address));
        }
    }
}

/// Returns a member as a resource that is not checked yet.
fn member_draft(
    whole: &Draft,
    written: &WrittenBundle,
    address: Address,
    attributes: BTreeMap<String, Arc<Pattern>>,
    after: &BTreeSet<Address>,
    span: Span,
) -> Draft {
    Draft {
        attributes,
        dependencies: whole.dependencies.union(after).cloned().collect(),
        address,
        kind: written.bundle.member_kind().schema().kind.clone(),
        account: whole.account.clone(),
        follows: BTreeMap::new(),
        each: whole.each.clone(),
        depends_on: whole.depends_on.clone(),
        lifecycle: whole.lifecycle.clone(),
        span,
    }
}

/// Describes two members of different instances whose names are the same with the keys of the instances.
fn same_name(span: Span, address: &Address) -> Diagnostic {
    Diagnostic::error("duplicate-item", "duplicate item")
        .with_span(span, format!("two resources would be `{address}`"))
        .with_detail("The key of an instance and the key of what it brings in are put together with `/`.")
        .with_hint("Take keys of `for_each` without `/`.")
}

/// Tells whether a member may have something sensitive in it, given what it is with stand-ins.
fn may_tell(member: &Member, masked: &Member) -> bool {
    member.attributes != masked.attributes || member.attributes.values().any(|value| !value.is_known())
}

impl<'a> Evaluation<'a> {
    /// Returns the values of the attributes that are not null.
    fn inputs(&self, attributes: &'a BTreeMap<String, Arc<Pattern>>) -> Evaluated<ValueMap> {
        let value = |(name, pattern): (&String, &'a Arc<Pattern>)| Ok((name.clone(), self.pattern(pattern)?));
        let values: Result<ValueMap, Failure> = attributes.iter().map(value).collect();
        Ok(values?.into_iter().filter(|(_, value)| !value.is_null()).collect())
    }

    /// Returns an attribute of a member of a bundle.
    pub(crate) fn member(&self, member: &'a MemberAttribute, span: Span) -> Evaluated<Value> {
        let written = &*member.bundle;
        let files = &self.world.files;
        let made = match written.fixed() {
            Some(made) => made,
            None => written.members(self.inputs(&written.attributes)?, self.scope.standing(), files),
        };
        let members = made.map_err(|troubles| {
            let first = troubles.first().expect("what cannot be worked out has a reason");
            Failure::Wrong(written.describe(first, files).into())
        })?;
        let found = members.get(&*member.key).ok_or_else(|| {
            let label = format!("`{}` is no longer among them", member.key.escape_debug());
            wrong("changed-set", "what a block brings in changed after the plan", span, label)
        })?;
        let value = found.attributes.get(&member.attribute).cloned().unwrap_or(Value::Null);
        self.charge(&value, span)?;
        Ok(if member.is_sensitive { self.shown(Cow::Owned(value)).into_owned() } else { value })
    }
}

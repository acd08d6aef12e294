//! What the calls of a kind have to be allowed, as data.
//!
//! The policies that a program prints, and what it asks about before a run, are made of it. A kind
//! says it in [`Resource::PERMISSIONS`](crate::resource::Resource::PERMISSIONS), a gate and a check
//! in a method of theirs:
//!
//! ```
//! # use straddle_engine::permission::Need;
//! const PERMISSIONS: &[Need] = &[
//!     Need::read(&["ec2:DescribeVpcs", "ec2:DescribeVpcAttribute"]),
//!     Need::create(&["ec2:CreateVpc"]).on(&["{arn}"]),
//!     Need::create(&["ec2:CreateTags"]).on(&["{arn}"]).given(&[("ec2:CreateAction", "CreateVpc")]),
//!     Need::update(&["ec2:ModifyVpcAttribute"]).on(&["{arn}"]).setting(&["enable_dns_hostnames"]),
//!     Need::update(&["ec2:CreateTags", "ec2:DeleteTags"]).on(&["{arn}"]).changing(&["tags"]),
//!     Need::delete(&["ec2:DeleteVpc"]).on(&["{arn}"]),
//! ];
//! ```

mod document;
mod grants;
mod pattern;

pub use document::{LONGEST, documents, length};
pub use grants::{Breadth, Grant, Known, Phase, grants};

/// Actions that have to be allowed on some occasion of a thing's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// When they are needed.
    pub occasion: Occasion,
    /// Such as `ec2:CreateVpc`.
    pub actions: &'static [&'static str],
    /// What they are done to: ARNs with [placeholders](Need::on); none if that is not known, or if
    /// the service cannot tell one thing from another.
    pub resources: &'static [&'static str],
    /// Keys of conditions and the values, [placeholders](Need::on) in them, that they have in the calls.
    pub conditions: &'static [(&'static str, &'static str)],
    /// Which change it takes.
    pub cause: Cause,
    /// An attribute and the value without which nothing of this is needed.
    pub only_if: Option<(&'static str, &'static str)>,
}

/// An occasion on which calls are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Occasion {
    /// It is looked at: whenever there is anything to plan.
    Read,
    /// It is made.
    Create,
    /// It is changed, also right after its birth.
    Update,
    /// It is deleted.
    Delete,
}

/// Which change it takes for a call to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Any.
    Any,
    /// That one of these attributes becomes another one, or that a new thing is to have another
    /// value than the default: what gives birth does not take them. To look at a thing and to delete
    /// it, that it has another value than the default, or of what only a service knows, any.
    Setting(&'static [&'static str]),
    /// That one of these attributes of a thing that is there becomes another one.
    Changing(&'static [&'static str]),
    /// That something is not as it usually is, such as a deletion of what others use meanwhile. It
    /// is needed for nothing that can be planned.
    Repair,
}

impl Need {
    const fn new(occasion: Occasion, actions: &'static [&'static str]) -> Self {
        Self { occasion, actions, resources: &[], conditions: &[], cause: Cause::Any, only_if: None }
    }

    /// For looking at the thing.
    #[must_use]
    pub const fn read(actions: &'static [&'static str]) -> Self {
        Self::new(Occasion::Read, actions)
    }

    /// For making it.
    #[must_use]
    pub const fn create(actions: &'static [&'static str]) -> Self {
        Self::new(Occasion::Create, actions)
    }

    /// For changing it.
    #[must_use]
    pub const fn update(actions: &'static [&'static str]) -> Self {
        Self::new(Occasion::Update, actions)
    }

    /// For deleting it.
    #[must_use]
    pub const fn delete(actions: &'static [&'static str]) -> Self {
        Self::new(Occasion::Delete, actions)
    }

    /// Says what the actions are done to. `{partition}`, `{region}` and `{account}` are those of
    /// the thing's account, `{arn}` is [`Resource::ARN`](crate::resource::Resource::ARN), any other
    /// word an attribute: `*` as long as it is not known, one ARN for each item of a list. Without a
    /// value, the ARN is left out, and a need that is left without one is none. `{path|/}` has a
    /// value for then; `{scaling.min}` is inside a table. `{role:arn}` is the ARN of what `role` names,
    /// a thing of the kind that the attribute refers to.
    #[must_use]
    pub const fn on(self, resources: &'static [&'static str]) -> Self {
        Self { resources, ..self }
    }

    /// Says which values keys of conditions have in the calls.
    #[must_use]
    pub const fn given(self, conditions: &'static [(&'static str, &'static str)]) -> Self {
        Self { conditions, ..self }
    }

    /// See [`Cause::Setting`].
    #[must_use]
    pub const fn setting(self, attributes: &'static [&'static str]) -> Self {
        Self { cause: Cause::Setting(attributes), ..self }
    }

    /// See [`Cause::Changing`].
    #[must_use]
    pub const fn changing(self, attributes: &'static [&'static str]) -> Self {
        Self { cause: Cause::Changing(attributes), ..self }
    }

    /// See [`Cause::Repair`].
    #[must_use]
    pub const fn to_repair(self) -> Self {
        Self { cause: Cause::Repair, ..self }
    }

    /// Says that it takes an attribute that has this value, or none that is known yet.
    #[must_use]
    pub const fn only_if(self, attribute: &'static str, value: &'static str) -> Self {
        Self { only_if: Some((attribute, value)), ..self }
    }

    /// Returns every placeholder in its ARNs and conditions, without defaults.
    pub fn placeholders(&self) -> impl Iterator<Item = &'static str> {
        let values = self.conditions.iter().map(|(_, value)| value);
        self.resources.iter().chain(values).flat_map(|pattern| placeholders(pattern))
    }
}

/// Returns the placeholders of a pattern, without defaults.
pub fn placeholders(pattern: &'static str) -> impl Iterator<Item = &'static str> {
    let inside = pattern.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    inside.map(|placeholder| placeholder.split(['|', ':']).next().unwrap_or(placeholder))
}

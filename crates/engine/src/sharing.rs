//! How accounts lend things to each other: what a provider tells of it, as data.
//!
//! The engine knows no cloud, but it orders, checks and waits by this: a resource of one account
//! that stands on a thing of another one needs a share that holds the thing, and is made only
//! once its account sees the thing.

/// How the things of one account are shared with others.
#[derive(Debug, Clone, Copy)]
pub struct Sharing {
    /// The kind of a share, such as `ram_resource_share`. It lives in the account that owns the things.
    pub share: &'static str,
    /// The attribute of a share that names the things: a set.
    pub resources: &'static str,
    /// The attribute of a share that names the accounts, or groups of accounts: a set.
    pub principals: &'static str,
    /// The kinds whose things can be shared.
    pub shareable: &'static [Shareable],
    /// The kind of what has to be there before any share: every share of a spec needs all of these.
    pub precondition: Option<&'static str>,
    /// What to look at when an account does not see what is shared with it, in whole sentences.
    pub advice: &'static str,
}

/// A kind whose things can be used from another account.
#[derive(Debug, Clone, Copy)]
pub struct Shareable {
    /// The kind.
    pub kind: &'static str,
    /// How a share covers it.
    pub cover: Cover,
}

/// How a share covers a thing.
#[derive(Debug, Clone, Copy)]
pub enum Cover {
    /// The share names it, by this attribute.
    Itself {
        /// The attribute of the thing, such as `arn`.
        attribute: &'static str,
    },
    /// The share holds a part of it: a network is seen by whoever sees one of its subnets.
    Part {
        /// The kind of the part.
        kind: &'static str,
        /// The attribute of the part that refers to the thing.
        attribute: &'static str,
    },
}

impl Sharing {
    /// Returns how things of a kind are shared; `None` if they cannot be.
    #[must_use]
    pub fn of(&self, kind: &str) -> Option<&'static Shareable> {
        self.shareable.iter().find(|shareable| shareable.kind == kind)
    }
}

//! The caller of a request, as handlers see it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::Error;

/// Who calls, for whom, and what they may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// On whose account it happens: the person, service or gateway that the credentials name.
    pub subject: String,
    /// The gateway that acts for the subject, if one does.
    pub actor: Option<String>,
    /// What the caller may do.
    pub scopes: Scopes,
}

/// The scopes that credentials hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scopes {
    /// Every scope there is: open mode.
    All,
    /// No scope at all.
    #[default]
    None,
    /// These.
    Only(Arc<BTreeSet<String>>),
}

impl Scopes {
    /// From the `scope` claim: names between spaces.
    pub fn parse(claim: &str) -> Scopes {
        Scopes::Only(Arc::new(claim.split_ascii_whitespace().map(str::to_owned).collect()))
    }

    /// Whether this scope is among them. Nobody holds the empty scope.
    pub fn has(&self, scope: &str) -> bool {
        match self {
            _ if scope.is_empty() => false,
            Scopes::All => true,
            Scopes::None => false,
            Scopes::Only(scopes) => scopes.contains(scope),
        }
    }

    /// Those that both hold.
    #[must_use]
    pub fn and(&self, other: &Scopes) -> Scopes {
        match (self, other) {
            (Scopes::None, _) | (_, Scopes::None) => Scopes::None,
            (Scopes::All, scopes) | (scopes, Scopes::All) => scopes.clone(),
            (Scopes::Only(one), Scopes::Only(two)) => {
                Scopes::Only(Arc::new(one.intersection(two).cloned().collect()))
            }
        }
    }
}

impl Caller {
    /// Nobody in particular, who may do nothing but call public RPCs.
    pub fn anonymous() -> Caller {
        Caller { subject: String::new(), actor: None, scopes: Scopes::None }
    }

    /// The caller of a request. Outside the server stack, where nobody has authenticated the
    /// request, that is nobody in particular.
    pub fn of<T>(request: &tonic::Request<T>) -> Arc<Caller> {
        let caller = request.extensions().get::<Arc<Caller>>();
        caller.cloned().unwrap_or_else(|| Arc::new(Caller::anonymous()))
    }

    /// Whether the caller holds the scope.
    pub fn has(&self, scope: &str) -> bool {
        self.scopes.has(scope)
    }

    /// Refuses a caller that lacks the scope.
    ///
    /// # Errors
    /// PERMISSION_DENIED naming the scope.
    pub fn require(&self, scope: &str) -> Result<(), Error> {
        if self.has(scope) { Ok(()) } else { Err(Error::permission_denied(scope)) }
    }

    /// Refuses a caller that asks for somebody else's records without the scope that lifts
    /// the limit to its own.
    ///
    /// # Errors
    /// PERMISSION_DENIED naming the scope.
    pub fn require_own(&self, owner: &str, all_scope: &str) -> Result<(), Error> {
        if self.subject == owner { Ok(()) } else { self.require(all_scope) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_exact_and_the_empty_one_is_held_by_nobody() {
        let scopes = Scopes::parse(" reports.file  reports.read ");
        assert!(scopes.has("reports.file") && scopes.has("reports.read"));
        assert!(!scopes.has("reports") && !scopes.has("reports.file.all") && !scopes.has(""));
        assert!(!Scopes::All.has("") && Scopes::All.has("x") && !Scopes::None.has("x"));
    }

    #[test]
    fn the_intersection_never_widens() {
        let one = Scopes::parse("a b");
        let two = Scopes::parse("b c");
        assert_eq!(one.and(&two), Scopes::parse("b"));
        assert_eq!(Scopes::All.and(&two), two);
        assert_eq!(one.and(&Scopes::None), Scopes::None);
    }

    #[test]
    fn a_request_outside_the_stack_has_no_rights() {
        let caller = Caller::of(&tonic::Request::new(()));
        assert!(caller.require("x").is_err() && caller.subject.is_empty());
    }

    #[test]
    fn own_records_need_no_further_scope() {
        let scopes = Scopes::parse("x.all");
        let caller = Caller { subject: "me".into(), actor: None, scopes };
        assert!(caller.require_own("me", "y.all").is_ok());
        assert!(caller.require_own("other", "x.all").is_ok());
        assert!(caller.require_own("other", "y.all").is_err());
    }
}

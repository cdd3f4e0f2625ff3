//! What matches and claims of impersonation do to a case.

use kit::Time;

use super::{Added, Case, Refusal};

impl Case {
    /// Adds a match or a claim; its place in the queue never moves back.
    ///
    /// # Errors
    /// `NotOpen`.
    pub fn add_impersonation(&mut self, added: Added<'_>, now: Time) -> Result<(), Refusal> {
        self.check_open()?;
        self.impersonation_count += 1;
        self.absorb(added, now);
        Ok(())
    }

    /// Takes a match or a claim away. When nothing is left and nobody holds the case, it is
    /// withdrawn; who holds it may still decide.
    ///
    /// # Errors
    /// `NotOpen`: a decision or withdrawal stands.
    pub fn withdraw_impersonation(&mut self, now: Time) -> Result<(), Refusal> {
        self.check_open()?;
        self.impersonation_count = (self.impersonation_count - 1).max(0);
        self.taken_away(now);
        Ok(())
    }

    /// Takes note that its evidence changed: who decides must have seen it.
    ///
    /// # Errors
    /// `NotOpen`.
    pub fn evidence_changed(&mut self, now: Time) -> Result<(), Refusal> {
        self.check_open()?;
        self.changed(now);
        Ok(())
    }
}

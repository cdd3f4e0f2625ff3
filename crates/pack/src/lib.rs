//! The policy pack as the services read it: one meaning of "which rule holds here and now", shared
//! by all that need it, and the client that keeps the active version at hand.
//!
//! It must not know how a pack is written, checked or stored (that is the policy service's), nor
//! what any service does with a rule. Everything but [`PackSource`] is pure.

mod source;
mod view;

pub use source::PackSource;
pub use view::{Effective, Pack};

//! Why two names are alike, in words for a person who checks it.

use super::Reading;

/// Says why a name is like a protected one; at most about 160 characters.
#[must_use]
pub fn explain(query: &Reading, protected: &Reading) -> String {
    if query.plain == protected.plain {
        return "equal".to_owned();
    }
    if query.literal == protected.literal {
        return "equal but for case, marks and separators".to_owned();
    }
    if query.looks == protected.looks {
        return "equal in looks".to_owned();
    }
    if query.core == protected.core {
        return "equal but for added words".to_owned();
    }
    if query.latin == protected.latin {
        return "equal in Latin letters".to_owned();
    }
    if query.sound == protected.sound {
        return "sounds alike".to_owned();
    }
    "resembles it".to_owned()
}

//! Reading names: how they look, how they sound, what their words are, what was done to them.

//! The tests of the config-spec language, through its public interface only.

mod ambiguous;
mod blocks;
mod corpus;
mod errors;
mod examples;
mod fuzzed;
mod language;
mod naive;
mod paths;
mod patterns;
mod properties;
mod seeds;
mod support;
mod twin;

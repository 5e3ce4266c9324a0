//! The tests of the config-spec language, through its public interface only.

mod blocks;
mod corpus;
mod errors;
mod examples;
mod fuzzed;
mod patterns;
mod seeds;
mod support;
mod twin;

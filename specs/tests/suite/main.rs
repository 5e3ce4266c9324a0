//! The tests of the config-spec language, through its public interface only.

mod blocks;
mod dates;
mod errors;
mod examples;
mod paths;
mod patterns;
mod selection;
mod support;
mod twin;

//! The adapter against the real kernel. Needs `/dev/fuse`, root, and the package fuse3.

mod changes;
mod endings;
mod forgetting;
mod house;
mod large;
mod memory;
mod warm;

//! Whole programs: the built binary, real repositories, real mounts.
//!
//! Each test has a [`world::World`] of its own: home, view root, tools and daemon. What runs here are commands as a
//! user types them and ordinary programs in a view; nothing of the library is called.

mod attributes;
mod build;
mod catalogue;
mod change_of_spec;
mod check_vob;
mod checkin;
mod checkouts;
mod checkouts_together;
mod comments;
mod config_specs;
mod daemon;
mod edit_config_spec;
mod element_types;
mod events;
mod explain;
mod find;
mod full_disk;
mod history_names;
mod hyperlinks;
mod import;
mod import_again;
mod import_killed;
mod listings;
mod locks;
mod lost_and_found;
mod nameless;
mod names;
mod names_in_views;
mod new_elements;
mod odd_arguments;
mod odd_history;
mod posix_table;
mod private;
mod project;
mod protect;
mod read_only;
mod recover;
mod refused;
mod removals;
mod removals_in_views;
mod repository;
mod restore;
mod retype;
mod rights;
mod seen_elsewhere;
mod set_view;
mod spec_language;
mod stats;
mod transcript;
mod tree;
mod types;
mod versioning;
mod world;

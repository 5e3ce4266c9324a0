//! `hostinfo` and `lsregion`: what this host is.

use super::commands::{Command, no_operands};
use super::options::{Arguments, flag};
use super::session::{CommandResult, Outcome, Session};
use crate::server::identity::host_name;

/// The table entry of `hostinfo`.
pub const HOST: Command = Command {
    name: "hostinfo",
    aliases: &[],
    usage: "[-long] [hostname ...]",
    options: &[flag("l/ong")],
    comments: false,
    run: hostinfo,
};

/// The table entry of `lsregion`.
pub const REGION: Command = Command {
    name: "lsregion",
    aliases: &[],
    usage: "[-short | -long]",
    options: &[flag("s/hort"), flag("l/ong")],
    comments: false,
    run: lsregion,
};

/// The name of the only region there is.
pub const LOCAL_REGION: &str = "local";

fn hostinfo(session: &mut Session, arguments: &Arguments) -> CommandResult {
    let own = host_name();
    let mut hosts: Vec<String> =
        arguments.operands.iter().map(|host| host.to_string_lossy().into_owned()).collect();
    if hosts.is_empty() {
        hosts.push(own.clone());
    }
    let mut all_done = true;
    for host in hosts {
        let is_own = host == own || host == "localhost" || own.split('.').next() == Some(host.as_str());
        if !is_own {
            all_done = false;
            session.error(format!("Unable to contact host \"{host}\": no other host is known.").as_bytes());
            continue;
        }
        for line in lines(&own, arguments.has("long")) {
            session.line(&[line.as_bytes()])?;
        }
    }
    Ok(Outcome::of(all_done))
}

/// Scripts take each line of the long form apart at its first colon.
fn lines(host: &str, long: bool) -> Vec<String> {
    let kernel = |file: &str| {
        let text = std::fs::read_to_string(format!("/proc/sys/kernel/{file}")).unwrap_or_default();
        text.trim().to_owned()
    };
    let product = format!("Clerestory {}", env!("CARGO_PKG_VERSION"));
    let system = format!("{} {}", kernel("ostype"), kernel("osrelease"));
    match long {
        false => vec![format!("{host}: {product} ({system})")],
        true => vec![
            format!("Client: {host}"),
            format!("  Product: {product}"),
            format!("  Operating system: {system}"),
            format!("  Hardware type: {}", std::env::consts::ARCH),
            format!("  Registry host: {host}"),
            format!("  Registry region: {LOCAL_REGION}"),
        ],
    }
}

fn lsregion(session: &mut Session, arguments: &Arguments) -> CommandResult {
    no_operands(arguments)?;
    let title = if arguments.has("long") { "Tag: " } else { "" };
    session.line(&[title.as_bytes(), LOCAL_REGION.as_bytes()])?;
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_a_key_and_a_value() {
        for line in lines("neptune", true).iter().chain(&lines("neptune", false)) {
            let (key, value) = line.split_once(':').expect("a colon");
            assert!(!key.trim().is_empty() && !value.trim().is_empty(), "{line}");
        }
    }
}

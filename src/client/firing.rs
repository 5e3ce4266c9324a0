//! Runs triggers: a call that fires some is held up by the daemon, their actions run here, as the user who gave the
//! command, and the call is made again.
//!
//! Sits between the stub and the connection, so that no command knows of it. No lock of the daemon is held while
//! an action runs. What triggers say is worded here, and their environment made.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::pin::Pin;
use std::process::Command;
use std::sync::Arc;
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Full};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{Bytes, Service, http};
use tonic::transport::Channel;

use super::description::value_type_name;
use super::failure::kind_name;
use super::format::trigger_kind;
use crate::server::proto::host_client::HostClient;
use crate::server::proto::{
    Failure, FailureCode, Firing, FiringsRequest, ObjectKind, SettleFiringsRequest, TriggerActionFacts,
    TriggerActionKind as Action,
};

/// How deep triggers may lie that commands of triggers fire.
const DEPTH_MAX: usize = 10;
/// How deep this process lies.
const DEPTH: &str = "CLERESTORY_TRIGGER_DEPTH";
/// How often a call is made again because something changed while its triggers ran.
const ATTEMPTS: usize = 8;
/// As `server::service::triggers` names them.
const CLEARED: &str = "clerestory-cleared";
const FIRED: &str = "clerestory-fired";

/// What the environment of an action may say: all that does not apply is unset.
const VARIABLES: &[&str] = &[
    "ATTYPE",
    "BRTYPE",
    "CI_FPN",
    "CMDLINE",
    "COMMENT",
    "ELTYPE",
    "FTEXT",
    "FTYPE",
    "FVOB_PN",
    "FXPN",
    "HLTYPE",
    "ID_STR",
    "IS_FROM",
    "LBTYPE",
    "MTYPE",
    "NEW_TYPE",
    "OP_KIND",
    "OUT_PN",
    "PN",
    "PN2",
    "POP_KIND",
    "PPID",
    "REPLACE",
    "RESERVED",
    "SLNKTXT",
    "TRTYPE",
    "TRTYPE_KIND",
    "TTEXT",
    "TTYPE",
    "TVOB_PN",
    "TXPN",
    "USER",
    "VAL",
    "VIEW_KIND",
    "VIEW_TAG",
    "VOB_PN",
    "VTYPE",
    "XN_SFX",
    "XPN",
];

/// The connection to the daemon, with the triggers of what is called.
#[derive(Clone)]
pub struct FiringChannel {
    channel: Channel,
    runner: Arc<Runner>,
}

struct Runner {
    program: String,
    command_line: Option<OsString>,
    depth: usize,
}

impl FiringChannel {
    /// Wraps a connection; `program` begins messages.
    pub fn new(channel: Channel, program: &str, command_line: Option<&OsStr>) -> FiringChannel {
        let depth = std::env::var(DEPTH).ok().and_then(|depth| depth.parse().ok()).unwrap_or(0);
        let (program, command_line) = (program.to_owned(), command_line.map(OsStr::to_owned));
        FiringChannel { channel, runner: Arc::new(Runner { program, command_line, depth }) }
    }

    async fn call(mut self, request: http::Request<Body>) -> Result<http::Response<Body>, Error> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let mut cleared = None;
        for _ in 0..ATTEMPTS {
            let response = self.send(&head, body.clone(), cleared.as_deref()).await?;
            let Some(token) = held_up(&response) else {
                if let Some(token) = response.headers().get(FIRED).and_then(|token| token.to_str().ok()) {
                    let firings = self.firings(token).await?;
                    self.runner.run_all(&firings);
                }
                return Ok(response);
            };
            let firings = self.firings(&token).await?;
            let refused = self.runner.run_all(&firings);
            let request = SettleFiringsRequest { token: token.clone(), refused };
            HostClient::new(self.channel.clone()).settle_firings(request).await?;
            cleared = Some(token);
        }
        let failure = Failure::new(FailureCode::TriggersNotRun);
        Ok(Status::from(failure).into_http())
    }

    async fn send(
        &mut self,
        head: &http::request::Parts,
        body: Bytes,
        cleared: Option<&str>,
    ) -> Result<http::Response<Body>, Error> {
        let mut request = http::Request::from_parts(head.clone(), Body::new(Full::new(body)));
        if let Some(token) = cleared {
            request.headers_mut().insert(CLEARED, token.parse()?);
        }
        std::future::poll_fn(|context| Service::poll_ready(&mut self.channel, context)).await?;
        Ok(Service::call(&mut self.channel, request).await?)
    }

    async fn firings(&self, token: &str) -> Result<Vec<Firing>, Error> {
        let host = HostClient::new(self.channel.clone()).max_decoding_message_size(64 << 20);
        let request = FiringsRequest { token: token.to_owned() };
        Ok({ host }.firings(request).await?.into_inner().firings)
    }
}

type Error = Box<dyn std::error::Error + Send + Sync>;

impl Service<http::Request<Body>> for FiringChannel {
    type Response = http::Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Service::poll_ready(&mut self.channel, context).map_err(Into::into)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(self.clone().call(request))
    }
}

/// The token of the triggers that must run before a call is made again.
fn held_up(response: &http::Response<Body>) -> Option<String> {
    let status = Status::from_header_map(response.headers())?;
    let failure = Failure::from_status(&status)?;
    (failure.code() == FailureCode::TriggersToRun).then_some(failure.text)
}

impl Runner {
    /// Runs what fires, in order; answers the places of those that refused. What one refused, others are not asked about.
    fn run_all(&self, firings: &[Firing]) -> Vec<u32> {
        let mut refused = Vec::new();
        let mut objects = Vec::new();
        for (at, firing) in (0u32..).zip(firings) {
            if firing.before && objects.contains(&firing.object) {
                continue;
            }
            if !self.run(firing) && firing.before {
                refused.push(at);
                objects.push(firing.object);
            }
        }
        refused
    }

    /// Runs the actions of a trigger; tells whether all succeeded.
    fn run(&self, firing: &Firing) -> bool {
        let trigger = String::from_utf8_lossy(&firing.trigger);
        let operation = &firing.operation;
        if self.depth >= DEPTH_MAX {
            self.say(&format!(
                "Error: Triggers fire one another more than {DEPTH_MAX} deep: trigger \"{trigger}\" does not run."
            ));
            return false;
        }
        let environment = self.environment(firing);
        if firing.print {
            let object = [value(&environment, "XPN"), value(&environment, "PN")];
            let object = object.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
            let object = String::from_utf8_lossy(object.as_bytes()).into_owned();
            let about = if object.is_empty() { object } else { format!(" of \"{object}\"") };
            let when = if firing.before { "before" } else { "after" };
            println!("Trigger \"{trigger}\" fires {when} {operation}{about}.");
        }
        for action in &firing.actions {
            let Some(mut command) = command(action, &environment) else { continue };
            for name in VARIABLES {
                command.env_remove(format!("CLEARCASE_{name}"));
            }
            for (name, value) in &environment {
                command.env(format!("CLEARCASE_{name}"), value);
            }
            command.env(DEPTH, (self.depth + 1).to_string());
            let done = match command.status() {
                Ok(status) => status.success(),
                Err(error) => {
                    self.say(&format!("Error: Unable to run the action of trigger \"{trigger}\": {error}."));
                    false
                }
            };
            if done {
                continue;
            }
            if firing.before {
                self.say(&format!("Warning: Trigger \"{trigger}\" has refused to let {operation} proceed."));
                return false;
            }
            self.say(&format!("Warning: Trigger \"{trigger}\" failed after {operation}, which is done."));
        }
        true
    }

    fn environment(&self, firing: &Firing) -> Vec<(String, OsString)> {
        let mut all: Vec<(String, OsString)> = firing
            .variables
            .iter()
            .map(|variable| (variable.name.clone(), OsString::from_vec(variable.value.clone())))
            .collect();
        let when = trigger_kind(firing.before);
        let mut set = |name: &str, value: &str| all.push((name.to_owned(), value.into()));
        set("OP_KIND", &firing.operation);
        set("MTYPE", kind_name(firing.kind()));
        set("TRTYPE_KIND", when);
        set("PPID", &std::process::id().to_string());
        if firing.variables.iter().any(|variable| variable.name == "VIEW_TAG") {
            set("VIEW_KIND", "dynamic");
        }
        for (name, kind) in [("FTYPE", firing.from_kind()), ("TTYPE", firing.to_kind())] {
            if kind != ObjectKind::Unspecified {
                set(name, kind_name(kind));
            }
        }
        if firing.value_type.is_some() {
            set("VTYPE", value_type_name(firing.value_type()));
        }
        if let Some(words) = &self.command_line {
            all.push(("CMDLINE".to_owned(), words.clone()));
        }
        // A variable's value is a C string.
        all.retain(|(_, value)| !value.as_bytes().contains(&0));
        all
    }

    fn say(&self, sentence: &str) {
        // A closed standard error has nobody to tell.
        let _ = io::stdout().flush();
        let _ = writeln!(io::stderr(), "{}: {sentence}", self.program);
    }
}

fn value(environment: &[(String, OsString)], name: &str) -> OsString {
    environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
}

/// The command of an action; none for those of another system.
fn command(action: &TriggerActionFacts, environment: &[(String, OsString)]) -> Option<Command> {
    let name = OsStr::from_bytes(&action.name);
    let text = OsStr::from_bytes(&action.text);
    let object = [value(environment, "XPN"), value(environment, "PN")];
    let object = object.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    let cleartool = |words: &[&OsStr]| {
        let mut command = Command::new("/proc/self/exe");
        command.arg0("cleartool").args(words).stdout(std::process::Stdio::null());
        command
    };
    let word = |word: &'static str| OsStr::new(word);
    Some(match action.kind() {
        Action::Execute | Action::ExecuteUnix => {
            let mut shell = Command::new("/bin/sh");
            shell.arg("-c").arg(text);
            shell
        }
        Action::ExecuteWindows => return None,
        Action::MakeLabel => cleartool(&[word("mklabel"), word("-nc"), word("-replace"), name, &object]),
        Action::MakeAttribute => {
            let value = expanded(&action.text, environment);
            let words =
                [word("mkattr"), word("-nc"), word("-replace"), name, OsStr::from_bytes(&value), &object];
            cleartool(&words)
        }
        Action::MakeHyperlinkTo => {
            cleartool(&[word("mkhlink"), word("-nc"), word("-replace"), name, &object, text])
        }
        Action::MakeHyperlinkFrom => {
            cleartool(&[word("mkhlink"), word("-nc"), word("-replace"), name, text, &object])
        }
    })
}

/// A value in which `%NAME%`, `%CLEARCASE_NAME%` and `$CLEARCASE_NAME` stand for what the environment says.
fn expanded(text: &[u8], environment: &[(String, OsString)]) -> Vec<u8> {
    let value_of = |name: &[u8]| {
        let name = name.strip_prefix(b"CLEARCASE_").unwrap_or(name);
        let found = environment.iter().find(|(known, _)| known.as_bytes() == name);
        found.map(|(_, value)| value.as_bytes().to_vec())
    };
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let end = after.iter().position(|byte| !is_name(byte)).unwrap_or(after.len());
        let found = match first {
            b'%' if after.get(end) == Some(&b'%') => value_of(&after[..end]).map(|value| (value, end + 1)),
            b'$' if after[..end].starts_with(b"CLEARCASE_") => {
                value_of(&after[..end]).map(|value| (value, end))
            }
            _ => None,
        };
        match found {
            Some((value, used)) => {
                out.extend(value);
                rest = &after[used..];
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_attributes_name_variables() {
        let environment = [("OP_KIND".to_owned(), "checkin".into()), ("USER".to_owned(), "anne".into())];
        for (text, expected) in [
            ("\"%OP_KIND%\"", "\"checkin\""),
            ("\"%CLEARCASE_OP_KIND% by $CLEARCASE_USER.\"", "\"checkin by anne.\""),
            ("100% of %X% $USER $CLEARCASE_X", "100% of %X% $USER $CLEARCASE_X"),
        ] {
            assert_eq!(expanded(text.as_bytes(), &environment), expected.as_bytes(), "{text}");
        }
    }
}

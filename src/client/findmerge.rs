//! `findmerge`: finds elements that need a merge from other versions to what the view selects, and does it.
//!
//! `find` names the elements, the daemon tells of each whether it needs a merge, and what is done with it is done as
//! `merge` does it. Where directories are merged, that is done first, until no further one comes into sight; then the
//! files that they reveal.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::Command as Process;

use super::checkout;
use super::commands::{Command, exclusive, missing};
use super::comparison::FORMAT_OPTIONS;
use super::failure;
use super::find;
use super::merging::{Asking, Contributor, How, Work, merges_texts};
use super::options::{Arguments, COMMENT_OPTIONS, OptionSpec, flag, repeated, value};
use super::pname::HISTORY_MARK;
use super::session::{CommandError, CommandResult, Outcome, Session, system_text};
use crate::server::proto::checkout_outcome::Outcome as CheckedOut;
use crate::server::proto::find_item::Item;
use crate::server::proto::merge_facts_outcome::Outcome as Facts;
use crate::server::proto::version_source::Source;
use crate::server::proto::{
    CheckoutArgument, CheckoutRequest, Failure, FailureCode, FindRequest, FindScope, FindVisibility,
    MergeEnd, MergeFacts, MergeFactsRequest, MergeType, ObjectKind, VersionSource,
};

const OPTIONS: &[OptionSpec] = &[
    flag("a/ll"),
    flag("avo/bs"),
    flag("fcs/ets"),
    value("fta/g"),
    value("fve/rsion"),
    flag("fla/test"),
    flag("dep/th"),
    flag("nr/ecurse"),
    flag("d/irectory"),
    flag("fol/low"),
    flag("vis/ible"),
    value("use/r"),
    value("gro/up"),
    repeated("typ/e"),
    value("nam/e"),
    value("ele/ment"),
    flag("nze/ro"),
    flag("nba/ck"),
    flag("why/not"),
    value("log"),
    flag("unr/eserved"),
    flag("nma/ster"),
    flag("q/uery"),
    flag("abo/rt"),
    flag("qal/l"),
    flag("qnt/rivial"),
    value("bta/g"),
    value("fbt/ag"),
    flag("pri/nt"),
    flag("l/ong"),
    flag("s/hort"),
    flag("nxn/ame"),
    flag("mer/ge"),
    flag("okm/erge"),
    flag("gme/rge"),
    flag("okg/merge"),
    repeated("exe/c"),
    repeated("ok"),
    flag("co"),
    FORMAT_OPTIONS[0],
    FORMAT_OPTIONS[1],
    FORMAT_OPTIONS[2],
    FORMAT_OPTIONS[3],
    FORMAT_OPTIONS[4],
    FORMAT_OPTIONS[5],
    FORMAT_OPTIONS[6],
    FORMAT_OPTIONS[7],
    FORMAT_OPTIONS[8],
];

/// The table entry.
pub const COMMAND: Command = Command {
    name: "findm/erge",
    aliases: &[],
    usage: "{pname ... | [pname ...] -all | -avobs}\n       \
            {-ftag view-tag | -fversion version-selector | -flatest}\n       \
            [-depth | -nrecurse | -directory] [-follow] [-visible] [-user login-name] [-group group-name]\n       \
            [-type {f|d|fd}] [-name pattern] [-element query] [-nzero] [-nback] [-whynot] [-log pname]\n       \
            [-unreserved [-nmaster]] [-query | -abort | -qall | -qntrivial] [-serial_format] [{-btag | -fbtag} view-tag]\u{1}\n       \
            {-print [-long | -short | -nxname] | -merge | -okmerge | -gmerge | -okgmerge | -graphical |\n        \
            -exec command | -ok command | -co} ...",
    options: OPTIONS,
    comments: true,
    run,
};

/// Elements about which the daemon is asked together.
const TOGETHER: usize = 256;

/// What is done with an element that needs a merge: the first that succeeds is the last.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Action {
    Print,
    CheckOut,
    Merge { asks: bool, graphical: bool },
    Execute(OsString),
    Ask(OsString),
}

fn actions(arguments: &Arguments) -> Vec<Action> {
    let action = |(word, value): (&str, Option<&OsStr>)| match (word, value) {
        ("print", _) => Some(Action::Print),
        ("co", _) => Some(Action::CheckOut),
        ("merge", _) => Some(Action::Merge { asks: false, graphical: false }),
        ("okmerge", _) => Some(Action::Merge { asks: true, graphical: false }),
        ("gmerge" | "graphical", _) => Some(Action::Merge { asks: false, graphical: true }),
        ("okgmerge", _) => Some(Action::Merge { asks: true, graphical: true }),
        ("exec", Some(command)) => Some(Action::Execute(command.to_owned())),
        ("ok", Some(command)) => Some(Action::Ask(command.to_owned())),
        _ => None,
    };
    arguments.given().filter_map(action).collect()
}

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    let arguments = arguments.clone().with_options_behind(&[OPTIONS, COMMENT_OPTIONS])?;
    exclusive(&arguments, &["all", "avobs", "fcsets"])?;
    exclusive(&arguments, &["ftag", "fversion", "flatest"])?;
    exclusive(&arguments, &["depth", "nrecurse", "directory"])?;
    exclusive(&arguments, &["long", "short", "nxname"])?;
    exclusive(&arguments, &["btag", "fbtag"])?;
    if arguments.has("fcsets") {
        return Err(CommandError::refused("Change sets of activities are not supported yet: name elements."));
    }
    let actions = actions(&arguments);
    if actions.is_empty() {
        return Err(missing("Action (-print, -merge, -gmerge, -exec, -ok or -co)"));
    }
    let source = match (arguments.value("ftag"), arguments.value("fversion")) {
        (Some(_), _) => Source::ViewTag(arguments.text("ftag")),
        (_, Some(selector)) => Source::Selector(selector.as_bytes().to_vec()),
        _ if arguments.has("flatest") => Source::Newest(true),
        _ => return Err(missing("Option -ftag, -fversion or -flatest")),
    };
    let base = ["btag", "fbtag"].into_iter().find(|word| arguments.has(word));
    let base = base.map(|word| Source::ViewTag(arguments.text(word)));
    let how = super::merge::how(session, "findmerge", &without_graphical(&arguments))?;
    let changes = actions.iter().any(|action| matches!(action, Action::Merge { .. } | Action::CheckOut));
    let log = Log::begin(session, &arguments);
    let mut search = Search {
        arguments: &arguments,
        actions,
        source,
        base,
        how,
        typed: Vec::new(),
        seen: HashSet::new(),
        all_done: true,
        log,
    };
    let request = search.request(session)?;
    search.typed = request.pnames.iter().map(|pname| pname.typed.clone()).collect();
    if changes && request.directories {
        // What a merged directory shows may need a merge itself.
        let directories = FindRequest { files: false, ..request.clone() };
        while search.pass(session, &directories)? {}
    }
    let rest = FindRequest { directories: request.directories && !changes, ..request };
    if rest.files || rest.directories {
        search.pass(session, &rest)?;
    }
    search.end(session)
}

/// `-graphical` is an action here, and no way to show differences.
fn without_graphical(arguments: &Arguments) -> Arguments {
    let words: Vec<OsString> = arguments
        .given()
        .filter(|(word, _)| *word != "graphical")
        .flat_map(|(word, value)| {
            let mut option = OsString::from("-");
            option.push(word);
            [Some(option), value.map(OsStr::to_owned)].into_iter().flatten()
        })
        .collect();
    Arguments::parse(&[OPTIONS, COMMENT_OPTIONS], &words).unwrap_or_default()
}

/// A search under way.
struct Search<'a> {
    arguments: &'a Arguments,
    actions: Vec<Action>,
    source: Source,
    base: Option<Source>,
    how: How,
    typed: Vec<Vec<u8>>,
    /// Elements that were looked at, by their identity.
    seen: HashSet<String>,
    all_done: bool,
    log: Log,
}

impl Search<'_> {
    fn request(&self, session: &Session) -> Result<FindRequest, CommandError> {
        let mut request = find::request(session, self.arguments)?;
        if request.links {
            return Err(CommandError::Usage("Option -type takes the letters f and d".to_owned()));
        }
        if !request.files && !request.directories {
            (request.files, request.directories) = (true, true);
        }
        if matches!(request.scope(), FindScope::All | FindScope::AllVobs) {
            // Only what the view shows can be checked out there.
            request.visibility = FindVisibility::Visible.into();
        }
        Ok(request)
    }

    /// Looks at what is found, and acts; tells whether names may have changed.
    fn pass(&mut self, session: &mut Session, request: &FindRequest) -> Result<bool, CommandError> {
        let wanted = request.clone();
        let mut stream = session.call(async |mut host| host.find(wanted).await)?;
        let mut found: Vec<Vec<u8>> = Vec::new();
        while let Some(item) = session.next(&mut stream)? {
            match item.item {
                Some(Item::Rows(rows)) => found.extend(rows.rows.into_iter().map(|row| row.name)),
                Some(Item::Failure(failed)) => {
                    self.all_done = false;
                    let typed = self.typed.get(failed.argument as usize).cloned().unwrap_or_default();
                    session.failure(&failed.failure.unwrap_or_default(), &typed, None);
                }
                Some(Item::Fault(fault)) => {
                    return Err(CommandError::refused(find::not_understood(request, &fault)));
                }
                None => {}
            }
        }
        // Below a directory that was changed names may be others: the next pass finds them.
        let mut changed: Vec<Vec<u8>> = Vec::new();
        let is_below = |name: &[u8], changed: &[Vec<u8>]| {
            // The root of a VOB is called `/vobs/x/.`.
            let behind = |above: &Vec<u8>| name.strip_prefix(above.strip_suffix(b"/.").unwrap_or(above));
            changed.iter().filter_map(behind).any(|rest| rest.first() == Some(&b'/'))
        };
        for names in found.chunks(TOGETHER) {
            let names: Vec<Vec<u8>> =
                names.iter().filter(|name| !is_below(name, &changed)).cloned().collect();
            let facts = self.facts(session, &names)?;
            for (name, facts) in names.iter().zip(facts) {
                if !is_below(name, &changed) && self.element(session, name, facts)? {
                    changed.push(name.clone());
                }
            }
        }
        Ok(!changed.is_empty())
    }

    fn facts(&self, session: &mut Session, names: &[Vec<u8>]) -> Result<Vec<Option<Facts>>, CommandError> {
        let names: Vec<OsString> = names.iter().cloned().map(OsString::from_vec).collect();
        let request = MergeFactsRequest {
            context: Some(session.context()?),
            targets: session.pnames(&names)?,
            sources: vec![VersionSource { source: Some(self.source.clone()) }],
            base: self.base.clone().map(|base| VersionSource { source: Some(base) }),
        };
        let reply = session.call(async |mut host| host.merge_facts(request).await)?;
        Ok(reply.outcomes.into_iter().map(|outcome| outcome.outcome).collect())
    }

    /// Acts on an element that needs a merge; tells whether it is a directory, whose names may have changed.
    fn element(
        &mut self,
        session: &mut Session,
        name: &[u8],
        facts: Option<Facts>,
    ) -> Result<bool, CommandError> {
        let facts = match facts {
            Some(Facts::Done(facts)) => facts,
            Some(Facts::Failure(failure)) => {
                self.all_done = false;
                session.failure(&failure, name, None);
                return Ok(false);
            }
            None => return Ok(false),
        };
        if !self.seen.insert(facts.oid.clone()) {
            return Ok(false);
        }
        let from = facts.sources.first().cloned().unwrap_or_default();
        if let Some(why) = self.why_not(&facts, &from) {
            if let Err(failure) = why {
                self.all_done = false;
                session.failure(&failure, name, None);
            } else if let (Ok(why), true) = (why, self.arguments.has("whynot")) {
                session.line(&[b"No merge \"", name, b"\" [", why.as_bytes(), b"]"])?;
            }
            return Ok(false);
        }
        let mut needs = Needs { name: name.to_vec(), facts, from };
        self.tell(session, &needs)?;
        let mut done = false;
        let actions = self.actions.clone();
        for (at, action) in actions.iter().enumerate() {
            let is_last = at + 1 == actions.len();
            match self.act(session, action, &mut needs, is_last) {
                Ok(true) if *action != Action::Print => {
                    done = true;
                    break;
                }
                Ok(_) => {}
                Err(CommandError::Refused(sentences)) => {
                    sentences.iter().for_each(|sentence| session.error(sentence));
                }
                Err(error) => return Err(error),
            }
        }
        let acts = actions.iter().any(|action| *action != Action::Print);
        self.all_done &= done || !acts;
        self.log.write(session, &needs, &self.how, done);
        Ok(acts && needs.is_directory())
    }

    /// Says why an element needs no merge; nothing where it does.
    fn why_not(&self, facts: &MergeFacts, from: &MergeEnd) -> Option<Result<String, Failure>> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if let Some(failure) = &from.failure {
            return Some(match failure.code() {
                FailureCode::VersionNotFound | FailureCode::NoVersionSelected => {
                    Ok("there is no version to merge from".to_owned())
                }
                _ => Err(failure.clone()),
            });
        }
        let to = text(&facts.target.as_ref().map(|end| end.version.clone()).unwrap_or_default());
        let version = text(&from.version);
        if version.is_empty() {
            return Some(Ok("there is no version to merge from".to_owned()));
        }
        if from.version == to.as_bytes() {
            return Some(Ok(format!("{to} is selected already")));
        }
        if from.merged {
            return Some(Ok(format!("{to} has {version} already")));
        }
        if from.identical {
            return Some(Ok(format!("{to} is the same as {version}")));
        }
        if facts.merge_type() == MergeType::Never {
            return Some(Ok("versions of its element type are not merged".to_owned()));
        }
        if self.arguments.has("nzero") && from.number == 0 {
            return Some(Ok(format!("{version} is a version zero")));
        }
        if self.arguments.has("nback") && from.is_base {
            return Some(Ok(format!("{version} is the base")));
        }
        None
    }

    fn tell(&self, session: &mut Session, needs: &Needs) -> Result<(), CommandError> {
        let Needs { name, facts, from } = needs;
        let end = |end: &Option<MergeEnd>| end.as_ref().map(|end| end.version.clone()).unwrap_or_default();
        let (to, base) = (end(&facts.target), end(&facts.base));
        if self.arguments.has("nxname") {
            return Ok(session.line(&[name])?);
        }
        if self.arguments.has("short") {
            return Ok(session.line(&[name, HISTORY_MARK, &from.version])?);
        }
        let is_copy = !facts.checked_out && facts.target.as_ref().is_some_and(|target| target.is_base);
        let (how, tail) = match is_copy {
            true => (&b"(automatic) to "[..], [b" (base also ", &base[..], b")"].concat()),
            false => (&b"to "[..], [b" base ", &base[..]].concat()),
        };
        session.line(&[b"Needs Merge \"", name, b"\" [", how, &to, b" from ", &from.version, &tail, b"]"])?;
        if self.arguments.has("long") {
            for (word, version) in [("to", &to), ("from", &from.version), ("base", &base)] {
                session.line(&[format!("  {word:<5}").as_bytes(), name, HISTORY_MARK, version])?;
            }
        }
        Ok(())
    }

    /// Does one thing; tells whether it succeeded.
    fn act(
        &self,
        session: &mut Session,
        action: &Action,
        needs: &mut Needs,
        is_last: bool,
    ) -> Result<bool, CommandError> {
        match action {
            Action::Print => Ok(true),
            Action::CheckOut => self.check_out(session, needs),
            Action::Merge { asks, graphical } => {
                let question = [b"Merge \"", &needs.name[..], b"\"?"].concat();
                if *asks && !session.ask(&question, true)? {
                    return Ok(false);
                }
                self.merge(session, needs, *graphical, is_last)
            }
            Action::Execute(command) => execute(session, command, needs),
            Action::Ask(command) => {
                let question = [b"Execute \"", command.as_bytes(), b"\" for \"", &needs.name[..], b"\"?"];
                Ok(session.ask(&question.concat(), false)? && execute(session, command, needs)?)
            }
        }
    }

    /// Checks the element out where it is not, and asks for its facts again.
    fn check_out(&self, session: &mut Session, needs: &mut Needs) -> Result<bool, CommandError> {
        if needs.facts.checked_out {
            return Ok(true);
        }
        let pname = session.pname(OsStr::from_bytes(&needs.name))?;
        let comment = self.how.comment.clone();
        let argument = CheckoutArgument { pname: Some(pname.clone()), comment, exact_version: false };
        let request = CheckoutRequest {
            context: Some(session.context()?),
            arguments: vec![argument],
            unreserved: self.arguments.has("unreserved"),
            ..CheckoutRequest::default()
        };
        let reply = session.call(async |mut host| host.checkout(request).await)?;
        match reply.outcomes.into_iter().next().and_then(|outcome| outcome.outcome) {
            Some(CheckedOut::Done(done)) => {
                if !checkout::report(session, &pname.typed, &done, true)? {
                    return Ok(false);
                }
            }
            Some(CheckedOut::Failure(failure)) => {
                session.failure(&failure, &pname.typed, Some("check out"));
                return Ok(false);
            }
            None => return Ok(false),
        }
        let facts = self.facts(session, std::slice::from_ref(&needs.name))?.into_iter().next().flatten();
        match facts {
            Some(Facts::Done(facts)) => {
                needs.from = facts.sources.first().cloned().unwrap_or_default();
                needs.facts = facts;
                Ok(needs.facts.checked_out)
            }
            Some(Facts::Failure(failure)) => {
                Err(CommandError::Refused(failure::sentences(&failure, &pname.typed, Some("merge"))))
            }
            None => Ok(false),
        }
    }

    fn merge(
        &self,
        session: &mut Session,
        needs: &mut Needs,
        graphical: bool,
        is_last: bool,
    ) -> Result<bool, CommandError> {
        if needs.facts.merge_type() == MergeType::User && !graphical && self.how.asking == Asking::Never {
            let sentence =
                [b"Versions of \"", &needs.name[..], b"\" are merged by the user: use -gmerge."].concat();
            return Err(CommandError::refused(sentence));
        }
        if !self.check_out(session, needs)? {
            return Ok(false);
        }
        // Another way is tried where this one would leave something.
        let asking = if graphical { Asking::Conflicts } else { self.how.asking };
        let how = How {
            asking,
            graphical,
            abort: self.how.abort || !is_last,
            comment: self.how.comment.clone(),
            ..self.how
        };
        let target = session.pname(OsStr::from_bytes(&needs.name))?;
        let Some(base) = &needs.facts.base else { return Ok(false) };
        let manager = needs.facts.manager.as_str();
        let work = Work {
            base: Contributor::version(&target, &base.version),
            sources: vec![Contributor::version(&target, &needs.from.version)],
            target: &target,
            is_text: merges_texts(manager),
            manager,
        };
        let ended = super::merge::finish(session, &work, &how, needs.is_directory())?;
        Ok(ended == Outcome::Done)
    }

    fn end(mut self, session: &mut Session) -> CommandResult {
        if let Some(path) = self.log.end() {
            session.line(&[b"Log has been written to \"", path.as_bytes(), b"\""])?;
        }
        Ok(Outcome::of(self.all_done))
    }
}

/// An element that needs a merge.
struct Needs {
    name: Vec<u8>,
    facts: MergeFacts,
    from: MergeEnd,
}

impl Needs {
    fn is_directory(&self) -> bool {
        self.facts.kind() == ObjectKind::DirectoryVersion
    }
}

/// Runs a command in a shell; tells whether it succeeded.
fn execute(session: &mut Session, command: &OsStr, needs: &Needs) -> Result<bool, CommandError> {
    session.flush()?;
    let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let extended = |version: &[u8]| text(&[&needs.name[..], HISTORY_MARK, version].concat());
    let to = needs.facts.target.as_ref().map(|end| end.version.clone()).unwrap_or_default();
    let status = Process::new("/bin/sh")
        .args([OsStr::new("-c"), command])
        .env("CLEARCASE_PN", text(&needs.name))
        .env("CLEARCASE_XN_SFX", text(HISTORY_MARK))
        .env("CLEARCASE_ID_STR", text(&to))
        .env("CLEARCASE_XPN", extended(&to))
        .env("CLEARCASE_FVER", text(&needs.from.version))
        .env("CLEARCASE_FXPN", extended(&needs.from.version))
        .status();
    match status {
        Ok(status) => Ok(status.success()),
        Err(error) => Err(CommandError::refused(format!("Unable to run /bin/sh: {}.", system_text(&error)))),
    }
}

/// The log: a script of commands that do what was not done.
struct Log {
    path: Option<OsString>,
    file: Option<std::fs::File>,
}

impl Log {
    /// Says where the log goes. The file is made when there is something to write.
    fn begin(session: &Session, arguments: &Arguments) -> Log {
        let now_s = i64::try_from(
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs(),
        );
        let path = match arguments.value("log") {
            Some(path) if path == "/dev/null" || path == "NUL" => None,
            Some(path) => Some(path.to_owned()),
            None => Some(format!("findmerge.log.{}", session.dates.full(now_s.unwrap_or_default())).into()),
        };
        Log { path, file: None }
    }

    fn write(&mut self, session: &mut Session, needs: &Needs, how: &How, done: bool) {
        let Some(path) = self.path.clone() else { return };
        let sign: &[u8] = if done { b"# " } else { b"" };
        let directory: &[u8] = if needs.is_directory() { b" -directory" } else { b"" };
        let comment = match how.comment.is_empty() {
            true => b" -nc".to_vec(),
            false => [b" -c \"", &quoted(&how.comment)[..], b"\""].concat(),
        };
        let line = [
            sign,
            b"cleartool findmerge \"",
            &quoted(&needs.name),
            b"\"",
            directory,
            b" -fver ",
            &needs.from.version,
            b" -log /dev/null -merge",
            &comment,
            b"\n",
        ]
        .concat();
        let written = match &mut self.file {
            Some(file) => file.write_all(&line),
            None => std::fs::File::create(&path).and_then(|mut file| {
                file.write_all(&line)?;
                self.file = Some(file);
                Ok(())
            }),
        };
        if let Err(error) = written {
            self.path = None;
            let reason = system_text(&error);
            session.warning(
                &[b"Unable to write \"", path.as_bytes(), b"\": ", reason.as_bytes(), b"."].concat(),
            );
        }
    }

    /// The path, where something was written.
    fn end(&mut self) -> Option<OsString> {
        self.file.take().and(self.path.take())
    }
}

/// A text between double quotes of a shell.
fn quoted(text: &[u8]) -> Vec<u8> {
    let escaped = |byte: &u8| match byte {
        b'"' | b'\\' | b'$' | b'`' => vec![b'\\', *byte],
        byte => vec![*byte],
    };
    text.iter().flat_map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_keep_their_order() {
        let words = ["-merge", "-gmerge", "-exec", "a", "-print"].map(OsString::from);
        let found = actions(&Arguments::parse(&[OPTIONS], &words).unwrap());
        let merge = |graphical| Action::Merge { asks: false, graphical };
        assert_eq!(found, [merge(false), merge(true), Action::Execute("a".into()), Action::Print]);
    }

    #[test]
    fn names_in_the_log_are_quoted_for_a_shell() {
        assert_eq!(quoted(b"a\"b$c`d\\e f"), b"a\\\"b\\$c\\`d\\\\e f");
    }
}

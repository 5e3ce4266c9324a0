//! `merge`: brings what was done in other versions of a file or directory to its checkout, or to a new file.

use super::commands::{Command, exclusive, missing};
use super::comment::{self, CommentSource, Prompt};
use super::comparison::{Details, FORMAT_OPTIONS, Format};
use super::failure;
use super::merging::{Asking, Contributor, Ended, How, Work, merges_texts};
use super::options::{Arguments, OptionSpec, flag, value};
use super::pname::without_version;
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::merge_facts_outcome::Outcome as Facts;
use crate::server::proto::version_source::Source;
use crate::server::proto::{
    Failure, FailureCode, MergeEnd, MergeFacts, MergeFactsRequest, ObjectKind, Pname, VersionSource,
};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

const OPTIONS: &[OptionSpec] = &[
    value("out"),
    value("to"),
    value("bas/e"),
    flag("ins/ert"),
    flag("del/ete"),
    flag("nda/ta"),
    flag("nar/rows"),
    flag("rep/lace"),
    flag("q/uery"),
    flag("abo/rt"),
    flag("qal/l"),
    flag("qnt/rivial"),
    flag("ver/sion"),
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
    name: "merge",
    aliases: &[],
    usage: "{-out output-pname | -to contrib-&-result-pname} [-graphical | -serial_format | -diff_format | -columns n]\n       \
            [-base pname | -insert | -delete] [-ndata | -narrows] [-replace]\n       \
            [-query | -abort | -qall | -qntrivial] [-options \"pass-through-options\"]\u{1}\n       \
            {-version contrib-version-selector ... | contrib-pname ...}",
    options: OPTIONS,
    comments: true,
    run,
};

/// The options that say what is merged how; `merge` and `findmerge` have them in common.
///
/// # Errors
/// Two that exclude each other.
pub fn how(session: &mut Session, command: &'static str, arguments: &Arguments) -> Result<How, CommandError> {
    exclusive(arguments, &["query", "abort", "qall", "qntrivial", "graphical"])?;
    let source = comment::source(command, arguments, CommentSource::None)?;
    let comment = comment::texts(session, &source, Prompt::Other, &[b"merge"], &[])?.pop();
    let asks = arguments.has("query") || arguments.has("graphical") || session.input_is_terminal();
    Ok(How {
        format: Format::of(arguments)?,
        details: Details::of(arguments)?,
        asking: match () {
            () if arguments.has("qall") => Asking::Always,
            () if arguments.has("qntrivial") => Asking::NotTrivial,
            () if asks && !arguments.has("abort") => Asking::Conflicts,
            () => Asking::Never,
        },
        abort: arguments.has("abort"),
        data: true,
        arrows: true,
        replace: arguments.has("replace"),
        graphical: arguments.has("graphical"),
        comment: comment.unwrap_or_default(),
    })
}

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    let arguments = arguments.clone().with_options_behind(&[OPTIONS, super::options::COMMENT_OPTIONS])?;
    exclusive(&arguments, &["out", "to"])?;
    exclusive(&arguments, &["base", "insert", "delete"])?;
    exclusive(&arguments, &["ndata", "narrows"])?;
    for word in ["insert", "delete"] {
        exclusive(&arguments, &[word, "ndata"])?;
    }
    if arguments.operands.is_empty() {
        return Err(missing("Contributor"));
    }
    match (arguments.value("to"), arguments.value("out")) {
        (Some(to), _) => merge_to(session, &arguments, to),
        (None, Some(out)) => {
            let only_to = ["insert", "delete", "ndata", "replace", "version"];
            if let Some(word) = only_to.iter().find(|word| arguments.has(word)) {
                return Err(CommandError::Usage(format!("Option -{word} goes with -to")));
            }
            merge_out(session, &arguments, out)
        }
        (None, None) => Err(missing("Option -to or -out")),
    }
}

/// The daemon's facts about one target; the sentences for a failure end with what could not be merged.
fn facts(session: &mut Session, request: MergeFactsRequest) -> Result<MergeFacts, CommandError> {
    let target = request.targets[0].typed.clone();
    let reply = session.call_about(&target, async |mut host| host.merge_facts(request).await);
    let failed =
        |failure: &Failure| CommandError::Refused(failure::sentences(failure, &target, Some("merge")));
    match reply?.outcomes.into_iter().next().and_then(|outcome| outcome.outcome) {
        Some(Facts::Done(done)) => Ok(done),
        Some(Facts::Failure(failure)) => Err(failed(&failure)),
        None => Err(failed(&Failure::default())),
    }
}

fn about(typed: &[u8], failure: &Failure) -> CommandError {
    CommandError::Refused(failure::sentences(failure, typed, Some("merge")))
}

fn merge_to(session: &mut Session, arguments: &Arguments, to: &OsStr) -> CommandResult {
    let target = session.pname(to)?;
    let typed = target.typed.clone();
    let selective = arguments.has("insert") || arguments.has("delete");
    if selective && arguments.operands.len() > 2 {
        return Err(CommandError::Usage(
            "Options -insert and -delete take one version, or two for a range".to_owned(),
        ));
    }
    let mut how = how(session, "merge", arguments)?;
    (how.data, how.arrows) = (!arguments.has("ndata"), !arguments.has("narrows") && !selective);
    let facts = facts(session, request(session, arguments, &target)?)?;
    if !facts.checked_out {
        let view_storage = facts.view_storage.clone();
        let failure = Failure { view_storage, ..Failure::new(FailureCode::NotCheckedOut) };
        return Err(about(&typed, &failure));
    }
    for (source, operand) in facts.sources.iter().zip(&arguments.operands) {
        if let Some(failure) = &source.failure {
            let mut sentences = failure::sentences(failure, operand.as_bytes(), None);
            sentences.push([b"Unable to merge \"", &typed[..], b"\"."].concat());
            return Err(CommandError::Refused(sentences));
        }
    }
    let contributor = |(end, operand): (&MergeEnd, &OsString)| match end.version.is_empty() {
        true => Contributor::file(operand.as_bytes()),
        false => Contributor::version(&target, &end.version),
    };
    let all = || facts.sources.iter().zip(&arguments.operands);
    let (base, sources) = if selective {
        selected(arguments, &target, &facts)?
    } else {
        // An arrow that is there is what -replace is about.
        let replaced = |end: &MergeEnd| end.arrow && arguments.has("replace");
        let merged =
            |(end, _): &(&MergeEnd, &OsString)| end.merged && !arguments.has("base") && !replaced(end);
        for (end, _) in all().filter(merged) {
            let name = Contributor::version(&target, &end.version).name;
            session.line(&[b"No merge is needed: \"", &typed, b"\" has \"", &name, b"\" already."])?;
        }
        let sources: Vec<Contributor> = all().filter(|source| !merged(source)).map(contributor).collect();
        if sources.is_empty() {
            return Ok(Outcome::Done);
        }
        let base = match (arguments.value("base"), &facts.base) {
            (_, Some(base)) => Contributor::version(&target, &base.version),
            (Some(path), None) => Contributor::file(path.as_bytes()),
            (None, None) => return Err(no_base(&typed)),
        };
        let foreign = sources.iter().any(|source| source.version.is_empty());
        if foreign && arguments.value("base").is_none() {
            return Err(no_base(&typed));
        }
        (base, sources)
    };
    let is_directory = facts.kind() == ObjectKind::DirectoryVersion;
    if is_directory && sources.iter().chain([&base]).any(|end| end.version.is_empty()) {
        return Err(about(&typed, &Failure::new(FailureCode::NotOfOneElement)));
    }
    let manager = facts.manager.as_str();
    let work = Work { target: &target, base, sources, is_text: merges_texts(manager), manager };
    finish(session, &work, &how, is_directory)
}

fn request(
    session: &Session,
    arguments: &Arguments,
    target: &Pname,
) -> Result<MergeFactsRequest, CommandError> {
    let source = |operand: &OsString| -> Result<VersionSource, CommandError> {
        let source = match arguments.has("version") {
            true => Source::Selector(operand.as_bytes().to_vec()),
            false => Source::Pname(session.pname(operand)?),
        };
        Ok(VersionSource { source: Some(source) })
    };
    let sources: Result<Vec<VersionSource>, CommandError> = arguments.operands.iter().map(source).collect();
    let base = arguments.value("base").map(|base| session.pname(base)).transpose()?;
    Ok(MergeFactsRequest {
        context: Some(session.context()?),
        targets: vec![target.clone()],
        sources: sources?,
        base: base.map(|base| VersionSource { source: Some(Source::Pname(base)) }),
    })
}

fn no_base(typed: &[u8]) -> CommandError {
    CommandError::Refused(vec![
        b"There is no common ancestor: name one with -base.".to_vec(),
        [b"Unable to merge \"", typed, b"\"."].concat(),
    ])
}

/// What -insert and -delete compare: what a version, or a range of versions, changed is done or undone.
fn selected(
    arguments: &Arguments,
    target: &Pname,
    facts: &MergeFacts,
) -> Result<(Contributor, Vec<Contributor>), CommandError> {
    let typed = &target.typed;
    let mut ends: Vec<&MergeEnd> = facts.sources.iter().collect();
    let branch = |end: &MergeEnd| {
        let slash = end.version.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        end.version[..slash].to_vec()
    };
    ends.sort_by_key(|end| end.number);
    let (Some(first), Some(last)) = (ends.first(), ends.last()) else { return Err(missing("Version")) };
    if branch(first) != branch(last) {
        return Err(about(typed, &Failure::new(FailureCode::RangeAcrossBranches)));
    }
    if first.predecessor.is_empty() {
        return Err(about(typed, &Failure::new(FailureCode::NoPredecessor).name(first.version.clone())));
    }
    let (before, after) =
        (Contributor::version(target, &first.predecessor), Contributor::version(target, &last.version));
    Ok(if arguments.has("insert") { (before, vec![after]) } else { (after, vec![before]) })
}

/// Merges, and says what is left.
pub fn finish(session: &mut Session, work: &Work<'_>, how: &How, directory: bool) -> CommandResult {
    let typed = &work.target.typed;
    let ended = match directory {
        true => work.directories(session, how),
        false => work.files(session, how),
    };
    let unable = [b"Unable to merge \"", &typed[..], b"\"."].concat();
    match ended.map_err(|error| error.about_each([unable.clone()]))? {
        Ended::Complete => return Ok(Outcome::Done),
        Ended::Aborted => session.error(b"*** Aborting..."),
        Ended::Unresolved => {
            let (where_left, decide): (&[u8], &[u8]) = match directory {
                true => (b"left in directory", b"decide them (see mv, rmname, -query)"),
                false => (b"marked in", b"edit it"),
            };
            // What draws no arrow has none to record.
            let record: &[u8] = if how.arrows { b", then record the merge with -ndata." } else { b"." };
            let name = [b" \"", &typed[..], b"\": "].concat();
            session.error(&[b"Conflicts are ", where_left, &name, decide, record].concat());
        }
    }
    session.error(&unable);
    Ok(Outcome::Failed)
}

fn merge_out(session: &mut Session, arguments: &Arguments, out: &OsStr) -> CommandResult {
    let how = how(session, "merge", arguments)?;
    let (first, others) = arguments.operands.split_first().ok_or_else(|| missing("Contributor"))?;
    if others.is_empty() {
        return Err(missing("Second contributor"));
    }
    let target = session.pname(first)?;
    let base = match arguments.value("base") {
        Some(base) => Contributor::file(base.as_bytes()),
        None => {
            let mut request = request(session, arguments, &target)?;
            request.sources.remove(0);
            let facts = facts(session, request)?;
            let base =
                facts.base.as_ref().filter(|_| facts.sources.iter().all(|end| !end.version.is_empty()));
            if facts.kind() == ObjectKind::DirectoryVersion {
                let failure = Failure::other("directories are merged to a checkout: use -to");
                return Err(about(&target.typed, &failure));
            }
            let base = base.ok_or_else(|| no_base(&target.typed))?;
            Contributor::version(
                &Pname { absolute: without_version(&target.absolute).to_vec(), ..target.clone() },
                &base.version,
            )
        }
    };
    let sources = others.iter().map(|other| Contributor::file(other.as_bytes())).collect();
    let work = Work { target: &target, base, sources, is_text: true, manager: "" };
    let unable = [b"Unable to merge to \"", out.as_bytes(), b"\"."].concat();
    let ended = work.to_new_file(session, &how, out).map_err(|error| error.about_each([unable.clone()]))?;
    match ended {
        Ended::Complete => return Ok(Outcome::Done),
        Ended::Aborted => session.error(b"*** Aborting..."),
        Ended::Unresolved => session.error(&[b"Conflicts are marked in \"", out.as_bytes(), b"\"."].concat()),
    }
    session.error(&unable);
    Ok(Outcome::Failed)
}

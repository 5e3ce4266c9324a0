//! `checkvob`: tells whether what is stored of a VOB is sound, and mends what can be mended.
//!
//! On a terminal a bar on standard error shows how far it has come.

use super::commands::{Command, missing};
use super::format::dotted;
use super::options::{Arguments, flag};
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::target::typed_vob;
use crate::server::proto::check_vob_item::Item;
use crate::server::proto::{
    BrokenLaw, CheckCounts, CheckPhase, CheckProgress, CheckVobRequest, Law, Selector, SelectorKind,
};
use indicatif::{ProgressBar, ProgressStyle};
use std::ffi::OsString;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "checkv/ob",
    aliases: &[],
    usage: "[-fix] vob-selector ...",
    options: &[flag("fix")],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("VOB selector"));
    }
    let selector = |operand: &OsString| {
        let vob = Some(typed_vob(session, Some(operand))?);
        Ok::<_, CommandError>(Selector { kind: SelectorKind::Vob.into(), name: Vec::new(), vob })
    };
    let vobs: Vec<Selector> = arguments.operands.iter().map(selector).collect::<Result<_, _>>()?;
    let typed: Vec<Vec<u8>> =
        vobs.iter().map(|selector| selector.vob.clone().unwrap_or_default().typed).collect();
    let request = CheckVobRequest { context: Some(session.context()?), vobs, fix: arguments.has("fix") };
    let mut stream = session.call(async |mut host| host.check_vob(request).await)?;
    let mut all_sound = true;
    // Hidden where standard error is no terminal.
    let bar = ProgressBar::new(0);
    while let Some(item) = session.next(&mut stream)? {
        match item.item {
            Some(Item::Progress(progress)) => show(&bar, &progress),
            Some(Item::Broken(broken)) if broken.mended => {
                bar.suspend(|| session.warning(&[&sentence(&broken)[..], b" Mended."].concat()));
            }
            Some(Item::Broken(broken)) => {
                all_sound = false;
                bar.suspend(|| session.error(&sentence(&broken)));
            }
            Some(Item::Counts(counts)) => {
                bar.finish_and_clear();
                session.line(&[&summary(&counts)])?;
                if let Some(hint) = hint(&counts, arguments.has("fix")) {
                    session.warning(hint.as_bytes());
                }
            }
            Some(Item::Failure(failure)) => {
                all_sound = false;
                bar.finish_and_clear();
                let typed = typed.get(item.argument as usize).map(Vec::as_slice).unwrap_or_default();
                session.failure(&failure, typed, Some("check VOB"));
            }
            None => {}
        }
    }
    Ok(Outcome::of(all_sound))
}

fn show(bar: &ProgressBar, progress: &CheckProgress) {
    let (phase, template) = match progress.phase() {
        CheckPhase::Unspecified | CheckPhase::Journal => ("journal", "{msg:>8} {spinner} {elapsed_precise}"),
        CheckPhase::Index => ("index", "{msg:>8} {wide_bar} {percent:>3}% {elapsed_precise}"),
        CheckPhase::Elements => ("elements", "{msg:>8} {wide_bar} {pos}/{len} {eta_precise}"),
    };
    if bar.message() != phase {
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.set_message(phase);
    }
    bar.set_length(progress.total);
    bar.set_position(progress.done);
}

/// What can be done about what is wrong.
fn hint(counts: &CheckCounts, fixed: bool) -> Option<String> {
    let left = counts.broken - counts.mended;
    match (left, fixed) {
        (0, _) => None,
        (_, false) => Some("checkvob -fix mends what can be mended.".to_owned()),
        (1, true) => Some("1 thing cannot be mended: restore the VOB from a backup.".to_owned()),
        (many, true) => Some(format!("{many} things cannot be mended: restore the VOB from a backup.")),
    }
}

fn summary(counts: &CheckCounts) -> Vec<u8> {
    let CheckCounts { vob_tag, elements, versions, catalogs, checkouts, contents, .. } = counts;
    let CheckCounts { broken, mended, frames, records, unused, .. } = counts;
    let found = match broken {
        0 => "nothing is wrong".to_owned(),
        1 => "1 thing is wrong".to_owned(),
        many => format!("{many} things are wrong"),
    };
    let mended = match mended {
        0 => String::new(),
        many => format!(", {many} mended"),
    };
    let counted = format!(
        "{elements} elements, {versions} versions, {catalogs} directory versions, {checkouts} checkouts, \
         {contents} contents read, {unused} that no version has, {frames} journal frames, {records} index records"
    );
    [
        b"Checked VOB \"",
        &vob_tag[..],
        b"\": ",
        found.as_bytes(),
        mended.as_bytes(),
        b" (",
        counted.as_bytes(),
        b").",
    ]
    .concat()
}

/// What is wrong, as a sentence.
fn sentence(broken: &BrokenLaw) -> Vec<u8> {
    let (object, detail) = (&broken.object[..], &broken.detail[..]);
    let about = |before: &[u8], after: &[&[u8]]| [&[before, b" \"", object, b"\""], after].concat().concat();
    let views = broken.views.join(" and ");
    match broken.law() {
        Law::ElementMissing => about(b"There is no record of", &[b"."]),
        Law::NumbersDoNotRise => about(b"Version numbers do not rise on branch", &[b": ", detail, b"."]),
        Law::NumberUsedAgain => {
            about(b"A version number would be used again on branch", &[b": ", detail, b"."])
        }
        Law::NameTwice => about(b"Directory version", &[b" has the name \"", detail, b"\" twice."]),
        Law::BadName => about(b"Directory version", &[b" has an impossible name: \"", detail, b"\"."]),
        Law::LeadsNowhere => {
            about(b"Directory version", &[b" has a name that leads nowhere: \"", detail, b"\"."])
        }
        Law::NameForgotten => about(b"Element", &[b" does not know its name \"", detail, b"\"."]),
        Law::ReservedTwice => {
            about(b"Branch", &[b" is reserved by more than one view: ", views.as_bytes(), b"."])
        }
        Law::CheckedOutTwice => {
            about(b"Element", &[b" is checked out more than once to view \"", views.as_bytes(), b"\"."])
        }
        Law::Detached => {
            about(b"Element", &[b" has something attached to a version that is gone: ", detail, b"."])
        }
        Law::BadTrigger => {
            about(b"Element", &[b" has a trigger that cannot be attached to it: ", detail, b"."])
        }
        Law::ContentMissing => about(b"The data of version", &[b" is missing."]),
        Law::ContentDamaged => about(b"The data of version", &[b" is damaged: ", detail, b"."]),
        Law::Unreachable => about(b"Element", &[b" is in no directory version."]),
        Law::JournalDamaged => [b"The journal is damaged: ", detail, b"."].concat(),
        Law::IndexDiffers if object.is_empty() => {
            [b"The index does not agree with the journal about ", detail, b"."].concat()
        }
        Law::IndexDiffers => about(b"The index does not agree with the journal about", &[b"."]),
        Law::NotCompared => [b"The index cannot be compared with the journal: ", detail, b"."].concat(),
        Law::NoSuchView => {
            let view = broken.views.first().map(|view| dotted(view)).unwrap_or_default();
            about(
                b"Element",
                &[b" is checked out to view \"", view.as_bytes(), b"\", which is not registered."],
            )
        }
        Law::Unreadable | Law::Unspecified => about(b"Element", &[b" cannot be read: ", detail, b"."]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_names_the_object() {
        let broken = |law: Law, object: &str, detail: &str| BrokenLaw {
            law: law.into(),
            object: object.into(),
            detail: detail.into(),
            views: vec!["v".into(), "w".into()],
            mended: false,
        };
        for (broken, expected) in [
            (broken(Law::ContentMissing, "a@@/main/1", ""), "The data of version \"a@@/main/1\" is missing."),
            (
                broken(Law::ReservedTwice, "a@@/main", ""),
                "Branch \"a@@/main\" is reserved by more than one view: v and w.",
            ),
            (broken(Law::Unreachable, "element 7", ""), "Element \"element 7\" is in no directory version."),
        ] {
            assert_eq!(String::from_utf8(sentence(&broken)).unwrap(), expected);
        }
    }

    #[test]
    fn the_last_line_says_how_much_was_looked_at() {
        let counts = CheckCounts { vob_tag: b"/vobs/x".to_vec(), elements: 3, ..CheckCounts::default() };
        let line = String::from_utf8(summary(&counts)).unwrap();
        assert!(line.starts_with("Checked VOB \"/vobs/x\": nothing is wrong (3 elements, "), "{line}");
    }
}

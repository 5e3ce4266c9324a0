//! The words for every failure and notice: the only place where codes become cleartool's sentences.
//!
//! Pure. A sentence is bytes, because names in it are; it has neither the `cleartool: Error: ` before it nor the
//! newline after it.

use super::pname::without_version;
use crate::server::proto::{
    AttributeTypeFacts, Failure, FailureCode, Notice, NoticeCode, ObjectKind, ValueLimit, ValueType,
};

/// Joins pieces of a sentence.
pub fn text(pieces: &[&[u8]]) -> Vec<u8> {
    pieces.concat()
}

/// What a type manager complains of, in its own name.
pub fn type_manager_line(failure: &Failure, pname: &[u8]) -> Option<Vec<u8>> {
    let why: &[u8] = match failure.code() {
        FailureCode::LineTooLong => b"a line exceeding 8000 bytes",
        FailureCode::HasNul => b"a NUL byte",
        _ => return None,
    };
    let hint = b"Use a different type manager (such as compressed file).";
    let says = [&failure.name, &b": Error: \""[..], pname, b"\" is not a 'text file': it contains ", why];
    Some([&says.concat()[..], b".\n", hint].concat())
}

/// The error sentences for a failure of `pname`, the reason first. `verb` (such as `check out`) adds the line
/// `Unable to check out "pname".`
pub fn sentences(failure: &Failure, pname: &[u8], verb: Option<&str>) -> Vec<Vec<u8>> {
    let mut lines = reasons(failure, pname);
    if failure.auto_branch {
        lines.push(b"Unable to create branch requested by -mkbranch option in config spec.".to_vec());
    }
    match (failure.code(), verb) {
        (FailureCode::NotCheckedOut, Some(_)) => {
            lines.push(text(&[b"Unable to find checked out version for \"", pname, b"\"."]));
        }
        (_, Some(verb)) => lines.push(text(&[b"Unable to ", verb.as_bytes(), b" \"", pname, b"\"."])),
        (_, None) => {}
    }
    lines
}

fn reasons(failure: &Failure, pname: &[u8]) -> Vec<Vec<u8>> {
    let name = if failure.name.is_empty() { pname } else { &failure.name };
    let quoted = |before: &str, name: &[u8], after: &str| {
        vec![text(&[before.as_bytes(), b"\"", name, b"\"", after.as_bytes()])]
    };
    let plain = |sentence: &str| vec![sentence.as_bytes().to_vec()];
    match failure.code() {
        FailureCode::NotAVobObject => quoted("Not a vob object: ", name, "."),
        FailureCode::NotAnElement => quoted("Not an element: ", name, "."),
        FailureCode::NoSuchFile => quoted("Unable to access ", name, ": No such file or directory."),
        FailureCode::NotADirectory => quoted("Unable to access ", name, ": Not a directory."),
        FailureCode::AlreadyCheckedOut => vec![text(&[
            b"Element \"",
            name,
            b"\" is already checked out to view \"",
            failure.view_tag.as_bytes(),
            b"\".",
        ])],
        FailureCode::ReservedElsewhere => vec![text(&[
            b"Branch \"",
            &failure.branch,
            b"\" of element is checked out reserved by view ",
            failure.view_tag.as_bytes(),
            b" (\"",
            &failure.view_storage,
            b"\").",
        ])],
        FailureCode::Identical => {
            plain("By default, won't create version with data identical to predecessor.")
        }
        FailureCode::NotPredecessor => quoted(
            "The most recent version on branch ",
            &failure.branch,
            " is not the predecessor of this version.",
        ),
        FailureCode::NotCheckedOut => {
            quoted("No branch of element is checked out to view ", &failure.view_storage, ".")
        }
        FailureCode::DirectoryNotCheckedOut => {
            quoted("Can't modify directory ", &directory_of(name), " because it is not checked out.")
        }
        FailureCode::EntryExists => quoted("Entry named ", name, " already exists."),
        FailureCode::TypeNotFound => {
            let kind = capitalized(kind_name(failure.object_kind()));
            quoted(&format!("{kind} not found: "), &failure.name, ".")
        }
        FailureCode::NotInAVob => quoted("Pathname is not within a VOB: ", name, ""),
        FailureCode::NoVobHere => plain("Unable to determine VOB for pathname \".\"."),
        FailureCode::AbstractType => quoted(
            "Element type ",
            &failure.name,
            " is abstract: give a type that is made from it (see lstype -kind eltype).",
        ),
        FailureCode::EmptyLimits => plain("No value can be within these limits."),
        FailureCode::NotOfOneElement => {
            quoted("", name, " is no version of the same element: a common ancestor needs versions of one.")
        }
        FailureCode::EmptyLinkText => plain("The text of a symbolic link cannot be empty."),
        FailureCode::CommentOfOther => {
            let other = [without_version(pname), b"@@", &failure.branch].concat();
            quoted("The comment of this event belongs to ", &other, ".")
        }
        FailureCode::NoView => plain("Cannot get view info for current view: not a ClearCase object."),
        FailureCode::NoSuchViewTag => {
            quoted("No matching entries found for view tag ", failure.view_tag.as_bytes(), ".")
        }
        FailureCode::NoSuchVobTag => quoted("No matching entries found for VOB tag ", name, "."),
        FailureCode::TagInUse => quoted("A registry entry already exists for ", name, "."),
        FailureCode::BadTag => vec![text(&[b"Invalid tag \"", name, b"\": ", failure.text.as_bytes(), b"."])],
        FailureCode::StorageExists => quoted("Storage directory ", name, " already exists."),
        FailureCode::NoSpace => plain("No space left on device."),
        FailureCode::ReadOnly => plain("Read-only file system."),
        FailureCode::Permission => permission(failure),
        FailureCode::BranchExists => vec![text(&[
            b"Element already has a branch of type \"",
            &failure.name,
            b"\" (\"",
            &failure.branch,
            b"\").",
        ])],
        FailureCode::FileChangedDuringCheckin => {
            quoted("", name, " was changed while it was being checked in.")
        }
        FailureCode::NameTooLong => quoted("Unable to access ", name, ": File name too long."),
        FailureCode::Damaged => vec![text(&[b"Storage is damaged: ", failure.text.as_bytes(), b"."])],
        FailureCode::Internal => vec![text(&[
            b"Internal error: ",
            failure.text.as_bytes(),
            b". The daemon's log has more; please report it.",
        ])],
        FailureCode::Other => vec![text(&[capitalized(&failure.text).as_bytes(), b"."])],
        FailureCode::AlreadyMounted => vec![text(&[name, b" is already mounted."])],
        FailureCode::NotMounted => vec![text(&[name, b" is not mounted."])],
        FailureCode::Busy => quoted("", name, " is in use."),
        FailureCode::VersionNotFound => quoted("Version not found: ", name, "."),
        FailureCode::NoCheckoutRule => {
            quoted("The config spec rule that selects ", name, " says -nocheckout.")
        }
        FailureCode::NoVersionSelected => quoted("No version selected: ", name, "."),
        FailureCode::PrivateDirectoryInTheWay => {
            quoted("A view private directory named ", name, " already exists.")
        }
        FailureCode::Locked => locked(failure, pname),
        FailureCode::SystemError => {
            let reason = system_reason(failure);
            quoted("Unable to access ", name, &format!(": {reason}."))
        }
        FailureCode::NewerFormat => quoted("Storage ", name, " has a newer format than this program knows."),
        FailureCode::NotARepository => {
            let mut sentence = text(&[b"Not a repository: \"", name, b"\""]);
            if !failure.text.is_empty() {
                sentence.extend_from_slice(format!(" ({})", failure.text).as_bytes());
            }
            sentence.push(b'.');
            vec![sentence]
        }
        FailureCode::EmptyRepository => quoted("Repository has no commits: ", name, "."),
        FailureCode::ViewNotStarted => {
            quoted("View ", failure.view_tag.as_bytes(), " is not started: use startview.")
        }
        FailureCode::VersionNameNotAllowed => {
            quoted("A version-extended name is not allowed here: ", name, ".")
        }
        FailureCode::BadName => quoted("Invalid name: ", name, "."),
        FailureCode::NameExists => quoted("Name ", name, " already exists."),
        FailureCode::TypeInUse => {
            let instances = match failure.object_kind() {
                ObjectKind::Version => "labels",
                ObjectKind::Branch => "branches",
                ObjectKind::FileElement => "elements",
                ObjectKind::AttributeType => "attributes",
                ObjectKind::TriggerType => "triggers",
                _ => "hyperlinks",
            };
            quoted(&format!("There are {instances} of type "), name, ".")
        }
        FailureCode::Predefined => quoted("Type ", name, " is predefined and cannot be changed."),
        FailureCode::LabelExists => quoted("Version label of type ", name, " already on element."),
        FailureCode::NoSuchLabel => quoted("No version label of type ", name, " on element."),
        FailureCode::VersionIsCheckedOut => quoted("Version is checked out: ", name, "."),
        FailureCode::AmbiguousVersion => quoted("Ambiguous version: ", name, "."),
        FailureCode::BadVersionSelector => quoted("Invalid version selector: ", name, "."),
        FailureCode::HasCheckouts => quoted("Element ", name, " has checkouts."),
        FailureCode::DirectoryInItself => quoted("Directory ", name, " would be inside itself."),
        FailureCode::LinkAcrossVobs => {
            let reason = "A hard link cannot lead to another VOB: make a symbolic link with \"ln -slink\".";
            plain(reason)
        }
        FailureCode::MoveAcrossVobs => {
            plain("A name cannot be moved to another VOB: make a symbolic link there with \"ln -slink\".")
        }
        FailureCode::EvilTwin => evil_twin(failure, name),
        FailureCode::EvilTwinRenamed => evil_twin_renamed(failure, name),
        FailureCode::NotNewest => {
            let directory = directory_of(name);
            quoted(
                "Can't modify directory ",
                &directory,
                ": the selected version is not the newest on its branch.",
            )
        }
        FailureCode::FixedName => quoted("", name, " is part of the VOB and keeps its name and place."),
        FailureCode::LastName => {
            quoted("Object ", name, " has no name but the one in lost+found: move it out.")
        }
        FailureCode::TriggersToRun | FailureCode::TriggersNotRun => {
            plain("Triggers must run first that this command did not run: repeat it.")
        }
        // The trigger has been told of.
        FailureCode::TriggerRefused => Vec::new(),
        FailureCode::TriggerAttached => quoted("Trigger ", name, " is already attached."),
        FailureCode::TriggerNotAttached => quoted("Trigger ", name, " is not attached."),
        FailureCode::TriggerNotAttachable => quoted(
            "Trigger type ",
            name,
            " fires without being attached: only those made with -element and without -all are attached.",
        ),
        FailureCode::NamedTwice => quoted("", name, " is named more than once."),
        FailureCode::DirectoryHasNoData => quoted("", name, " is a directory element: it takes no data."),
        FailureCode::AlreadyLocked => plain("Object is already locked."),
        FailureCode::NotLocked => plain("Object is not locked."),
        FailureCode::NotLockable => plain("Only VOBs, type objects, elements and branches can be locked."),
        FailureCode::NotProtectable => {
            plain("Only elements and type objects have a protection, and type objects no permission bits.")
        }
        FailureCode::NotRetypable => plain("Only elements and branches have a type that can be changed."),
        FailureCode::UnknownGroup => quoted("Unknown group: ", name, "."),
        FailureCode::GroupNotInVob => quoted("Group ", name, " is not in the VOB's group list."),
        FailureCode::GroupOfNewObject => vec![text(&[
            b"Can't create object with group (",
            name,
            b") that is not in the VOB's group list.",
        ])],
        FailureCode::BadMode => quoted("Invalid mode: ", name, "."),
        FailureCode::TypeOfOtherKind => quoted(
            "Type ",
            name,
            " is not for this kind of element: files and directories stay what they are.",
        ),
        FailureCode::OtherManager => plain("The type manager of the new type is another one."),
        FailureCode::NoSuchEvent => quoted("There is no such event of ", pname, "."),
        FailureCode::UnknownUser => quoted("Unknown user: ", name, "."),
        FailureCode::CheckedOutVersions => checked_out_versions(failure),
        FailureCode::VersionZero => {
            quoted("Can't delete version ", name, ": it goes with its branch only (see rmbranch).")
        }
        FailureCode::RootBranch => match failure.name.is_empty() {
            true => plain(
                "Can't delete the root branch of an element: it goes with the element only (see rmelem).",
            ),
            false => quoted("Can't delete ", name, ": it is the root branch of its element (see rmelem)."),
        },
        FailureCode::VersionInUse => version_in_use(failure),
        FailureCode::NotABranch => quoted("Not a branch: ", name, "."),
        FailureCode::RangeAcrossBranches => plain("The two versions of the range are on different branches."),
        FailureCode::EmptyRange => plain("There are no versions between the two of the range."),
        FailureCode::DataRemoved => quoted("The data of version ", name, " was removed."),
        FailureCode::DirectoryData => {
            plain("Versions of a directory element have no data: remove the whole version.")
        }
        FailureCode::RemovedAlready => quoted("", name, " is removed by an earlier argument."),
        FailureCode::ImportedRemoved => plain(
            "Something that an earlier import brought was removed from this VOB: import into a new VOB.",
        ),
        FailureCode::AttributeExists if failure.branch.is_empty() => {
            quoted("Object already has an attribute of type ", &failure.name, ".")
        }
        FailureCode::AttributeExists => vec![text(&[
            b"Version \"",
            &failure.branch,
            b"\" already has the attribute of type \"",
            &failure.name,
            b"\".",
        ])],
        FailureCode::NoSuchAttribute => quoted("Object has no attribute of type ", &failure.name, "."),
        FailureCode::BadValue => {
            let (form, _) = value_words(&failure.attribute.clone().unwrap_or_default());
            vec![text(&[b"Invalid value: ", &failure.name, b": it must be ", form.as_bytes(), b"."])]
        }
        FailureCode::ValueNotAllowed => {
            let (_, allowed) = value_words(&failure.attribute.clone().unwrap_or_default());
            vec![text(&[b"Value not allowed: ", name, b": it must be ", allowed.as_bytes(), b"."])]
        }
        FailureCode::NoDefaultValue => quoted("Attribute type ", &failure.name, " has no default value."),
        FailureCode::NothingToAttachTo => {
            let kind = kind_name(failure.object_kind());
            quoted(&format!("Attributes and hyperlinks cannot be attached to a {kind}: "), name, ".")
        }
        FailureCode::LineTooLong | FailureCode::HasNul => {
            quoted("Type manager ", name, " failed create_version operation.")
        }
        FailureCode::NoElementType => no_element_type(failure),
        FailureCode::NoPredecessor => quoted("There is no predecessor of ", name, "."),
        FailureCode::InvalidManagerOperation => vec![text(&[
            b"Type manager \"",
            &failure.name,
            b"\" failed ",
            failure.operation.as_bytes(),
            b" operation: Invalid manager operation.",
        ])],
        FailureCode::NotDone => plain("Nothing was done because another object failed."),
        FailureCode::Unspecified => {
            vec![text(&[b"The daemon reported an unknown error. ", failure.text.as_bytes()])]
        }
    }
}

/// What an attribute value must be, and which values its type allows.
fn value_words(facts: &AttributeTypeFacts) -> (&'static str, String) {
    let form = match facts.value_type() {
        ValueType::String => "a string in double quotes, such as '\"text\"'",
        ValueType::Integer => "an integer",
        ValueType::Real => "a real number",
        ValueType::Time => "a date-time",
        ValueType::Opaque => "an even number of hexadecimal digits",
    };
    let limits = [(&facts.lower, ">=", ">"), (&facts.upper, "<=", "<")];
    let limit = |(limit, closed, open): (&Option<ValueLimit>, &str, &str)| {
        let ValueLimit { value, inclusive } = limit.as_ref()?;
        Some(format!("{} {value}", if *inclusive { closed } else { open }))
    };
    let limits: Vec<String> = limits.into_iter().filter_map(limit).collect();
    let allowed = match facts.enumeration.is_empty() {
        true => limits.join(" and "),
        false => format!("one of {}", facts.enumeration.join(", ")),
    };
    (form, allowed)
}

/// No rule of the magic files, which `text` names, leads to a type that the VOB has.
fn no_element_type(failure: &Failure) -> Vec<Vec<u8>> {
    let mut lines = vec![text(&[b"Can't pick element type from rules in ", failure.text.as_bytes(), b"."])];
    if !failure.name.is_empty() {
        lines.push(text(&[b"The VOB has none of the element types: ", &failure.name]));
    }
    lines
}

/// The directory in which a typed name is, as the user would type it.
fn directory_of(pname: &[u8]) -> Vec<u8> {
    let pname = match pname {
        [head @ .., b'/'] if !head.is_empty() => head,
        pname => pname,
    };
    let end = pname.iter().rposition(|byte| *byte == b'/');
    let (directory, leaf) = match end {
        Some(0) => (&b"/"[..], &pname[1..]),
        Some(end) => (&pname[..end], &pname[end + 1..]),
        None => (&b"."[..], pname),
    };
    match leaf {
        b"." if end.is_none() => b"..".to_vec(),
        b"." | b".." => [pname, b"/.."].concat(),
        _ => directory.to_vec(),
    }
}

/// An element that had the name before, and the command that brings it back.
fn evil_twin(failure: &Failure, name: &[u8]) -> Vec<Vec<u8>> {
    let directory = directory_of(name);
    // The root of a VOB has no name inside the VOB.
    let extended = match directory.as_slice() {
        b"." => b".@@".to_vec(),
        directory if failure.directory == b"." => [directory, b"/.@@"].concat(),
        directory => [directory, b"@@"].concat(),
    };
    let leaf = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
    let twin = [&extended, &failure.branch[..], b"/", leaf].concat();
    vec![
        text(&[b"Entry named \"", name, b"\" was another element: \"", &twin, b"\"."]),
        text(&[b"To bring it back, use: cleartool ln ", &shell_word(&twin), b" ", &shell_word(name)]),
    ]
}

/// An element that had the name before and has another one in the same directory, and the command that gives it back.
fn evil_twin_renamed(failure: &Failure, name: &[u8]) -> Vec<Vec<u8>> {
    let leaf = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
    let present = [&name[..name.len() - leaf.len()], &failure.directory].concat();
    let (from, to) = (shell_word(&present), shell_word(name));
    vec![
        text(&[b"Entry named \"", name, b"\" was another element, which is \"", &present, b"\" now."]),
        text(&[b"To give it that name back, use: cleartool mv ", &from, b" ", &to]),
    ]
}

/// A name as a shell takes it for one word.
fn shell_word(name: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./@+-,:%=".contains(byte) || *byte >= 0x80;
    if name.iter().all(plain) {
        return name.to_vec();
    }
    let quoted = name.iter().flat_map(|byte| match byte {
        b'\'' => b"'\\''".to_vec(),
        byte => vec![*byte],
    });
    [&b"'"[..], &quoted.collect::<Vec<u8>>(), b"'"].concat()
}

fn permission(failure: &Failure) -> Vec<Vec<u8>> {
    let operation = &failure.operation;
    let mut lines = vec![
        format!("No permission to perform operation \"{operation}\".").into_bytes(),
        format!("Must be one of: {}", failure.must_be_one_of.join(", ")).into_bytes(),
    ];
    if !failure.view_tag.is_empty() {
        lines.push(format!("Unable to {operation} for view \"{}\".", failure.view_tag).into_bytes());
    }
    lines
}

/// Checkouts keep an element, branch or version from being removed.
fn checked_out_versions(failure: &Failure) -> Vec<Vec<u8>> {
    let what: &[u8] = match failure.object_kind() {
        ObjectKind::FileElement | ObjectKind::DirectoryElement => b"element",
        ObjectKind::Branch => b"branch",
        _ => return vec![b"Can't delete version from which checkouts were made.".to_vec()],
    };
    let name = match &failure.name[..] {
        b"" => Vec::new(),
        name => [b" \"", name, b"\""].concat(),
    };
    vec![text(&[b"Can't delete ", what, &name, b" with checked out versions."])]
}

/// What a version carries keeps it from being removed, and the option that takes it along.
fn version_in_use(failure: &Failure) -> Vec<Vec<u8>> {
    let (what, option) = match failure.object_kind() {
        ObjectKind::Branch => ("branches sprout from it", "-xbranch"),
        ObjectKind::LabelType => ("it has labels", "-xlabel"),
        ObjectKind::AttributeType => ("it has attributes", "-xattr"),
        _ => ("it has hyperlinks", "-xhlink"),
    };
    let reason = format!("\": {what} (use {option} to remove it all the same).");
    vec![text(&[b"Can't delete version \"", &failure.name, reason.as_bytes()])]
}

fn locked(failure: &Failure, pname: &[u8]) -> Vec<Vec<u8>> {
    let base = match (failure.name.is_empty(), failure.directory.is_empty()) {
        (false, _) => failure.name.clone(),
        (true, false) => directory_of(pname),
        (true, true) => without_version(pname).to_vec(),
    };
    let name = match failure.branch.is_empty() {
        true => base,
        false => [&base[..], b"@@", &failure.branch].concat(),
    };
    let mut lines = vec![match failure.object_kind() {
        ObjectKind::Vob => text(&[b"Lock on VOB database \"", &name, b"\" prevents all write operations."]),
        kind => text(&[
            b"Lock on ",
            kind_name(kind).as_bytes(),
            b" \"",
            &name,
            &match failure.operation.as_str() {
                "" => b"\" prevents this operation.".to_vec(),
                operation => format!("\" prevents operation \"{operation}\".").into_bytes(),
            },
        ]),
    }];
    if !failure.must_be_one_of.is_empty() {
        let users = failure.must_be_one_of.join(" ");
        lines.push(text(&[b"Object locked except for users: ", users.as_bytes(), b"."]));
    }
    lines
}

/// The warning that the working directory's view is used although another one is set.
pub fn two_views(working: &str, set: &str) -> Vec<u8> {
    format!("Using working directory view \"{working}\" instead of set view \"{set}\".").into_bytes()
}

fn system_reason(failure: &Failure) -> String {
    if failure.errno == 0 {
        return failure.text.trim_end_matches('.').to_owned();
    }
    let text = std::io::Error::from_raw_os_error(failure.errno).to_string();
    // The standard library adds the number, which cleartool does not.
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// The warning sentences of a notice about `pname`; none for notices that are no warnings.
pub fn warnings(notice: &Notice) -> Vec<Vec<u8>> {
    match notice.code() {
        NoticeCode::LostAndFound => vec![
            text(&[b"Object \"", &notice.name, b"\" no longer referenced."]),
            text(&[b"Moving object to vob lost+found directory as \"", &notice.name_there, b"\"."]),
        ],
        NoticeCode::OnlyVersionZero => {
            vec![text(&[b"This uncheckout left only version zero on branch \"", &notice.branch, b"\"."])]
        }
        NoticeCode::CheckedInNotSelected => vec![b"Version checked in is not selected by view.".to_vec()],
        NoticeCode::CheckedOutNotSelected => vec![b"Checked-out version is not selected by view.".to_vec()],
        NoticeCode::DifferentVersion => {
            vec![b"Version checked out is different from version previously selected by view.".to_vec()]
        }
        NoticeCode::MovedAside => {
            vec![text(&[b"Existing view private object saved as \"", &notice.name, b"\"."])]
        }
        NoticeCode::MovedWithCheckouts => vec![text(&[
            b"Moved element with checkouts to \"",
            &notice.name,
            b"\";\nview private data may need to be moved.",
        ])],
        NoticeCode::CopiedCheckedOut
        | NoticeCode::CreatedBranch
        | NoticeCode::ReferencesRemoved
        | NoticeCode::Unspecified => Vec::new(),
    }
}

/// What listings and messages call a kind of object.
pub fn kind_name(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Unspecified => "object",
        ObjectKind::Version => "version",
        ObjectKind::DirectoryVersion => "directory version",
        ObjectKind::FileElement => "file element",
        ObjectKind::DirectoryElement => "directory element",
        ObjectKind::Branch => "branch",
        ObjectKind::SymbolicLink => "symbolic link",
        ObjectKind::ViewPrivateObject => "view private object",
        ObjectKind::DerivedObject => "derived object",
        ObjectKind::BranchType => "branch type",
        ObjectKind::LabelType => "label type",
        ObjectKind::ElementType => "element type",
        ObjectKind::AttributeType => "attribute type",
        ObjectKind::HyperlinkType => "hyperlink type",
        ObjectKind::TriggerType => "trigger type",
        ObjectKind::Hyperlink => "hyperlink",
        ObjectKind::Vob => "versioned object base",
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(failure: Failure, verb: Option<&str>) -> Vec<String> {
        sentences(&failure, b"f.c", verb).into_iter().map(|line| String::from_utf8(line).unwrap()).collect()
    }

    #[test]
    fn failures_have_cleartools_words() {
        let base = Failure { view_tag: "v".into(), ..Failure::new(FailureCode::AlreadyCheckedOut) };
        assert_eq!(
            lines(base, Some("check out")),
            ["Element \"f.c\" is already checked out to view \"v\".", "Unable to check out \"f.c\"."]
        );
        let base = Failure { view_storage: b"h:/v.vws".to_vec(), ..Failure::new(FailureCode::NotCheckedOut) };
        assert_eq!(
            lines(base, Some("check in")),
            [
                "No branch of element is checked out to view \"h:/v.vws\".",
                "Unable to find checked out version for \"f.c\"."
            ]
        );
        let base = Failure {
            branch: b"/main".to_vec(),
            view_tag: "v".into(),
            view_storage: b"h:/v.vws".to_vec(),
            ..Failure::new(FailureCode::ReservedElsewhere)
        };
        assert_eq!(
            lines(base, None),
            ["Branch \"/main\" of element is checked out reserved by view v (\"h:/v.vws\")."]
        );
        let base = Failure {
            object_kind: ObjectKind::LabelType.into(),
            name: b"REL1".to_vec(),
            ..Failure::new(FailureCode::TypeNotFound)
        };
        assert_eq!(lines(base, None), ["Label type not found: \"REL1\"."]);
        let base = Failure { errno: libc::EACCES, ..Failure::new(FailureCode::SystemError) };
        assert_eq!(lines(base, None), ["Unable to access \"f.c\": Permission denied."]);
        let base = Failure {
            operation: "set config spec".into(),
            must_be_one_of: vec!["view owner".into(), "root".into()],
            view_tag: "v".into(),
            ..Failure::new(FailureCode::Permission)
        };
        assert_eq!(
            lines(base, None),
            [
                "No permission to perform operation \"set config spec\".",
                "Must be one of: view owner, root",
                "Unable to set config spec for view \"v\"."
            ]
        );
    }

    #[test]
    fn the_directory_of_a_name_is_named_as_it_would_be_typed() {
        for (name, directory) in [
            ("f.c", "."),
            ("src/f.c", "src"),
            ("src/", "."),
            ("/f", "/"),
            ("/vobs/x/f", "/vobs/x"),
            (".", ".."),
            ("..", "../.."),
            ("a/..", "a/../.."),
            ("./f", "."),
        ] {
            assert_eq!(directory_of(name.as_bytes()), directory.as_bytes(), "{name}");
        }
    }

    #[test]
    fn an_evil_twin_is_told_with_the_command_that_brings_the_element_back() {
        let twin = |name: &str, directory: &str| {
            let failure = Failure {
                branch: b"/main/4".to_vec(),
                directory: directory.into(),
                ..Failure::new(FailureCode::EvilTwin)
            };
            let lines = sentences(&failure, name.as_bytes(), Some("create element"));
            String::from_utf8(lines.join(&b'\n')).unwrap()
        };
        assert_eq!(
            twin("f.c", "."),
            "Entry named \"f.c\" was another element: \".@@/main/4/f.c\".\n\
             To bring it back, use: cleartool ln .@@/main/4/f.c f.c\n\
             Unable to create element \"f.c\"."
        );
        assert!(twin("src/a b", "").contains("cleartool ln 'src@@/main/4/a b' 'src/a b'\n"));
        assert!(twin("/vobs/x/f", ".").contains("\"/vobs/x/.@@/main/4/f\""));
    }

    #[test]
    fn lost_objects_are_told_in_two_lines() {
        let notice = Notice {
            code: NoticeCode::LostAndFound.into(),
            name: b"prog.c".to_vec(),
            name_there: b"prog.c.5f68".to_vec(),
            ..Notice::default()
        };
        let lines = warnings(&notice);
        assert_eq!(lines[0], b"Object \"prog.c\" no longer referenced.");
        assert_eq!(lines[1], b"Moving object to vob lost+found directory as \"prog.c.5f68\".");
    }
}

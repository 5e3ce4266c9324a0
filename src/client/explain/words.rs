//! The phrases of explanations: why rules did not decide, why checkouts are refused, what is where.
//!
//! Pure.

use crate::client::dates::Dates;
use crate::client::failure::text;
use crate::server::proto::explained_name::Object;
use crate::server::proto::explanation::Finding;
use crate::server::proto::{
    CheckoutForecast, CheckoutRefusal, ElementState, ExplainedElement, ExplainedName, Explanation,
    MissedRule, PrivateKind, RuleMiss, RuleScope,
};

/// Why a rule did not decide, about `element` if it is one, in the view `view_tag`.
pub fn miss(
    missed: &MissedRule,
    element: Option<&ExplainedElement>,
    view_tag: &str,
    dates: &Dates,
) -> Vec<u8> {
    let plain = |words: &str| words.as_bytes().to_vec();
    let named = |before: &str, after: &str| {
        text(&[before.as_bytes(), b" \"", &missed.type_name, b"\"", after.as_bytes()])
    };
    match missed.why() {
        RuleMiss::Unspecified => plain("does not apply"),
        RuleMiss::OtherVob => plain("pattern: of another VOB"),
        RuleMiss::Pattern => plain("pattern: does not match"),
        RuleMiss::Scope => scope(missed, element),
        RuleMiss::NoSuchElementType => named("scope: the VOB has no element type", ""),
        RuleMiss::NoSuchBranchType => named("the VOB has no branch type", ""),
        RuleMiss::NoSuchBranch => plain("the element has no such branch"),
        RuleMiss::NoSuchLabelType => named("the VOB has no label type", ""),
        RuleMiss::NotLabelled => named("no version has the label", ""),
        RuleMiss::NoSuchVersion => plain("no such version on the branch"),
        RuleMiss::BranchYoungerThanTime => {
            let cut_off = missed.rule.as_ref().and_then(|rule| rule.not_after_s);
            match cut_off {
                Some(time_s) => plain(&format!("nothing on the branch as early as {}", dates.full(time_s))),
                None => plain("nothing on the branch is early enough"),
            }
        }
        RuleMiss::QueryFails => plain("the query holds for no version"),
        RuleMiss::NotInConfigRecord => plain("the config record does not mention the element"),
        RuleMiss::NotCheckedOut => plain(&format!("not checked out to view \"{view_tag}\"")),
    }
}

fn scope(missed: &MissedRule, element: Option<&ExplainedElement>) -> Vec<u8> {
    let wants_type = missed.rule.as_ref().is_some_and(|rule| rule.scope() == RuleScope::ElementType);
    match element {
        Some(element) if wants_type => text(&[b"scope: element type is ", &element.element_type]),
        Some(element) if element.directory => b"scope: it is a directory".to_vec(),
        Some(_) => b"scope: it is a file".to_vec(),
        None => b"scope: of other elements".to_vec(),
    }
}

/// What a checkout would do, where that is more than checking out the version selected.
pub fn forecast(forecast: &CheckoutForecast, selected: &[u8]) -> Option<Vec<u8>> {
    let words = foretold(forecast, selected);
    if !forecast.hidden {
        return words;
    }
    let words = words.unwrap_or_else(|| text(&[b"will check out ", &forecast.from]));
    Some(text(&[&words, b"; no rule would show the checked-out version"]))
}

fn foretold(forecast: &CheckoutForecast, selected: &[u8]) -> Option<Vec<u8>> {
    let refused = |why: &[&[u8]]| Some(text(&[b"would be refused: ", &text(why)]));
    match forecast.refusal() {
        CheckoutRefusal::None if !forecast.creates_branches.is_empty() => {
            let branches = forecast.creates_branches.join(&b"\", then \""[..]);
            Some(text(&[
                b"will first create branch \"",
                &branches,
                b"\" at ",
                selected,
                b", then check out ",
                &forecast.from,
            ]))
        }
        CheckoutRefusal::None if forecast.from != selected => {
            Some(text(&[b"will check out ", &forecast.from, b", the newest of the branch"]))
        }
        // Said by what is selected.
        CheckoutRefusal::None | CheckoutRefusal::AlreadyCheckedOut | CheckoutRefusal::NotSelected => None,
        CheckoutRefusal::Rule => refused(&[b"the rule says -nocheckout"]),
        CheckoutRefusal::NoSuchBranchType => {
            refused(&[b"the VOB has no branch type \"", &forecast.branch, b"\" to create a branch of"])
        }
        CheckoutRefusal::BranchExists => refused(&[
            b"the branch to create is there already, and no rule before selects it: ",
            &forecast.branch,
        ]),
        CheckoutRefusal::ReservedElsewhere => refused(&[
            b"branch ",
            &forecast.branch,
            b" is checked out reserved by view \"",
            forecast.view_tag.as_bytes(),
            b"\"; -unreserved would do",
        ]),
        CheckoutRefusal::TooManyBranches => refused(&[b"the -mkbranch rules ask for branches on and on"]),
        CheckoutRefusal::Permission => refused(&[b"no permission"]),
        CheckoutRefusal::LostAndFound => refused(&[b"lost+found is never checked out"]),
    }
}

/// What a private object is.
pub fn private_kind(kind: PrivateKind) -> &'static str {
    match kind {
        PrivateKind::File => "view-private file",
        PrivateKind::Directory => "view-private directory",
        PrivateKind::SymbolicLink => "view-private symbolic link",
        PrivateKind::Other => "view-private special file",
    }
}

/// The element of a name, if it leads to one.
pub fn element(name: &ExplainedName) -> Option<&ExplainedElement> {
    match &name.object {
        Some(Object::Element(element)) => Some(element),
        Some(Object::Symlink(_)) | None => None,
    }
}

/// Whether programs can open what is at the path explained.
pub fn is_visible(explanation: &Explanation) -> bool {
    match &explanation.finding {
        Some(Finding::Name(name)) => match &name.object {
            Some(Object::Element(element)) => {
                matches!(element.state(), ElementState::Version | ElementState::CheckedOut)
            }
            Some(Object::Symlink(_)) => name.trail.as_ref().is_some_and(|trail| trail.decided_by.is_some()),
            None => false,
        },
        Some(Finding::Private(_) | Finding::History(_)) => true,
        Some(Finding::Absence(_) | Finding::Unmounted(_)) | None => false,
    }
}

/// Whether the explanation says all: false where the path goes on beyond what a view decides, behind a symbolic link
/// that leads out of its VOBs.
pub fn is_whole(explanation: &Explanation) -> bool {
    if explanation.below.is_empty() || !is_visible(explanation) {
        return true;
    }
    matches!(&explanation.finding, Some(Finding::Private(private)) if private.hides.is_some())
}

//! What triggers of a call are known: which it was told to run, which it ran, and what fires after it.
//!
//! A call that fires triggers is made twice. The first time nothing is committed: what would fire before its
//! operations is kept under a token, which the caller gets. Its process runs the actions and says which of them
//! refused. The second time a commit passes whose triggers are among those that ran, for exactly the objects, the
//! operation and the values that they were told. Knows no operation and no definition.

use super::identity::Caller;
use super::proto::{Context, Firing};
use crate::view::View;
use crate::view::inode::VobIndex;
use crate::vob::{ElementNo, TriggerOperation, TypeKind};
use parking_lot::Mutex;
use prost::Message;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// How many calls may have something under a token; the oldest are forgotten, and their calls are made anew.
const TOKENS_MAX: usize = 1_024;

/// What a trigger fires for: what planners ask about before they plan an argument.
#[derive(Clone, Eq, PartialEq, Hash, Debug)]
pub enum Subject {
    /// The VOB itself.
    Vob,
    /// An element, or something of it.
    Element(ElementNo),
    /// A name in a directory.
    Name(ElementNo, Box<[u8]>),
    /// A type object, which need not be there yet.
    Type(TypeKind, String),
}

/// A trigger that fires, and what for.
#[derive(Clone, Debug)]
pub struct Fired {
    /// What the client is told.
    pub firing: Firing,
    /// Its VOB.
    pub vob: VobIndex,
    /// What it fires for.
    pub subject: Subject,
}

type Key = [u8; 32];

impl Fired {
    /// Names the firing: another object, operation or value gives another one.
    fn key(&self) -> Key {
        let text = [&self.vob.0.to_be_bytes()[..], &self.firing.encode_to_vec()].concat();
        *blake3::hash(&text).as_bytes()
    }
}

/// What a caller says of the triggers that it was told to run.
#[derive(Debug, Default)]
pub struct Clearance {
    passed: HashSet<Key>,
    refused: HashSet<Key>,
    subjects: HashSet<(VobIndex, Subject)>,
}

/// What is known of one call while it is answered.
#[derive(Default)]
struct Current {
    /// Nothing is committed: the triggers are only asked for.
    asks: bool,
    clearance: Clearance,
    context: Option<Context>,
    place: Option<(Arc<View>, Vec<u8>)>,
    hints: Vec<(&'static str, Vec<u8>)>,
    command: Option<TriggerOperation>,
    /// What still has to run before.
    before: Vec<Fired>,
    after: Vec<Fired>,
    /// A commit was held up because nothing is committed yet.
    was_held: bool,
    has_committed: bool,
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

/// How a call that may fire triggers went.
pub struct Went<A> {
    /// Its answer; none where it was held up.
    pub answer: Option<A>,
    /// What has to run before it is made again.
    pub before: Vec<Fired>,
    /// What fires after it.
    pub after: Vec<Fired>,
}

/// Answers a call that may fire triggers: as a question first, unless the caller has a clearance.
pub fn answering<A>(clearance: Option<Clearance>, mut answer: impl FnMut() -> A) -> Went<A> {
    let mut run = |asks: bool, clearance: Clearance| {
        CURRENT.set(Some(Current { asks, clearance, ..Current::default() }));
        let answer = answer();
        (answer, CURRENT.take().unwrap_or_default())
    };
    let clearance = match clearance {
        Some(clearance) => clearance,
        None => match run(true, Clearance::default()) {
            (answer, current) if !current.was_held => {
                return Went { answer: Some(answer), before: Vec::new(), after: current.after };
            }
            (_, current) if !current.before.is_empty() => {
                return Went { answer: None, before: current.before, after: Vec::new() };
            }
            _ => Clearance::default(),
        },
    };
    let (answer, Current { before, after, has_committed, .. }) = run(false, clearance);
    match before.is_empty() || has_committed {
        true => Went { answer: Some(answer), before: Vec::new(), after },
        false => Went { answer: None, before, after: Vec::new() },
    }
}

fn with<T>(ask: impl FnOnce(&mut Current) -> T) -> Option<T> {
    CURRENT.with_borrow_mut(|current| current.as_mut().map(ask))
}

/// Remembers where a command was given.
pub fn note_context(context: &Context) {
    with(|current| {
        current.context.get_or_insert_with(|| context.clone());
    });
}

/// Remembers the view of the first path of a call, and what stands before paths in it.
pub fn note_place(view: &Arc<View>, above: &[u8]) {
    with(|current| {
        current.place.get_or_insert_with(|| (Arc::clone(view), above.to_vec()));
    });
}

/// Remembers something of the request that actions find in their environment.
pub fn note_hint(name: &'static str, value: &[u8]) {
    with(|current| current.hints.push((name, value.to_vec())));
}

/// Remembers the command's own operation, where others go along with it.
pub fn note_command(operation: TriggerOperation) {
    with(|current| current.command = Some(operation));
}

/// The context of the call.
pub fn context() -> Option<Context> {
    with(|current| current.context.clone()).flatten()
}

/// The view of the call's first path, and what stands before paths in it.
pub fn place() -> Option<(Arc<View>, Vec<u8>)> {
    with(|current| current.place.clone()).flatten()
}

/// What was noted of the request.
pub fn hints() -> Vec<(&'static str, Vec<u8>)> {
    with(|current| current.hints.clone()).unwrap_or_default()
}

/// The command's own operation, where that was noted.
pub fn command() -> Option<TriggerOperation> {
    with(|current| current.command).flatten()
}

/// Tells whether a trigger of the call refused this.
pub fn is_refused(vob: VobIndex, subject: impl FnOnce() -> Subject) -> bool {
    with(|current| {
        let subjects = &current.clearance.subjects;
        !subjects.is_empty() && subjects.contains(&(vob, subject()))
    })
    .unwrap_or(false)
}

/// What a commit may do.
#[derive(Clone, Copy, Eq, PartialEq, Debug)]
pub enum Verdict {
    /// All that had to run has run.
    Pass,
    /// Something has to run first, or nothing is committed yet.
    Hold,
    /// A trigger refused it.
    Refused,
}

/// Judges a commit by what fires before it, and keeps what fires after it until it is done.
pub fn judge(before: Vec<Fired>) -> Verdict {
    let strict = if before.is_empty() { Verdict::Pass } else { Verdict::Hold };
    with(|current| {
        if current.asks {
            current.was_held = true;
            current.before.extend(before);
            return Verdict::Hold;
        }
        let keys: Vec<Key> = before.iter().map(Fired::key).collect();
        if keys.iter().any(|key| current.clearance.refused.contains(key)) {
            return Verdict::Refused;
        }
        if keys.iter().all(|key| current.clearance.passed.contains(key)) {
            return Verdict::Pass;
        }
        current.before.extend(before);
        Verdict::Hold
    })
    .unwrap_or(strict)
}

/// Remembers that a commit was done, and what fires after it.
pub fn committed(after: Vec<Fired>) {
    with(|current| {
        current.has_committed = true;
        current.after.extend(after);
    });
}

/// What is under a token.
struct Kept {
    user: u32,
    process: i32,
    fired: Vec<Fired>,
    clearance: Option<Clearance>,
}

/// What callers have under tokens.
#[derive(Default)]
pub struct Tokens(Mutex<Table>);

#[derive(Default)]
struct Table {
    next: u64,
    kept: HashMap<String, Kept>,
    order: VecDeque<String>,
}

impl Tokens {
    /// Keeps what fires for a caller.
    pub fn keep(&self, caller: &Caller, fired: Vec<Fired>) -> String {
        let mut table = self.0.lock();
        table.next += 1;
        let token = format!("{}.{}", caller.process_id, table.next);
        let (user, process) = (caller.user_id, caller.process_id);
        table.kept.insert(token.clone(), Kept { user, process, fired, clearance: None });
        table.order.push_back(token.clone());
        while table.order.len() > TOKENS_MAX {
            if let Some(oldest) = table.order.pop_front() {
                table.kept.remove(&oldest);
            }
        }
        token
    }

    /// What fires under a token of the caller.
    pub fn firings(&self, caller: &Caller, token: &str) -> Option<Vec<Firing>> {
        let table = self.0.lock();
        let kept = table.kept.get(token).filter(|kept| kept.is_of(caller))?;
        let mut objects: HashMap<(VobIndex, &Subject), u32> = HashMap::new();
        let firing = |fired| {
            let Fired { firing, vob, subject }: &Fired = fired;
            let next = objects.len() as u32;
            Firing { object: *objects.entry((*vob, subject)).or_insert(next), ..firing.clone() }
        };
        Some(kept.fired.iter().map(firing).collect())
    }

    /// Notes that what is under a token has run; tells whether there is such a token.
    pub fn settle(&self, caller: &Caller, token: &str, refused: &[u32]) -> bool {
        let mut table = self.0.lock();
        let Some(kept) = table.kept.get_mut(token).filter(|kept| kept.is_of(caller)) else { return false };
        let mut clearance = Clearance::default();
        for (at, fired) in (0u32..).zip(&kept.fired) {
            match refused.contains(&at) {
                true => {
                    clearance.refused.insert(fired.key());
                    clearance.subjects.insert((fired.vob, fired.subject.clone()));
                }
                false => drop(clearance.passed.insert(fired.key())),
            }
        }
        kept.clearance = Some(clearance);
        true
    }

    /// Takes a clearance, which is good for one call.
    pub fn take(&self, caller: &Caller, token: &str) -> Option<Clearance> {
        let mut table = self.0.lock();
        if !table.kept.get(token)?.is_of(caller) {
            return None;
        }
        table.order.retain(|other| other != token);
        table.kept.remove(token)?.clearance
    }
}

impl Kept {
    fn is_of(&self, caller: &Caller) -> bool {
        (self.user, self.process) == (caller.user_id, caller.process_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(trigger: &str, version: &str) -> Fired {
        let variables = vec![super::super::proto::TriggerVariable {
            name: "ID_STR".to_owned(),
            value: version.as_bytes().to_vec(),
        }];
        let firing =
            Firing { trigger: trigger.as_bytes().to_vec(), before: true, variables, ..Firing::default() };
        Fired { firing, vob: VobIndex(1), subject: Subject::Element(ElementNo(7)) }
    }

    fn caller(process_id: i32) -> Caller {
        Caller { process_id, ..Caller::of_user(5, 5) }
    }

    /// A call that commits once, where these fire before.
    fn call(clearance: Option<Clearance>, before: &[Fired]) -> Went<Verdict> {
        answering(clearance, || {
            let verdict = judge(before.to_vec());
            if verdict == Verdict::Pass {
                committed(Vec::new());
            }
            verdict
        })
    }

    #[test]
    fn a_commit_passes_only_after_exactly_its_triggers_ran_for_this_caller() {
        let tokens = Tokens::default();
        let went = call(None, &[fired("T", "/main/1")]);
        assert!(went.answer.is_none() && went.before.len() == 1);
        let token = tokens.keep(&caller(9), went.before);
        assert!(tokens.firings(&caller(8), &token).is_none() && !tokens.settle(&caller(8), &token, &[]));
        assert!(tokens.settle(&caller(9), &token, &[]));
        assert!(tokens.take(&caller(8), &token).is_none());
        let clearance = tokens.take(&caller(9), &token);
        assert!(clearance.is_some() && tokens.take(&caller(9), &token).is_none());
        // Another version, in the meantime.
        let went = call(clearance, &[fired("T", "/main/2")]);
        assert!(went.answer.is_none() && went.before.len() == 1);
        let token = tokens.keep(&caller(9), went.before);
        tokens.settle(&caller(9), &token, &[]);
        let went = call(tokens.take(&caller(9), &token), &[fired("T", "/main/2")]);
        assert_eq!(went.answer, Some(Verdict::Pass));
    }

    #[test]
    fn what_a_trigger_refused_is_refused() {
        let tokens = Tokens::default();
        let token = tokens.keep(&caller(9), vec![fired("T", "/main/1"), fired("U", "/main/1")]);
        tokens.settle(&caller(9), &token, &[1]);
        let went = answering(tokens.take(&caller(9), &token), || {
            (is_refused(VobIndex(1), || Subject::Element(ElementNo(7))), judge(vec![fired("U", "/main/1")]))
        });
        assert_eq!(went.answer, Some((true, Verdict::Refused)));
    }

    #[test]
    fn whoever_makes_no_call_runs_no_trigger_and_commits_nothing_that_has_one() {
        assert_eq!((judge(vec![]), judge(vec![fired("T", "/main/1")])), (Verdict::Pass, Verdict::Hold));
    }
}

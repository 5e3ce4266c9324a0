//! What readers see while others change it: eight threads read files, names and directories in two views, and every
//! answer must be what was right at some moment between the question and the answer.
//!
//! `CLERESTORY_READERS_CHANGES` says how many changes a run makes, if not as many as usual.

use crate::model::LABELS;
use crate::product::mounted::Mounted;
use crate::product::{Commands, Files, Product};
use crate::random::Random;
use clerestory::server::proto::*;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, RwLock};

const FILES: usize = 6;
/// Files that have a second name, in a directory.
const NAMES: usize = 4;
const READERS: usize = 8;
/// Earlier states that are told of a wrong answer.
const SHOWN: usize = 4;
/// Changes of a run, unless something else is asked for.
pub const CHANGES: usize = 10_000;
const DIRECTORY: &str = "d";
/// The tag of the view that nobody changes.
const PLAIN: &str = "plain";

/// What the views show at one moment.
#[derive(Clone, Debug)]
struct State {
    /// The newest version of each file.
    newest: [usize; FILES],
    /// The version that has the label.
    labelled: [usize; FILES],
    /// The rule of the view whose config spec changes.
    by_label: bool,
    /// Whether the directory has a name for the file.
    named: [bool; NAMES],
}

impl State {
    fn version(&self, file: usize, plain: bool) -> usize {
        if self.by_label && !plain { self.labelled[file] } else { self.newest[file] }
    }
}

/// All moments, and which of them are now.
struct Story {
    states: RwLock<Vec<State>>,
    /// The newest state that anybody may see.
    begun: AtomicUsize,
    /// The oldest one that anybody may still see.
    ended: AtomicUsize,
    over: AtomicBool,
    turn: Mutex<()>,
    moved: Condvar,
}

impl Story {
    fn tell(&self, change: impl FnOnce()) {
        let turn = self.turn.lock().expect("nobody panics here");
        change();
        drop(turn);
        self.moved.notify_all();
    }

    /// Waits until something changes, or everything is over.
    fn wait(&self, known: (usize, usize)) {
        let is_known = || (self.begun.load(Ordering::SeqCst), self.ended.load(Ordering::SeqCst)) == known;
        let mut turn = self.turn.lock().expect("nobody panics here");
        while is_known() && !self.over.load(Ordering::SeqCst) {
            turn = self.moved.wait(turn).expect("nobody panics here");
        }
    }

    /// Makes a change and what it leads to known before it is begun, and that it has ended.
    fn change(&self, next: State, make: impl FnOnce()) {
        let mut states = self.states.write().expect("nobody panics here");
        states.push(next);
        let number = states.len() - 1;
        drop(states);
        self.tell(|| self.begun.store(number, Ordering::SeqCst));
        make();
        self.tell(|| self.ended.store(number, Ordering::SeqCst));
    }
}

fn name(file: usize) -> String {
    format!("f{file}")
}

/// A version's text. One file is large, so that it is read in pieces.
fn content(file: usize, version: usize) -> Vec<u8> {
    let lines = if file == 0 { 9_000 } else { 40 + version % 7 };
    format!("file {file} version {version}\n").repeat(lines).into_bytes()
}

/// Which version of a file this is.
fn version_of(file: usize, bytes: &[u8]) -> Result<usize, String> {
    let line = String::from_utf8_lossy(bytes.split(|byte| *byte == b'\n').next().unwrap_or_default());
    let version = line.strip_prefix(&format!("file {file} version ")).and_then(|word| word.parse().ok());
    match version {
        Some(version) if bytes == content(file, version) => Ok(version),
        _ => Err(format!("a mixture: {} bytes that begin with {line:?}", bytes.len())),
    }
}

/// One thread that reads in one view.
struct Reader<'a> {
    story: &'a Story,
    top: &'a Path,
    plain: bool,
    random: Random,
    /// A file that stays open: which, and its version.
    held: Option<(File, usize, usize)>,
}

impl Reader<'_> {
    /// Reads until everything is over, and returns how many answers were right.
    fn run(mut self) -> Result<usize, String> {
        let mut count = 0;
        loop {
            let known = (self.story.begun.load(Ordering::SeqCst), self.story.ended.load(Ordering::SeqCst));
            let over = self.story.over.load(Ordering::SeqCst);
            self.look()?;
            count += 1;
            if over {
                return Ok(count);
            }
            self.story.wait(known);
        }
    }

    fn look(&mut self) -> Result<(), String> {
        let file = self.random.below(FILES);
        match self.random.below(5) {
            0 => self.list(),
            1 => self.named(file % NAMES),
            2 => self.held(file),
            _ => self.read(file),
        }
    }

    /// Fails unless what was seen since state `first` is right in one of the states until now.
    fn judge(&self, first: usize, seen: &str, right: impl Fn(&State) -> bool) -> Result<(), String> {
        let last = self.story.begun.load(Ordering::SeqCst);
        let states = self.story.states.read().expect("nobody panics here");
        match states[first..=last].iter().any(right) {
            true => Ok(()),
            false => {
                let before = &states[first.saturating_sub(SHOWN)..first];
                let right = &states[first..=last];
                Err(format!("{}: {seen}; right: {right:?}; before: {before:?}", self.top.display()))
            }
        }
    }

    fn first(&self) -> usize {
        self.story.ended.load(Ordering::SeqCst)
    }

    fn content(&self, path: &Path, file: usize) -> Result<Option<usize>, String> {
        let told = |error: std::io::Error| format!("{}: {error}", path.display());
        let mut opened = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(told)?,
        };
        let mut bytes = Vec::new();
        opened.read_to_end(&mut bytes).map_err(told)?;
        let length = opened.metadata().map_err(told)?.len();
        if length != bytes.len() as u64 {
            return Err(format!("{}: {length} bytes are said, {} read", path.display(), bytes.len()));
        }
        version_of(file, &bytes).map(Some).map_err(|what| format!("{}: {what}", path.display()))
    }

    fn read(&self, file: usize) -> Result<(), String> {
        let first = self.first();
        let found = self.content(&self.top.join(name(file)), file)?;
        self.judge(first, &format!("f{file} is version {found:?}"), |state| {
            found == Some(state.version(file, self.plain))
        })
    }

    fn named(&self, file: usize) -> Result<(), String> {
        let first = self.first();
        let found = self.content(&self.top.join(DIRECTORY).join(name(file)), file)?;
        self.judge(first, &format!("{DIRECTORY}/f{file} is version {found:?}"), |state| {
            found == state.named[file].then(|| state.version(file, self.plain))
        })
    }

    fn list(&self) -> Result<(), String> {
        let first = self.first();
        let directory = self.top.join(DIRECTORY);
        let told = |error: std::io::Error| format!("{}: {error}", directory.display());
        let mut found = [false; NAMES];
        for entry in std::fs::read_dir(&directory).map_err(told)? {
            let entry = entry.map_err(told)?.file_name();
            let file = (0..NAMES).find(|file| *name(*file) == *entry);
            found[file.ok_or_else(|| format!("{}: {entry:?}", directory.display()))?] = true;
        }
        self.judge(first, &format!("{DIRECTORY} has {found:?}"), |state| found == state.named)
    }

    /// Reads on in a file that was opened long ago, or opens one.
    fn held(&mut self, file: usize) -> Result<(), String> {
        let told = |error: std::io::Error| format!("f{file}, opened before: {error}");
        match self.held.take() {
            None => {
                let first = self.first();
                let path = self.top.join(name(file));
                let opened = File::open(&path).map_err(told)?;
                let mut bytes = Vec::new();
                (&opened).read_to_end(&mut bytes).map_err(told)?;
                let version = version_of(file, &bytes)?;
                self.held = Some((opened, file, version));
                self.judge(first, &format!("f{file} is version {version}"), |state| {
                    version == state.version(file, self.plain)
                })
            }
            Some((opened, file, version)) => {
                let wanted = content(file, version);
                let from = self.random.below(wanted.len());
                let mut bytes = vec![0; wanted.len() - from + 1];
                let mut read = 0;
                while let more @ 1.. =
                    opened.read_at(&mut bytes[read..], (from + read) as u64).map_err(told)?
                {
                    read += more;
                }
                if bytes[..read] != wanted[from..] {
                    let bytes = String::from_utf8_lossy(&bytes[..read.min(60)]).into_owned();
                    return Err(format!(
                        "version {version} of f{file} is open, {read} bytes at {from}: {bytes:?}"
                    ));
                }
                if self.random.percent(80) {
                    self.held = Some((opened, file, version));
                }
                Ok(())
            }
        }
    }
}

/// Who changes things, in a view of his own.
struct Writer<'a> {
    product: &'a Mounted,
    story: &'a Story,
    random: Random,
}

impl Writer<'_> {
    fn pname(&self, path: &str) -> Pname {
        self.product.pname(0, path)
    }

    fn some_files(&mut self) -> Vec<usize> {
        let count = 1 + self.random.below(3);
        let mut files: Vec<usize> = (0..count).map(|_| self.random.below(FILES)).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    fn next(&mut self) {
        let state = self.story.states.read().expect("nobody panics here").last().cloned();
        let state = state.expect("there is a first state");
        match self.random.below(20) {
            0..7 => self.check_in(state),
            7..12 => self.label(state),
            12..15 => self.set_spec(state),
            15..19 => self.change_names(state),
            _ => self.lock(state),
        }
    }

    fn check_in(&mut self, mut state: State) {
        let files = self.some_files();
        let pnames: Vec<Pname> = files.iter().map(|file| self.pname(&name(*file))).collect();
        let argument = |pname: &Pname| CheckoutArgument { pname: Some(pname.clone()), ..Default::default() };
        let request = CheckoutRequest {
            context: self.product.context(0),
            arguments: pnames.iter().map(argument).collect(),
            ..CheckoutRequest::default()
        };
        for outcome in self.product.checkout(request).expect("a checkout").outcomes {
            assert!(matches!(outcome.outcome, Some(checkout_outcome::Outcome::Done(_))), "{outcome:?}");
        }
        for file in &files {
            state.newest[*file] += 1;
            let bytes = content(*file, state.newest[*file]);
            self.product.write(0, &name(*file), &bytes, 0o644).expect("a file can be written");
        }
        let argument = |pname: Pname| CheckinArgument { pname: Some(pname), comment: None };
        let request = CheckinRequest {
            context: self.product.context(0),
            arguments: pnames.into_iter().map(argument).collect(),
            atomic: true,
            ..CheckinRequest::default()
        };
        self.story.change(state, || {
            for outcome in self.product.checkin(request).expect("a checkin").outcomes {
                assert!(matches!(outcome.outcome, Some(checkin_outcome::Outcome::Done(_))), "{outcome:?}");
            }
        });
    }

    fn label(&mut self, mut state: State) {
        let file = self.random.below(FILES);
        let version = 1 + self.random.below(state.newest[file]);
        if version == state.labelled[file] {
            return self.check_in(state);
        }
        state.labelled[file] = version;
        let request = LabelRequest {
            context: self.product.context(0),
            label: self.product.selector(0, SelectorKind::LabelType, LABELS[0]),
            pnames: vec![self.pname(&name(file))],
            replace: true,
            version: format!("/main/{version}").into_bytes(),
            ..LabelRequest::default()
        };
        self.story.change(state, || {
            for item in self.product.label(request).expect("a label") {
                assert!(matches!(item.item, Some(label_item::Item::Done(_))), "{item:?}");
            }
        });
    }

    fn set_spec(&mut self, mut state: State) {
        state.by_label = !state.by_label;
        let text = match state.by_label {
            true => {
                format!("element * CHECKEDOUT\nelement -file * {}\nelement * /main/LATEST\n", LABELS[0])
            }
            false => "element * CHECKEDOUT\nelement * /main/LATEST\n".to_owned(),
        };
        let text = ConfigSpecText { text: text.into_bytes(), file: b"/spec".to_vec() };
        let request = SetConfigSpecRequest {
            context: self.product.context(1),
            tag: self.product.view_tag(1),
            source: Some(set_config_spec_request::Source::Text(text)),
        };
        self.story.change(state, || drop(self.product.set_config_spec(request).expect("a config spec")));
    }

    /// Names go from the directory, or come back to it: all of a command's at once.
    fn change_names(&mut self, mut state: State) {
        let wanted = self.random.percent(50);
        let remove = if state.named.contains(&wanted) { wanted } else { !wanted };
        let mut files: Vec<usize> = (0..NAMES).filter(|file| state.named[*file] == remove).collect();
        let kept = 1 + self.random.below(files.len());
        while files.len() > kept {
            files.remove(self.random.below(files.len()));
        }
        for file in &files {
            state.named[*file] = !remove;
        }
        self.send_names(state, remove, &files);
    }

    fn send_names(&mut self, state: State, remove: bool, files: &[usize]) {
        let context = self.product.context(0);
        let below = |file: &usize| self.pname(&format!("{DIRECTORY}/{}", name(*file)));
        let outcomes = |reply: NamesReply| {
            for outcome in reply.outcomes {
                assert!(matches!(outcome.outcome, Some(name_outcome::Outcome::Done(_))), "{outcome:?}");
            }
        };
        if remove {
            let pnames = files.iter().map(below).collect();
            let request = RemoveNamesRequest { context, pnames, in_place: true, ..Default::default() };
            self.story.change(state, || outcomes(self.product.remove_names(request).expect("rmname")));
        } else {
            let sources = files.iter().map(|file| self.pname(&name(*file))).collect();
            let target = Some(self.pname(DIRECTORY));
            let request = LinkNamesRequest { context, sources, target, in_place: true, ..Default::default() };
            self.story.change(state, || outcomes(self.product.link_names(request).expect("ln")));
        }
    }

    /// A lock changes nothing that is seen, and keeps from a checkout at once, as its end lets that pass at once.
    fn lock(&mut self, state: State) {
        let file = self.random.below(FILES);
        let pname = self.pname(&name(file));
        let target = Some(Target { target: Some(target::Target::Pname(pname.clone())) });
        let request = |unlock| LockRequest {
            context: self.product.context(0),
            arguments: vec![ObjectArgument { target: target.clone(), comment: Vec::new() }],
            unlock,
            ..LockRequest::default()
        };
        let check_out = || {
            let argument = CheckoutArgument { pname: Some(pname.clone()), ..Default::default() };
            let (context, arguments) = (self.product.context(0), vec![argument]);
            let request = CheckoutRequest { context, arguments, ..CheckoutRequest::default() };
            self.product.checkout(request).expect("a checkout").outcomes.remove(0).outcome
        };
        self.story.change(state, || {
            for outcome in self.product.lock_objects(request(false)).expect("a lock").outcomes {
                assert!(outcome.failure.is_none(), "{outcome:?}");
            }
            let refused = check_out();
            let code = match &refused {
                Some(checkout_outcome::Outcome::Failure(failure)) => failure.code(),
                other => panic!("{other:?}"),
            };
            assert_eq!(code, FailureCode::Locked, "{refused:?}");
            self.product.lock_objects(request(true)).expect("an unlock");
            assert!(matches!(check_out(), Some(checkout_outcome::Outcome::Done(_))));
            let argument = UncheckoutArgument { pname: Some(pname.clone()), ..Default::default() };
            let (context, arguments) = (self.product.context(0), vec![argument]);
            let request = UncheckoutRequest { context, arguments, ..UncheckoutRequest::default() };
            self.product.uncheckout(request).expect("an uncheckout");
        });
    }
}

/// Makes the elements and a third view, and returns what is seen first.
fn prepare(product: &Mounted) -> State {
    let context = || product.context(0);
    let check_out = |path: &str| {
        let argument = CheckoutArgument { pname: Some(product.pname(0, path)), ..Default::default() };
        let request = CheckoutRequest { context: context(), arguments: vec![argument], ..Default::default() };
        product.checkout(request).expect("a checkout");
    };
    check_out("");
    let argument = MakeElementArgument { pname: Some(product.pname(0, DIRECTORY)), ..Default::default() };
    let arguments = vec![argument];
    let request = MakeDirectoryRequest { context: context(), arguments, ..MakeDirectoryRequest::default() };
    product.make_directory(request).expect("mkdir");
    let files = |file: usize| {
        product.write(0, &name(file), &content(file, 1), 0o644).expect("a file can be written");
        MakeElementArgument { pname: Some(product.pname(0, &name(file))), ..Default::default() }
    };
    let request = MakeElementRequest {
        context: context(),
        arguments: (0..FILES).map(files).collect(),
        element_type: b"text_file".to_vec(),
        after: AfterMake::CheckIn.into(),
        ..MakeElementRequest::default()
    };
    for outcome in product.make_element(request).expect("mkelem").outcomes {
        assert!(matches!(outcome.outcome, Some(make_element_outcome::Outcome::Done(_))), "{outcome:?}");
    }
    let argument = |path: &&str| CheckinArgument { pname: Some(product.pname(0, path)), comment: None };
    let request = CheckinRequest {
        context: context(),
        arguments: ["", DIRECTORY].iter().map(argument).collect(),
        identical: true,
        atomic: true,
        ..CheckinRequest::default()
    };
    for outcome in product.checkin(request).expect("a checkin").outcomes {
        assert!(matches!(outcome.outcome, Some(checkin_outcome::Outcome::Done(_))), "{outcome:?}");
    }
    let request = CreateViewRequest { context: context(), tag: PLAIN.to_owned(), ..Default::default() };
    product.create_view(request).expect("a view can be made");
    let request = LabelRequest {
        context: context(),
        label: product.selector(0, SelectorKind::LabelType, LABELS[0]),
        pnames: (0..FILES).map(|file| product.pname(0, &name(file))).collect(),
        ..LabelRequest::default()
    };
    product.label(request).expect("labels");
    State { newest: [1; FILES], labelled: [1; FILES], by_label: false, named: [false; NAMES] }
}

/// Makes changes in one view, each seen by readers in two others.
pub fn run(product: &Mounted, seed: u64, changes: usize) {
    let story = Story {
        states: RwLock::new(vec![prepare(product)]),
        begun: AtomicUsize::new(0),
        ended: AtomicUsize::new(0),
        over: AtomicBool::new(false),
        turn: Mutex::default(),
        moved: Condvar::new(),
    };
    let tops = [product.top(1), product.top_of(PLAIN)];
    let (answers, made) = std::thread::scope(|scope| {
        let reader = |number: usize| {
            let top = Path::new(&tops[number % 2]);
            let random = Random::new(seed + number as u64);
            let reader = Reader { story: &story, top, plain: number % 2 == 1, random, held: None };
            let end = || story.tell(|| story.over.store(true, Ordering::SeqCst));
            scope.spawn(move || reader.run().inspect_err(|_| end()))
        };
        let readers: Vec<_> = (0..READERS).map(reader).collect();
        let mut writer = Writer { product, story: &story, random: Random::new(seed) };
        let mut made = 0;
        let changed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            while made < changes && !story.over.load(Ordering::SeqCst) {
                writer.next();
                made += 1;
            }
        }));
        story.tell(|| story.over.store(true, Ordering::SeqCst));
        let answers = readers.into_iter().map(|reader| reader.join().expect("a reader does not panic"));
        let answers: Vec<Result<usize, String>> = answers.collect();
        if let Err(panic) = changed {
            std::panic::resume_unwind(panic);
        }
        (answers, made)
    });
    let right =
        answers.into_iter().map(|answer| answer.unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}")));
    let right: Vec<usize> = right.collect();
    eprintln!("seed {seed}: {made} changes, answers of the readers: {right:?}");
    assert_eq!(made, changes);
    assert!(right.iter().all(|count| *count > changes / 4), "a reader hardly ran: {right:?}");
}

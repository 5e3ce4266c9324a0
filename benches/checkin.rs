//! What a durable checkin costs, beside what one durable write costs. Run with `cargo bench --bench checkin`, or
//! `... -- --rounds 10 --many 5000 --repository PATH`.
//!
//! * `write and fsync`: 4 KiB appended to a file and synced, by this program alone.
//! * `one client`: checkins of one 4 KiB file each, one after the other, each a call to a daemon over its socket.
//! * `8 clients`: the same by eight connections at once.
//! * `many at once` (with `--many`): so many changed files of 4 KiB in one checkout, and one atomic checkin.
//!
//! With `--repository` the VOB is the import of that git repository, else an empty one.
//!
//! Writes and checkins of one client take turns, then come the 8, and so in rounds, all on one file system (that of
//! `TMPDIR`), because what an fsync costs changes while a disk works. Checking out and changing the files is not measured. The daemon is this build's own, with a
//! home in a temporary directory; mounting needs root or `fusermount3`.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use clerestory::server::proto::host_client::HostClient;
use clerestory::server::proto::{
    CheckinArgument, CheckinRequest, CheckoutArgument, CheckoutRequest, Context, Pname, checkin_outcome,
    checkout_outcome,
};
use clerestory::server::transport;
use tokio::runtime::Runtime;
use tonic::transport::Channel;

const PROGRAM: &str = env!("CARGO_BIN_EXE_clerestory");
const CLIENTS: usize = 8;
/// Checkins of each client, and writes, in a round.
const PER_ROUND: usize = 25;
const FILE_BYTES: usize = 4096;

fn main() {
    let option = |option: &str| std::env::args().skip_while(|word| word != option).nth(1);
    let number = |name: &str, default| option(name).map_or(default, |word| word.parse().expect("a number"));
    let (rounds, many) = (number("--rounds", 5), number("--many", 0));
    let bench = Bench::new(option("--repository").map(PathBuf::from));
    let files: Vec<String> = (0..CLIENTS * PER_ROUND).map(|file| format!("f{file}")).collect();
    bench.make(&files);
    let mut clients: Vec<Client> = (0..CLIENTS).map(|_| Client::new(&bench)).collect();
    let (mut write, mut one, mut eight) = (Times::default(), Times::default(), Times::default());
    for round in 0..rounds {
        let [first, ..] = clients.as_mut_slice() else { unreachable!("there are clients") };
        bench.change(first, &files[..PER_ROUND], 2 * round + 1);
        let log = File::create(bench.root.path().join("bare")).expect("a file can be made");
        for (at, file) in files[..PER_ROUND].iter().enumerate() {
            let content = content(round, at);
            write.measure(|| {
                log.write_all_at(content.as_bytes(), (at * FILE_BYTES) as u64).expect("it can be written");
                log.sync_all().expect("it can be synced");
            });
            one.measure(|| first.check_in(&[file]));
        }
        bench.change(first, &files, 2 * round + 2);
        let start = Barrier::new(CLIENTS + 1);
        let mut began = Instant::now();
        std::thread::scope(|scope| {
            for (client, files) in clients.iter_mut().zip(files.chunks(PER_ROUND)) {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    files.iter().for_each(|file| client.check_in(&[file]));
                });
            }
            start.wait();
            began = Instant::now();
        });
        eight.0.push(began.elapsed() / (CLIENTS * PER_ROUND) as u32);
    }
    let row = |name: &str, times: &mut Times| {
        let (least, median, mean) = (times.at(10), times.at(50), times.mean());
        let rate = 1.0 / mean.as_secs_f64();
        println!("{name:<16} p10 {least:>9.1?}  median {median:>9.1?}  mean {mean:>9.1?}  {rate:>7.0}/s");
        (median.as_secs_f64(), mean.as_secs_f64())
    };
    println!(
        "{rounds} rounds of {PER_ROUND} writes, {PER_ROUND} checkins, {CLIENTS} x {PER_ROUND} checkins at once"
    );
    let write = row("write and fsync", &mut write);
    let one = row("one client", &mut one);
    let eight = row("8 clients", &mut eight);
    println!(
        "one client: {:.2} x a write and fsync by median, {:.2} by mean",
        one.0 / write.0,
        one.1 / write.1
    );
    println!(
        "8 clients:  {:.2} x the rate of one by median, {:.2} by mean",
        one.0 / eight.0,
        one.1 / eight.1
    );
    if many > 0 {
        let files: Vec<String> = (0..many).map(|file| format!("m{file}")).collect();
        bench.make(&files);
        let [first, ..] = clients.as_mut_slice() else { unreachable!("there are clients") };
        let began = Instant::now();
        first.check_out(&files);
        println!("many at once     {many} files checked out in {:.2?}", began.elapsed());
        bench.write(&files, 2 * rounds + 3);
        let began = Instant::now();
        first.check_in(&files);
        println!("many at once     {many} files checked in, in {:.2?}", began.elapsed());
    }
}

/// Measured times, each of one thing.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn measure(&mut self, work: impl FnOnce()) {
        let began = Instant::now();
        work();
        self.0.push(began.elapsed());
    }

    /// The time that this percentage of all does not exceed. Where others use the machine, a low one tells what the
    /// thing itself costs.
    fn at(&mut self, percent: usize) -> Duration {
        self.0.sort();
        self.0[self.0.len() * percent / 100]
    }

    fn mean(&self) -> Duration {
        self.0.iter().sum::<Duration>() / self.0.len() as u32
    }
}

/// A text of [`FILE_BYTES`] that was never there before.
fn content(version: usize, file: usize) -> String {
    let line = format!("version {version} of {file}, of a file whose lines are alike but not the same\n");
    let mut text: String = line.bytes().cycle().take(FILE_BYTES - 8).map(char::from).collect();
    text += &format!("{:08}", version * 1_000_000 + file);
    text
}

/// A daemon with a VOB and a view.
struct Bench {
    root: tempfile::TempDir,
    directory: PathBuf,
}

impl Bench {
    fn new(repository: Option<PathBuf>) -> Bench {
        let root = tempfile::Builder::new().prefix("clbench.").tempdir().expect("a directory can be made");
        let tool = root.path().join("cleartool");
        std::os::unix::fs::symlink(PROGRAM, tool).expect("a tool can be linked");
        let directory = root.path().join("view/v/vobs/x");
        let bench = Bench { root, directory };
        if let Some(repository) = repository {
            let path = repository.canonicalize().expect("the repository is there").into_os_string();
            let words = ["import".into(), "git".into(), path, "--vob".into(), "/vobs/x".into()];
            bench.run("clerestory", bench.root.path(), &words);
        } else {
            bench.run("cleartool", bench.root.path(), &["mkvob", "-nc", "-tag", "/vobs/x"]);
            bench.run("cleartool", bench.root.path(), &["mount", "/vobs/x"]);
        }
        bench.run("cleartool", bench.root.path(), &["mkview", "-tag", "v"]);
        bench
    }

    fn run(&self, tool: &str, directory: &Path, words: &[impl AsRef<OsStr>]) {
        let program = if tool == "clerestory" { PathBuf::from(PROGRAM) } else { self.root.path().join(tool) };
        let mut command = Command::new(program);
        command.env("CLERESTORY_HOME", self.home()).env("CLERESTORY_VIEWROOT", self.root.path().join("view"));
        let output = command.current_dir(directory).args(words).output().expect("the program runs");
        assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// Makes elements with one version.
    fn make(&self, files: &[String]) {
        for (number, file) in files.iter().enumerate() {
            fs::write(self.directory.join(file), content(0, number)).expect("a file can be made");
        }
        let ct = |words: &[&str]| self.run("cleartool", &self.directory, words);
        ct(&["checkout", "-nc", "."]);
        let names: Vec<&str> = files.iter().map(String::as_str).collect();
        ct(&[&["mkelem", "-nc", "-ci"], names.as_slice()].concat());
        ct(&["checkin", "-nc", "."]);
    }

    /// Checks files out and changes them.
    fn change(&self, client: &mut Client, files: &[String], version: usize) {
        client.check_out(files);
        self.write(files, version);
    }

    fn write(&self, files: &[String], version: usize) {
        for (number, file) in files.iter().enumerate() {
            fs::write(self.directory.join(file), content(version, number)).expect("it can be written");
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.run("clerestory", self.root.path(), &["shutdown"]);
    }
}

/// A connection of its own.
struct Client {
    runtime: Runtime,
    host: HostClient<Channel>,
    directory: PathBuf,
}

impl Client {
    fn new(bench: &Bench) -> Client {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let stream = transport::connect(&bench.home().join("socket")).expect("the daemon listens");
        let channel = runtime.block_on(transport::channel(stream)).expect("the daemon answers");
        let host = HostClient::new(channel).max_decoding_message_size(64 << 20);
        Client { runtime, host, directory: bench.directory.clone() }
    }

    fn context(&self) -> Option<Context> {
        let working_directory = self.directory.as_os_str().as_bytes().to_vec();
        Some(Context { working_directory, umask: 0o022, ..Context::default() })
    }

    fn pname(&self, name: &str) -> Option<Pname> {
        let absolute = self.directory.join(name).as_os_str().as_bytes().to_vec();
        Some(Pname { typed: name.as_bytes().to_vec(), absolute })
    }

    fn check_out(&mut self, names: &[String]) {
        let argument =
            |name: &String| CheckoutArgument { pname: self.pname(name), ..CheckoutArgument::default() };
        let arguments = names.iter().map(argument).collect();
        let request = CheckoutRequest { context: self.context(), arguments, ..CheckoutRequest::default() };
        let reply = self.runtime.block_on(self.host.checkout(request)).expect("the daemon answers");
        for outcome in reply.into_inner().outcomes {
            assert!(matches!(outcome.outcome, Some(checkout_outcome::Outcome::Done(_))), "{outcome:?}");
        }
    }

    fn check_in(&mut self, names: &[impl AsRef<str>]) {
        let argument = |name: &_| CheckinArgument { pname: self.pname(AsRef::as_ref(name)), comment: None };
        let arguments = names.iter().map(argument).collect();
        let request =
            CheckinRequest { context: self.context(), arguments, atomic: true, ..CheckinRequest::default() };
        let reply = self.runtime.block_on(self.host.checkin(request)).expect("the daemon answers");
        for outcome in reply.into_inner().outcomes {
            assert!(matches!(outcome.outcome, Some(checkin_outcome::Outcome::Done(_))), "{outcome:?}");
        }
    }
}

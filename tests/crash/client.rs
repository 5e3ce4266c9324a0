//! Clients that work in a view, each in a directory element of its own, and say what they do.

use std::cell::RefCell;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::manifest::{Asked, Said};
use crate::world::World;

/// Files that a client works on.
const FILES: usize = 4;

/// Takes what clients say.
pub type Listener<'a> = &'a (dyn Fn(Said) + Sync);

/// Numbers for operations, names and texts: each is used once.
#[derive(Default)]
pub struct Numbers(AtomicUsize);

impl Numbers {
    fn next(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// A client.
pub struct Client<'a> {
    world: &'a World,
    numbers: &'a Numbers,
    listener: Listener<'a>,
    /// The name of its directory.
    directory: String,
    random: u64,
    /// What the last command said that was refused.
    refusal: RefCell<String>,
}

/// The VOB of all worlds here.
pub const VOB: &str = "/vobs/x";

/// Makes a VOB with this engine, a view, and the directories of so many clients, each with its files.
///
/// # Panics
/// If that cannot be done.
pub fn prepare(world: &World, engine: &str, clients: usize) {
    world.ct(&["mkvob", "-nc", "-engine", engine, "-tag", VOB]).ok();
    world.ct(&["mount", VOB]).ok();
    world.make_view("v");
    let mut line = "cleartool co -nc . ".to_owned();
    for client in 0..clients {
        line += &format!("&& cleartool mkdir -nc d{client} ");
        for file in 0..FILES {
            line += &format!("&& echo {client} {file} > d{client}/f{file} ");
        }
        line += &format!("&& cleartool mkelem -nc -ci d{client}/f* && cleartool ci -nc d{client} ");
    }
    line += "&& cleartool ci -nc . && sync -f .";
    world.sh(&world.in_view("v", VOB), &line).ok();
}

impl<'a> Client<'a> {
    /// A client with a number, which chooses by a seed.
    pub fn new(
        world: &'a World,
        numbers: &'a Numbers,
        listener: Listener<'a>,
        client: usize,
        seed: u64,
    ) -> Client<'a> {
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ (client as u64 + 1).wrapping_mul(0xd134_2543_de82_ef95);
        Client {
            world,
            numbers,
            listener,
            directory: format!("d{client}"),
            random,
            refusal: RefCell::default(),
        }
    }

    fn choose(&mut self, below: usize) -> usize {
        // xorshift64*
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below
    }

    fn text(&mut self) -> String {
        let number = self.numbers.next();
        // Also some that are larger than what goes along in a journal frame.
        let lines = if self.choose(12) == 0 { 4_000 } else { self.choose(60) };
        let mut text = format!("text {number}\n");
        (0..lines)
            .for_each(|line| text += &format!("line {line} of any text, and of {}\n", number * (line % 3)));
        text
    }

    /// Does one operation, and says so before and after. Answers whether it was acknowledged.
    pub fn step(&mut self) -> bool {
        let file = self.choose(FILES);
        let file = format!("{}/f{file}", self.directory);
        match self.choose(10) {
            0..=3 => self.check_in(1),
            4 => self.check_in(3),
            5 => self.told(Asked::CheckOut(file.clone()), |client| {
                client.sh(&format!("cleartool unco -rm {file} 2> /dev/null; cleartool co -nc {file}"))
            }),
            6 => {
                let label = format!("L{}", self.numbers.next());
                let asked = Asked::Label(file.clone(), label.clone());
                let line = format!(
                    "cleartool mklbtype -nc {label} && cleartool mklabel -version /main/LATEST {label} {file}"
                );
                self.told(asked, |client| client.sh(&line))
            }
            7 => {
                let name = format!("{}/n{}", self.directory, self.numbers.next());
                let text = self.text();
                let path = self.path(&name);
                let directory = self.directory.clone();
                self.told(Asked::Make(name.clone(), text.clone()), |client| {
                    client.sh(&format!("cleartool co -nc {directory} 2> /dev/null"));
                    client.write(&path, &text)
                        && client
                            .sh(&format!("cleartool mkelem -nc -ci {name} && cleartool ci -nc {directory}"))
                })
            }
            8 => self.told(Asked::Uncheckout(file.clone()), |client| {
                client.sh(&format!("cleartool co -nc {file} 2> /dev/null; cleartool unco -rm {file}"))
            }),
            _ => {
                let name = format!("{}/p{}", self.directory, self.numbers.next());
                let (text, synced) = (self.text(), self.choose(2) == 0);
                let path = self.path(&name);
                self.told(Asked::Private(name, text.clone(), synced), |client| {
                    let written = || -> std::io::Result<()> {
                        let mut file = std::fs::File::create(&path)?;
                        file.write_all(text.as_bytes())?;
                        if synced {
                            file.sync_all()?;
                            // The name is durable with its directory, as on any file system.
                            std::fs::File::open(path.parent().unwrap_or(&path))?.sync_all()?;
                        }
                        Ok(())
                    };
                    client.took(written(), &path)
                })
            }
        }
    }

    /// Runs a line in the VOB, which is not there while no daemon runs.
    fn sh(&self, line: &str) -> bool {
        let directory = self.world.in_view("v", VOB);
        let enters = format!("cd '{}' && {{ {line}; }}", directory.display());
        let output = self.world.sh(self.world.root(), &enters);
        let done = output.status == 0;
        if !done {
            *self.refusal.borrow_mut() = format!("{output:#?}");
        }
        done
    }

    fn write(&self, path: &Path, text: &str) -> bool {
        self.took(std::fs::write(path, text), path)
    }

    fn took(&self, result: std::io::Result<()>, path: &Path) -> bool {
        match result {
            Ok(()) => true,
            Err(error) => {
                *self.refusal.borrow_mut() = format!("{}: {error}", path.display());
                false
            }
        }
    }

    /// What the last command said that was refused.
    pub fn refusal(&self) -> String {
        self.refusal.borrow().clone()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.world.in_view("v", VOB).join(name)
    }

    /// Changes files and checks them in together.
    fn check_in(&mut self, count: usize) -> bool {
        let first = self.choose(FILES);
        let names: Vec<String> =
            (first..first + count).map(|file| format!("{}/f{}", self.directory, file % FILES)).collect();
        let texts: Vec<String> = names.iter().map(|_| self.text()).collect();
        let paths: Vec<PathBuf> = names.iter().map(|name| self.path(name)).collect();
        let files = names.iter().cloned().zip(texts.iter().cloned()).collect();
        let words = names.join(" ");
        self.told(Asked::CheckIn(files), |client| {
            client.sh(&format!("cleartool co -nc {words} 2> /dev/null"));
            paths.iter().zip(&texts).all(|(path, text)| client.write(path, text))
                && client.sh(&format!("cleartool ci -nc {words}"))
        })
    }

    fn told(&mut self, asked: Asked, act: impl FnOnce(&Self) -> bool) -> bool {
        let number = self.numbers.next();
        (self.listener)(Said::Asks(number, asked));
        let done = act(self);
        if done {
            (self.listener)(Said::Done(number));
        }
        done
    }
}

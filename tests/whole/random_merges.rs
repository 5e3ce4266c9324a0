//! Random trees on two branches, integrated again and again, compared with plain sets after each integration: no change
//! of either side is lost without a conflict, the bases are the versions that were merged last, and nothing is left to do.

use std::collections::{BTreeMap, BTreeSet};

use crate::project::Project;

const DIRECTORIES: [&str; 3] = [".", "one", "two"];
const BRANCHES: [&str; 2] = ["a", "b"];
const ROUNDS: usize = 3;
const CHANGES: usize = 7;
/// Lines of a new file.
const LINES: usize = 14;

/// The same numbers in every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % end
    }
}

/// Files by the line that each was made with, which nobody removes: where they are, and their lines.
type Names = BTreeMap<String, (usize, String)>;
type Texts = BTreeMap<String, Vec<String>>;

/// What a branch has.
#[derive(Clone, Default)]
struct Tree {
    names: Names,
    texts: Texts,
}

impl Tree {
    fn path(&self, file: &str) -> String {
        let (directory, name) = &self.names[file];
        format!("{}/{name}", DIRECTORIES[*directory])
    }
}

struct Model {
    project: Project,
    random: Random,
    count: usize,
    main: Tree,
    branches: Vec<Tree>,
    /// What each branch had when it was integrated last.
    bases: Vec<Tree>,
    /// The versions that were merged last, by branch and file.
    merged: BTreeMap<(usize, String), String>,
    conflicts: usize,
}

impl Model {
    fn new(seed: u64) -> Model {
        let project = Project::empty();
        project.sh("cleartool co -nc . && cleartool mkdir -nc one two && cleartool ci -nc -identical one two . && cleartool mkbrtype -nc a b");
        let mut model = Model {
            project,
            random: Random(seed),
            count: 0,
            main: Tree::default(),
            branches: Vec::new(),
            bases: Vec::new(),
            merged: BTreeMap::new(),
            conflicts: 0,
        };
        let mut tree = Tree::default();
        let mut script = checked_out(0..DIRECTORIES.len());
        (0..6).for_each(|_| drop(model.add(&mut tree, &mut script)));
        script.push("cleartool ci -nc -identical $(cleartool lsco -s -r)".to_owned());
        script
            .push("cleartool mklbtype -nc INIT && cleartool mklabel -recurse INIT . > /dev/null".to_owned());
        model.run("v", &script);
        for branch in BRANCHES {
            let world = &model.project.world;
            world.make_view(branch);
            // What is integrated is not seen here: a branch has only its own changes.
            let spec = format!(
                "element * CHECKEDOUT\nelement * .../{branch}/LATEST\nelement * INIT -mkbranch {branch}\n\
                 element * /main/0 -mkbranch {branch}\n"
            );
            world.set_spec(branch, &spec);
        }
        model.main = tree.clone();
        model.branches = vec![tree.clone(); BRANCHES.len()];
        model.bases = vec![tree; BRANCHES.len()];
        model
    }

    fn run(&self, view: &str, script: &[String]) -> String {
        self.project.world.sh(&self.project.world.in_view(view, "/vobs/x"), &script.join(" &&\n")).ok()
    }

    fn unique(&mut self, kind: &str) -> String {
        self.count += 1;
        format!("{kind}{}", self.count)
    }

    fn add(&mut self, tree: &mut Tree, script: &mut Vec<String>) -> String {
        let (file, name) = (self.unique("file"), self.unique("name"));
        let mut lines = vec![file.clone()];
        lines.extend((0..LINES).map(|_| self.unique("line")));
        tree.names.insert(file.clone(), (self.random.below(DIRECTORIES.len()), name));
        let path = tree.path(&file);
        script.push(format!("printf '{}\\n' > {path} && cleartool mkelem -nc {path}", lines.join("\\n")));
        tree.texts.insert(file.clone(), lines);
        file
    }

    /// Changes a branch at random, and checks it in.
    fn develop(&mut self, branch: usize) {
        let mut tree = self.branches[branch].clone();
        let mut script = checked_out(0..DIRECTORIES.len());
        let mut edited = BTreeSet::new();
        for _ in 0..CHANGES {
            let files: Vec<String> = tree.names.keys().cloned().collect();
            let file = files[self.random.below(files.len())].clone();
            let path = tree.path(&file);
            match self.random.below(8) {
                // What is checked out cannot be removed.
                0 => drop(edited.insert(self.add(&mut tree, &mut script))),
                1 => {
                    let name = self.unique("name");
                    tree.names.get_mut(&file).expect("it is one of them").1 = name;
                    script.push(format!("cleartool mv {path} {}", tree.path(&file)));
                }
                2 if files.len() > 3 && !edited.contains(&file) => {
                    script.push(format!("cleartool rmname {path}"));
                    tree.names.remove(&file);
                    tree.texts.remove(&file);
                }
                _ => {
                    let new = self.unique("line");
                    let lines = tree.texts.get_mut(&file).expect("it is one of them");
                    let at = 1 + self.random.below(lines.len());
                    if self.random.below(2) == 0 && at < lines.len() {
                        lines.remove(at);
                    }
                    lines.insert(at.min(lines.len()), new);
                    if edited.insert(file) {
                        script.push(format!(
                            "{{ cleartool lsco -s -cview {path} | grep -q . || cleartool co -nc {path}; }}"
                        ));
                    }
                    script.push(format!("printf '{}\\n' > {path}", lines.join("\\n")));
                }
            }
        }
        script.push("cleartool ci -nc -identical $(cleartool lsco -s -r -cview)".to_owned());
        self.run(BRANCHES[branch], &script);
        self.branches[branch] = tree;
    }

    /// Integrates a branch, and compares.
    fn integrate(&mut self, branch: usize) {
        let name = BRANCHES[branch];
        let (was, mine, theirs) =
            (self.bases[branch].clone(), self.main.clone(), self.branches[branch].clone());
        let found = self.project.world.sh(
            &self.project.directory,
            &format!(
                "cleartool findmerge . -fver .../{name}/LATEST -merge -log NUL -opt -quiet < /dev/null 2>&1"
            ),
        );
        // Names first: the files are found by them.
        let mut expected = Names::new();
        let mut contradict = false;
        let files: BTreeSet<&String> =
            was.names.keys().chain(mine.names.keys()).chain(theirs.names.keys()).collect();
        for file in files {
            let [was, mine, theirs] = [&was, &mine, &theirs].map(|tree| tree.names.get(file));
            contradict |= theirs != was && theirs != mine && mine != was;
            let is = if theirs != was && mine == was { theirs } else { mine };
            expected.extend(is.map(|place| (file.clone(), place.clone())));
        }
        let tree = self.seen();
        assert_eq!(tree.names, expected, "{}", found.stdout);
        let mut marked = Vec::new();
        for (file, lines) in &tree.texts {
            let set = |tree: &Tree| {
                tree.texts.get(file).cloned().unwrap_or_default().into_iter().collect::<BTreeSet<_>>()
            };
            let [was, mine, theirs] = [set(&was), set(&mine), set(&theirs)];
            let is: BTreeSet<String> = lines.iter().cloned().collect();
            if lines.iter().any(|line| line.starts_with("<<<<<<< ")) {
                marked.push(file.clone());
                for line in mine.difference(&was).chain(theirs.difference(&was)) {
                    assert!(is.contains(line), "{line} of {file} is lost: {lines:?}");
                }
                continue;
            }
            let untouched = theirs.is_empty() || theirs == was;
            let removed: BTreeSet<String> = was.difference(&theirs).cloned().collect();
            let added = theirs.difference(&was).cloned();
            let wanted =
                if untouched { mine } else { mine.difference(&removed).cloned().chain(added).collect() };
            assert_eq!(is, wanted, "{file}: {}", found.stdout);
        }
        assert_eq!(found.status != 0, contradict || !marked.is_empty(), "{}", found.stdout);
        self.bases_are_right(branch, &tree, &found.stdout);
        self.conflicts += marked.len() + usize::from(contradict);
        self.resolve(name, &tree, &marked, &found.stdout);
        self.main = self.seen();
        self.bases[branch] = theirs;
        let again = format!("cleartool findmerge . -fver .../{name}/LATEST -merge -log NUL");
        assert_eq!(self.project.sh(&again), "");
    }

    /// What view v shows.
    fn seen(&self) -> Tree {
        let mut tree = Tree::default();
        for (at, directory) in DIRECTORIES.iter().enumerate() {
            let entries = std::fs::read_dir(self.project.directory.join(directory)).expect("it is there");
            for entry in entries.map(|entry| entry.expect("it can be read")) {
                let name = entry.file_name().into_string().expect("names are text");
                if !name.starts_with("name") || name.contains(".contrib") {
                    continue;
                }
                let text = std::fs::read_to_string(entry.path()).expect("it can be read");
                let lines: Vec<String> = text.lines().map(str::to_owned).collect();
                let file = lines
                    .iter()
                    .find(|line| line.starts_with("file"))
                    .expect("it was made with a line")
                    .clone();
                tree.names.insert(file.clone(), (at, name));
                tree.texts.insert(file, lines);
            }
        }
        tree
    }

    /// Every version that was merged was compared with the one that was merged before it.
    fn bases_are_right(&mut self, branch: usize, tree: &Tree, told: &str) {
        let needs = told.lines().filter_map(|line| line.strip_prefix("Needs Merge \"./")?.split_once("\" ["));
        for (path, facts) in needs {
            let of_path = |file: &&String| tree.path(file).trim_start_matches("./") == path;
            let Some(file) = tree.names.keys().find(of_path).cloned() else { continue };
            let word = |after: &str| {
                let (_, rest) = facts.split_once(after)?;
                Some(rest.split([' ', ']', ')']).next().unwrap_or_default().to_owned())
            };
            let from = word(" from ").expect("it says from where");
            let base = word("base also ").or_else(|| word(" base ")).expect("it says the base");
            match self.merged.insert((branch, file), from) {
                Some(last) => assert_eq!(base, last, "{path}: {facts}"),
                None => {
                    assert!(base.starts_with("/main/") && base.matches('/').count() == 2, "{path}: {facts}")
                }
            }
        }
    }

    /// Decides the conflicts, keeps all lines, records it, and checks in.
    fn resolve(&self, branch: &str, tree: &Tree, marked: &[String], told: &str) {
        let mut script = Vec::new();
        for path in marked.iter().map(|file| tree.path(file)) {
            script.push(format!(
                "sed -i -e '/^||||||| /,/^=======$/d' -e '/^<<<<<<< /d' -e '/^>>>>>>> /d' {path} && \
                 cleartool merge -to {path} -ndata -version .../{branch}/LATEST"
            ));
        }
        for line in told
            .lines()
            .filter_map(|line| line.strip_prefix("cleartool: Error: Conflicts are left in directory \""))
        {
            let path = line.split('"').next().unwrap_or_default();
            script.push(format!("cleartool merge -to {path} -ndata -version .../{branch}/LATEST"));
        }
        script.push(
            "out=$(cleartool lsco -s -r -cview); test -z \"$out\" || cleartool ci -nc -identical $out"
                .to_owned(),
        );
        script.push("find . -name '*.contrib*' -delete".to_owned());
        self.run("v", &script);
        // The arrows of what was merged are there.
        let merged: Vec<&str> = told
            .lines()
            .filter_map(|line| line.strip_prefix("Needs Merge \"")?.split_once("\" [").map(|(path, _)| path))
            .collect();
        if !merged.is_empty() {
            let arrows =
                self.run("v", &[format!("cleartool describe -s -ahlink Merge {}", merged.join(" "))]);
            let count = arrows.lines().filter(|line| line.contains(&format!("/main/{branch}/"))).count();
            assert!(count >= merged.len(), "{merged:?}: {arrows}");
        }
    }
}

/// The line of a script that checks directories out.
fn checked_out(directories: std::ops::Range<usize>) -> Vec<String> {
    vec![format!("cleartool co -nc {}", DIRECTORIES[directories].join(" "))]
}

fn run(seed: u64) -> usize {
    let mut model = Model::new(seed);
    for _ in 0..ROUNDS {
        for branch in 0..BRANCHES.len() {
            model.develop(branch);
        }
        for branch in 0..BRANCHES.len() {
            model.integrate(branch);
        }
    }
    model.conflicts
}

#[test]
fn random_branches_are_integrated_and_nothing_is_lost() {
    let conflicts: usize = [1, 2, 3].map(run).iter().sum();
    assert!(conflicts > 0, "no seed made a conflict");
}

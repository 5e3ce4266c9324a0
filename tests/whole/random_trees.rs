//! Random trees on two branches, integrated again and again: files and directories are added, renamed, moved, removed and
//! edited, with names that collide. After each integration every directory and every text is compared, by what elements
//! are, with the changes of both sides since what was integrated last.
//!
//! No change of either side is lost where no conflict is told, no conflict is told where the sides did not meet, bases
//! and arrows are those of the last integration, and doing it again does nothing. What is in a directory that one side
//! removed goes with it: catalogs are merged each for itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::project::Project;
use crate::random_merges::Random;

const BRANCHES: [&str; 2] = ["a", "b"];
const ROUNDS: usize = 3;
const CHANGES: usize = 10;
/// How many names there are: few enough for two sides to take the same.
const NAMES: usize = 14;
const LINES: usize = 9;

/// The identity of an element; of one that is only planned, a word of its own.
type Id = String;
type Catalog = BTreeMap<String, Id>;
type Lines = BTreeSet<String>;

/// What a view shows, or showed of an element when it was seen last.
#[derive(Clone, Default)]
struct Tree {
    root: Id,
    directories: BTreeMap<Id, Catalog>,
    texts: BTreeMap<Id, Vec<String>>,
}

impl Tree {
    fn paths(&self) -> BTreeMap<Id, String> {
        let mut paths = BTreeMap::from([(self.root.clone(), ".".to_owned())]);
        let mut open = vec![self.root.clone()];
        while let Some(id) = open.pop() {
            let above = paths[&id].clone();
            for (name, child) in self.directories.get(&id).into_iter().flatten() {
                if !paths.contains_key(child) {
                    paths.insert(child.clone(), format!("{above}/{name}"));
                    open.push(child.clone());
                }
            }
        }
        paths
    }

    /// All paths, of which an element may have several.
    fn all_paths(&self) -> BTreeMap<String, Id> {
        let mut found = BTreeMap::new();
        let mut open = vec![(".".to_owned(), self.root.clone())];
        while let Some((path, id)) = open.pop() {
            for (name, child) in self.directories.get(&id).into_iter().flatten() {
                open.push((format!("{path}/{name}"), child.clone()));
            }
            found.insert(path, id);
        }
        found
    }

    /// An element and all below it.
    fn below(&self, id: &Id) -> BTreeSet<Id> {
        let (mut found, mut open) = (BTreeSet::new(), vec![id.clone()]);
        while let Some(id) = open.pop() {
            open.extend(self.directories.get(&id).into_iter().flatten().map(|(_, child)| child.clone()));
            found.insert(id);
        }
        found
    }

    /// Takes over what another one shows; what that does not show stays as it was.
    fn remember(&mut self, seen: &Tree) {
        self.directories.extend(seen.directories.clone());
        self.texts.extend(seen.texts.clone());
    }

    fn names(&self, directory: &Id, object: &Id) -> BTreeSet<String> {
        let catalog = self.directories.get(directory).into_iter().flatten();
        catalog.filter(|(_, id)| *id == object).map(|(name, _)| name.clone()).collect()
    }

    fn lines(&self, file: &Id) -> Lines {
        self.texts.get(file).into_iter().flatten().cloned().collect()
    }
}

/// What the changes of both sides come to.
fn both<T: Ord + Clone>(was: &BTreeSet<T>, mine: &BTreeSet<T>, theirs: &BTreeSet<T>) -> BTreeSet<T> {
    let stays = mine.iter().filter(|one| !was.contains(one) || theirs.contains(one));
    stays.chain(theirs.difference(was)).cloned().collect()
}

struct Model {
    project: Project,
    random: Random,
    count: usize,
    /// What was seen last of each element on a branch, and on the main branch.
    branches: Vec<Tree>,
    main: Tree,
    /// What each branch had when it was integrated last.
    bases: Vec<Tree>,
    /// The versions that were merged last.
    merged: BTreeMap<(usize, Id), String>,
    conflicts: usize,
}

impl Model {
    fn new(seed: u64) -> Model {
        let project = Project::empty();
        project.sh("cleartool chvob -nevil_twin_detection /vobs/x && cleartool mkbrtype -nc a b");
        let (main, random) = (Tree::default(), Random::new(seed));
        let (branches, bases, merged) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut model = Model { project, random, count: 0, branches, main, bases, merged, conflicts: 0 };
        model.main = model.seen("v");
        for _ in 0..2 {
            model.main = model.develop("v", &model.main.clone(), &[0, 0, 0, 1, 1, 0, 0, 1, 0]);
        }
        model.project.sh("cleartool mklbtype -nc INIT && cleartool mklabel -recurse INIT .");
        for branch in BRANCHES {
            model.project.world.make_view(branch);
            // What is integrated is not seen here: a branch has only its own changes.
            let spec = format!(
                "element * CHECKEDOUT\nelement * .../{branch}/LATEST\nelement * INIT -mkbranch {branch}\n\
                 element * /main/0 -mkbranch {branch}\n"
            );
            model.project.world.set_spec(branch, &spec);
        }
        model.branches = vec![model.main.clone(); BRANCHES.len()];
        model.bases = model.branches.clone();
        model
    }

    fn run(&self, view: &str, script: &[String]) -> String {
        self.project.world.sh(&self.project.world.in_view(view, "/vobs/x"), &script.join("\n")).ok()
    }

    /// What a view shows now.
    fn seen(&self, view: &str) -> Tree {
        let told = self.run(
            view,
            &["find . -path ./lost+found -prune -o -printf '%p@@\\n' | xargs cleartool describe -fmt '%On %En\\n'"
                .to_owned()],
        );
        let ids: BTreeMap<&str, &str> = told
            .lines()
            .map(|line| line.split_once(' ').expect("an identity and a name"))
            .map(|(id, name)| (name, id))
            .collect();
        let mut tree = Tree { root: ids["."].to_owned(), ..Tree::default() };
        for (path, id) in &ids {
            let place = self.project.world.in_view(view, "/vobs/x").join(path);
            if place.is_dir() {
                tree.directories.entry((*id).to_owned()).or_default();
            } else {
                let text = std::fs::read_to_string(place).expect("it can be read");
                tree.texts.insert((*id).to_owned(), text.lines().map(str::to_owned).collect());
            }
            if let Some((above, name)) = path.rsplit_once('/') {
                let catalog = tree.directories.entry(ids[above].to_owned()).or_default();
                catalog.insert(name.to_owned(), (*id).to_owned());
            }
        }
        tree
    }

    fn unique(&mut self, kind: &str) -> String {
        self.count += 1;
        format!("{kind}{}", self.count)
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.random.below(from.len())].clone()
    }

    /// Changes what a view shows by operations drawn from some kinds, and checks it in.
    fn develop(&mut self, view: &str, from: &Tree, kinds: &[usize]) -> Tree {
        let mut tree = from.clone();
        // What is checked out cannot be removed.
        let mut touched: BTreeSet<Id> = BTreeSet::new();
        let mut script = vec![
            "set -e".to_owned(),
            "co() { cleartool lsco -s -cview -d \"$1\" | grep -q . || cleartool co -nc \"$1\"; }".to_owned(),
        ];
        for _ in 0..CHANGES {
            let kind = self.pick(kinds);
            self.change(kind, &mut tree, &mut touched, &mut script);
        }
        script.push(
            "out=$(cleartool lsco -s -r -cview); test -z \"$out\" || cleartool ci -nc -identical $out"
                .to_owned(),
        );
        self.run(view, &script);
        self.seen(view)
    }

    fn change(&mut self, kind: usize, tree: &mut Tree, touched: &mut BTreeSet<Id>, script: &mut Vec<String>) {
        let paths = tree.paths();
        let directories: Vec<Id> =
            tree.directories.keys().filter(|id| paths.contains_key(*id)).cloned().collect();
        let entries: Vec<(Id, String, Id)> = directories
            .iter()
            .flat_map(|id| {
                tree.directories[id].iter().map(|(name, child)| (id.clone(), name.clone(), child.clone()))
            })
            .collect();
        let directory = self.pick(&directories);
        let name = format!("n{}", self.random.below(NAMES));
        let place = |id: &Id, name: &str| format!("{}/{name}", paths[id]);
        if kind < 2 {
            if tree.directories[&directory].contains_key(&name) {
                return;
            }
            let (id, path) = (self.unique("new"), place(&directory, &name));
            script.push(format!("co {}", paths[&directory]));
            if kind == 1 {
                script.push(format!("cleartool mkdir -nc {path}"));
                tree.directories.insert(id.clone(), Catalog::new());
            } else {
                let lines: Vec<String> = (0..LINES).map(|_| self.unique("line")).collect();
                script.push(format!(
                    "printf '{}\\n' > {path} && cleartool mkelem -nc {path}",
                    lines.join("\\n")
                ));
                tree.texts.insert(id.clone(), lines);
            }
            tree.directories.get_mut(&directory).expect("it is there").insert(name, id.clone());
            touched.extend([directory, id]);
            return;
        }
        if entries.is_empty() {
            return;
        }
        let (above, old, id) = self.pick(&entries);
        let path = place(&above, &old);
        match kind {
            // Renamed, or moved; nothing goes into itself.
            2 | 3 => {
                let moves = kind == 3 && !tree.below(&id).contains(&directory);
                let to = if moves { directory } else { above.clone() };
                if tree.directories[&to].contains_key(&name) {
                    return;
                }
                script.push(format!("co {}; co {}", paths[&above], paths[&to]));
                script.push(format!("cleartool mv {path} {}", place(&to, &name)));
                tree.directories.get_mut(&above).expect("it is there").remove(&old);
                tree.directories.get_mut(&to).expect("it is there").insert(name, id);
                touched.extend([above, to]);
            }
            4 => {
                if !touched.is_disjoint(&tree.below(&id)) || entries.len() < 5 {
                    return;
                }
                script.push(format!("co {}; cleartool rmname {path}", paths[&above]));
                tree.directories.get_mut(&above).expect("it is there").remove(&old);
                touched.insert(above);
            }
            _ => {
                let new = self.unique("line");
                let at = self.random.below(LINES);
                let replaces = self.random.below(2) == 0;
                let Some(lines) = tree.texts.get_mut(&id) else { return };
                if replaces && at + 1 < lines.len() {
                    lines.remove(at);
                }
                lines.insert(at.min(lines.len()), new);
                script.push(format!("co {path}; printf '{}\\n' > {path}", lines.join("\\n")));
                touched.insert(id);
            }
        }
    }

    /// Integrates a branch, and compares.
    fn integrate(&mut self, branch: usize) {
        let name = BRANCHES[branch];
        let merge = format!(
            "cleartool findmerge . -fver .../{name}/LATEST -merge -log NUL -opt -quiet < /dev/null 2>&1"
        );
        let found = self.project.world.sh(&self.project.directory, &merge);
        self.project.sh("find . -name '*.contrib*' -delete");
        let is = self.seen("v");
        let told = &found.stdout;
        let paths = is.paths();
        let by_path = is.all_paths();
        let left: BTreeSet<Id> = told
            .lines()
            .filter_map(|line| line.strip_prefix("cleartool: Error: Conflicts are left in directory \""))
            .map(|line| by_path[line.split('"').next().expect("a name")].clone())
            .collect();
        for directory in is.directories.keys() {
            self.names_are_right(branch, directory, &is, left.contains(directory), told);
        }
        let mut marked = Vec::new();
        for (file, lines) in &is.texts {
            let [was, mine, theirs] =
                [&self.bases[branch], &self.main, &self.branches[branch]].map(|tree| tree.lines(file));
            let lines: Lines = lines.iter().cloned().collect();
            if lines.iter().any(|line| line.starts_with("<<<<<<< ")) {
                assert!(was != mine && was != theirs, "{}: no conflict: {told}", paths[file]);
                for line in mine.difference(&was).chain(theirs.difference(&was)) {
                    assert!(lines.contains(line), "{line} of {} is lost: {lines:?}", paths[file]);
                }
                marked.push(file.clone());
            } else {
                assert_eq!(lines, both(&was, &mine, &theirs), "{}: {told}", paths[file]);
            }
        }
        assert_eq!(found.status != 0, !left.is_empty() || !marked.is_empty(), "{told}");
        self.conflicts += left.len() + marked.len();
        self.bases_are_right(branch, &by_path, told);
        let left: Vec<&str> = left.iter().map(|id| &paths[id][..]).collect();
        let marked: Vec<&str> = marked.iter().map(|id| &paths[id][..]).collect();
        self.resolve(name, &left, &marked, told);
        // What was integrated is what is seen on the branch, of what is seen here.
        let main = self.seen("v");
        for id in main.directories.keys().chain(main.texts.keys()) {
            let theirs = &self.branches[branch];
            let catalog = theirs.directories.get(id).map(|catalog| (id.clone(), catalog.clone()));
            let lines = theirs.texts.get(id).map(|lines| (id.clone(), lines.clone()));
            self.bases[branch].directories.extend(catalog);
            self.bases[branch].texts.extend(lines);
        }
        self.main.remember(&main);
        let again = format!("cleartool findmerge . -fver .../{name}/LATEST -merge -log NUL");
        assert_eq!(self.project.sh(&again), "");
    }

    /// The names of a directory are what both sides made of them; where a conflict is told, a name may be as it was here.
    fn names_are_right(&self, branch: usize, directory: &Id, is: &Tree, is_left: bool, told: &str) {
        let all = [&self.bases[branch], &self.main, &self.branches[branch]];
        let catalogs = all.into_iter().chain([is]).filter_map(|tree| tree.directories.get(directory));
        let objects: BTreeSet<&Id> = catalogs.flat_map(|catalog| catalog.values()).collect();
        let (mut meet, mut taken) = (told.contains("it would be inside itself"), BTreeMap::new());
        for object in objects {
            let [was, mine, theirs] = all.map(|tree| tree.names(directory, object));
            let (found, wanted) = (is.names(directory, object), both(&was, &mine, &theirs));
            meet |= theirs != was && mine != was && theirs != mine;
            for name in wanted.iter().chain(&mine) {
                meet |= taken.insert(name.clone(), object).is_some_and(|other| other != object);
            }
            assert!(
                found == wanted || (is_left && found == mine),
                "{object} in {}: was {was:?}, here {mine:?}, there {theirs:?}, found {found:?}: {told}",
                is.paths()[directory]
            );
        }
        assert!(meet || !is_left, "there is no conflict in {}: {told}", is.paths()[directory]);
    }

    /// Every version that was merged was compared with the one that was merged before it.
    fn bases_are_right(&mut self, branch: usize, by_path: &BTreeMap<String, Id>, told: &str) {
        let needs = told.lines().filter_map(|line| line.strip_prefix("Needs Merge \"")?.split_once("\" ["));
        for (path, facts) in needs {
            let word = |after: &str| {
                let (_, rest) = facts.split_once(after)?;
                Some(rest.split([' ', ']', ')']).next().unwrap_or_default().to_owned())
            };
            let from = word(" from ").expect("it says from where");
            let base = word("base also ").or_else(|| word(" base ")).expect("it says the base");
            let id = by_path.get(path).unwrap_or_else(|| panic!("{path} is not there: {told}"));
            match self.merged.insert((branch, id.clone()), from) {
                Some(last) => assert_eq!(base, last, "{path}: {facts}"),
                None => {
                    assert!(base.starts_with("/main/") && base.matches('/').count() == 2, "{path}: {facts}")
                }
            }
        }
    }

    /// Decides the conflicts, keeps all lines, records it, and checks in.
    fn resolve(&self, branch: &str, left: &[&str], marked: &[&str], told: &str) {
        let mut script = vec!["set -e".to_owned()];
        script.extend(marked.iter().map(|path| {
            format!("sed -i -e '/^||||||| /,/^=======$/d' -e '/^<<<<<<< /d' -e '/^>>>>>>> /d' {path}")
        }));
        script.extend(
            left.iter()
                .chain(marked)
                .map(|path| format!("cleartool merge -to {path} -ndata -version .../{branch}/LATEST")),
        );
        script.push(
            "out=$(cleartool lsco -s -r -cview); test -z \"$out\" || cleartool ci -nc -identical $out"
                .to_owned(),
        );
        self.run("v", &script);
        // The arrows of what was merged are there.
        let needs = told.lines().filter_map(|line| line.strip_prefix("Needs Merge \"")?.split_once("\" ["));
        for (path, facts) in needs {
            let from =
                facts.split(" from ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a version");
            let arrows = self.project.sh(&format!("cleartool describe -s -ahlink Merge {path}"));
            assert!(
                arrows.lines().any(|line| line.ends_with(&format!("@@{from}"))),
                "{path} {from}: {arrows}"
            );
        }
    }
}

fn run(seed: u64) -> usize {
    let mut model = Model::new(seed);
    for _ in 0..ROUNDS {
        for (at, branch) in BRANCHES.iter().enumerate() {
            let from = model.seen(branch);
            let seen = model.develop(branch, &from, &[0, 0, 1, 2, 2, 3, 4, 5, 5, 5]);
            model.branches[at].remember(&seen);
        }
        for branch in 0..BRANCHES.len() {
            model.integrate(branch);
        }
    }
    model.conflicts
}

#[test]
fn random_trees_are_integrated_and_nothing_is_lost() {
    let conflicts: usize = [1, 2, 3].map(run).iter().sum();
    assert!(conflicts > 0, "no seed made a conflict");
}

//! Config specs, as far as the model knows them: which version of an element a view shows.

use super::place::Trail;
use super::{BRANCHES, Element, LABELS, NO_BRANCH, Spot};

/// Which elements a rule is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// All.
    Any,
    /// Files.
    Files,
    /// Directories.
    Directories,
}

/// Which paths a rule is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pattern {
    /// `*`
    All,
    /// `name/...`: whatever has the name, and all below it. The name is one of [`super::place::NAMES`].
    Below(usize),
}

/// What a rule picks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pick {
    /// `CHECKEDOUT`
    CheckedOut,
    /// `/main/LATEST`
    MainLatest,
    /// `/main/0`
    MainZero,
    /// `.../alpha/LATEST`
    Latest(usize),
    /// `ONE`
    Label(usize),
    /// `-none`
    Nothing,
    /// `-error`
    Error,
}

/// A rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rule {
    /// What kind of element.
    pub scope: Scope,
    /// Where.
    pub pattern: Pattern,
    /// What of it.
    pub pick: Pick,
    /// `-mkbranch`: one of [`BRANCHES`], or the place behind them for [`NO_BRANCH`].
    pub make: Option<usize>,
    /// `-nocheckout`
    pub no_checkout: bool,
}

/// A config spec.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spec(pub Vec<Rule>);

/// What a view shows of an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// A version.
    Version(Spot),
    /// The view's own checkout.
    CheckedOut,
    /// Nothing.
    Nothing,
    /// Access is an error.
    Error,
}

impl Rule {
    /// A rule about everything.
    pub fn all(pick: Pick) -> Rule {
        Rule { scope: Scope::Any, pattern: Pattern::All, pick, make: None, no_checkout: false }
    }

    /// The same rule, which makes a branch.
    pub fn making(self, kind: usize) -> Rule {
        Rule { make: Some(kind), ..self }
    }

    fn is_about(&self, element: &Element, trail: Trail) -> bool {
        let scope = match self.scope {
            Scope::Any => true,
            Scope::Files => !element.directory,
            Scope::Directories => element.directory,
        };
        let pattern = match self.pattern {
            Pattern::All => true,
            Pattern::Below(name) => trail.leads_through(name),
        };
        scope && pattern
    }

    /// What the rule picks of an element; none where the next rule is asked.
    fn pick(&self, element: &Element, view: usize) -> Option<Shown> {
        match self.pick {
            Pick::CheckedOut => element.checkouts[view].as_ref().map(|_| Shown::CheckedOut),
            Pick::MainLatest => Some(Shown::Version(element.newest(0))),
            Pick::MainZero => Some(Shown::Version((0, 0))),
            Pick::Latest(kind) => {
                element.branch_of(Some(kind)).map(|branch| Shown::Version(element.newest(branch)))
            }
            Pick::Label(label) => element.labels.get(&label).map(|spot| Shown::Version(*spot)),
            Pick::Nothing => Some(Shown::Nothing),
            Pick::Error => Some(Shown::Error),
        }
    }

    /// The name of the branch type that the rule makes branches of.
    pub fn made(&self) -> &'static str {
        self.make.map_or("", |kind| BRANCHES.get(kind).copied().unwrap_or(NO_BRANCH))
    }

    /// The version selector, as it is written.
    pub fn selector(&self) -> String {
        match self.pick {
            Pick::CheckedOut => "CHECKEDOUT".to_owned(),
            Pick::MainLatest => "/main/LATEST".to_owned(),
            Pick::MainZero => "/main/0".to_owned(),
            Pick::Latest(kind) => format!(".../{}/LATEST", BRANCHES[kind]),
            Pick::Label(label) => LABELS[label].to_owned(),
            Pick::Nothing => "-none".to_owned(),
            Pick::Error => "-error".to_owned(),
        }
    }

    fn text(&self) -> String {
        let scope = match self.scope {
            Scope::Any => "",
            Scope::Files => "-file ",
            Scope::Directories => "-directory ",
        };
        let pattern = match self.pattern {
            Pattern::All => "*".to_owned(),
            Pattern::Below(name) => format!("{}/...", super::place::NAMES[name]),
        };
        let make = self.make.map(|_| format!(" -mkbranch {}", self.made())).unwrap_or_default();
        let no_checkout = if self.no_checkout { " -nocheckout" } else { "" };
        format!("element {scope}{pattern} {}{make}{no_checkout}\n", self.selector())
    }
}

impl Default for Spec {
    fn default() -> Spec {
        Spec(vec![Rule::all(Pick::CheckedOut), Rule::all(Pick::MainLatest)])
    }
}

impl Spec {
    /// The text of the spec.
    pub fn text(&self) -> String {
        self.0.iter().map(Rule::text).collect()
    }

    /// What a view with this spec shows of an element, and the rule that decides.
    pub fn select(&self, element: &Element, view: usize, trail: Trail) -> (Shown, Option<Rule>) {
        for rule in self.0.iter().filter(|rule| rule.is_about(element, trail)) {
            if let Some(shown) = rule.pick(element, view) {
                return (shown, Some(*rule));
            }
        }
        (Shown::Nothing, None)
    }
}

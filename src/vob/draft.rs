//! A journal frame in the making: transactions are added one after the other, each judged on what
//! those before it leave. What is refused leaves no trace.
//!
//! Pure, as all of this room: the records it began with are read and never changed. Whoever
//! commits the transactions has them judged once more, together.

use super::apply::{self, Catalog, DirectoryAt, PlacedChangeset, ReadError, Records};
use super::directory::{Directory, DirectoryNode};
use super::element::Element;
use super::identity::ElementNo;
use super::operation::Transaction;
use super::state::VobState;
use super::{Changes, Refused};
use std::collections::HashMap;
use std::slice;
use std::sync::Arc;

/// What a transaction changes, found to be lawful.
pub struct Judged(Changes);

impl Judged {
    /// Returns an element as the transaction leaves it; none where it does not change it.
    pub fn element(&self, number: ElementNo) -> Option<&Arc<Element>> {
        self.0.elements.get(&number)
    }
}

/// A frame that is planned. It reads as the records will when its transactions are committed.
pub struct Draft<'a> {
    records: &'a dyn Records,
    state: VobState,
    elements: HashMap<ElementNo, Arc<Element>>,
    directories: HashMap<(ElementNo, DirectoryAt), Option<Catalog>>,
    changesets: HashMap<Box<[u8]>, PlacedChangeset>,
    transactions: Vec<Transaction>,
}

impl<'a> Draft<'a> {
    /// Begins with nothing planned.
    pub fn new(records: &'a dyn Records) -> Draft<'a> {
        let (elements, directories, changesets, transactions) = Default::default();
        Draft { records, state: records.state(), elements, directories, changesets, transactions }
    }

    /// Judges a transaction on what those that were added leave.
    ///
    /// # Errors
    /// [`Refused`], as when it were committed.
    pub fn judge(&self, transaction: &Transaction) -> Result<Judged, Refused> {
        self.judge_all(slice::from_ref(transaction))
    }

    /// Judges transactions that are to be added together.
    ///
    /// # Errors
    /// As [`Draft::judge`].
    pub fn judge_all(&self, transactions: &[Transaction]) -> Result<Judged, Refused> {
        apply::apply(self, transactions, 0, 0).map(Judged)
    }

    /// Adds a transaction that was judged on what is here now.
    pub fn accept(&mut self, transaction: Transaction, judged: Judged) {
        self.accept_all([transaction], judged);
    }

    /// Adds transactions that were judged together on what is here now.
    pub fn accept_all(&mut self, transactions: impl IntoIterator<Item = Transaction>, judged: Judged) {
        let Judged(changes) = judged;
        self.state = changes.state;
        self.elements.extend(changes.elements);
        self.directories.extend(changes.directories);
        self.changesets.extend(changes.changesets);
        self.transactions.extend(transactions);
    }

    /// Judges a transaction and adds it.
    ///
    /// # Errors
    /// [`Refused`]; nothing was added then.
    pub fn add(&mut self, transaction: Transaction) -> Result<(), Refused> {
        let judged = self.judge(&transaction)?;
        self.accept(transaction, judged);
        Ok(())
    }

    /// Returns one transaction of all that were added, with the time, the user and the comment of the first: one event.
    pub fn into_one_transaction(self) -> Option<Transaction> {
        let mut transactions = self.transactions.into_iter();
        let mut all = transactions.next()?;
        all.operations.extend(transactions.flat_map(|transaction| transaction.operations));
        Some(all)
    }

    /// Returns the transactions that were added, in their order.
    pub fn into_transactions(self) -> Vec<Transaction> {
        self.transactions
    }
}

impl Records for Draft<'_> {
    fn state(&self) -> VobState {
        self.state.clone()
    }

    fn element(&self, number: ElementNo) -> Result<Option<Arc<Element>>, ReadError> {
        match self.elements.get(&number) {
            Some(element) => Ok(Some(element).filter(|element| !element.removed).cloned()),
            None => self.records.element(number),
        }
    }

    fn directory(&self, element: ElementNo, at: DirectoryAt) -> Result<Arc<Directory>, ReadError> {
        match self.directories.get(&(element, at)) {
            Some(Some((_, directory))) => Ok(Arc::clone(directory)),
            Some(None) => Err(gone(element, at)),
            None => self.records.directory(element, at),
        }
    }

    fn directory_node(&self, element: ElementNo, at: DirectoryAt) -> Result<Arc<DirectoryNode>, ReadError> {
        match self.directories.get(&(element, at)) {
            Some(Some((node, _))) => Ok(Arc::clone(node)),
            Some(None) => Err(gone(element, at)),
            None => self.records.directory_node(element, at),
        }
    }

    fn changeset(&self, id: &[u8]) -> Result<Option<PlacedChangeset>, ReadError> {
        match self.changesets.get(id) {
            Some(placed) => Ok(Some(placed.clone())),
            None => self.records.changeset(id),
        }
    }
}

fn gone(element: ElementNo, at: DirectoryAt) -> ReadError {
    format!("element {} has no {at:?} any more", element.0).into()
}

//! Finds a short list of operations that still makes a difference: parts are left out as long as it stays.

use crate::operations::{Operation, kind_of};
use crate::product::Product;
use crate::run::{Difference, Operations, Run, again};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Makes programs with a new VOB and two new views each.
pub type Fresh<'a> = &'a dyn Fn() -> Box<dyn Product>;

/// How long is looked for something shorter.
const PATIENCE: Duration = Duration::from_secs(120);

/// Leaves out what is not needed for a difference. The list that comes out makes the difference that comes with it.
pub fn shrink(fresh: Fresh<'_>, operations: &[Rc<dyn Operation>]) -> Option<(Operations, Difference)> {
    let end = Instant::now() + PATIENCE;
    let kind = |list: &[Rc<dyn Operation>]| list.last().map(|last| kind_of(&**last));
    let (mut list, mut difference) = try_list(fresh, operations)?;
    let wanted = kind(&list);
    // From large parts to single operations (ddmin).
    let mut size = list.len().div_ceil(2);
    while Instant::now() < end {
        let mut left_out = false;
        let mut at = 0;
        while at < list.len() && Instant::now() < end {
            let part = at..(at + size).min(list.len());
            let rest: Operations = [&list[..part.start], &list[part.end..]].concat();
            match try_list(fresh, &rest) {
                // Another kind of operation makes another difference.
                Some((shorter, found)) if kind(&shorter) == wanted => {
                    (list, difference, left_out) = (shorter, found, true);
                }
                _ => at += size,
            }
        }
        if size == 1 && !left_out {
            break;
        }
        if size > 1 {
            size = size.div_ceil(2);
        }
    }
    Some((list, difference))
}

/// Does operations to a new program; what comes after the first difference is left out.
fn try_list(fresh: Fresh<'_>, operations: &[Rc<dyn Operation>]) -> Option<(Operations, Difference)> {
    let product = fresh();
    let mut run = Run::new(&*product);
    let difference = again(&mut run, operations).err()?;
    Some((operations[..difference.step].to_vec(), difference))
}

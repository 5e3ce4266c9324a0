//! Chooses the base of a delta: skip deltas whose step depends on the content's size.
//!
//! A content at position `j` of its chain of predecessors is stored against the member at `j - r^k`, where
//! `r^k` is the largest power of the radix `r` that divides `j`. Every such base is an ancestor of `j - 1` in the
//! tree of bases, so it is found by walking from the predecessor. The radix follows from how many contents of
//! this size may be decoded for one read.

use super::Result;

/// How contents are compressed, and what reading one may cost.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Raw bytes that may be decoded to read one content.
    pub chain_bytes: u64,
    /// Contents that may be decoded to read one content.
    pub maximum_depth: u32,
    /// The radix is the power of two below the possible depth, divided by two this often.
    pub radix_shift: u32,
    /// Zstd level of deltas.
    pub delta_level: i32,
    /// Zstd level of full frames.
    pub full_level: i32,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy { chain_bytes: 3 << 20, maximum_depth: 64, radix_shift: 1, delta_level: 9, full_level: 12 }
    }
}

/// A frame as the walk sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub number: u32,
    /// 0 for a frame that needs no base.
    pub position: u32,
    pub base: Option<u32>,
    pub raw_length: u64,
}

/// The base chosen for a new content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub base: u32,
    /// Position of the new content.
    pub position: u32,
    /// The base is the chain's full frame.
    pub base_is_full: bool,
}

/// Largest power of the radix that divides a position.
fn step(position: u32, radix_bits: u32) -> u32 {
    1 << (position.trailing_zeros() / radix_bits * radix_bits)
}

impl Policy {
    /// Contents of this size that may be decoded for one read, the content itself included.
    fn depth(&self, size: u64) -> u32 {
        let contents = self.budget(size) / size.max(1);
        (contents.min(u64::from(self.maximum_depth)) as u32).max(2)
    }

    fn budget(&self, size: u64) -> u64 {
        // Large contents are expanded once into the cleartext pool: there a short chain may cost more.
        self.chain_bytes.max(size.saturating_mul(4))
    }

    fn radix_bits(&self, size: u64) -> u32 {
        (self.depth(size) >> self.radix_shift).max(2).ilog2()
    }

    /// Chooses the base of a content of `size` bytes; `link` reads a frame's link.
    pub(super) fn choose(
        &self,
        size: u64,
        predecessor: u32,
        link: &mut dyn FnMut(u32) -> Result<Link>,
    ) -> Result<Choice> {
        let mut chain = vec![link(predecessor)?];
        while let Some(base) = chain.last().and_then(|last| last.base) {
            chain.push(link(base)?);
        }
        Ok(self.choose_from(size, &chain))
    }

    /// Chooses among the predecessor and its bases, given in that order; the last one is a full frame.
    fn choose_from(&self, size: u64, chain: &[Link]) -> Choice {
        let position = chain[0].position.saturating_add(1);
        let target = position - step(position, self.radix_bits(size));
        let budget = self.budget(size);
        let depth = self.depth(size) as usize;
        // Cost of a base is all that is decoded below and with it.
        let mut cost: u64 = chain.iter().map(|member| member.raw_length).sum();
        let mut chosen = chain.len() - 1;
        for (index, member) in chain.iter().enumerate() {
            let affordable = cost + size <= budget && chain.len() - index < depth;
            if member.position <= target && affordable {
                chosen = index;
                break;
            }
            cost -= member.raw_length;
        }
        Choice { base: chain[chosen].number, position, base_is_full: chosen == chain.len() - 1 }
    }
}

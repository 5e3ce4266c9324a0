//! Compression: zstd frames without magic, checksum and content size, which the pool's frames carry already.

use std::cell::RefCell;

use zstd::zstd_safe::{
    CCtx, CParameter, DCtx, DParameter, FrameFormat, ResetDirective, compress_bound, get_error_name,
};

/// Zstd reads a prefix that begins with this as a trained dictionary when it decompresses.
const DICTIONARY_MAGIC: [u8; 4] = [0x37, 0xA4, 0x30, 0xEC];

/// Largest window zstd may use, as a power of two: a content and its base of 16 MiB each.
const MAXIMUM_WINDOW_LOG: u32 = 25;
/// Largest window, as a power of two, of which a thread keeps the context: what that has is a few megabytes at most.
const KEPT_WINDOW_LOG: u32 = 20;

/// Tells whether a content can serve as a prefix.
pub(super) fn can_be_base(content: &[u8]) -> bool {
    !content.is_empty() && !content.starts_with(&DICTIONARY_MAGIC)
}

/// Compresses `content`, with `base` as its prefix if there is one.
pub(super) fn compress(content: &[u8], base: Option<&[u8]>, level: i32) -> Result<Vec<u8>, &'static str> {
    // Kept for each thread: a new one is up to a megabyte of memory that the kernel has to clear first.
    thread_local! {
        static CONTEXT: RefCell<Option<CCtx<'static>>> = const { RefCell::new(None) };
    }
    CONTEXT.with_borrow_mut(|slot| {
        // It is put back when it has no prefix any more.
        let mut context = match slot.take() {
            Some(context) => context,
            None => CCtx::try_create().ok_or("no memory for a compression context")?,
        };
        let window = content.len() + base.map_or(0, <[u8]>::len);
        let window_log = usize::BITS - window.max(1024).leading_zeros();
        let parameters = [
            CParameter::CompressionLevel(level),
            CParameter::Format(FrameFormat::Magicless),
            CParameter::ContentSizeFlag(false),
            CParameter::ChecksumFlag(false),
            CParameter::WindowLog(window_log.min(MAXIMUM_WINDOW_LOG)),
        ];
        for parameter in parameters {
            context.set_parameter(parameter).map_err(get_error_name)?;
        }
        let mut out = Vec::with_capacity(compress_bound(content.len()));
        let mut context = match base {
            None => {
                context.compress2(&mut out, content).map_err(get_error_name)?;
                context
            }
            Some(base) => with_prefix(context, base, &mut out, content)?,
        };
        let window_is_small = window_log <= KEPT_WINDOW_LOG;
        if window_is_small && context.reset(ResetDirective::SessionAndParameters).is_ok() {
            *slot = Some(context);
        }
        out.shrink_to_fit();
        Ok(out)
    })
}

/// Compresses against a prefix, and returns the context without it.
fn with_prefix(
    context: CCtx<'static>,
    base: &[u8],
    out: &mut Vec<u8>,
    content: &[u8],
) -> Result<CCtx<'static>, &'static str> {
    // SAFETY: the lifetime only says how long a prefix must live that the context refers to. One is referred to in the
    // next line, while `base` lives, and given up by the reset below before this returns; on the way out with an error the
    // context itself is dropped.
    let mut context: CCtx<'_> = unsafe { std::mem::transmute::<CCtx<'static>, CCtx<'_>>(context) };
    context.ref_prefix(base).map_err(get_error_name)?;
    context.compress2(out, content).map_err(get_error_name)?;
    context.reset(ResetDirective::SessionAndParameters).map_err(get_error_name)?;
    // SAFETY: as above: no prefix is referred to any more.
    Ok(unsafe { std::mem::transmute::<CCtx<'_>, CCtx<'static>>(context) })
}

/// Decompresses `stored` into exactly `length` bytes.
pub(super) fn decompress(stored: &[u8], base: &[u8], length: usize) -> Result<Vec<u8>, &'static str> {
    thread_local! {
        static CONTEXT: RefCell<Option<DCtx<'static>>> = const { RefCell::new(None) };
    }
    CONTEXT.with_borrow_mut(|slot| {
        if slot.is_none() {
            let mut context = DCtx::try_create().ok_or("no memory for a decompression context")?;
            context.set_parameter(DParameter::Format(FrameFormat::Magicless)).map_err(get_error_name)?;
            *slot = Some(context);
        }
        let context = slot.as_mut().expect("it was set above");
        let mut out = Vec::with_capacity(length);
        context.decompress_using_dict(&mut out, stored, base).map_err(get_error_name)?;
        if out.len() != length {
            return Err("the decompressed content has another length");
        }
        Ok(out)
    })
}

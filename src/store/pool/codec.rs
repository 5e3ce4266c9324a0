//! Compression: zstd frames without magic, checksum and content size, which the pool's frames carry already.

use std::cell::RefCell;

use zstd::zstd_safe::{CCtx, CParameter, DCtx, DParameter, FrameFormat, compress_bound, get_error_name};

/// Zstd reads a prefix that begins with this as a trained dictionary when it decompresses.
const DICTIONARY_MAGIC: [u8; 4] = [0x37, 0xA4, 0x30, 0xEC];

/// Largest window zstd may use, as a power of two: a content and its base of 16 MiB each.
const MAXIMUM_WINDOW_LOG: u32 = 25;

/// Tells whether a content can serve as a prefix.
pub(super) fn can_be_base(content: &[u8]) -> bool {
    !content.is_empty() && !content.starts_with(&DICTIONARY_MAGIC)
}

/// Compresses `content`, with `base` as its prefix if there is one.
pub(super) fn compress(content: &[u8], base: Option<&[u8]>, level: i32) -> Result<Vec<u8>, &'static str> {
    // The prefix's lifetime is part of the context's type, so a context serves one call.
    let mut context = CCtx::try_create().ok_or("no memory for a compression context")?;
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
    if let Some(base) = base {
        context.ref_prefix(base).map_err(get_error_name)?;
    }
    let mut out = Vec::with_capacity(compress_bound(content.len()));
    context.compress2(&mut out, content).map_err(get_error_name)?;
    out.shrink_to_fit();
    Ok(out)
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

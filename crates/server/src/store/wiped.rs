//! The memory of SQLite, wiped when it is given back.
//!
//! SQLite keeps pages and rows in memory of its own and takes it from the C library, where what was
//! freed stays as it was. Here it takes memory from Rust instead, through the interface it has for
//! that, and each piece is overwritten before it goes back. SQLite's interface is one of pointers: hence
//! the unsafe code.

#![expect(unsafe_code, reason = "SQLite asks for memory, and takes options, by pointers")]

use std::alloc::{Layout, alloc, dealloc};
use std::ffi::{c_int, c_void};
use std::ptr::{copy_nonoverlapping, null_mut};
use std::sync::OnceLock;

use rusqlite::ffi;
use zeroize::Zeroize;

/// Before each piece stands its size. As long as its alignment, which is more than SQLite wants.
const HEADER: usize = 16;

const METHODS: ffi::sqlite3_mem_methods = ffi::sqlite3_mem_methods {
    xMalloc: Some(take),
    xFree: Some(give_back),
    xRealloc: Some(resize),
    xSize: Some(size),
    xRoundup: Some(round_up),
    xInit: Some(begin),
    xShutdown: Some(end),
    pAppData: null_mut(),
};

/// Has SQLite take its memory here, from before its first use on. False when something else in this
/// process has used it earlier.
pub(super) fn use_wiped_memory() -> bool {
    static USED: OnceLock<bool> = OnceLock::new();
    *USED.get_or_init(|| {
        let methods = METHODS;
        // SAFETY: the option takes a pointer to such a table, which SQLite copies. Calls at a time
        // when it is in use are refused, not obeyed.
        let done = unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_MALLOC, &raw const methods) };
        done == ffi::SQLITE_OK
    })
}

/// Has SQLite leave the file of the write-ahead log where it is when it closes the database, with the room that
/// it has on the disk. False when it cannot.
pub(super) fn keep_log_file(db: &rusqlite::Connection) -> bool {
    let mut keep: c_int = 1;
    // SAFETY: the handle is that of an open connection, no name means its main database, and this question
    // takes a pointer to a number, which it reads and writes before it returns.
    let done = unsafe {
        ffi::sqlite3_file_control(
            db.handle(),
            std::ptr::null(),
            ffi::SQLITE_FCNTL_PERSIST_WAL,
            (&raw mut keep).cast(),
        )
    };
    done == ffi::SQLITE_OK
}

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEADER)?, HEADER).ok()
}

unsafe extern "C" fn take(bytes: c_int) -> *mut c_void {
    let size = usize::try_from(bytes).unwrap_or(0);
    let Some(layout) = layout(size).filter(|_| size > 0) else { return null_mut() };
    // SAFETY: the layout is not empty, since it has a header, and the header has room for a size.
    unsafe {
        let start = alloc(layout);
        if start.is_null() {
            return null_mut();
        }
        start.cast::<usize>().write(size);
        start.add(HEADER).cast()
    }
}

unsafe extern "C" fn give_back(piece: *mut c_void) {
    if piece.is_null() {
        return;
    }
    // SAFETY: SQLite gives back what it took from `take`, once, and uses it no more.
    unsafe {
        let size = size_of(piece);
        std::slice::from_raw_parts_mut(piece.cast::<u8>(), size).zeroize();
        if let Some(layout) = layout(size) {
            dealloc(piece.cast::<u8>().sub(HEADER), layout);
        }
    }
}

unsafe extern "C" fn resize(piece: *mut c_void, bytes: c_int) -> *mut c_void {
    // SAFETY: `piece` is from `take`, and both pieces are at least as long as what is copied.
    unsafe {
        let larger = take(bytes);
        if !larger.is_null() {
            let kept = size_of(piece).min(size_of(larger));
            copy_nonoverlapping(piece.cast::<u8>(), larger.cast::<u8>(), kept);
            give_back(piece);
        }
        larger
    }
}

unsafe extern "C" fn size(piece: *mut c_void) -> c_int {
    if piece.is_null() {
        return 0;
    }
    // SAFETY: a piece from `take`, whose size came as this type.
    c_int::try_from(unsafe { size_of(piece) }).unwrap_or(c_int::MAX)
}

/// The size that stands before a piece.
///
/// # Safety
/// The piece is from [`take`], and was not given back.
unsafe fn size_of(piece: *mut c_void) -> usize {
    // SAFETY: `take` has written it there.
    unsafe { piece.cast::<u8>().sub(HEADER).cast::<usize>().read() }
}

unsafe extern "C" fn round_up(bytes: c_int) -> c_int {
    bytes.checked_add(7).map_or(bytes, |more| more & !7)
}

unsafe extern "C" fn begin(_: *mut c_void) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn end(_: *mut c_void) {}

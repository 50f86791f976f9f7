//! The calls SQLite makes on an open file.
//!
//! Unsafe code: it turns SQLite's pointers into references and does nothing else with them.
//!
//! **Invariant:** `open` of a file whose methods are set is a live `Open`, used by one thread at a
//! time (SQLite's rule for a connection).
#![allow(unsafe_code, reason = "SQLite calls C functions with raw pointers")]

use std::ffi::{c_int, c_void};
use std::io;
use std::ptr;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use mainstay_base::disk::File;
use rusqlite::ffi;

use super::State;

/// What SQLite may assume when it plans its writes: 4 kB, as almost every disk writes today.
const SECTOR_BYTES: c_int = 4096;

/// A file as SQLite allocates it: its own part first.
#[repr(C)]
pub(super) struct Handle {
    pub(super) base: ffi::sqlite3_file,
    pub(super) open: *mut Open,
}

/// An open file.
pub(super) struct Open {
    file: Box<dyn File>,
    state: Arc<State>,
    path: String,
    is_log: bool,
    is_temporary: bool,
    /// Its name is not durable yet.
    is_new: bool,
}

/// The calls below.
pub(super) static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(lock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

impl Open {
    /// Opens `name` as SQLite's flags say.
    pub(super) fn new(state: &Arc<State>, name: &str, flags: c_int) -> io::Result<Self> {
        let is_new = !state.disk.exists(name)?;
        let file = state.disk.open(name, flags & ffi::SQLITE_OPEN_CREATE != 0)?;
        Ok(Self {
            file,
            state: Arc::clone(state),
            path: name.to_owned(),
            is_log: flags & ffi::SQLITE_OPEN_WAL != 0,
            is_temporary: flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0,
            is_new,
        })
    }
}

/// The open file behind SQLite's.
unsafe fn open_of<'f>(file: *mut ffi::sqlite3_file) -> &'f mut Open {
    // SAFETY: SQLite calls a method only on a file whose methods `open` has set; see the module's
    // invariant.
    unsafe { &mut *(*file.cast::<Handle>()).open }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: `open` made the pointer of a box, and SQLite closes a file once: without methods it
    // does not call again.
    let open = unsafe {
        (*file).pMethods = ptr::null();
        Box::from_raw((*file.cast::<Handle>()).open)
    };
    let Open { file, state, path, is_temporary, .. } = *open;
    drop(file);
    if !is_temporary {
        return ffi::SQLITE_OK;
    }
    state.done(state.disk.remove(&path), ffi::SQLITE_IOERR_DELETE)
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    out: *mut c_void,
    count: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    let (Ok(count), Ok(offset)) = (usize::try_from(count), u64::try_from(offset)) else {
        return ffi::SQLITE_IOERR_READ;
    };
    // SAFETY: SQLite's file, and `count` bytes at `out` that nobody else uses during the call.
    let (open, buffer) = unsafe { (open_of(file), slice::from_raw_parts_mut(out.cast::<u8>(), count)) };
    match open.file.read_at(buffer, offset) {
        Ok(filled) if filled == count => ffi::SQLITE_OK,
        Ok(filled) => {
            buffer[filled..].fill(0);
            ffi::SQLITE_IOERR_SHORT_READ
        }
        Err(failure) => open.state.code(&failure, ffi::SQLITE_IOERR_READ),
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    count: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    let (Ok(count), Ok(offset)) = (usize::try_from(count), u64::try_from(offset)) else {
        return ffi::SQLITE_IOERR_WRITE;
    };
    // SAFETY: SQLite's file, and `count` bytes at `bytes`.
    let (open, bytes) = unsafe { (open_of(file), slice::from_raw_parts(bytes.cast::<u8>(), count)) };
    let outcome = open.file.write_at(bytes, offset);
    if outcome.is_ok() {
        open.state.counters.written_bytes.fetch_add(count as u64, Ordering::Relaxed);
        if open.is_log {
            open.state.log_end.store(offset + count as u64, Ordering::Relaxed);
        }
    }
    open.state.done(outcome, ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite's file.
    let open = unsafe { open_of(file) };
    let Ok(length) = u64::try_from(length) else { return ffi::SQLITE_IOERR_TRUNCATE };
    let outcome = open.file.set_len(length);
    open.state.done(outcome, ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: SQLite's file.
    let open = unsafe { open_of(file) };
    open.state.counters.syncs.fetch_add(1, Ordering::Relaxed);
    let outcome = open.file.sync();
    if outcome.is_err() || !open.is_new {
        return open.state.done(outcome, ffi::SQLITE_IOERR_FSYNC);
    }
    let named = open.state.disk.sync_folder();
    open.is_new = named.is_err();
    open.state.done(named, ffi::SQLITE_IOERR_DIR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, out: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite's file.
    let open = unsafe { open_of(file) };
    match open.file.len().map(i64::try_from) {
        Ok(Ok(length)) => {
            // SAFETY: SQLite's.
            unsafe { *out = length };
            ffi::SQLITE_OK
        }
        Ok(Err(_)) => ffi::SQLITE_IOERR_FSTAT,
        Err(failure) => open.state.code(&failure, ffi::SQLITE_IOERR_FSTAT),
    }
}

/// The store's own lock keeps everybody else out.
unsafe extern "C" fn lock(_file: *mut ffi::sqlite3_file, _level: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(_file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: SQLite's.
    unsafe { *out = 0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(
    _file: *mut ffi::sqlite3_file,
    _operation: c_int,
    _argument: *mut c_void,
) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    SECTOR_BYTES
}

/// A torn write spoils no byte but its own; nothing more is promised.
unsafe extern "C" fn device_characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

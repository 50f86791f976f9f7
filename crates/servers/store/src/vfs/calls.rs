//! The calls SQLite makes, and the registration that leads it here.
//!
//! The one module of the store with unsafe code: it turns SQLite's pointers into references and
//! does nothing else with them.
//!
//! **Invariants:** `pAppData` of a registered VFS is a live `Arc<State>`; `open` of a file whose methods
//! are set is a live `Open`, used by one thread at a time (SQLite's rule for a connection).
#![allow(unsafe_code, reason = "SQLite calls C functions with raw pointers")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::io;
use std::ptr;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use mainstay_base::disk::File;
use rusqlite::ffi;

use super::State;

/// The longest file name, with its NUL.
const NAME_BYTES: c_int = 512;
/// What SQLite may assume when it plans its writes: 4 kB, as almost every disk writes today.
const SECTOR_BYTES: c_int = 4096;

/// SQLite's entry for one VFS.
#[derive(Debug)]
pub(super) struct Registration {
    entry: *mut ffi::sqlite3_vfs,
    _name: CString,
}

// SAFETY: SQLite guards its list of VFSes with a mutex, and the entry is changed only by that
// list's own calls; `State` is Send and Sync.
unsafe impl Send for Registration {}

impl Registration {
    /// Registers `state` under `name`.
    pub(super) fn new(name: CString, state: Arc<State>) -> Result<Self, String> {
        let entry = Box::into_raw(Box::new(ffi::sqlite3_vfs {
            iVersion: 1,
            szOsFile: c_int::try_from(size_of::<Handle>()).expect("invariant: two pointers"),
            mxPathname: NAME_BYTES,
            pNext: ptr::null_mut(),
            zName: name.as_ptr(),
            pAppData: Box::into_raw(Box::new(state)).cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_path_name),
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: Some(current_time),
            xGetLastError: None,
            xCurrentTimeInt64: None,
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        }));
        // SAFETY: the entry stays where it is until `drop` unregisters it, and its name as long.
        let code = unsafe { ffi::sqlite3_vfs_register(entry, 0) };
        let registration = Self { entry, _name: name };
        if code == ffi::SQLITE_OK {
            Ok(registration)
        } else {
            Err(format!("SQLite refused its VFS ({code})"))
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: the connections are closed (see `Vfs`), so nobody calls the entry any more; both
        // pointers are those `new` made of boxes, given back once.
        unsafe {
            ffi::sqlite3_vfs_unregister(self.entry);
            let entry = Box::from_raw(self.entry);
            drop(Box::from_raw(entry.pAppData.cast::<Arc<State>>()));
        }
    }
}

/// A file as SQLite allocates it: its own part first.
#[repr(C)]
struct Handle {
    base: ffi::sqlite3_file,
    open: *mut Open,
}

/// An open file.
struct Open {
    file: Box<dyn File>,
    state: Arc<State>,
    path: String,
    is_log: bool,
    is_temporary: bool,
    /// Its name is not durable yet.
    is_new: bool,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
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

/// The state behind a VFS.
unsafe fn state_of<'s>(vfs: *mut ffi::sqlite3_vfs) -> &'s Arc<State> {
    // SAFETY: SQLite passes back the entry it was given; see the module's invariants.
    unsafe { &*(*vfs).pAppData.cast::<Arc<State>>() }
}

/// The open file behind SQLite's.
unsafe fn open_of<'f>(file: *mut ffi::sqlite3_file) -> &'f mut Open {
    // SAFETY: SQLite calls a method only on a file whose methods `open` has set; see the module's
    // invariants.
    unsafe { &mut *(*file.cast::<Handle>()).open }
}

/// A file's name; SQLite's names are the UTF-8 that it was given.
unsafe fn text<'t>(name: *const c_char) -> Option<&'t str> {
    if name.is_null() {
        return None;
    }
    // SAFETY: not null, so it is a C string that outlives the call.
    unsafe { CStr::from_ptr(name) }.to_str().ok()
}

/// SQLite's code for `failure`, which is noted for the error's text.
fn code(state: &State, failure: &io::Error, otherwise: c_int) -> c_int {
    state.note(failure);
    match failure.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ffi::SQLITE_FULL,
        _ => otherwise,
    }
}

/// SQLite's code for an outcome.
fn done(state: &State, outcome: io::Result<()>, otherwise: c_int) -> c_int {
    outcome.map_or_else(|failure| code(state, &failure, otherwise), |()| ffi::SQLITE_OK)
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    let handle = file.cast::<Handle>();
    // SAFETY: `file` has room for the `szOsFile` bytes of a Handle; without methods SQLite does not
    // close what did not open. The VFS and the name are SQLite's.
    let (state, name) = unsafe {
        (*handle).base.pMethods = ptr::null();
        (state_of(vfs), text(name))
    };
    // A file without a name would be a temporary one; those are kept in memory (`temp_store`).
    let Some(name) = name else { return ffi::SQLITE_CANTOPEN };
    match open_file(state, name, flags) {
        Ok(open) => {
            // SAFETY: as above; `flags_out` is null or SQLite's.
            unsafe {
                (*handle).open = Box::into_raw(Box::new(open));
                (*handle).base.pMethods = &raw const METHODS;
                if !flags_out.is_null() {
                    *flags_out = flags;
                }
            }
            ffi::SQLITE_OK
        }
        Err(failure) => code(state, &failure, ffi::SQLITE_CANTOPEN),
    }
}

fn open_file(state: &Arc<State>, name: &str, flags: c_int) -> io::Result<Open> {
    let is_new = !state.disk.exists(name)?;
    let file = state.disk.open(name, flags & ffi::SQLITE_OPEN_CREATE != 0)?;
    Ok(Open {
        file,
        state: Arc::clone(state),
        path: name.to_owned(),
        is_log: flags & ffi::SQLITE_OPEN_WAL != 0,
        is_temporary: flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0,
        is_new,
    })
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: both are SQLite's.
    let (state, name) = unsafe { (state_of(vfs), text(name)) };
    let Some(name) = name else { return ffi::SQLITE_IOERR_DELETE };
    match state.disk.remove(name) {
        Ok(()) if sync_folder == 0 => ffi::SQLITE_OK,
        Ok(()) => done(state, state.disk.sync_folder(), ffi::SQLITE_IOERR_DIR_FSYNC),
        Err(failure) if failure.kind() == io::ErrorKind::NotFound => ffi::SQLITE_IOERR_DELETE_NOENT,
        Err(failure) => code(state, &failure, ffi::SQLITE_IOERR_DELETE),
    }
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    _flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: all three are SQLite's.
    let (state, name) = unsafe { (state_of(vfs), text(name)) };
    match name.map_or(Ok(false), |name| state.disk.exists(name)) {
        Ok(exists) => {
            // SAFETY: as above.
            unsafe { *out = c_int::from(exists) };
            ffi::SQLITE_OK
        }
        Err(failure) => code(state, &failure, ffi::SQLITE_IOERR_ACCESS),
    }
}

/// Names are relative to the disk's folder: the full one is the name itself.
unsafe extern "C" fn full_path_name(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite's C string, and `room` bytes at `out`.
    unsafe {
        let bytes = CStr::from_ptr(name).to_bytes_with_nul();
        if usize::try_from(room).is_ok_and(|room| bytes.len() <= room) {
            ptr::copy_nonoverlapping(bytes.as_ptr(), out.cast::<u8>(), bytes.len());
            return ffi::SQLITE_OK;
        }
    }
    ffi::SQLITE_CANTOPEN
}

/// Names of temporary files would be drawn here; there are none.
unsafe extern "C" fn randomness(_vfs: *mut ffi::sqlite3_vfs, _room: c_int, _out: *mut c_char) -> c_int {
    0
}

/// Nothing waits for a lock.
unsafe extern "C" fn sleep(_vfs: *mut ffi::sqlite3_vfs, _microseconds: c_int) -> c_int {
    0
}

/// No statement of the store asks for the time.
unsafe extern "C" fn current_time(_vfs: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: SQLite's.
    unsafe { *out = 0.0 };
    ffi::SQLITE_OK
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
    done(&state, state.disk.remove(&path), ffi::SQLITE_IOERR_DELETE)
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
        Err(failure) => code(&open.state, &failure, ffi::SQLITE_IOERR_READ),
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
    done(&open.state, outcome, ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite's file.
    let open = unsafe { open_of(file) };
    let Ok(length) = u64::try_from(length) else { return ffi::SQLITE_IOERR_TRUNCATE };
    let outcome = open.file.set_len(length);
    done(&open.state, outcome, ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: SQLite's file.
    let open = unsafe { open_of(file) };
    open.state.counters.syncs.fetch_add(1, Ordering::Relaxed);
    let outcome = open.file.sync();
    if outcome.is_err() || !open.is_new {
        return done(&open.state, outcome, ffi::SQLITE_IOERR_FSYNC);
    }
    let named = open.state.disk.sync_folder();
    open.is_new = named.is_err();
    done(&open.state, named, ffi::SQLITE_IOERR_DIR_FSYNC)
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
        Err(failure) => code(&open.state, &failure, ffi::SQLITE_IOERR_FSTAT),
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

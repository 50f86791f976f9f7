//! The calls SQLite makes about files by name, and the registration that leads it here.
//!
//! Unsafe code: it turns SQLite's pointers into references and does nothing else with them.
//!
//! **Invariant:** `pAppData` of a registered VFS is a live `Arc<State>`.
#![allow(unsafe_code, reason = "SQLite calls C functions with raw pointers")]

use std::ffi::{CStr, CString, c_char, c_int};
use std::io;
use std::ptr;
use std::sync::Arc;

use rusqlite::ffi;

use super::State;
use super::file::{Handle, METHODS, Open};

/// The longest file name, with its NUL.
const NAME_BYTES: c_int = 512;

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

/// The state behind a VFS.
unsafe fn state_of<'s>(vfs: *mut ffi::sqlite3_vfs) -> &'s Arc<State> {
    // SAFETY: SQLite passes back the entry it was given; see the module's invariant.
    unsafe { &*(*vfs).pAppData.cast::<Arc<State>>() }
}

/// A file's name; SQLite's names are the UTF-8 that it was given.
unsafe fn text<'t>(name: *const c_char) -> Option<&'t str> {
    if name.is_null() {
        return None;
    }
    // SAFETY: not null, so it is a C string that outlives the call.
    unsafe { CStr::from_ptr(name) }.to_str().ok()
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
    match Open::new(state, name, flags) {
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
        Err(failure) => state.code(&failure, ffi::SQLITE_CANTOPEN),
    }
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: both are SQLite's.
    let (state, name) = unsafe { (state_of(vfs), text(name)) };
    let Some(name) = name else { return ffi::SQLITE_IOERR_DELETE };
    match state.disk.remove(name) {
        Ok(()) if sync_folder == 0 => ffi::SQLITE_OK,
        Ok(()) => state.done(state.disk.sync_folder(), ffi::SQLITE_IOERR_DIR_FSYNC),
        Err(failure) if failure.kind() == io::ErrorKind::NotFound => ffi::SQLITE_IOERR_DELETE_NOENT,
        Err(failure) => state.code(&failure, ffi::SQLITE_IOERR_DELETE),
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
        Err(failure) => state.code(&failure, ffi::SQLITE_IOERR_ACCESS),
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

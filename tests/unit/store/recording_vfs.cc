// A file here is a header of ours, then the real file of SQLite's own layer; every call goes on to
// it.
#include "recording_vfs.h"

#include <cstring>

namespace geist::store {

const sqlite3_io_methods& RecordingVfs::methods() {
  static const sqlite3_io_methods kMethods = [] {
    sqlite3_io_methods m{};
    m.iVersion = 2;  // with shared memory, without mapped pages
    m.xClose = [](sqlite3_file* f) { return of(f)->real->pMethods->xClose(of(f)->real); };
    m.xRead = [](sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
      return of(f)->real->pMethods->xRead(of(f)->real, to, size, at);
    };
    m.xWrite = [](sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
      of(f)->vfs->note(of(f), false);
      return of(f)->real->pMethods->xWrite(of(f)->real, from, size, at);
    };
    m.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
      of(f)->vfs->note(of(f), false);
      return of(f)->real->pMethods->xTruncate(of(f)->real, size);
    };
    m.xSync = [](sqlite3_file* f, int flags) {
      const int code = of(f)->real->pMethods->xSync(of(f)->real, flags);
      if (code == SQLITE_OK) of(f)->vfs->note(of(f), true);
      return code;
    };
    m.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
      return of(f)->real->pMethods->xFileSize(of(f)->real, size);
    };
    m.xLock = [](sqlite3_file* f, int how) {
      return of(f)->real->pMethods->xLock(of(f)->real, how);
    };
    m.xUnlock = [](sqlite3_file* f, int how) {
      return of(f)->real->pMethods->xUnlock(of(f)->real, how);
    };
    m.xCheckReservedLock = [](sqlite3_file* f, int* out) {
      return of(f)->real->pMethods->xCheckReservedLock(of(f)->real, out);
    };
    m.xFileControl = [](sqlite3_file* f, int what, void* more) {
      return of(f)->real->pMethods->xFileControl(of(f)->real, what, more);
    };
    m.xSectorSize = [](sqlite3_file* f) { return of(f)->real->pMethods->xSectorSize(of(f)->real); };
    m.xDeviceCharacteristics = [](sqlite3_file* f) {
      return of(f)->real->pMethods->xDeviceCharacteristics(of(f)->real);
    };
    m.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
      return of(f)->real->pMethods->xShmMap(of(f)->real, page, size, extend, out);
    };
    m.xShmLock = [](sqlite3_file* f, int at, int count, int flags) {
      return of(f)->real->pMethods->xShmLock(of(f)->real, at, count, flags);
    };
    m.xShmBarrier = [](sqlite3_file* f) { of(f)->real->pMethods->xShmBarrier(of(f)->real); };
    m.xShmUnmap = [](sqlite3_file* f, int remove) {
      return of(f)->real->pMethods->xShmUnmap(of(f)->real, remove);
    };
    return m;
  }();
  return kMethods;
}

int RecordingVfs::open(sqlite3_vfs* self, const char* path, sqlite3_file* file, int flags,
                       int* out) {
  auto* vfs = static_cast<RecordingVfs*>(self->pAppData);
  File* ours = of(file);
  ours->vfs = vfs;
  ours->real = reinterpret_cast<sqlite3_file*>(ours + 1);
  std::strncpy(ours->path, path == nullptr ? "" : path, sizeof ours->path - 1);
  ours->path[sizeof ours->path - 1] = 0;
  const int code = vfs->real_->xOpen(vfs->real_, path, ours->real, flags, out);
  ours->base.pMethods = ours->real->pMethods == nullptr ? nullptr : &methods();
  return code;
}

RecordingVfs& RecordingVfs::install() {
  static RecordingVfs* vfs = [] {
    auto* made = new RecordingVfs;
    made->real_ = sqlite3_vfs_find(nullptr);
    made->vfs_ = *made->real_;
    made->vfs_.zName = "recording";
    made->vfs_.pAppData = made;
    made->vfs_.szOsFile = static_cast<int>(sizeof(File)) + made->real_->szOsFile;
    made->vfs_.xOpen = &open;
    // These find their own layer by their first argument.
    made->vfs_.xDelete = [](sqlite3_vfs* self, const char* path, int sync) {
      sqlite3_vfs* real = static_cast<RecordingVfs*>(self->pAppData)->real_;
      return real->xDelete(real, path, sync);
    };
    made->vfs_.xAccess = [](sqlite3_vfs* self, const char* path, int flags, int* out) {
      sqlite3_vfs* real = static_cast<RecordingVfs*>(self->pAppData)->real_;
      return real->xAccess(real, path, flags, out);
    };
    made->vfs_.xFullPathname = [](sqlite3_vfs* self, const char* path, int size, char* out) {
      sqlite3_vfs* real = static_cast<RecordingVfs*>(self->pAppData)->real_;
      return real->xFullPathname(real, path, size, out);
    };
    sqlite3_vfs_register(&made->vfs_, 1);
    return made;
  }();
  return *vfs;
}

}  // namespace geist::store

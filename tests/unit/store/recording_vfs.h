// SQLite's file layer with a memory: which files of a database have been changed and not synced
// since. After a commit that must last there are none.
#pragma once

#include <sqlite3.h>

#include <map>
#include <mutex>
#include <set>
#include <string>

namespace geist::store {

class RecordingVfs {
 public:
  // Every database opened from here on is recorded. One at a time, for good.
  static RecordingVfs& install();
  // The files that a loss of power now would leave in a state of before.
  std::set<std::string> unsynced() const {
    std::lock_guard lock(mutex_);
    return unsynced_;
  }

 private:
  struct File {
    sqlite3_file base;
    RecordingVfs* vfs;
    sqlite3_file* real;
    char path[512];
  };
  static int open(sqlite3_vfs* self, const char* path, sqlite3_file* file, int flags, int* out);
  static const sqlite3_io_methods& methods();
  static File* of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
  void note(const File* file, bool is_synced) {
    std::lock_guard lock(mutex_);
    if (is_synced)
      unsynced_.erase(file->path);
    else
      unsynced_.insert(file->path);
  }

  mutable std::mutex mutex_;
  std::set<std::string> unsynced_;
  sqlite3_vfs vfs_{};
  sqlite3_vfs* real_ = nullptr;
};

}  // namespace geist::store

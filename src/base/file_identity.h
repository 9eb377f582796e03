// Is it the file that was looked at before? By what the file system says, without its content.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <tuple>

#include "base/ints.h"

namespace geist {

// Device, inode, size, time of change in s and ns.
using FileIdentity = std::tuple<u64, u64, i64, i64, i64>;

// Nothing when the file cannot be looked at: then it is like no other.
inline std::optional<FileIdentity> find_file_identity(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return FileIdentity{info.st_dev, info.st_ino, info.st_size, info.st_ctim.tv_sec,
                      info.st_ctim.tv_nsec};
}

}  // namespace geist

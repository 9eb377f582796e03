// A file mapped read-only and private; every other reader borrows views of it.
//
// Whoever may write the file may also make it shorter while it is read, and what lay after the
// new end raises SIGBUS. Here that gives zeros, and is_whole() says that something was missing: a
// reader of hostile bytes copes with zeros as with any others.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace geist {

class MappedFile {
 public:
  // Fails with kNotFound (missing), kNotRunnable (a folder, not readable) or kSystem.
  static Result<MappedFile> open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  ByteView bytes() const { return {data_, size_}; }
  // False once bytes were read that the file does not have any more.
  bool is_whole() const;

 private:
  MappedFile(const u8* data, usize size, i32 guard) : data_(data), size_(size), guard_(guard) {}
  const u8* data_ = nullptr;
  usize size_ = 0;
  i32 guard_ = -1;  // its place among the guarded mappings
};

}  // namespace geist

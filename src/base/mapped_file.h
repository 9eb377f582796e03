// A file mapped read-only and private; every other reader borrows views of it.
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

 private:
  MappedFile(const u8* data, usize size) : data_(data), size_(size) {}
  const u8* data_ = nullptr;
  usize size_ = 0;
};

}  // namespace geist

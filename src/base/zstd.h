// Files compressed with zstd: written as a stream, read back whole.
//
// A file under construction is FILE.part, so that FILE is there complete or not at all. What is
// read is untrusted: its checksum is checked, and memory grows with the bytes that come out, not
// with what a header promises.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/result.h"

namespace geist {

class ZstdWriter {
 public:
  // Fails when the file cannot be made.
  static Result<ZstdWriter> create(const std::string& path);
  ZstdWriter(ZstdWriter&&) noexcept;
  ZstdWriter& operator=(ZstdWriter&&) = delete;
  // Without finish(), nothing stays behind.
  ~ZstdWriter();

  // Before the first append: so many bytes will come, no fewer and no more.
  void promise(u64 total_bytes);
  Status append(ByteView bytes);
  // The file has its name now.
  Status finish();

 private:
  struct Stream;
  ZstdWriter(std::string path, std::unique_ptr<Stream> stream);
  Status write(ByteView bytes, int mode);
  std::string path_;
  Fd file_;
  std::unique_ptr<Stream> stream_;
};

// Memory without a file, for what was decompressed.
class LoadedBytes {
 public:
  LoadedBytes() = default;
  LoadedBytes(LoadedBytes&& other) noexcept;
  LoadedBytes& operator=(LoadedBytes&& other) noexcept;
  ~LoadedBytes();
  ByteView bytes() const { return {data_, size_}; }
  // At least `most` bytes behind those there are; empty when there is no memory for them.
  std::span<u8> reserve(usize most);
  void take(usize count) { size_ += count; }

 private:
  u8* data_ = nullptr;
  usize size_ = 0, capacity_ = 0;
};

bool is_zstd(ByteView bytes);
// All of it. Fails when it is truncated or damaged, is more than `most` bytes, or does not fit into the
// memory that is free.
Result<LoadedBytes> read_zstd(ByteView bytes, const std::string& name, u64 most = ~u64{0});

// What the kernel says can be had without swapping; everything when it does not say.
u64 available_memory();

}  // namespace geist

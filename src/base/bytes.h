// Bounds-checked, alignment-safe little-endian reads from bytes nobody vouches for.
//
// ByteReader never throws and never reads outside its span: a read past the end gives zero and sets
// failed(), which the caller asks once at the end of a record. Offsets and counts from input go
// through checked_add / checked_mul.
#pragma once

#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/ints.h"

namespace geist {

using ByteView = std::span<const u8>;

inline std::optional<u64> checked_add(u64 a, u64 b) {
  u64 sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

inline std::optional<u64> checked_mul(u64 a, u64 b) {
  u64 product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

// The part [offset, offset+size) of `bytes`, or nothing if it is not inside.
inline std::optional<ByteView> find_part(ByteView bytes, u64 offset, u64 size) {
  if (offset > bytes.size() || size > bytes.size() - offset) return std::nullopt;
  return bytes.subspan(offset, size);
}

// An integer at `offset`, or nothing if it does not lie inside.
template <typename T>
std::optional<T> find_int(ByteView bytes, u64 offset) {
  static_assert(std::is_integral_v<T>);
  if (offset > bytes.size() || sizeof(T) > bytes.size() - offset) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

class ByteReader {
 public:
  explicit ByteReader(ByteView bytes, u64 offset = 0) : bytes_(bytes), offset_(offset) {
    if (offset > bytes.size()) fail();
  }

  u64 offset() const { return offset_; }
  u64 remaining() const { return bytes_.size() - offset_; }
  bool failed() const { return failed_; }

  u8 read_u8() { return read_int<u8>(); }
  u16 read_u16() { return read_int<u16>(); }
  u32 read_u32() { return read_int<u32>(); }
  i32 read_i32() { return read_int<i32>(); }
  u64 read_u64() { return read_int<u64>(); }

  void skip(u64 count) {
    if (count > remaining()) return fail();
    offset_ += count;
  }

  ByteView read_bytes(u64 count) {
    if (count > remaining()) {
      fail();
      return {};
    }
    ByteView part = bytes_.subspan(offset_, count);
    offset_ += count;
    return part;
  }

  // LEB128 as DWARF and Go's varints write it, at most 10 bytes.
  u64 read_uvarint() {
    u64 value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      u8 byte = read_u8();
      if (failed_) return 0;
      if (shift < 64) value |= static_cast<u64>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    fail();
    return 0;
  }

  // A NUL-terminated string; the NUL must be inside.
  std::string_view read_cstring() {
    const u8* start = bytes_.data() + offset_;
    const void* nul = remaining() == 0 ? nullptr : std::memchr(start, 0, remaining());
    if (nul == nullptr) {
      fail();
      return {};
    }
    usize length = static_cast<usize>(static_cast<const u8*>(nul) - start);
    offset_ += length + 1;
    return {reinterpret_cast<const char*>(start), length};
  }

 private:
  template <typename T>
  T read_int() {
    std::optional<T> value = find_int<T>(bytes_, offset_);
    if (!value) {
      fail();
      return 0;
    }
    offset_ += sizeof(T);
    return *value;
  }
  void fail() {
    failed_ = true;
    offset_ = bytes_.size();
  }

  ByteView bytes_;
  u64 offset_;
  bool failed_ = false;
};

}  // namespace geist

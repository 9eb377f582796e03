// The wire format of protocol buffers, as far as profile.proto uses it: a message is a list of
// (field number << 3 | wire type, value). Source: protobuf.dev, "Encoding".
#pragma once

#include <bit>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace geist::profile {

enum class Wire : u8 { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// A number at `at`, at most 10 bytes; null when it does not end before `end`. Bits past the 64th are
// lost, as in Go's reader.
inline const u8* read_varint(const u8* at, const u8* end, u64* value) {
  if (at < end && *at < 0x80) [[likely]] {
    *value = *at;
    return at + 1;
  }
  u64 got = 0;
  for (unsigned i = 0; i < 10 && at < end; ++i) {
    const u8 byte = *at++;
    if (i < 9 || byte < 2) got |= static_cast<u64>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      *value = got;
      return at;
    }
  }
  return nullptr;
}

// The same for a number that is small as a rule, where it is followed by 3 bytes that may be read. Without
// a branch on its length, which no processor guesses: numbers of up to four bytes are put together from one word.
inline const u8* read_small_varint(const u8* at, const u8* end, u64* value) {
  u32 word = 0;
  std::memcpy(&word, at, sizeof word);  // little-endian, as all of geist
  const u32 last = ~word & 0x80808080;  // the top bits of bytes that end a number
  if (last == 0) [[unlikely]]
    return read_varint(at, end, value);
  word &= last ^ (last - 1);  // up to the first of them
  *value = (word & 0x7f) | (word & 0x7f00) >> 1 | (word & 0x7f0000) >> 2 | (word & 0x7f000000) >> 3;
  return at + (std::countr_zero(last) >> 3) + 1;
}

// The fields of one message, one after the other.
class FieldReader {
 public:
  explicit FieldReader(ByteView bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  // False at the end of the message and after damage.
  bool next() {
    if (failed_ || at_ == end_) return false;
    u64 key = 0;
    const u8* at = read_varint(at_, end_, &key);
    if (at == nullptr) return fail();
    number_ = key >> 3;
    wire_ = static_cast<Wire>(key & 7);
    u64 left = static_cast<u64>(end_ - at);
    switch (wire_) {
      case Wire::kVarint:
        at = read_varint(at, end_, &value_);
        if (at == nullptr) return fail();
        break;
      case Wire::kBytes: {
        u64 size = 0;
        at = read_varint(at, end_, &size);
        if (at == nullptr || size > static_cast<u64>(end_ - at)) return fail();
        bytes_ = {at, size};
        at += size;
        break;
      }
      case Wire::kFixed64:
      case Wire::kFixed32: {
        const u64 size = wire_ == Wire::kFixed64 ? 8 : 4;
        if (left < size) return fail();
        at += size;
        break;
      }
      default:
        return fail();
    }
    at_ = at;
    return true;
  }
  bool failed() const { return failed_; }

  u64 number() const { return number_; }
  Wire wire() const { return wire_; }
  // The field as a number, or as bytes; damage when it is the other.
  u64 value() {
    if (wire_ == Wire::kVarint) return value_;
    fail();
    return 0;
  }
  ByteView bytes() {
    if (wire_ == Wire::kBytes) return bytes_;
    fail();
    return {};
  }
  // Where the next field begins.
  const u8* at() const { return at_; }

 private:
  bool fail() {
    failed_ = true;
    return false;
  }

  const u8* at_;
  const u8* end_;
  u64 number_ = 0;
  Wire wire_ = Wire::kVarint;
  u64 value_ = 0;
  ByteView bytes_;
  bool failed_ = false;
};

// A message under construction.
class Message {
 public:
  // A number; the default 0 is left out by add, as proto3 wants, and written by put.
  void add(u32 field, u64 number) {
    if (number != 0) put(field, number);
  }
  void put(u32 field, u64 number) {
    put_key(field, Wire::kVarint);
    put_number(number);
  }
  void add(u32 field, std::string_view bytes) {
    put_key(field, Wire::kBytes);
    put_number(bytes.size());
    out_ += bytes;
  }
  void add(u32 field, const Message& inner) { add(field, std::string_view(inner.out_)); }
  // A bare number, for packed fields.
  void put_number(u64 number) {
    for (; number >= 0x80; number >>= 7) out_.push_back(static_cast<char>(number | 0x80));
    out_.push_back(static_cast<char>(number));
  }
  // Fields that are encoded already.
  void append(std::string_view fields) { out_ += fields; }
  void append(const Message& fields) { out_ += fields.out_; }
  void clear() { out_.clear(); }

  const std::string& bytes() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  void put_key(u32 field, Wire wire) { put_number(u64{field} << 3 | static_cast<u64>(wire)); }
  std::string out_;
};

}  // namespace geist::profile

// Where the time goes: some million samples, most of their bytes the numbers of locations. Ids have
// one to three bytes each; a table turns them into indices.
#include <algorithm>
#include <charconv>

#include <fmt/ranges.h>

#include "base/check.h"
#include "profile/profile.h"
#include "profile/wire.h"
#include "profile/writer.h"

namespace geist::profile {
namespace {

// No stack is so deep; without a bound, one sample could ask for all the memory there is.
constexpr usize kMostFrames = usize{1} << 24;
constexpr usize kFirstRoom = 512;

constexpr u8 key_of(u32 number, Wire wire) {
  return static_cast<u8>(number << 3 | static_cast<u8>(wire));
}

}  // namespace

SampleReader::SampleReader(const Profile& profile, const SampleBlock& block)
    : profile_(profile), locations_(kFirstRoom), values_(kFirstRoom) {
  ByteView bytes = profile.bytes();
  GEIST_CHECK(block.begin <= block.end && block.end <= bytes.size());
  at_ = bytes.data() + block.begin;
  end_ = bytes.data() + block.end;
}

bool SampleReader::next() {
  if (failed_ || at_ == end_) return false;
  // The block was stepped through once, so key and size are there.
  u64 key = 0, size = 0;
  const u8* body = read_varint(at_, end_, &key);
  if (body != nullptr) body = read_varint(body, end_, &size);
  if (body == nullptr || size > static_cast<u64>(end_ - body)) return fail();
  at_ = body + size;
  body_ = {body, size};
  location_count_ = value_count_ = 0;
  if (!decode(body, body + size)) return fail();
  return value_count_ == profile_.sample_types.size() || fail();
}

bool SampleReader::decode(const u8* at, const u8* end) {
  while (at != end) {
    const u8 key = *at;
    if (key == key_of(field::kLocationIds, Wire::kBytes) ||
        key == key_of(field::kValues, Wire::kBytes) || key == key_of(field::kLabel, Wire::kBytes)) {
      u64 size = 0;
      at = read_varint(at + 1, end, &size);
      if (at == nullptr || size > static_cast<u64>(end - at)) return false;
      const u8* next = at + size;
      if (key == key_of(field::kLocationIds, Wire::kBytes)) {
        at = decode_packed_ids(at, next);
      } else if (key == key_of(field::kValues, Wire::kBytes)) {
        at = decode_packed_values(at, next);
      }
      if (at == nullptr) return false;
      at = next;
      continue;
    }
    // One number a field, and what later writers may add.
    FieldReader fields({at, static_cast<usize>(end - at)});
    if (!fields.next()) return false;
    if (fields.number() == field::kLocationIds && !take_id(fields.value())) return false;
    if (fields.number() == field::kValues && !take_value(fields.value())) return false;
    if (fields.number() == field::kLabel) fields.bytes();
    if (fields.failed()) return false;
    at = fields.at();
  }
  return true;
}

const u8* SampleReader::decode_packed_ids(const u8* at, const u8* end) {
  const usize most = location_count_ + static_cast<usize>(end - at);
  if (most > locations_.size()) {
    if (most > kMostFrames) return nullptr;
    locations_.resize(most * 2);
  }
  const u32* table = profile_.location_by_id.data();
  const u64 table_size = profile_.location_by_id.size();
  u32* out = locations_.data() + location_count_;
  auto take = [&](u64 id) {
    const u32 index = id < table_size ? table[id] : profile_.find_location(id);
    *out++ = index;
    return index != kNone;
  };
  u64 id = 0;
  while (end - at >= 4) {
    at = read_small_varint(at, end, &id);
    if (at == nullptr || !take(id)) return nullptr;
  }
  while (at != end) {
    at = read_varint(at, end, &id);
    if (at == nullptr || !take(id)) return nullptr;
  }
  location_count_ = static_cast<usize>(out - locations_.data());
  return end;
}

const u8* SampleReader::decode_packed_values(const u8* at, const u8* end) {
  while (at != end) {
    u64 value = 0;
    at = read_varint(at, end, &value);
    if (at == nullptr || !take_value(value)) return nullptr;
  }
  return end;
}

bool SampleReader::take_id(u64 id) {
  if (location_count_ == locations_.size()) {
    if (location_count_ >= kMostFrames) return false;
    locations_.resize(location_count_ * 2);
  }
  locations_[location_count_] = profile_.find_location(id);
  return locations_[location_count_++] != kNone;
}

bool SampleReader::take_value(u64 value) {
  if (value_count_ >= profile_.sample_types.size()) return false;
  if (value_count_ == values_.size()) values_.resize(value_count_ * 2);
  values_[value_count_++] = static_cast<i64>(value);
  return true;
}

Result<usize> Profile::find_sample_type(std::string_view name) const {
  const usize last = sample_types.size() - 1;
  auto type_is = [](std::string_view wanted) {
    return [wanted](const ValueType& type) { return type.type == wanted; };
  };
  if (name.empty()) {
    auto found = std::ranges::find_if(sample_types, type_is(default_sample_type));
    bool has_default = !default_sample_type.empty() && found != sample_types.end();
    return has_default ? static_cast<usize>(found - sample_types.begin()) : last;
  }
  i64 number = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc() && end == name.data() + name.size()) {
    if (number < 0 || static_cast<u64>(number) > last)
      return Error(fmt::format("sample_index {} is outside the range [0..{}]", name, last));
    return static_cast<usize>(number);
  }
  // "inuse_space" also names the "space" of old profiles, as in pprof.
  std::string_view without = name.starts_with("inuse_") ? name.substr(6) : name;
  for (usize i = 0; i < sample_types.size(); ++i) {
    if (sample_types[i].type == name || sample_types[i].type == without) return i;
  }
  std::vector<std::string_view> known;
  for (const ValueType& type : sample_types) known.push_back(type.type);
  return Error(fmt::format("sample_index \"{}\" must be one of: {}", name, fmt::join(known, ", ")));
}

}  // namespace geist::profile

// A profile as `runtime/pprof` writes it (profile.proto), read without a copy of its samples.
//
//   bytes ─▶ unpack (gzip, zstd) ─▶ tables: strings, functions, locations, mappings, by dense index
//                               └─▶ blocks: where the samples stand, decoded again by each question
//
// A profile of a large service has some million samples of some dozen numbers; the tables are small
// beside them. So a sample is never an object: SampleReader decodes one after the other into the same
// two arrays, and questions (graph.h) add up in flat arrays as they go. Several threads take a block
// each.
//
// Input is hostile: it may come from any server. Every index is checked, ids may be any number, and
// the tables hold no more than the bytes pay for. Source: github.com/google/pprof,
// proto/profile.proto, and profile/encode.go for what is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/mapped_file.h"
#include "base/result.h"
#include "base/zstd.h"

namespace geist::profile {

constexpr u32 kNone = ~u32{0};

struct ValueType {
  std::string_view type;  // "alloc_space"
  std::string_view unit;  // "bytes"
};

struct Mapping {
  u64 id = 0, start = 0, limit = 0, offset = 0;
  u32 file = 0, build_id = 0;  // strings
  bool has_functions = false, has_files = false, has_lines = false, has_inlines = false;
};

struct Function {
  u64 id = 0;
  u32 name = 0, system_name = 0, file = 0;  // strings
  i64 start_line = 0;
};

struct Line {
  u32 function = 0;  // index
  i64 line = 0;
  i64 column = 0;
};

struct Location {
  u64 id = 0;
  u64 address = 0;
  u32 mapping = kNone;  // index
  u32 first_line = 0;   // the innermost inlined frame; the function they are in is last
  u32 line_count = 0;
  bool is_folded = false;
};

// Samples that stand one after the other, and nothing else between them.
struct SampleBlock {
  u64 begin = 0, end = 0;  // in the unpacked bytes
  u32 samples = 0;
};

struct Profile {
  // A profile in one of the forms that pprof reads: packed or not, profile.proto or the old text
  // (legacy.h). `name` is for messages. Fails: no profile, truncated, damaged, too large.
  static Result<Profile> read(ByteView bytes, const std::string& name);
  // The same from a file, which stays mapped when it is not packed.
  static Result<Profile> open(const std::string& path);
  // The same, unpacked already.
  static Result<Profile> read_unpacked(LoadedBytes bytes, const std::string& name);

  Profile() = default;
  Profile(Profile&&) = default;
  Profile& operator=(Profile&&) = default;

  std::string_view text(u32 string) const { return strings[string]; }
  u64 sample_count() const;
  // The index of a value by name, number or, when empty, by default. pprof's words when there is none.
  Result<usize> find_sample_type(std::string_view name) const;
  // The index of the location with this id; kNone when there is none.
  u32 find_location(u64 id) const {
    if (id < location_by_id.size()) [[likely]]
      return location_by_id[id];
    return find_far_location(id);
  }

  // What all views look into: unpacked bytes, or the file itself.
  ByteView bytes() const { return file ? file->bytes() : storage.bytes(); }
  LoadedBytes storage;
  std::optional<MappedFile> file;
  std::vector<std::string_view> strings;
  std::vector<ValueType> sample_types;
  std::vector<Mapping> mappings;
  std::vector<Function> functions;
  std::vector<Line> lines;
  std::vector<Location> locations;
  std::vector<SampleBlock> blocks;
  std::vector<std::string_view> comments;
  std::string_view drop_frames, keep_frames, default_sample_type, doc_url;
  i64 time_ns = 0, duration_ns = 0, period = 0;
  ValueType period_type;
  // Ids are small numbers as a rule: index of a location by its id, kNone for those that are not there.
  std::vector<u32> location_by_id;
  std::unordered_map<u64, u32> far_locations;  // the others

 private:
  u32 find_far_location(u64 id) const;
};

// The samples of a block, in order. What next() made is there until the next one.
class SampleReader {
 public:
  SampleReader(const Profile& profile, const SampleBlock& block);

  // False at the end, and when a sample is damaged: failed() then.
  bool next();
  bool failed() const { return failed_; }

  // Indices, the leaf first.
  std::span<const u32> locations() const { return {locations_.data(), location_count_}; }
  // One for each sample type.
  std::span<const i64> values() const { return {values_.data(), value_count_}; }
  // The message, for what is not decoded: labels.
  ByteView body() const { return body_; }

 private:
  bool decode(const u8* at, const u8* end);
  const u8* decode_packed_ids(const u8* at, const u8* end);
  const u8* decode_packed_values(const u8* at, const u8* end);
  bool take_id(u64 id);
  bool take_value(u64 value);
  bool fail() {
    failed_ = true;
    return false;
  }

  const Profile& profile_;
  const u8* at_;
  const u8* end_;
  std::vector<u32> locations_;
  std::vector<i64> values_;
  usize location_count_ = 0, value_count_ = 0;
  ByteView body_;
  bool failed_ = false;
};

// Labels of a sample: key, and a text or a number with a unit.
struct Label {
  std::string_view key;
  std::string_view text;  // empty: a number
  i64 number = 0;
  std::string_view unit;
  bool is_text = false;
};
// Fails on labels that name no string.
Result<std::vector<Label>> read_labels(const Profile& profile, ByteView sample);

// gzip or zstd as the first bytes say, anything else as it is. Fails: truncated, damaged, or more
// than kMostUnpacked or the memory that is free.
constexpr u64 kMostUnpacked = u64{4} << 30;
Result<LoadedBytes> unpack(ByteView bytes, const std::string& name);
bool is_packed(ByteView bytes);
// Bytes of our own as those of a profile. Fails when there is no memory.
Result<LoadedBytes> to_loaded(std::string_view bytes, const std::string& name);

}  // namespace geist::profile

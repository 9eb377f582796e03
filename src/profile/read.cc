// One pass over the top level of the message: tables are made, samples only stepped over. What an
// index means is looked up when all tables are there, for writers are free in their order.
#include <algorithm>

#include "profile/legacy.h"
#include "profile/profile.h"
#include "profile/wire.h"
#include "profile/writer.h"

namespace geist::profile {
namespace {

constexpr u32 kSamplesOfBlock = 4096;
// A location costs 4 bytes at least and makes 48: what comes out is bounded by what went in, and by
// this.
constexpr usize kMostEntries = usize{1} << 26;
// Ids up to so many times their number are looked up in a table.
constexpr u64 kSparseness = 8;

struct RawType {
  u64 type = 0, unit = 0;
};

// Why reading stopped, and where.
struct Damage {
  const char* what = nullptr;
  u64 offset = 0;
};

class Reader {
 public:
  explicit Reader(Profile* profile) : profile_(*profile), bytes_(profile->bytes()) {}

  bool read() {
    FieldReader fields(bytes_);
    while (damage_.what == nullptr) {
      const u64 begin = static_cast<u64>(fields.at() - bytes_.data());
      if (!fields.next()) {
        if (fields.failed()) stop("a field that is cut off or of no known kind", begin);
        break;
      }
      offset_ = begin;
      if (fields.number() == field::kSample) {
        take_sample(fields, begin);
      } else {
        end_block();
        take(fields);
      }
    }
    end_block();
    return damage_.what == nullptr && resolve();
  }
  const Damage& damage() const { return damage_; }

 private:
  bool stop(const char* what, u64 offset) {
    if (damage_.what == nullptr) damage_ = {what, offset};
    return false;
  }
  bool stop(const char* what) { return stop(what, offset_); }

  void take_sample(FieldReader& fields, u64 begin) {
    fields.bytes();
    if (fields.failed()) {
      stop("a sample that is no message");
      return;
    }
    if (block_.samples == kSamplesOfBlock) end_block();
    if (block_.samples == 0) block_.begin = begin;
    block_.samples++;
    block_.end = static_cast<u64>(fields.at() - bytes_.data());
  }

  void end_block() {
    if (block_.samples != 0) profile_.blocks.push_back(block_);
    block_ = {};
  }

  void take(FieldReader& fields) {
    switch (fields.number()) {
      case field::kSampleType:
        raw_types_.push_back(read_type(fields.bytes()));
        break;
      case field::kMapping:
        take_mapping(fields.bytes());
        break;
      case field::kLocation:
        take_location(fields.bytes());
        break;
      case field::kFunction:
        take_function(fields.bytes());
        break;
      case field::kString:
        take_string(fields.bytes());
        break;
      default:
        take_scalar(fields);
        break;
    }
    if (fields.failed()) stop("a field of the wrong kind");
  }

  void take_scalar(FieldReader& fields) {
    switch (fields.number()) {
      case field::kDropFrames:
        drop_frames_ = fields.value();
        break;
      case field::kKeepFrames:
        keep_frames_ = fields.value();
        break;
      case field::kTime:
        if (profile_.time_ns != 0) stop("a second time: several profiles, one after the other");
        profile_.time_ns = static_cast<i64>(fields.value());
        break;
      case field::kDuration:
        profile_.duration_ns = static_cast<i64>(fields.value());
        break;
      case field::kPeriodType:
        period_type_ = read_type(fields.bytes());
        break;
      case field::kPeriod:
        profile_.period = static_cast<i64>(fields.value());
        break;
      case field::kComment:
        take_comments(fields);
        break;
      case field::kDefaultSampleType:
        default_type_ = fields.value();
        break;
      case field::kDocUrl:
        doc_url_ = fields.value();
        break;
      default:
        break;
    }
  }

  void take_comments(FieldReader& fields) {
    if (fields.wire() != Wire::kBytes) {
      comments_.push_back(fields.value());
      return;
    }
    ByteView packed = fields.bytes();
    const u8* end = packed.data() + packed.size();
    for (const u8* at = packed.data(); at != end;) {
      u64 value = 0;
      at = read_varint(at, end, &value);
      if (at == nullptr) {
        stop("a comment that is cut off");
        return;
      }
      comments_.push_back(value);
    }
  }

  void take_string(ByteView bytes) {
    if (profile_.strings.empty() && !bytes.empty()) stop("a first string that is not empty");
    if (profile_.strings.size() >= kMostEntries * 4) stop("too many strings");
    profile_.strings.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

  RawType read_type(ByteView bytes) {
    RawType type;
    FieldReader fields(bytes);
    while (fields.next()) {
      if (fields.number() == field::kType) type.type = fields.value();
      if (fields.number() == field::kUnit) type.unit = fields.value();
    }
    if (fields.failed()) stop("a damaged type");
    return type;
  }

  u32 as_string(u64 index) { return index < kNone ? static_cast<u32>(index) : kNone; }

  void take_mapping(ByteView bytes) {
    Mapping mapping;
    FieldReader fields(bytes);
    while (fields.next()) {
      if (fields.number() == 0 || fields.number() > field::kHasInlineFrames) continue;
      const u64 value = fields.value();
      switch (fields.number()) {
        case field::kMappingId:
          mapping.id = value;
          break;
        case field::kStart:
          mapping.start = value;
          break;
        case field::kLimit:
          mapping.limit = value;
          break;
        case field::kOffset:
          mapping.offset = value;
          break;
        case field::kFile:
          mapping.file = as_string(value);
          break;
        case field::kBuildId:
          mapping.build_id = as_string(value);
          break;
        case field::kHasFunctions:
          mapping.has_functions = value != 0;
          break;
        case field::kHasInlineFrames:
          mapping.has_inlines = value != 0;
          break;
        default:
          (fields.number() == field::kHasFunctions + 1 ? mapping.has_files : mapping.has_lines) =
              value != 0;
          break;
      }
    }
    if (fields.failed()) stop("a damaged mapping");
    if (mapping.id == 0) stop("a mapping with the id 0");
    if (profile_.mappings.size() >= kMostEntries) stop("too many mappings");
    profile_.mappings.push_back(mapping);
  }

  void take_function(ByteView bytes) {
    Function function;
    FieldReader fields(bytes);
    while (fields.next()) {
      if (fields.number() == field::kFunctionId) function.id = fields.value();
      if (fields.number() == field::kName) function.name = as_string(fields.value());
      if (fields.number() == field::kSystemName) function.system_name = as_string(fields.value());
      if (fields.number() == field::kFileName) function.file = as_string(fields.value());
      if (fields.number() == field::kStartLine)
        function.start_line = static_cast<i64>(fields.value());
    }
    if (fields.failed()) stop("a damaged function");
    if (function.id == 0) stop("a function with the id 0");
    if (profile_.functions.size() >= kMostEntries) stop("too many functions");
    profile_.functions.push_back(function);
  }

  void take_location(ByteView bytes) {
    Location location;
    location.first_line = static_cast<u32>(profile_.lines.size());
    u64 mapping = 0;
    FieldReader fields(bytes);
    while (fields.next()) {
      if (fields.number() == field::kLocationId) location.id = fields.value();
      if (fields.number() == field::kMappingOf) mapping = fields.value();
      if (fields.number() == field::kAddress) location.address = fields.value();
      if (fields.number() == field::kLine) take_line(fields.bytes());
      if (fields.number() == field::kIsFolded) location.is_folded = fields.value() != 0;
    }
    if (fields.failed()) stop("a damaged location");
    if (location.id == 0) stop("a location with the id 0");
    if (profile_.locations.size() >= kMostEntries || profile_.lines.size() >= kMostEntries)
      stop("too many locations");
    location.line_count = static_cast<u32>(profile_.lines.size()) - location.first_line;
    profile_.locations.push_back(location);
    mapping_ids_.push_back(mapping);
  }

  void take_line(ByteView bytes) {
    Line line;
    u64 function = 0;
    FieldReader fields(bytes);
    while (fields.next()) {
      if (fields.number() == field::kFunctionOf) function = fields.value();
      if (fields.number() == field::kLineNumber) line.line = static_cast<i64>(fields.value());
      if (fields.number() == field::kColumn) line.column = static_cast<i64>(fields.value());
    }
    if (fields.failed()) stop("a damaged line");
    profile_.lines.push_back(line);
    function_ids_.push_back(function);
  }

  // From here on all tables are there.
  bool resolve() {
    return check_strings() && resolve_mappings() && resolve_functions() && resolve_locations() &&
           resolve_types();
  }

  bool has_string(u64 index) { return index < profile_.strings.size(); }

  bool check_strings() {
    for (const Function& function : profile_.functions) {
      if (!has_string(function.name) || !has_string(function.system_name) ||
          !has_string(function.file))
        return stop("a function whose name is in no table");
    }
    for (const Mapping& mapping : profile_.mappings) {
      if (!has_string(mapping.file) || !has_string(mapping.build_id))
        return stop("a mapping whose file is in no table");
    }
    return true;
  }

  // Index by id of a table, small ids in `near`. False when an id stands there twice.
  template <typename Rows>
  bool index_ids(const Rows& rows, std::vector<u32>* near, std::unordered_map<u64, u32>* far) {
    u64 most = 0;
    for (const auto& row : rows) most = std::max(most, row.id);
    const u64 table = std::min(most, rows.size() * kSparseness) + 1;
    near->assign(rows.empty() ? 0 : table, kNone);
    for (u32 i = 0; i < rows.size(); ++i) {
      if (rows[i].id >= near->size()) {
        if (!far->emplace(rows[i].id, i).second) return false;
      } else if (std::exchange((*near)[rows[i].id], i) != kNone) {
        return false;
      }
    }
    return true;
  }

  static u32 look_up(const std::vector<u32>& near, const std::unordered_map<u64, u32>& far,
                     u64 id) {
    if (id < near.size()) return near[id];
    auto found = far.find(id);
    return found == far.end() ? kNone : found->second;
  }

  bool resolve_mappings() {
    std::vector<u32> near;
    std::unordered_map<u64, u32> far;
    if (!index_ids(profile_.mappings, &near, &far)) return stop("two mappings with one id");
    for (usize i = 0; i < profile_.locations.size(); ++i)
      profile_.locations[i].mapping = look_up(near, far, mapping_ids_[i]);
    mapping_ids_ = {};
    return true;
  }

  bool resolve_functions() {
    std::vector<u32> near;
    std::unordered_map<u64, u32> far;
    if (!index_ids(profile_.functions, &near, &far)) return stop("two functions with one id");
    for (usize i = 0; i < profile_.lines.size(); ++i) {
      profile_.lines[i].function = look_up(near, far, function_ids_[i]);
      if (profile_.lines[i].function == kNone)
        return stop("a line in a function that is not there");
    }
    function_ids_ = {};
    return true;
  }

  bool resolve_locations() {
    return index_ids(profile_.locations, &profile_.location_by_id, &profile_.far_locations) ||
           stop("two locations with one id");
  }

  bool find_text(u64 index, std::string_view* text) {
    if (index == 0 && profile_.strings.empty()) return true;
    if (!has_string(index)) return stop("a name that is in no table");
    *text = profile_.strings[index];
    return true;
  }

  bool resolve_types() {
    for (const RawType& raw : raw_types_) {
      ValueType type;
      if (!find_text(raw.type, &type.type) || !find_text(raw.unit, &type.unit)) return false;
      profile_.sample_types.push_back(type);
    }
    for (u64 comment : comments_) {
      std::string_view text;
      if (!find_text(comment, &text)) return false;
      profile_.comments.push_back(text);
    }
    if (profile_.sample_types.empty() && !profile_.blocks.empty())
      return stop("samples without a type");
    return find_text(period_type_.type, &profile_.period_type.type) &&
           find_text(period_type_.unit, &profile_.period_type.unit) &&
           find_text(drop_frames_, &profile_.drop_frames) &&
           find_text(keep_frames_, &profile_.keep_frames) &&
           find_text(default_type_, &profile_.default_sample_type) &&
           find_text(doc_url_, &profile_.doc_url);
  }

  Profile& profile_;
  ByteView bytes_;
  u64 offset_ = 0;  // of the field that is read
  SampleBlock block_;
  std::vector<RawType> raw_types_;
  RawType period_type_;
  std::vector<u64> mapping_ids_, function_ids_, comments_;
  u64 drop_frames_ = 0, keep_frames_ = 0, default_type_ = 0, doc_url_ = 0;
  Damage damage_;
};

// From a profile that has its bytes and nothing else.
Result<Profile> read_tables(Profile profile, const std::string& name) {
  Reader reader(&profile);
  if (!reader.read()) {
    return Error(name + ": is no profile, or a damaged one: " + reader.damage().what +
                 ", near byte " + std::to_string(reader.damage().offset));
  }
  if (profile.sample_types.empty()) return Error(name + ": a profile without sample types");
  return profile;
}

}  // namespace

Result<Profile> Profile::open(const std::string& path) {
  GEIST_TRY(mapped, MappedFile::open(path));
  const ByteView bytes = mapped.bytes();
  if (bytes.empty() || is_packed(bytes) || is_legacy(bytes)) return read(bytes, path);
  Profile profile;
  profile.file.emplace(std::move(mapped));
  return read_tables(std::move(profile), path);
}

Result<Profile> Profile::read(ByteView bytes, const std::string& name) {
  GEIST_TRY(unpacked, unpack(bytes, name));
  return read_unpacked(std::move(unpacked), name);
}

Result<Profile> Profile::read_unpacked(LoadedBytes bytes, const std::string& name) {
  if (bytes.bytes().empty()) return Error(name + ": is empty");
  if (is_legacy(bytes.bytes())) {
    GEIST_TRY(converted, convert_legacy(bytes.bytes(), name));
    bytes = std::move(converted);
  }
  Profile profile;
  profile.storage = std::move(bytes);
  return read_tables(std::move(profile), name);
}

u32 Profile::find_far_location(u64 id) const {
  auto found = far_locations.find(id);
  return found == far_locations.end() ? kNone : found->second;
}

u64 Profile::sample_count() const {
  u64 count = 0;
  for (const SampleBlock& block : blocks) count += block.samples;
  return count;
}

Result<std::vector<Label>> read_labels(const Profile& profile, ByteView sample) {
  std::vector<Label> labels;
  FieldReader fields(sample);
  while (fields.next()) {
    if (fields.number() != field::kLabel) continue;
    u64 key = 0, text = 0, unit = 0;
    Label label;
    FieldReader parts(fields.bytes());
    while (parts.next()) {
      if (parts.number() == field::kKey) key = parts.value();
      if (parts.number() == field::kText) text = parts.value();
      if (parts.number() == field::kNumber) label.number = static_cast<i64>(parts.value());
      if (parts.number() == field::kNumberUnit) unit = parts.value();
    }
    const usize most = profile.strings.size();
    if (parts.failed() || key >= most || text >= most || unit >= most)
      return Error("a label that is in no table");
    if (text == 0 && label.number == 0 && unit == 0) continue;
    label.key = profile.strings[key];
    label.is_text = text != 0;
    label.text = profile.strings[text];
    label.unit = profile.strings[unit];
    labels.push_back(label);
  }
  if (fields.failed()) return Error("a damaged sample");
  return labels;
}

}  // namespace geist::profile

// Tables are merged by content, since ids mean nothing across profiles: a function by its names, file
// and line, a mapping by its build id, a location by its place in that and its lines. The result is
// written as a profile and read again, so everything else knows one form only.
#include "profile/merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "profile/graph.h"
#include "profile/measure.h"
#include "profile/writer.h"

namespace geist::profile {
namespace {

constexpr u64 kPage = 0x1000;

std::string key_of(std::initializer_list<u64> numbers, std::string_view text = {}) {
  Message key;
  for (u64 number : numbers) key.put_number(number);
  return key.take() + std::string(text);
}

// How the values of one profile become those of the result.
struct Columns {
  std::vector<usize> from;
  std::vector<double> factors;
};

struct MergedSample {
  std::string locations;  // packed ids
  std::string labels;     // fields of the message
  std::vector<i64> values;
};

i64 scaled(i64 value, double factor) {
  if (factor == 1) return value;
  if (factor == -1)
    return static_cast<i64>(~static_cast<u64>(value) + 1);  // exact where a double is not
  return times(1, std::round(static_cast<double>(value) * factor));
}

class Merger {
 public:
  Merger(const Profile& profile, const Profile& base, bool marks_base)
      : profile_(profile), base_(base), marks_base_(marks_base) {}

  Status merge() {
    GEIST_TRY_STATUS(match_types());
    GEIST_TRY_STATUS(add(profile_, columns_of_profile_, false));
    return add(base_, columns_of_base_, marks_base_);
  }
  std::string write();

 private:
  Status match_types();
  Status add(const Profile& source, const Columns& columns, bool marks);
  Status add_sample(const Profile& source, const SampleReader& reader, const Columns& columns,
                    bool marks);
  u64 map_location(const Profile& source, u32 index);
  u64 map_mapping(const Profile& source, u32 index);
  u64 map_function(const Profile& source, u32 index);
  Result<std::string> map_labels(const Profile& source, ByteView sample, bool marks);

  const Profile& profile_;
  const Profile& base_;
  const bool marks_base_;
  Columns columns_of_profile_, columns_of_base_;
  std::vector<ValueType> types_;
  StringTable strings_;
  Message tables_;
  std::unordered_map<std::string, u64> mappings_, functions_, locations_;
  std::unordered_map<u64, u64> mapping_starts_;  // by merged id
  // Of the source that is added.
  std::vector<u64> mapped_mappings_, mapped_functions_, mapped_locations_;
  std::unordered_map<std::string, usize> sample_by_key_;
  std::vector<MergedSample> samples_;
};

Status Merger::match_types() {
  if (profile_.period_type.type != base_.period_type.type)
    return Error(fmt::format("the base is another kind of profile: its period is {}, not {}",
                             base_.period_type.type, profile_.period_type.type));
  for (usize i = 0; i < profile_.sample_types.size(); ++i) {
    const ValueType& type = profile_.sample_types[i];
    // A name that stands there twice is found once.
    if (std::ranges::find(types_, type.type, &ValueType::type) != types_.end()) continue;
    auto found = std::ranges::find(base_.sample_types, type.type, &ValueType::type);
    if (found == base_.sample_types.end()) continue;
    if (!are_compatible_units(type.unit, found->unit))
      return Error(
          fmt::format("{} is in {} here and in {} in the base", type.type, type.unit, found->unit));
    // The finer unit of the two, so that nothing is lost.
    const bool base_is_finer = scale(1, found->unit, type.unit).value < 1;
    const std::string_view unit = base_is_finer ? found->unit : type.unit;
    types_.push_back({type.type, unit});
    columns_of_profile_.from.push_back(i);
    columns_of_profile_.factors.push_back(scale(1, type.unit, unit).value);
    columns_of_base_.from.push_back(static_cast<usize>(found - base_.sample_types.begin()));
    columns_of_base_.factors.push_back(-scale(1, found->unit, unit).value);
  }
  if (types_.empty()) return Error("the profile and its base have no sample type in common");
  return Done{};
}

Status Merger::add(const Profile& source, const Columns& columns, bool marks) {
  mapped_mappings_.assign(source.mappings.size(), 0);
  mapped_functions_.assign(source.functions.size(), 0);
  mapped_locations_.assign(source.locations.size(), 0);
  // The first mapping is the program: it stays the first.
  if (mappings_.empty() && !source.mappings.empty()) map_mapping(source, 0);
  for (const SampleBlock& block : source.blocks) {
    SampleReader reader(source, block);
    while (reader.next()) GEIST_TRY_STATUS(add_sample(source, reader, columns, marks));
    if (reader.failed()) return Error("a sample is damaged, or names a location that is not there");
  }
  return Done{};
}

Status Merger::add_sample(const Profile& source, const SampleReader& reader, const Columns& columns,
                          bool marks) {
  std::vector<i64> values;
  for (usize i = 0; i < columns.from.size(); ++i)
    values.push_back(scaled(reader.values()[columns.from[i]], columns.factors[i]));
  if (std::ranges::all_of(values, [](i64 value) { return value == 0; })) return Done{};
  Message locations;
  for (u32 location : reader.locations()) locations.put_number(map_location(source, location));
  GEIST_TRY(labels, map_labels(source, reader.body(), marks));
  std::string key = key_of({locations.bytes().size()}, locations.bytes()) + labels;
  auto [it, is_new] = sample_by_key_.try_emplace(std::move(key), samples_.size());
  if (is_new) {
    samples_.push_back({locations.take(), std::move(labels), std::move(values)});
  } else {
    std::vector<i64>& sums = samples_[it->second].values;
    for (usize i = 0; i < sums.size(); ++i) sums[i] = plus(sums[i], values[i]);
  }
  return Done{};
}

// Sorted by key, texts before numbers: two samples with the same labels give the same bytes.
Result<std::string> Merger::map_labels(const Profile& source, ByteView sample, bool marks) {
  GEIST_TRY(labels, read_labels(source, sample));
  if (marks)
    labels.push_back({.key = kBaseLabel, .text = "true", .number = 0, .unit = {}, .is_text = true});
  std::ranges::stable_sort(labels, [](const Label& a, const Label& b) {
    return a.is_text != b.is_text ? a.is_text : a.key < b.key;
  });
  Message out;
  for (const Label& label : labels) {
    Message message;
    message.add(field::kKey, strings_.id(label.key));
    if (label.is_text) {
      message.add(field::kText, strings_.id(label.text));
    } else {
      message.add(field::kNumber, static_cast<u64>(label.number));
      message.add(field::kNumberUnit, strings_.id(label.unit));
    }
    out.add(field::kLabel, message);
  }
  return out.take();
}

u64 Merger::map_mapping(const Profile& source, u32 index) {
  u64& known = mapped_mappings_[index];
  if (known != 0) return known;
  const Mapping& mapping = source.mappings[index];
  const u64 size = (mapping.limit - mapping.start + kPage - 1) / kPage * kPage;
  std::string_view name = source.text(mapping.build_id);
  if (name.empty()) name = source.text(mapping.file);
  auto [it, is_new] = mappings_.emplace(key_of({size, mapping.offset}, name), mappings_.size() + 1);
  known = it->second;
  if (!is_new) return known;
  mapping_starts_[known] = mapping.start;
  Message message;
  message.add(field::kMappingId, known);
  message.add(field::kStart, mapping.start);
  message.add(field::kLimit, mapping.limit);
  message.add(field::kOffset, mapping.offset);
  message.add(field::kFile, strings_.id(source.text(mapping.file)));
  message.add(field::kBuildId, strings_.id(source.text(mapping.build_id)));
  tables_.add(field::kMapping, message);
  return known;
}

u64 Merger::map_function(const Profile& source, u32 index) {
  u64& known = mapped_functions_[index];
  if (known != 0) return known;
  const Function& function = source.functions[index];
  const u64 name = strings_.id(source.text(function.name));
  const u64 system_name = strings_.id(source.text(function.system_name));
  const u64 file = strings_.id(source.text(function.file));
  const u64 line = static_cast<u64>(function.start_line);
  auto [it, is_new] =
      functions_.emplace(key_of({name, system_name, file, line}), functions_.size() + 1);
  known = it->second;
  if (!is_new) return known;
  Message message;
  message.add(field::kFunctionId, known);
  message.add(field::kName, name);
  message.add(field::kSystemName, system_name);
  message.add(field::kFileName, file);
  message.add(field::kStartLine, line);
  tables_.add(field::kFunction, message);
  return known;
}

u64 Merger::map_location(const Profile& source, u32 index) {
  u64& known = mapped_locations_[index];
  if (known != 0) return known;
  const Location& location = source.locations[index];
  u64 mapping = 0, address = location.address, place = address;
  if (location.mapping != kNone) {
    mapping = map_mapping(source, location.mapping);
    place = address - source.mappings[location.mapping].start;
    address = place + mapping_starts_[mapping];
  }
  Message lines;
  for (u32 i = 0; i < location.line_count; ++i) {
    const Line& line = source.lines[location.first_line + i];
    Message message;
    message.add(field::kFunctionOf, map_function(source, line.function));
    message.add(field::kLineNumber, static_cast<u64>(line.line));
    message.add(field::kColumn, static_cast<u64>(line.column));
    lines.add(field::kLine, message);
  }
  auto [it, is_new] = locations_.emplace(
      key_of({place, mapping, location.is_folded ? u64{1} : u64{0}}, lines.bytes()),
      locations_.size() + 1);
  known = it->second;
  if (!is_new) return known;
  Message message;
  message.add(field::kLocationId, known);
  message.add(field::kMappingOf, mapping);
  message.add(field::kAddress, address);
  message.append(lines);
  message.add(field::kIsFolded, location.is_folded ? u64{1} : u64{0});
  tables_.add(field::kLocation, message);
  return known;
}

std::string Merger::write() {
  Message out;
  for (const ValueType& type : types_)
    out.add(field::kSampleType, value_type(strings_, type.type, type.unit));
  for (const MergedSample& merged : samples_) {
    if (std::ranges::all_of(merged.values, [](i64 value) { return value == 0; })) continue;
    Message sample, values;
    for (i64 value : merged.values) values.put_number(static_cast<u64>(value));
    sample.add(field::kLocationIds, std::string_view(merged.locations));
    sample.add(field::kValues, values);
    sample.append(merged.labels);
    out.add(field::kSample, sample);
  }
  out.append(tables_);
  out.add(field::kDropFrames, strings_.id(profile_.drop_frames));
  out.add(field::kKeepFrames, strings_.id(profile_.keep_frames));
  i64 time = profile_.time_ns;
  if (time == 0 || base_.time_ns < time) time = base_.time_ns;
  out.add(field::kTime, static_cast<u64>(time));
  out.add(field::kDuration, static_cast<u64>(plus(profile_.duration_ns, base_.duration_ns)));
  out.add(field::kPeriodType,
          value_type(strings_, profile_.period_type.type, profile_.period_type.unit));
  out.add(field::kPeriod, static_cast<u64>(std::max(profile_.period, base_.period)));
  std::vector<std::string_view> comments = profile_.comments;
  for (std::string_view comment : base_.comments) {
    if (std::ranges::find(comments, comment) == comments.end()) comments.push_back(comment);
  }
  for (std::string_view comment : comments) out.put(field::kComment, strings_.id(comment));
  std::string_view shown = profile_.default_sample_type;
  if (shown.empty()) shown = base_.default_sample_type;
  const bool has_shown = std::ranges::find(types_, shown, &ValueType::type) != types_.end();
  if (!shown.empty())
    out.add(field::kDefaultSampleType, strings_.id(has_shown ? shown : types_.front().type));
  out.add(field::kDocUrl, strings_.id(profile_.doc_url.empty() ? base_.doc_url : profile_.doc_url));
  strings_.write(&out);
  return out.take();
}

}  // namespace

Result<Profile> subtract(const Profile& profile, const Profile& base, bool marks_base) {
  Merger merger(profile, base, marks_base);
  GEIST_TRY_STATUS(merger.merge());
  GEIST_TRY(bytes, to_loaded(merger.write(), "the difference"));
  return Profile::read_unpacked(std::move(bytes), "the difference");
}

}  // namespace geist::profile

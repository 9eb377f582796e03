// Lines to messages: the text becomes a profile.proto in memory, and everything after that knows one form only.
// Sampled counts are scaled up as pprof scales them, and frames that the comments leave out get a name.
#include "profile/legacy.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <unordered_set>

#include "profile/measure.h"
#include "profile/profile.h"
#include "profile/writer.h"

namespace geist::profile {
namespace {

constexpr std::string_view kBegin = "heap profile:";
constexpr usize kMostShown = 60;  // of a line in a message

// What allocates is no answer to who does: legacy_profile.go, allocRxStr and allocSkipRxStr.
constexpr std::string_view kDropFrames =
    R"(calloc|cfree|malloc|free|memalign|do_memalign|(__)?posix_memalign|pvalloc|valloc|realloc|)"
    R"(tcmalloc::.*|tc_calloc|tc_cfree|tc_malloc|tc_free|tc_memalign|tc_posix_memalign|tc_pvalloc|)"
    R"(tc_valloc|tc_realloc|tc_new|tc_delete|tc_newarray|tc_deletearray|tc_new_nothrow|)"
    R"(tc_newarray_nothrow|malloc_zone_malloc|malloc_zone_calloc|malloc_zone_valloc|)"
    R"(malloc_zone_realloc|malloc_zone_memalign|malloc_zone_free|runtime\..*|BaseArena::.*|)"
    R"((::)?do_malloc_no_errno|(::)?do_malloc_pages|(::)?do_malloc|DoSampledAllocation|)"
    R"(MallocedMemBlock::MallocedMemBlock|_M_allocate|__builtin_(vec_)?delete|__builtin_(vec_)?new|)"
    R"(__gnu_cxx::new_allocator::allocate|__libc_malloc|__malloc_alloc_template::allocate|allocate|)"
    R"(cpp_alloc|operator new(\[\])?|simple_alloc::allocate)";
constexpr std::string_view kKeepFrames =
    R"(runtime\.panic|runtime\.reflectcall|runtime\.call[0-9]*)";

// Stand for the frames that Go leaves out of the comments: the outermost one, and those of the runtime
// above the first frame of the user, which kDropFrames takes off.
constexpr std::string_view kRoot = "runtime.goexit";
constexpr std::string_view kUnnamed = "runtime.(not named)";

struct Stack {
  std::vector<u64> addresses;  // of the calls, the leaf first
  std::vector<i64> values;
  i64 block_bytes = 0;
};

struct Named {
  std::string function = {};
  std::string file = {};
  i64 line = 0;
};

class HeapText {
 public:
  explicit HeapText(std::string_view text) : rest_(text) {}

  Status read() {
    GEIST_TRY_STATUS(read_header(next_line()));
    while (!rest_.empty()) {
      std::string_view line = next_line();
      if (line.empty()) continue;
      if (line.front() == '#') {
        take_comment(line);
        continue;
      }
      if (line.find("--- Memory map: ---") != line.npos ||
          line.find("MAPPED_LIBRARIES:") != line.npos)
        break;
      GEIST_TRY_STATUS(take_sample(line));
    }
    name_rest();
    return Done{};
  }

  std::string write() const;

 private:
  std::string_view next_line() {
    ++line_number_;
    const usize end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    constexpr std::string_view kSpace = " \t\r\v\f";
    const usize begin = line.find_first_not_of(kSpace);
    return begin == line.npos ? std::string_view()
                              : line.substr(begin, line.find_last_not_of(kSpace) + 1 - begin);
  }

  Error malformed(std::string_view line, const char* why) const {
    return Error(fmt::format("line {}: {}: \"{}\"", line_number_, why, line.substr(0, kMostShown)));
  }

  Status read_header(std::string_view line) {
    static const RE2 header(
        R"(heap profile: *(\d+): *(\d+) *\[ *(\d+): *(\d+) *\] *@ *(heap[_a-z0-9]*)/?(\d*))");
    std::string objects, bytes, all_objects, all_bytes, kind, rate;
    if (!RE2::PartialMatch(piece(line), header, &objects, &bytes, &all_objects, &all_bytes, &kind,
                           &rate))
      return malformed(line, "no header of a heap profile");
    if (!rate.empty() && !RE2::FullMatch(rate, R"((\d+))", &period_))
      return malformed(line, "the rate is no number");
    has_allocated_ =
        (all_objects != objects && all_objects != "0") || (all_bytes != bytes && all_bytes != "0");
    is_sampled_ = kind != "heapprofile";
    if (kind == "heap") period_ /= 2;
    if (kind == "heapprofile") period_ = 1;
    if (kind != "heap" && kind != "heapprofile" && kind != "heap_v2" && kind != "heapz_v2")
      return malformed(line, "no kind of heap profile that is known");
    return Done{};
  }

  static re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

  void take_comment(std::string_view line) {
    static const RE2 frame(R"(^#\s+0x([0-9a-f]+)\s+(\S.*)\+0x[0-9a-f]+\s+(\S.*):(\d+)$)");
    u64 address = 0;
    Named named;
    if (!RE2::FullMatch(piece(line), frame, RE2::Hex(&address), &named.function, &named.file,
                        &named.line))
      return;
    names_.emplace(address, std::move(named));
  }

  Status take_sample(std::string_view line) {
    static const RE2 sample(R"((-?\d+): *(-?\d+) *\[ *(\d+): *(\d+) *\] @([ x0-9a-f]*))");
    i64 objects = 0, bytes = 0, all_objects = 0, all_bytes = 0;
    re2::StringPiece addresses;
    if (!RE2::PartialMatch(piece(line), sample, &objects, &bytes, &all_objects, &all_bytes,
                           &addresses))
      return malformed(line, "neither a sample nor a comment");
    Stack stack;
    if ((has_allocated_ && !add_values(all_objects, all_bytes, &stack)) ||
        !add_values(objects, bytes, &stack))
      return malformed(line, "bytes without objects");
    static const RE2 hexadecimal("0x([0-9a-f]+)");
    re2::StringPiece digits;
    while (RE2::FindAndConsume(&addresses, hexadecimal, &digits)) {
      u64 address = 0;
      auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), address, 16);
      if (error != std::errc()) return malformed(line, "an address of more than 64 bits");
      stack.addresses.push_back(address - 1);  // on the call, not after it
    }
    stacks_.push_back(std::move(stack));
    return Done{};
  }

  bool add_values(i64 count, i64 size, Stack* stack) const {
    if (count == 0 && size != 0) return false;
    if (count != 0 && !(count == -1 && size == INT64_MIN)) {
      stack->block_bytes = size / count;
      if (is_sampled_) scale_up(&count, &size);
    }
    stack->values.push_back(count);
    stack->values.push_back(size);
    return true;
  }

  // From what was sampled to what there was: an object of `average` bytes is sampled with the
  // probability 1 - exp(-average / rate).
  void scale_up(i64* count, i64* size) const {
    if (*size == 0) *count = 0;
    if (*count == 0 || period_ <= 1) return;
    const double average = static_cast<double>(*size) / static_cast<double>(*count);
    const double factor = 1 / (1 - std::exp(-average / static_cast<double>(period_)));
    *count = times(*count, factor);
    *size = times(*size, factor);
  }

  void name_rest();

  std::string_view rest_;
  u64 line_number_ = 0;
  i64 period_ = 0;
  bool has_allocated_ = false, is_sampled_ = false;
  std::vector<Stack> stacks_;
  std::unordered_map<u64, Named> names_;  // by address of the call
};

// Names what the comments leave out, in the stacks that have names at all.
void HeapText::name_rest() {
  auto has_name = [&](u64 address) { return names_.contains(address); };
  std::unordered_set<u64> roots, others;
  for (const Stack& stack : stacks_) {
    if (std::ranges::none_of(stack.addresses, has_name)) continue;
    for (u64 address : stack.addresses) {
      if (!has_name(address)) (address == stack.addresses.back() ? roots : others).insert(address);
    }
  }
  for (u64 address : roots) names_.emplace(address, Named{.function = std::string(kRoot)});
  for (u64 address : others) names_.emplace(address, Named{.function = std::string(kUnnamed)});
}

// Tables of a profile under construction: a location an address, a function a name and file.
class Tables {
 public:
  explicit Tables(StringTable* strings) : strings_(*strings) {}

  u64 location(u64 address, const Named* named) {
    auto [it, is_new] = locations_.emplace(address, locations_.size() + 1);
    if (!is_new) return it->second;
    Message location;
    location.add(field::kLocationId, it->second);
    location.add(field::kMappingOf, u64{1});
    location.add(field::kAddress, address);
    if (named != nullptr) {
      Message line;
      line.add(field::kFunctionOf, function(*named));
      line.add(field::kLineNumber, static_cast<u64>(named->line));
      location.add(field::kLine, line);
    }
    out_.add(field::kLocation, location);
    return it->second;
  }
  const Message& messages() const { return out_; }

 private:
  u64 function(const Named& named) {
    const u64 name = strings_.id(named.function), file = strings_.id(named.file);
    auto [it, is_new] = functions_.emplace(name << 32 | file, functions_.size() + 1);
    if (is_new) {
      Message function;
      function.add(field::kFunctionId, it->second);
      function.add(field::kName, name);
      function.add(field::kSystemName, name);
      function.add(field::kFileName, file);
      out_.add(field::kFunction, function);
    }
    return it->second;
  }

  StringTable& strings_;
  std::unordered_map<u64, u64> locations_, functions_;
  Message out_;
};

std::string HeapText::write() const {
  Message out;
  StringTable strings;
  Tables tables(&strings);
  using Pair = std::pair<const char*, const char*>;
  std::vector<Pair> types = {{"objects", "count"}, {"space", "bytes"}};
  if (has_allocated_)
    types = {{"alloc_objects", "count"},
             {"alloc_space", "bytes"},
             {"inuse_objects", "count"},
             {"inuse_space", "bytes"}};
  for (const auto& [type, unit] : types)
    out.add(field::kSampleType, value_type(strings, type, unit));
  const u64 key = strings.id("bytes");
  for (const Stack& stack : stacks_) {
    Message locations, values, label, sample;
    for (u64 address : stack.addresses) {
      auto named = names_.find(address);
      const Named* found = named == names_.end() ? nullptr : &named->second;
      locations.put_number(tables.location(address, found));
    }
    for (i64 value : stack.values) values.put_number(static_cast<u64>(value));
    label.add(field::kKey, key);
    label.add(field::kNumber, static_cast<u64>(stack.block_bytes));
    sample.add(field::kLocationIds, locations);
    sample.add(field::kValues, values);
    sample.add(field::kLabel, label);
    out.add(field::kSample, sample);
  }
  Message mapping;
  mapping.add(field::kMappingId, u64{1});
  mapping.add(field::kLimit, ~u64{0});
  out.add(field::kMapping, mapping);
  out.append(tables.messages());
  out.add(field::kPeriodType, value_type(strings, "space", "bytes"));
  out.add(field::kPeriod, static_cast<u64>(period_));
  out.add(field::kDropFrames, strings.id(kDropFrames));
  out.add(field::kKeepFrames, strings.id(kKeepFrames));
  strings.write(&out);
  return out.take();
}

}  // namespace

bool is_legacy(ByteView bytes) {
  return bytes.size() >= kBegin.size() &&
         std::memcmp(bytes.data(), kBegin.data(), kBegin.size()) == 0;
}

Result<LoadedBytes> convert_legacy(ByteView bytes, const std::string& name) {
  HeapText text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  Status status = text.read();
  if (!status.ok()) return status.take_error().in(name);
  return to_loaded(text.write(), name);
}

}  // namespace geist::profile

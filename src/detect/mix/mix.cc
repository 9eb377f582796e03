// What is done with each map, and by whom. The trampolines count (probe/map_probes.h), the runtime
// keeps what belongs to which map (runtime/map_mix.h); here the maps get their names.
//
//   entries, a map each ──┬─ by its name ─────────────────────────┐
//   retired, many of one  └─ without one: type, place of first use ┴─▶ a row
//
// A name must be looked for while the program runs: after a second, after four, and so on, and at
// its end. Which writes were inserts is known from the number of entries, as the next operation
// sees it: the last one of a map counts as an update.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "abi/maps.h"
#include "detect/detector.h"
#include "detect/maps/describe.h"

namespace geist::detect::mix {
namespace {

using findings::Frame;
using Row = findings::Section::Row;
using Maker = findings::Section::Maker;

constexpr usize kMostRows = 200;
constexpr usize kMostNamed = 64;
constexpr u64 kBits = abi::kMapMakerWords * 64 / 2;  // in each half of MapMakers::goroutines

using Bits = std::array<u64, abi::kMapMakerWords>;

u64 count_half(const Bits& bits, usize half) {
  u64 count = 0;
  for (usize i = 0; i < bits.size() / 2; ++i)
    count += static_cast<u64>(std::popcount(bits[half * bits.size() / 2 + i]));
  return count;
}

// About how many goroutines have set them (abi::MapMakers).
u64 estimate(const Bits& bits) {
  constexpr u64 kFew = kBits / 4;
  const u64 in_a_row = count_half(bits, 0), hashed = count_half(bits, 1);
  if (in_a_row <= kFew) return std::max(in_a_row, hashed);
  const double free = std::max(static_cast<double>(kBits - hashed), 0.5);
  const double all = static_cast<double>(kBits);
  return std::max(in_a_row, static_cast<u64>(std::lround(all * std::log(all / free))));
}

struct Sum {
  u64 counts[abi::kMapCounts] = {};
  u64 inserts = 0;
  std::map<u64, u64> entries;  // of one map each, by its address
  u64 more_maps = 0, more_entries = 0;
  std::map<u64, Bits> makers;  // by go_pc

  // Those whose entries others have come first: a map may have one again.
  void add(const abi::MapMix& mix, u64 map) {
    for (usize i = 0; i < abi::kMapCounts; ++i) counts[i] += mix.own[i] + mix.others[i];
    inserts += mix.inserts;
    if (map == abi::kMapSeveral) {
      more_maps += mix.maps;
      more_entries += mix.used;
    } else {
      entries[map] = mix.used;
    }
    for (const abi::MapMakers& one : mix.makers) {
      if (one.go_pc == 0) continue;
      Bits& bits = makers[one.go_pc];
      for (usize i = 0; i < bits.size(); ++i) bits[i] |= one.goroutines[i];
    }
  }
};

u64 operations_of(const abi::MapMix& mix) {
  u64 sum = 0;
  for (usize i = 0; i < abi::kMapCounts; ++i) sum += mix.own[i] + mix.others[i];
  return sum;
}

// Of one map, or of several retired ones.
struct Counted {
  u64 map = 0, type = 0;
  u32 seed = 0;
  const abi::MapMix* mix = nullptr;
  std::pair<u64, u32> id() const { return {map, seed}; }
};

// Retired ones first.
std::vector<Counted> list_counted(const abi::MapTable& table) {
  std::vector<Counted> all;
  for (const abi::RetiredMix& one : table.retired)
    all.push_back({one.map, one.type, one.seed, &one.mix});
  for (const abi::MapEntry& one : table.entries)
    all.push_back({one.map, one.type, one.seed, &one.mix});
  std::erase_if(all, [](const Counted& one) {
    return one.map == 0 || one.type == 0 || operations_of(*one.mix) == 0;
  });
  return all;
}

class Mix : public Listener {
 public:
  explicit Mix(const Watched& watched) : watched_(watched), words_(watched) {}
  void hear(const abi::Event&) override {}
  void look() override;
  void tell(findings::Report& report) override;

 private:
  struct Key {
    std::string name, type;
    Frame place;  // of the first use; no part of the key where there is a name
    auto tie() const {
      return std::tuple(name, type, name.empty() ? place.function : "",
                        name.empty() ? place.file : "", name.empty() ? place.line : 0);
    }
    bool operator<(const Key& other) const { return tie() < other.tie(); }
  };
  bool is_there(const Counted& one) const;
  Frame place_of(const abi::MapTable& table, const abi::MapMix& mix) const;
  bool is_start_of_main(u64 go_pc) const;
  std::vector<Maker> makers_of(const Sum& sum) const;
  Row row_of(const Key& key, const Sum& sum) const;
  std::map<Key, Sum> add_up(const abi::MapTable& table) const;

  const Watched& watched_;
  const maps::Describer words_;
  std::map<std::pair<u64, u32>, std::string> names_;  // by Counted::id()
};

// Where a map was, something else may be by now; a map has its seed until it is cleared.
bool Mix::is_there(const Counted& one) const {
  return one.map != abi::kMapSeveral &&
         watched_.process.memory.find<u32>(TargetAddr(one.map + abi::kMapSeedOffset)) == one.seed;
}

// Those that are used most.
void Mix::look() {
  const std::unique_ptr<abi::MapTable> table = watched_.process.ring.map_table();
  if (table == nullptr) return;
  std::vector<Counted> unnamed = list_counted(*table);
  std::erase_if(unnamed,
                [&](const Counted& one) { return names_.contains(one.id()) || !is_there(one); });
  std::ranges::sort(unnamed, std::ranges::greater(),
                    [](const Counted& one) { return operations_of(*one.mix); });
  if (unnamed.size() > kMostNamed) unnamed.resize(kMostNamed);
  std::vector<TargetAddr> addresses;
  for (const Counted& one : unnamed) addresses.push_back(TargetAddr(one.map));
  if (addresses.empty()) return;
  std::vector<std::string> names = words_.names_of(addresses);
  for (usize i = 0; i < unnamed.size(); ++i) {
    if (!names[i].empty()) names_[unnamed[i].id()] = std::move(names[i]);
  }
}

Frame Mix::place_of(const abi::MapTable& table, const abi::MapMix& mix) const {
  std::vector<Frame> frames;
  if (mix.first_path != 0 && mix.first_path <= abi::kMapPaths) {
    const abi::MapPath& path = table.paths[mix.first_path - 1];
    frames = words_.frames_of(
        std::span(path.pcs).first(std::min<usize>(path.frames, abi::kMapPathFrames)));
  }
  if (frames.empty()) words_.add_return(mix.first_ret, frames);
  return frames.empty() ? Frame{} : words_.own_frame(frames);
}

// Where the first goroutine comes from: assembly calls newproc by its wrapper (runtime/asm_amd64.s
// rt0_go, go1.21 to go1.27), and that is what has the return address.
bool Mix::is_start_of_main(u64 go_pc) const {
  const std::optional<read::Function> function =
      watched_.binary.pclntab().find_function(words_.bias().to_image(TargetAddr(go_pc)) - 1);
  return function && function->name == "runtime.newproc";
}

// Those with a go statement of the program, and who there is else, in parentheses.
std::vector<Maker> Mix::makers_of(const Sum& sum) const {
  std::vector<Maker> makers;
  for (const auto& [go_pc, bits] : sum.makers) {
    Maker maker;
    maker.goroutines = estimate(bits);
    const std::vector<Frame> made_at = words_.made_at(go_pc);
    if (go_pc == abi::kMapOtherMakers) {
      maker.function = "(other go statements)";
    } else if (made_at.empty()) {
      maker.function =
          is_start_of_main(go_pc) ? "(main goroutine)" : "(goroutines of Go's runtime)";
    } else {
      const Frame& go = made_at.front();
      maker.function = go.function, maker.file = go.file, maker.line = go.line;
    }
    makers.push_back(std::move(maker));
  }
  std::ranges::stable_sort(makers, std::ranges::greater(), &Maker::goroutines);
  return makers;
}

Row Mix::row_of(const Key& key, const Sum& sum) const {
  const u64 writes = sum.counts[abi::kCountWrites];
  const u64 inserts = std::min(sum.inserts, writes);
  Row row{key.place.function, key.place.file, key.place.line, {}, key.name, key.type, {}};
  row.makers = makers_of(sum);
  u64 goroutines = 0;
  for (const Maker& maker : row.makers) goroutines += maker.goroutines;
  u64 entries = sum.more_entries;
  for (const auto& [map, of_map] : sum.entries) entries += of_map;
  row.values = {sum.counts[abi::kCountReads],
                writes - inserts,
                inserts,
                sum.counts[abi::kCountDeletes],
                sum.counts[abi::kCountRanges],
                goroutines,
                sum.more_maps + sum.entries.size(),
                entries};
  return row;
}

std::map<Mix::Key, Sum> Mix::add_up(const abi::MapTable& table) const {
  std::map<Key, Sum> sums;
  for (const Counted& one : list_counted(table)) {
    const auto name = names_.find(one.id());
    sums[{name == names_.end() ? "" : name->second, words_.type_name(one.type),
          place_of(table, *one.mix)}]
        .add(*one.mix, one.map);
  }
  return sums;
}

void Mix::tell(findings::Report& report) {
  constexpr usize kGoroutines = 5;
  findings::Section section;
  section.columns = {"reads",  "updates",    "inserts", "deletes",
                     "ranges", "goroutines", "maps",    "entries"};
  const std::unique_ptr<abi::MapTable> table = watched_.process.ring.map_table();
  if (table == nullptr) return;
  for (const auto& [key, sum] : add_up(*table)) section.rows.push_back(row_of(key, sum));
  // Those that goroutines share, then by operations.
  std::ranges::stable_sort(section.rows, std::ranges::greater(), [](const Row& row) {
    u64 operations = 0;
    for (usize i = 0; i < kGoroutines; ++i) operations += row.values[i];
    return std::pair(row.values[kGoroutines] > 1, operations);
  });
  if (section.rows.size() > kMostRows) {
    report.lost["mix_rows_left_out"] += section.rows.size() - kMostRows;
    section.rows.resize(kMostRows);
  }
  report.lost["mix_not_counted"] += table->uncounted;
  report.lost["mix_maps_lost"] += table->mixes_lost;
  if (table->uncounted != 0)
    section.note = fmt::format(
        "not counted: up to {} operations of maps that were new and too many for the budget",
        table->uncounted);
  words_.note_gaps(report);
  report.sections.emplace("mix", std::move(section));
}

// Who only counts makes nobody wait: a map is not held for company unless --detect=maps asks for it.
void ask(probe::PlanOptions& plan) {
  if (!plan.maps) plan.map_hold_us = 0;
  plan.maps = plan.map_counts = true;
}

std::unique_ptr<Listener> listen(const Watched& watched) {
  return std::make_unique<Mix>(watched);
}

}  // namespace

const Hooks kHooks{.ask = ask, .listen = listen};

}  // namespace geist::detect::mix

// The mix, the figures and what follows from them; map_bench.cc has the source.
#include "advise/maps.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "advise/slices.h"
#include "base/printable.h"

namespace geist::advise {
namespace {

constexpr u64 kMostPart = 1000000;
constexpr double kNear = 1.15;  // figures that do not decide
constexpr u64 kOperations = 200000;

double other(const Measured& one, const char* unit) {
  auto found = one.others.find(unit);
  return found == one.others.end() ? -1 : found->second;
}

const MapKindName& name_of(MapKind kind) {
  return kMapKinds[static_cast<usize>(kind)];
}

}  // namespace

std::string Mix::text() const {
  std::string out = fmt::format("{}/{}/{}", reads, updates, inserts);
  if (deletes != 0 || ranges != 0) out += fmt::format("/{}/{}", deletes, ranges);
  return out;
}

Result<Mix> read_mix(std::string_view text) {
  Mix mix;
  u64* const parts[] = {&mix.reads, &mix.updates, &mix.inserts, &mix.deletes, &mix.ranges};
  usize count = 0;
  const Error error(
      fmt::format("--mix: \"{}\" is no mix, such as 95/5/0: reads, updates and inserts, then "
                  "deletes and ranges",
                  printable(text.substr(0, 80))));
  for (usize at = 0; at <= text.size();) {
    const usize end = std::min(text.find('/', at), text.size());
    if (count == std::size(parts)) return error;
    auto [stop, wrong] = std::from_chars(text.data() + at, text.data() + end, *parts[count]);
    if (wrong != std::errc() || stop != text.data() + end || *parts[count] > kMostPart)
      return error;
    ++count;
    at = end + 1;
  }
  if (count < 3) return error;
  if (mix.total() == 0) return Error("--mix: nothing is done in it");
  if (mix.deletes > mix.inserts)
    return Error(
        "--mix: there are more deletes than inserts, so there would soon be nothing to delete");
  return mix;
}

Mix scale_mix(const Mix& counted) {
  Mix mix = counted;
  u64* const parts[] = {&mix.reads, &mix.updates, &mix.inserts, &mix.deletes, &mix.ranges};
  u64 most = 0;
  for (u64* part : parts) most = std::max(most, *part);
  const u64 unit = most / kMostPart + 1;
  for (u64* part : parts) *part = *part == 0 ? 0 : std::max<u64>(*part / unit, 1);
  mix.deletes = std::min(mix.deletes, mix.inserts);  // others find nothing to delete
  return mix;
}

u64 operations_of(const MapUse& use) {
  // A range visits every key.
  const u64 cost = 1 + use.mix.ranges * use.keys / use.mix.total() / 16;
  return std::max<u64>(kOperations / cost, 2000);
}

Result<MapAdvice> measure_maps(const MapUse& use, const Bench& bench, u64 rounds) {
  MapAdvice advice{bench.go(), use, {}, rounds, operations_of(use)};
  GEIST_TRY(measured,
            bench.measure(emit_map_bench(use), fmt::format("{}x", advice.operations), rounds));
  for (const MapKindName& one : kMapKinds) {
    auto found = measured.find("Benchmark_" + std::string(one.name));
    if (found == measured.end() || found->second.rounds != rounds)
      return Error(fmt::format("the benchmark of \"{}\" gave no figure in some round", one.text));
    const Measured& first = advice.kinds.empty() ? found->second : advice.kinds[0];
    for (const char* unit : {"hits", "entries"}) {
      if (other(found->second, unit) != other(first, unit))
        return Error(fmt::format("\"{}\" and \"{}\" did not do the same: {} and {} {}",
                                 name_of(MapKind::kMutex).text, one.text, other(first, unit),
                                 other(found->second, unit), unit));
    }
    advice.kinds.push_back(found->second);
  }
  return advice;
}

MapKind choose_map(const std::vector<Measured>& kinds) {
  // They stand in the order of the effort, but for sync.Map, which is also no longer typed.
  const double best = std::ranges::min_element(kinds, {}, &Measured::low)->low;
  for (const MapKindName& one : kMapKinds) {
    if (kinds[static_cast<usize>(one.kind)].low <= best * kNear) return one.kind;
  }
  return MapKind::kMutex;
}

std::string emit_map_sentence(const MapAdvice& advice) {
  const MapKind kind = choose_map(advice.kinds);
  const Measured& taken = advice.kinds[static_cast<usize>(kind)];
  usize fastest = 0, slowest = 0;
  for (usize i = 0; i < advice.kinds.size(); ++i) {
    if (advice.kinds[i].low < advice.kinds[fastest].low) fastest = i;
    if (advice.kinds[i].low > advice.kinds[slowest].low) slowest = i;
  }
  std::string out =
      fmt::format("Take a {}: {} ns an operation", name_of(kind).text, emit_figure(taken.low));
  if (kind == MapKind::kSyncMap)
    out = fmt::format("Take {}: {} ns an operation", name_of(kind).text, emit_figure(taken.low));
  if (kind >= MapKind::kShards)
    out = fmt::format("Take {}: {} ns an operation", name_of(kind).text, emit_figure(taken.low));
  if (fastest != static_cast<usize>(kind))
    out += fmt::format(", within {:.0f}% of {} ({} ns), and simpler", (kNear - 1) * 100,
                       kMapKinds[fastest].text, emit_figure(advice.kinds[fastest].low));
  if (slowest != static_cast<usize>(kind))
    out += fmt::format("; {} takes {} ns, {:.1f} times as long", kMapKinds[slowest].text,
                       emit_figure(advice.kinds[slowest].low),
                       advice.kinds[slowest].low / std::max(taken.low, 0.001));
  if (kind != MapKind::kMutex && slowest != 0)
    out += fmt::format("; a map with a Mutex {} ns", emit_figure(advice.kinds[0].low));
  return out + ".";
}

std::string emit_map_text(const MapAdvice& advice) {
  const MapUse& use = advice.use;
  std::string out = fmt::format(
      "{} of {}, {} goroutines, {} {} keys; {}, median of {} rounds of {} operations\n\n",
      use.mix.deletes + use.mix.ranges == 0 ? "reads/updates/inserts"
                                            : "reads/updates/inserts/deletes/ranges",
      use.mix.text() + " (" + use.source + ")", use.goroutines, use.keys,
      use.has_string_keys ? "string" : "int", advice.go, advice.rounds, advice.operations);
  out += fmt::format("    {:<26}{:>9}{:>16}{:>10}{:>11}\n", "", "ns/op", "low..high", "B/op",
                     "allocs/op");
  const MapKind taken = choose_map(advice.kinds);
  for (const MapKindName& one : kMapKinds) {
    const Measured& m = advice.kinds[static_cast<usize>(one.kind)];
    out += fmt::format("  {} {:<26}{:>9}{:>16}{:>10}{:>11}\n", one.kind == taken ? '>' : ' ',
                       one.text, emit_figure(m.ns), emit_figure(m.low) + ".." + emit_figure(m.high),
                       emit_figure(m.bytes), emit_figure(m.allocs));
  }
  out += "\n" + wrap_text(emit_map_sentence(advice), 2);
  if (!use.others.empty())
    out += "\n" +
           wrap_text(fmt::format("Also counted, for --map: {}.", fmt::join(use.others, ", ")), 2);
  return out;
}

std::string emit_map_json(const MapAdvice& advice) {
  using Json = nlohmann::ordered_json;
  const MapUse& use = advice.use;
  Json kinds = Json::array();
  for (const MapKindName& one : kMapKinds) {
    const Measured& m = advice.kinds[static_cast<usize>(one.kind)];
    kinds.push_back({{"name", one.name},
                     {"ns_per_op", m.ns},
                     {"ns_low", m.low},
                     {"ns_high", m.high},
                     {"bytes_per_op", m.bytes},
                     {"allocs_per_op", m.allocs},
                     {"hits", other(m, "hits")},
                     {"entries", other(m, "entries")}});
  }
  Json json = {{"schema", "geist-advice/1"},
               {"what", "maps"},
               {"go", advice.go},
               {"rounds", advice.rounds},
               {"operations", advice.operations},
               {"mix",
                {{"reads", use.mix.reads},
                 {"updates", use.mix.updates},
                 {"inserts", use.mix.inserts},
                 {"deletes", use.mix.deletes},
                 {"ranges", use.mix.ranges},
                 {"from", use.source}}},
               {"goroutines", use.goroutines},
               {"keys", use.keys},
               {"key", use.has_string_keys ? "string" : "int"},
               {"kinds", std::move(kinds)},
               {"take", name_of(choose_map(advice.kinds)).name},
               {"sentence", emit_map_sentence(advice)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace geist::advise

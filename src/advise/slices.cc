// What is preferred when figures are near to each other is in choose_repair; the bounds are there too.
#include "advise/slices.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "report/report.h"

namespace geist::advise {
namespace {

constexpr u64 kMostArray = u64{16} << 20;  // bytes of one array that is measured
constexpr double kNear = 1.25;             // costs that do not decide
constexpr double kNoisy = 1.5;             // of median and fastest round
constexpr std::string_view kBenchtime = "10ms";

const findings::Finding& find_finding(const findings::Report& report, int id) {
  auto found = std::ranges::find(report.findings, id, &findings::Finding::id);
  GEIST_CHECK(found != report.findings.end());
  return *found;
}

Result<Shape> make_shape(const findings::Finding& finding) {
  GEIST_TRY(element, make_element(finding));
  Shape shape;
  shape.element = std::move(element);
  shape.len = finding.old_len;
  shape.cap = finding.cap;
  shape.added = finding.added;
  if (shape.cap == 0 || shape.len > shape.cap)
    return Error("no length and capacity of an append is known");
  if (shape.added == 0) {
    shape.added = 1;
    shape.note = "no append was seen yet: measured with one element";
  }
  const u64 most = std::max<u64>(kMostArray / shape.element.size, 2);
  if (shape.cap > most || shape.added > most) {
    shape.note =
        fmt::format("len {} cap {}, {} added, are measured as arrays of at most {} elements",
                    shape.len, shape.cap, shape.added, most);
    shape.cap = std::min(shape.cap, most);
    shape.len = std::min(shape.len, shape.cap - 1);
    shape.added = std::min(shape.added, most);
  }
  return shape;
}

bool is_same(const Shape& a, const Shape& b) {
  return a.len == b.len && a.cap == b.cap && a.added == b.added &&
         a.element.type == b.element.type && a.element.note == b.element.note && a.note == b.note;
}

double other(const RepairRow& row, const char* unit) {
  if (!row.measured) return 0;
  auto found = row.measured->others.find(unit);
  return found == row.measured->others.end() ? 0 : found->second;
}

const RepairRow* find_row(const std::vector<RepairRow>& rows, Repair repair) {
  for (const RepairRow& row : rows) {
    if (row.repair == repair && row.measured) return &row;
  }
  return nullptr;
}

std::string_view text_of(Repair repair) {
  return kRepairs[static_cast<usize>(repair)].text;
}

std::string cost_of(const RepairRow& row) {
  return fmt::format("{} ns and {} B", emit_figure(row.measured->low),
                     emit_figure(row.measured->bytes));
}

// By the fastest rounds: what else the machine does can only add to a round.
bool is_near(const Measured& one, const Measured& best) {
  return one.low <= best.low * kNear;
}

std::string site_of(const findings::Finding& finding) {
  if (finding.append_stack.empty()) return finding.operand;
  const findings::Frame& site = finding.append_stack[0];
  return fmt::format("{} ({}:{})", site.function, base_name(site.file), site.line);
}

// How the choice is written in this program, as far as that is known.
std::string how_to_write(const findings::Finding& finding, Repair repair) {
  const std::string name = finding.operand.empty() ? "s" : finding.operand;
  switch (repair) {
    case Repair::kClip:
      return finding.fix.empty() ? fmt::format("append({0}[:len({0}):len({0})], ...)", name)
                                 : finding.fix;
    case Repair::kDeepCopy:
      return fmt::format("append(slices.Clone({}), ...)", name);
    case Repair::kConcat:
      return fmt::format("slices.Concat({}, ...)", name);
    case Repair::kOwn:
      return fmt::format("make([]{1}, len({0}), len({0})+n), copy and append", name,
                         finding.element_type.empty() ? "T" : finding.element_type);
    case Repair::kAsItIs:
    case Repair::kPool:
      break;
  }
  return "";
}

// What the append does as it is, and what a pool would be worth.
std::string tell_others(const findings::Finding& finding, const std::vector<RepairRow>& rows,
                        const RepairRow& taken) {
  std::string out;
  const RepairRow* shared = find_row(rows, Repair::kAsItIs);
  const std::string victim = finding.victim.name.empty() ? "another slice" : finding.victim.name;
  if (shared != nullptr && shared->overwritten() != 0)
    out += fmt::format(
        " As it is the append takes {} ns, because it writes into the array it shares with {}.",
        emit_figure(shared->measured->low), victim);
  if (shared != nullptr && shared->overwritten() == 0)
    out += " At this length and capacity the append as it is grows and overwrites nothing.";
  const RepairRow* pool = find_row(rows, Repair::kPool);
  if (pool != nullptr && pool->measured->low < taken.measured->low / 2)
    out += fmt::format(
        " A pool takes {} ns, but whoever gives an array back must know that nobody uses it any "
        "more{}.",
        emit_figure(pool->measured->low),
        finding.level >= findings::Level::kLikely ? ", and here somebody still did" : "");
  return out;
}

std::string row_text(const RepairRow& row, bool is_taken) {
  const std::string_view name = text_of(row.repair);
  if (!row.measured) return fmt::format("    {:<26} not in this release of Go\n", name);
  const Measured& m = *row.measured;
  return fmt::format("  {} {:<26}{:>9}{:>16}{:>10}{:>11}{:>7}{:>14}\n", is_taken ? '>' : ' ', name,
                     emit_figure(m.ns), emit_figure(m.low) + ".." + emit_figure(m.high),
                     emit_figure(m.bytes), emit_figure(m.allocs), row.room(),
                     row.overwritten() == 0 ? "-" : std::to_string(row.overwritten()));
}

// Medians far from the fastest rounds: a busy machine.
std::string note_of_noise(const std::vector<RepairRow>& rows) {
  double most = 1;
  for (const RepairRow& row : rows) {
    if (row.measured && row.measured->low > 0)
      most = std::max(most, row.measured->ns / row.measured->low);
  }
  if (most < kNoisy) return "";
  return fmt::format(
      "the machine did other things: medians are up to {} times the fastest round, by which the "
      "sentence goes",
      emit_figure(most));
}

std::string ids_of(const Shape& shape) {
  return fmt::format("finding{} {}", shape.findings.size() == 1 ? "" : "s",
                     fmt::join(shape.findings, ", "));
}

}  // namespace

std::string emit_figure(double value) {
  if (value >= 100 || value == static_cast<double>(static_cast<u64>(value)))
    return fmt::format("{:.0f}", value);
  return value >= 10 ? fmt::format("{:.1f}", value) : fmt::format("{:.2f}", value);
}

u64 RepairRow::overwritten() const {
  return static_cast<u64>(other(*this, "overwritten"));
}
u64 RepairRow::room() const {
  return static_cast<u64>(other(*this, "room"));
}

Result<SlicePlan> plan_slices(const findings::Report& report, std::optional<int> only) {
  if (report.findings.empty())
    return Error("the report has no findings, so there is nothing to repair");
  SlicePlan plan;
  bool is_there = false;
  for (const findings::Finding& finding : report.findings) {
    if (only && finding.id != *only) continue;
    is_there = true;
    Result<Shape> shape = make_shape(finding);
    if (!shape.ok()) {
      plan.left_out.push_back({finding.id, shape.error().message()});
      continue;
    }
    auto same = std::ranges::find_if(plan.shapes,
                                     [&](const Shape& one) { return is_same(one, shape.value()); });
    if (same == plan.shapes.end() && plan.shapes.size() == kMostShapes) {
      plan.left_out.push_back(
          {finding.id,
           fmt::format("{} others are measured at a time; --finding={} measures this one",
                       kMostShapes, finding.id)});
      continue;
    }
    if (same == plan.shapes.end()) same = plan.shapes.insert(same, std::move(shape).value());
    same->findings.push_back(finding.id);
  }
  if (!is_there) return Error(fmt::format("the report has no finding {}", *only));
  if (plan.shapes.empty())
    return Error(fmt::format("finding {}: {}", plan.left_out[0].finding, plan.left_out[0].reason));
  return plan;
}

std::optional<Choice> choose_repair(const std::vector<RepairRow>& rows) {
  // A pool is no repair by itself: when its array may be given back is not in the figures.
  std::vector<const RepairRow*> safe;
  for (const RepairRow& row : rows) {
    if (row.measured && row.overwritten() == 0 && row.repair != Repair::kAsItIs &&
        row.repair != Repair::kPool)
      safe.push_back(&row);
  }
  if (safe.empty()) return std::nullopt;
  const RepairRow* fastest =
      *std::ranges::min_element(safe, {}, [](const RepairRow* row) { return row->measured->low; });
  const double fewest = (*std::ranges::min_element(safe, {}, [](const RepairRow* row) {
                          return row->measured->bytes;
                        }))->measured->bytes;
  auto fits = [&](const RepairRow& row) {
    return is_near(*row.measured, *fastest->measured) && row.measured->bytes <= fewest * kNear;
  };
  const RepairRow* clip = find_row(rows, Repair::kClip);
  const bool clip_is_safe = clip != nullptr && clip->overwritten() == 0;
  if (clip_is_safe && fits(*clip)) {
    std::string why = cost_of(*clip) + " an append, ";
    why += clip == fastest
               ? "no other repair is faster"
               : fmt::format("as good as {} ({})", text_of(fastest->repair), cost_of(*fastest));
    return Choice{Repair::kClip, why + ", and one expression changes"};
  }
  // Of those that are as fast, the ones with the fewest bytes, and of these the least effort, in which
  // order they stand.
  std::vector<const RepairRow*> near;
  for (const RepairRow* row : safe) {
    if (is_near(*row->measured, *fastest->measured)) near.push_back(row);
  }
  const double few = (*std::ranges::min_element(near, {}, [](const RepairRow* row) {
                       return row->measured->bytes;
                     }))->measured->bytes;
  const RepairRow* taken = *std::ranges::find_if(
      near, [&](const RepairRow* row) { return row->measured->bytes <= few; });
  std::string why = cost_of(*taken) + " an append";
  if (clip_is_safe && clip != taken) {
    const bool as_fast = is_near(*clip->measured, *taken->measured);
    const bool is_smaller = taken->measured->bytes < clip->measured->bytes;
    why += fmt::format(", {} s[:len(s):len(s)] ({}{})",
                       !as_fast     ? "faster than"
                       : is_smaller ? "with fewer bytes than, and about as fast as,"
                                    : "about the same as",
                       cost_of(*clip),
                       clip->room() > taken->room()
                           ? fmt::format(", room for {} more elements", clip->room())
                           : std::string());
  }
  return Choice{taken->repair, why};
}

std::string emit_slice_sentence(const findings::Finding& finding,
                                const std::vector<RepairRow>& rows) {
  std::optional<Choice> choice = choose_repair(rows);
  if (!choice)
    return "None of the repairs left the shared array alone here: this is nothing to take.";
  const RepairRow* taken = find_row(rows, choice->repair);
  return fmt::format("Take {}: {}.{}", how_to_write(finding, choice->repair), choice->why,
                     tell_others(finding, rows, *taken));
}

Result<SliceAdvice> measure_slices(SlicePlan plan, const Bench& bench, u64 rounds) {
  GEIST_TRY(measured, bench.measure(emit_slice_bench(plan.shapes, bench.go_minor()),
                                    std::string(kBenchtime), rounds));
  SliceAdvice advice;
  advice.go = bench.go();
  advice.rounds = rounds;
  for (usize k = 0; k < plan.shapes.size(); ++k) {
    std::vector<RepairRow> rows;
    for (const RepairName& one : kRepairs) {
      RepairRow row{one.repair, std::nullopt};
      if (has_repair(one.repair, bench.go_minor())) {
        auto found = measured.find(benchmark_name(k, one.repair));
        if (found == measured.end() || found->second.rounds != rounds)
          return Error(
              fmt::format("the benchmark of \"{}\" gave no figure in some round", one.text));
        row.measured = found->second;
      }
      rows.push_back(std::move(row));
    }
    advice.rows.push_back(std::move(rows));
  }
  advice.plan = std::move(plan);
  return advice;
}

std::string emit_slice_text(const SliceAdvice& advice, const findings::Report& report) {
  std::string out;
  for (usize k = 0; k < advice.plan.shapes.size(); ++k) {
    const Shape& shape = advice.plan.shapes[k];
    const findings::Finding& first = find_finding(report, shape.findings[0]);
    const std::optional<Choice> choice = choose_repair(advice.rows[k]);
    out += fmt::format("{}: append in {}\n", ids_of(shape), site_of(first));
    out += fmt::format("  []{}, len {} cap {}, {} added; {}, median of {} rounds\n\n",
                       shape.element.note.empty()   ? shape.element.type
                       : first.element_type.empty() ? fmt::format("({} bytes)", shape.element.size)
                                                    : first.element_type,
                       shape.len, shape.cap, shape.added, advice.go, advice.rounds);
    out += fmt::format("    {:<26}{:>9}{:>16}{:>10}{:>11}{:>7}{:>14}\n", "", "ns/op", "low..high",
                       "B/op", "allocs/op", "room", "overwritten");
    for (const RepairRow& row : advice.rows[k])
      out += row_text(row, choice && choice->repair == row.repair);
    out += "\n" + wrap_text(emit_slice_sentence(first, advice.rows[k]), 2);
    for (const std::string& note :
         {shape.element.note, shape.note, note_of_noise(advice.rows[k])}) {
      if (!note.empty()) out += wrap_text("(" + note + ")", 2);
    }
    out += "\n";
  }
  for (const LeftOut& one : advice.plan.left_out)
    out += fmt::format("finding {} is not measured: {}\n", one.finding, one.reason);
  if (!advice.report_go.empty() && advice.report_go != advice.go)
    out += fmt::format("The report's program was built with {}, this was measured with {}.\n",
                       advice.report_go, advice.go);
  return out;
}

std::string emit_slice_json(const SliceAdvice& advice, const findings::Report& report) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (usize k = 0; k < advice.plan.shapes.size(); ++k) {
    const Shape& shape = advice.plan.shapes[k];
    const findings::Finding& first = find_finding(report, shape.findings[0]);
    Json repairs = Json::array();
    for (const RepairRow& row : advice.rows[k]) {
      Json one = {{"name", kRepairs[static_cast<usize>(row.repair)].name}};
      if (row.measured) {
        const Measured& m = *row.measured;
        one.update({{"ns_per_op", m.ns},
                    {"ns_low", m.low},
                    {"ns_high", m.high},
                    {"bytes_per_op", m.bytes},
                    {"allocs_per_op", m.allocs},
                    {"room", row.room()},
                    {"overwritten", row.overwritten()}});
      }
      repairs.push_back(std::move(one));
    }
    const std::optional<Choice> choice = choose_repair(advice.rows[k]);
    list.push_back(
        {{"findings", shape.findings},
         {"site", site_of(first)},
         {"element_type", first.element_type},
         {"element_size", shape.element.size},
         {"measured_as", shape.element.type},
         {"len", shape.len},
         {"cap", shape.cap},
         {"added", shape.added},
         {"repairs", std::move(repairs)},
         {"take", choice ? Json(kRepairs[static_cast<usize>(choice->repair)].name) : Json(nullptr)},
         {"sentence", emit_slice_sentence(first, advice.rows[k])},
         {"notes", Json::array()}});
    for (const std::string& note : {shape.element.note, shape.note}) {
      if (!note.empty()) list.back()["notes"].push_back(note);
    }
  }
  Json left = Json::array();
  for (const LeftOut& one : advice.plan.left_out)
    left.push_back({{"finding", one.finding}, {"reason", one.reason}});
  Json json = {
      {"schema", "geist-advice/1"},    {"what", "slices"},        {"go", advice.go},
      {"report_go", advice.report_go}, {"rounds", advice.rounds}, {"shapes", std::move(list)},
      {"left_out", std::move(left)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace geist::advise

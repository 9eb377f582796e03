// Tables and paragraphs of at most 100 columns, except paths, which are never cut: they are what
// the reader came for. Names and keys come from the target, so all of it goes through printable().
#include "snap/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/go_symbol.h"
#include "base/text.h"

namespace geist::snap {
namespace {

constexpr usize kWidth = 100;
constexpr usize kBar = 32;  // cells of a drawn array

std::string fit(const std::string& text, usize width) {
  return clip(printable(text), width);
}

std::string plural(u64 count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

// What of an array a view has: '#' elements, '-' capacity behind them.
std::string draw(const ViewRow& view, u64 length) {
  std::string bar(kBar, '.');
  if (length == 0) return bar;
  auto cell = [&](u64 element) { return std::min<u64>(element * kBar / length, kBar); };
  auto fill = [&](u64 from, u64 to, char c) {
    if (from >= to) return;
    usize first = std::min<usize>(cell(from), kBar - 1);
    usize behind = std::max<usize>(cell(to), first + 1);
    for (usize i = first; i < behind; ++i) bar[i] = c;
  };
  fill(view.begin + view.len, view.begin + view.cap, '-');
  fill(view.begin, view.begin + view.len, '#');
  return bar;
}

const char* kind_text(PinRow::Kind kind) {
  switch (kind) {
    case PinRow::Kind::kPart:
      return "a slice of a part";
    case PinRow::Kind::kSubstring:
      return "a substring";
    case PinRow::Kind::kPopped:
      return "popped slots, not cleared";
    case PinRow::Kind::kBehind:
      return "slots behind the length, not cleared";
    case PinRow::Kind::kRing:
      return "ring slots no longer in use, not cleared";
    case PinRow::Kind::kSpare:
      return "a short slice with room to grow";
  }
  return "";
}

}  // namespace

std::string emit_losses(const heap::GraphStats& stats) {
  std::string out;
  auto line = [&](u64 count, const std::string& text) {
    if (count != 0)
      out += fmt::format("  lost: {}\n", fmt::vformat(text, fmt::make_format_args(count)));
  };
  line(stats.spans_damaged, "{} spans of the heap do not hold together; their objects are missing");
  line(stats.goroutines_damaged, "{} goroutines do not hold together; their stacks are missing");
  line(stats.stacks_incomplete,
       "{} stacks were not unwound to their top; all their words count as live");
  line(stats.specials_damaged,
       "{} lists of finalizers and cleanups do not hold together; what they keep may be missing");
  line(stats.bytes_unreadable, "{} bytes of the heap could not be read");
  line(stats.types_unreadable,
       "{} objects have a type that the binary does not know (made by reflect?)");
  return out;
}

std::string emit_summary(const Snapshot& snapshot, const SummaryFacts& facts) {
  const heap::GraphStats& stats = snapshot.graph.stats();
  std::string out = fmt::format("{}, {}\n", fit(facts.target, 70), printable(facts.go));
  double typed = stats.reached_bytes == 0 ? 0
                                          : 100.0 * static_cast<double>(stats.typed_bytes) /
                                                static_cast<double>(stats.reached_bytes);
  out += fmt::format("  live       {:>10}   {}, {:.1f}% of the bytes typed\n",
                     human_size(stats.reached_bytes),
                     plural(stats.reached_objects, "object", "objects"), typed);
  u64 garbage = stats.allocated_bytes - std::min(stats.allocated_bytes, stats.reached_bytes);
  u64 garbage_objects =
      stats.allocated_objects - std::min(stats.allocated_objects, stats.reached_objects);
  out += fmt::format("  garbage    {:>10}   {} that the collector will free\n", human_size(garbage),
                     plural(garbage_objects, "object", "objects"));
  out += fmt::format("  allocated  {:>10}   {} in {}\n", human_size(stats.allocated_bytes),
                     plural(stats.allocated_objects, "object", "objects"),
                     plural(stats.spans, "span", "spans"));
  if (stats.runtime) {
    out += fmt::format("  by Go      {:>10}   {} by the runtime's own counters\n",
                       human_size(stats.runtime->bytes),
                       plural(stats.runtime->objects, "object", "objects"));
  }
  out += fmt::format("  goroutines {:>10}\n", snapshot.graph.goroutines().size());
  out += emit_losses(stats);
  return out;
}

std::string emit_types(const std::vector<TypeRow>& rows, u64 most) {
  std::string out =
      fmt::format("{:>10}  {:>10}  {:>10}   {}\n", "live", "retained", "objects", "type");
  u64 shown = 0, rest = 0;
  for (const TypeRow& row : rows) {
    if (shown == most) {
      rest += row.bytes;
      continue;
    }
    ++shown;
    out += fmt::format(
        "{:>10}  {:>10}  {:>10}   {}\n", human_size(row.bytes), human_size(row.retained),
        row.objects,
        fit(row.name == "?" ? "? (no pointer says what it is)" : row.name, kWidth - 37));
  }
  if (rows.size() > shown) {
    out += fmt::format("{:>10}  {:>10}  {:>10}   {} more types; --top={} shows all\n",
                       human_size(rest), "", "", rows.size() - shown, rows.size());
  }
  return out;
}

std::string emit_tree(const std::vector<TreeRow>& rows) {
  std::string out =
      fmt::format("{:>10}   {}\n", "retained", "kept by nothing else than what is above it");
  for (const TreeRow& row : rows) {
    std::string name = std::string(row.depth * 2, ' ') + row.name;
    if (row.objects > 1) name += fmt::format(" x {}", row.objects);
    if (row.chain > 0) name += fmt::format(" and a chain of {} more", row.chain);
    usize room = kWidth - 13;
    std::string line = fit(name, room);
    usize used = display_width(line);
    if (!row.path.empty() && used + 6 < room) line += "   " + fit(row.path, room - used - 3);
    out += fmt::format("{:>10}   {}\n", human_size(row.retained), line);
  }
  return out;
}

std::string emit_paths(const std::vector<PathRow>& rows) {
  std::string out;
  for (const PathRow& row : rows) {
    out += fmt::format("{:#x}  {}  {}, keeps {}\n    {}\n", row.addr.value, fit(row.type, 40),
                       human_size(row.bytes), human_size(row.retained), printable(row.path));
  }
  return out;
}

std::string emit_sharing(const SharingAnswer& answer) {
  std::string out;
  for (const SharingRow& row : answer.rows) {
    out +=
        fmt::format("SHARED ARRAY{}  {}  {} x {} bytes at {:#x}\n", row.is_latent ? "  latent" : "",
                    fit(row.type, 50), row.length, row.elem_size, row.addr.value);
    for (const ViewRow& view : row.views) {
      std::string range = fmt::format("[{}:{}]", view.begin, view.begin + view.len);
      std::string cap = view.is_string ? "" : fmt::format(" cap {}", view.cap);
      std::string copies = view.copies > 1 ? fmt::format(" x {}", view.copies) : "";
      out += fmt::format("  |{}|  {}\n", draw(view, row.length),
                         fit(fmt::format("{} {}{}{}", view.path, range, cap, copies), kWidth - 40));
      if (view.is_latent) {
        out += fmt::format("  {:34}  an append to it overwrites element {} of {}\n", "",
                           view.overwrites, fit(view.overwrites_of, kWidth - 76));
      }
    }
    out += "\n";
  }
  out +=
      fmt::format("{}: {} latent, {} shown; {} with equal views only, {} inside of the runtime\n",
                  plural(answer.shared_arrays, "shared array", "shared arrays"),
                  answer.latent_arrays, answer.rows.size(), answer.equal_only, answer.of_runtime);
  if (answer.damaged_headers != 0) {
    out += fmt::format("  lost: {} slice headers do not fit their array\n", answer.damaged_headers);
  }
  return out;
}

std::string emit_pins(const std::vector<PinRow>& rows, u64 most) {
  std::string out;
  u64 total = 0;
  for (const PinRow& row : rows) total += row.held;
  for (usize i = 0; i < rows.size() && i < most; ++i) {
    const PinRow& row = rows[i];
    out += fmt::format("PIN  {} held by {}\n", human_size(row.held), kind_text(row.kind));
    out += fmt::format("  array   {}  {} at {:#x}\n", fit(row.type, 60), human_size(row.bytes),
                       row.addr.value);
    if (row.stale_slots > 0) {
      std::string what = row.held_type.empty() ? "" : " to " + fit(row.held_type, 50);
      out += fmt::format("  stale   {}{}\n", plural(row.stale_slots, "pointer", "pointers"), what);
    }
    out += fmt::format("  in use  {} of it, by {}\n", human_size(row.covered),
                       plural(row.views, "view", "views"));
    out += fmt::format("  path    {}\n\n", printable(row.path));
  }
  out += fmt::format("{}, {} held\n", plural(rows.size(), "pin", "pins"), human_size(total));
  return out;
}

std::string emit_goroutines(const std::vector<GoroutineRow>& rows, u64 most) {
  std::string out =
      fmt::format("{:>7}  {:>10}  {:>10}  {}\n", "count", "stacks", "keep alone", "where");
  u64 all = 0;
  for (usize i = 0; i < rows.size(); ++i) {
    const GoroutineRow& row = rows[i];
    all += row.goids.size();
    if (i >= most) continue;
    std::string ids;
    for (usize k = 0; k < row.goids.size() && k < 3; ++k) ids += fmt::format(" {}", row.goids[k]);
    if (row.goids.size() > 3) ids += " …";
    std::string where = fmt::format("{}  {}  {} ({})", short_function(row.function), row.place,
                                    row.status, ids.substr(std::min<usize>(1, ids.size())));
    out += fmt::format("{:>7}  {:>10}  {:>10}  {}\n", row.goids.size(), human_size(row.stack_bytes),
                       human_size(row.retained), fit(where, kWidth - 33));
  }
  out += plural(all, "goroutine", "goroutines") + "\n";
  return out;
}

std::string emit_rings(const RingAnswer& answer) {
  std::string out;
  u64 broken = 0;
  for (const RingRow& row : answer.rows) {
    broken += !row.problem.empty();
    out +=
        fmt::format("{}  {}  {} at {:#x}\n", row.problem.empty() ? "RING" : "BROKEN RING",
                    fit(row.type, 50), plural(row.length, "element", "elements"), row.addr.value);
    if (!row.problem.empty()) out += fmt::format("  problem  {}\n", fit(row.problem, kWidth - 11));
    out += fmt::format("  path     {}\n", printable(row.path));
  }
  out += fmt::format("{}, {} broken; {}, {} without links\n",
                     plural(answer.rows.size(), "list or ring", "lists and rings"), broken,
                     plural(answer.nodes, "node", "nodes"), answer.detached);
  if (answer.not_followed != 0)
    out += fmt::format("  lost: {} nodes were not followed\n", answer.not_followed);
  return out;
}

}  // namespace geist::snap

// A latent finding has no append: its operand and victim are two slices, one of which has room
// where the other has elements. When pictures of the heap are taken is the session's
// (run/running_heap.h), as is telling what they showed.
#include "detect/latent/latent.h"

#include <algorithm>

#include <fmt/format.h>

#include "detect/detector.h"
#include "findings/fingerprint.h"
#include "findings/place.h"

namespace geist::detect::latent {
namespace {

constexpr u64 kMaxLatent = 50;

// Numbers say which element, not which place in the program.
std::string without_numbers(const std::string& path) {
  std::string out;
  for (char c : path) {
    if (c < '0' || c > '9')
      out += c;
    else if (out.empty() || out.back() != '#')
      out += '#';
  }
  return out;
}

findings::DrawnView drawn(const std::string& label, const snap::ViewRow& view) {
  return {label, static_cast<i64>(view.begin), view.len, view.cap};
}

findings::Holder holder_of(const snap::ViewRow& view) {
  switch (view.holder) {
    case snap::ViewRow::Holder::kHeap:
      return findings::Holder::kHeap;
    case snap::ViewRow::Holder::kGlobal:
      return findings::Holder::kGlobal;
    case snap::ViewRow::Holder::kStack:
      return findings::Holder::kStack;
  }
  return findings::Holder::kHeap;
}

// Nothing when one of the two slices is a temporary: nobody could tell which they are.
std::optional<findings::Finding> make_finding(const snap::SharingRow& array,
                                              const snap::ViewRow& operand) {
  auto victim = std::ranges::find_if(array.views, [&](const snap::ViewRow& view) {
    return view.path == operand.overwrites_of && &view != &operand;
  });
  if (victim == array.views.end() || !victim->is_named || !operand.is_named) return std::nullopt;
  findings::Finding f;
  f.level = findings::Level::kLatent;
  f.element_type = array.type.starts_with("[]") ? array.type.substr(2) : "";
  f.element_size = array.elem_size;
  f.array_address = fmt::format("{:#x}", array.addr.value);
  f.array_capacity = array.length;
  f.old_len = operand.len;
  f.cap = operand.cap;
  f.operand = operand.path;
  f.fix = fmt::format("append(slices.Clip({}), …)", findings::split_place(operand.path).name);
  f.victim.holder = holder_of(*victim);
  f.victim.name = operand.overwrites_of;
  f.victim.type = victim->type;
  f.victim.len = victim->len;
  f.victim.cap = victim->cap;
  f.element_index = operand.overwrites - victim->begin;
  f.drawing.push_back(drawn("operand", operand));
  f.drawing.push_back(drawn("victim", *victim));
  const std::string places =
      fmt::format("{}|latent|{}|{}|{}", f.rule, array.type, without_numbers(operand.place),
                  without_numbers(victim->place));
  f.fingerprint = findings::fingerprint_of(places);
  f.aliases.push_back(findings::old_fingerprint_of(places));
  return f;
}

}  // namespace

std::vector<findings::Finding> find_latent(const snap::Snapshot& snapshot, u64* left_out) {
  std::vector<findings::Finding> findings;
  snap::SharingAnswer answer = snap::find_sharing(snapshot, kMaxLatent);
  const u64 shown =
      static_cast<u64>(std::ranges::count(answer.rows, true, &snap::SharingRow::is_latent));
  *left_out = answer.latent_arrays - std::min(answer.latent_arrays, shown);
  for (const snap::SharingRow& array : answer.rows) {
    for (const snap::ViewRow& view : array.views) {
      if (!view.is_latent) continue;
      if (std::optional<findings::Finding> found = make_finding(array, view))
        findings.push_back(std::move(*found));
    }
  }
  return findings;
}

const Hooks kHooks{};

}  // namespace geist::detect::latent

// Which words of the two arrays are watched: of all that a holder covers, those that a program is
// most likely to change.
#include <algorithm>
#include <cstring>

#include "detect/stale/stale_case.h"
#include "detect/stale/words.h"

namespace geist::detect::stale {
namespace {

// The words of a value that a program changes most often, the last first: numbers, then the rest.
void add_words(const judge::Context& context, ImageAddr type, u64 offset, u32 depth,
               std::vector<std::pair<u64, u32>>& numbers, std::vector<std::pair<u64, u32>>& others) {
  constexpr u32 kMaxDepth = 3;
  using read::Kind;
  const Result<read::GoType> read = context.binary.types().read(type);
  if (!read.ok() || depth > kMaxDepth) return;
  if (read->kind == Kind::kStruct) {
    for (const read::TypeField& field : read->fields)
      add_words(context, field.type, offset + field.offset, depth + 1, numbers, others);
    return;
  }
  const bool is_number = read->kind >= Kind::kBool && read->kind <= Kind::kFloat64;
  const u64 size = read->size_bytes;
  const bool is_word = size == 1 || size == 2 || size == 4 || size == 8;
  if (is_number && is_word)
    numbers.emplace_back(offset, static_cast<u32>(size));
  else if (size >= 8)
    others.emplace_back(offset, 8);
}

}  // namespace

ElementWords find_words(const judge::Context& context, ImageAddr type, u64 size) {
  ElementWords words;
  if (type) add_words(context, type, 0, 0, words.numbers, words.others);
  std::ranges::reverse(words.numbers);
  const bool is_known = !words.numbers.empty() || !words.others.empty();
  for (u64 offset = 0; !is_known && offset + 8 <= size; offset += 8)
    words.others.emplace_back(offset, 8);
  if (!is_known && (size == 1 || size == 2 || size == 4))
    words.numbers.emplace_back(0, static_cast<u32>(size));
  return words;
}

// Of the elements that a holder covers the first and the last; of a pointer to a field that field.
std::vector<StaleCase::Target> StaleCase::targets_of(const Holder& holder) const {
  const abi::AppendFacts& facts = event().append;
  const u64 begin = facts.old_ptr + holder.element * facts.elem_size;
  if (holder.is_pointer && holder.view.ptr != begin) {
    const u32 size = facts.elem_size % 8 == 0 ? 8 : 4;
    return {{holder.element, (holder.view.ptr - begin) / size * size, size}};
  }
  const u64 behind = (holder.view.end(facts.elem_size) - facts.old_ptr) / facts.elem_size;
  const u64 last = std::max(std::min(behind, facts.new_len), holder.element + 1) - 1;
  const ElementWords words = find_words(context_, place_.site.site.type_addr, facts.elem_size);
  std::vector<Target> targets;
  auto add = [&](u64 element, const std::vector<std::pair<u64, u32>>& of) {
    for (const auto& [offset, size] : of) targets.push_back({element, offset, size});
  };
  // Records are told by more than one number; of other elements it may be any that changes.
  const bool is_record = words.numbers.size() > 1;
  add(holder.element, words.numbers);
  if (!is_record && !holder.is_pointer) add(last, words.numbers);
  add(holder.element, words.others);
  if (!holder.is_pointer) add(last, words.numbers), add(last, words.others);
  return targets;
}

// Each holder in its turn.
void StaleCase::choose_words(usize pairs) {
  const abi::AppendFacts& facts = event().append;
  std::vector<std::vector<Target>> targets;
  usize rounds = 0;
  for (const Holder& holder : holders_) {
    targets.push_back(targets_of(holder));
    rounds = std::max(rounds, targets.back().size());
  }
  for (usize round = 0; round < rounds; ++round) {
    for (usize i = 0; i < holders_.size() && watched_.size() < pairs; ++i) {
      if (round >= targets[i].size()) continue;
      const Target& target = targets[i][round];
      const u64 at = target.element * facts.elem_size + target.offset;
      const bool is_known =
          std::ranges::any_of(watched_, [&](const Watched& w) { return w.offset == at; });
      if (is_known || at + target.size > old_bytes_.size() ||
          (facts.old_ptr + at) % target.size != 0)
        continue;
      u64 value = 0;
      std::memcpy(&value, old_bytes_.data() + at, target.size);
      const TargetAddr word(facts.old_ptr + at);
      watched_.push_back({Pair(word, target.size, value), target.element, at});
    }
  }
}

}  // namespace geist::detect::stale

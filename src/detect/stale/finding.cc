// A difference of the two arrays as a finding: of the append that moved them apart, with who wrote on
// one side, and who read on the other.
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "detect/append/describe.h"
#include "detect/stale/stale_case.h"

namespace geist::detect::stale {

std::vector<u8> StaleCase::element_on(Side side, u64 element) const {
  const TargetAddr array = side == Side::kOld ? TargetAddr(event().append.old_ptr) : new_array_;
  std::vector<u8> bytes(event().append.elem_size);
  if (!array || !context_.memory.read(array + element * bytes.size(), bytes)) bytes.clear();
  return bytes;
}

findings::Finding StaleCase::describe(const Shown& shown, findings::Level level) const {
  const u64 size = event().append.elem_size;
  // As if just this element had been overwritten.
  const auto part = std::make_unique<abi::Event>(event());
  part->append.dest = event().append.old_ptr + shown.element * size;
  part->append.dest_size = size;
  part->old_size = static_cast<u32>(std::min<u64>(size, abi::kMaxOldBytes));
  const std::optional<ByteView> before =
      find_part(old_bytes_, shown.element * size, part->old_size);
  if (before) std::ranges::copy(*before, part->old_bytes);
  append::Overwrite write;
  write.rule = "GB002";
  write.finding_class = "stale_slice";
  write.identity = place_.identity;
  write.event = part.get();
  write.append = append_;
  write.append.event = part.get();
  append::Candidate candidate;
  candidate.view = holders_[shown.holder].view;
  write.candidates.push_back(candidate);
  findings::Finding f = append::Describer(context_).describe(
      write, candidate, level, element_on(shown.changed, shown.element));
  f.sharing = 0;
  if (holders_[shown.holder].is_pointer && !f.element_type.empty())
    f.victim.type = "*" + f.element_type;
  // The array is drawn as it was: nothing of it is what the append made.
  f.drawing.back().label = "moved";
  auto add = [&](std::string_view role, std::vector<findings::Frame> frames, std::string goroutine) {
    if (!frames.empty())
      f.stacks.push_back({std::string(role), std::move(goroutine), std::move(frames), {}, ""});
  };
  const bool is_old = shown.changed == Side::kOld;
  add("moved by this append", f.append_stack, f.goroutine);
  add(is_old ? "then written in the old array" : "then written in the new array", shown.written_by, "");
  add(is_old ? "then read in the new array" : "then read in the old array", shown.read_by, "");
  f.reader_stack = shown.read_by;
  return f;
}

void StaleCase::record(const Shown& shown, findings::Level level) {
  desk_.outcomes().record({number(), shown.holder, event().context}, level,
                          [&] { return describe(shown, level); });
}

}  // namespace geist::detect::stale

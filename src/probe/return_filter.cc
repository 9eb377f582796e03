#include "probe/return_filter.h"

#include <algorithm>

namespace geist::probe {
namespace {

using x86::Assembler;
using x86::Cond;
using x86::Label;
using x86::Reg;

// Of one range in the filter's code: two comparisons with their jumps, and one more on the way.
constexpr u64 kRangeBytes = 48;
constexpr u64 kCallBytes = 5;

// Leaves to `out` unless `offset` is in one of the ranges [first, end); by halving.
void emit_search(Assembler& as, const ReturnFilter& filter, Reg offset, usize first, usize end,
                 Label in, Label out) {
  auto offset_of = [&](ImageAddr address) {
    return static_cast<i64>(address.value - filter.base.value);
  };
  if (end - first == 1) {
    as.cmp_imm(offset, offset_of(filter.ranges[first].begin));
    as.jcc(Cond::kB, out);
    as.cmp_imm(offset, offset_of(filter.ranges[first].end));
    as.jcc(Cond::kA, out);
    as.jmp(in);
    return;
  }
  const usize middle = first + (end - first) / 2;
  Label below = as.new_label();
  as.cmp_imm(offset, offset_of(filter.ranges[middle].begin));
  as.jcc(Cond::kB, below);
  emit_search(as, filter, offset, middle, end, in, out);
  as.bind(below);
  emit_search(as, filter, offset, first, middle, in, out);
}

}  // namespace

std::vector<CodeRange> ranges_of_returns(std::span<const ImageAddr> calls,
                                         std::vector<ImageAddr> chosen) {
  std::ranges::sort(chosen);
  std::vector<CodeRange> ranges;
  bool goes_on = false;  // the one before this was chosen
  for (ImageAddr call : calls) {
    const bool is_chosen = std::ranges::binary_search(chosen, call);
    if (is_chosen && !goes_on) ranges.push_back({call + kCallBytes, call + kCallBytes});
    if (is_chosen) ranges.back().end = call + kCallBytes;
    goes_on = is_chosen;
  }
  return ranges;
}

void take_return_filter(const SharedReturnFilter& filter, Primitive& primitive) {
  primitive.temps = 2;
  primitive.writes_flags = true;
  if (filter) primitive.extra_bytes = filter->ranges.size() * kRangeBytes;
}

void emit_return_filter(Assembler& as, const PrimitivePlace& place, const ReturnFilter& filter,
                        i64 slot) {
  Label in = as.new_label();
  as.mov(place.temps[0], {.base = x86::kRsp, .disp = slot + place.pushed_bytes});
  as.mov_imm(place.temps[1], static_cast<i64>(place.bias.to_target(filter.base).value));
  as.sub(place.temps[0], place.temps[1]);
  if (filter.ranges.empty())
    as.jmp(place.done);
  else
    emit_search(as, filter, place.temps[0], 0, filter.ranges.size(), in, place.done);
  as.bind(in);
}

}  // namespace geist::probe

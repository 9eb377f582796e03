// Any bytes as the code of a function: as far as they decode, every question about its frame's
// words has an answer, the same one each time, and no word is two parts of one header; and what
// gives way to a jump at a point of it is whole instructions that nothing jumps into.
#include <algorithm>

#include "base/check.h"
#include "program/header_flow.h"
#include "program/header_words.h"
#include "program/point.h"
#include "program/slot_writes.h"
#include "x86/brief.h"

namespace {

using namespace geist;
using namespace geist::program;

constexpr ImageAddr kEntry(0x401000);

Callee callee(ImageAddr entry) {
  constexpr Callee kAll[] = {Callee::kGo, Callee::kRuntime, Callee::kKeepsRegisters};
  return kAll[entry.value % std::size(kAll)];
}

ByteView decodable(ByteView bytes) {
  usize size = 0;
  while (size < bytes.size()) {
    const auto brief = x86::decode_brief(bytes.subspan(size), kEntry + size);
    if (!brief) break;
    size += brief->length;
  }
  return bytes.first(size);
}

void check_words(const FunctionCode& code, ImageAddr pc, i64 slot, u64 elem_size) {
  const std::optional<HeaderWords> words = find_header_words(code, pc, slot, elem_size, callee);
  const std::optional<HeaderWords> again = find_header_words(code, pc, slot, elem_size, callee);
  GEIST_CHECK(words.has_value() == again.has_value());
  if (!words) return;
  GEIST_CHECK(words->len == again->len && words->cap == again->cap &&
              words->made_by == again->made_by && words->is_indexed == again->is_indexed);
  GEIST_CHECK(words->ptr_slot == slot && words->len.slot != slot);
  GEIST_CHECK(!words->made_by || code.find_insn(words->made_by));
  (void)may_write_slot(code, pc, slot);
  ValueLocation ptr, len;
  ptr.kind = len.kind = ValueLocation::Kind::kStackSlot;
  ptr.disp = slot;
  len.disp = words->len.slot.value_or(0);
  (void)hands_header_on(code, pc, ptr, len, callee);
}

void check_point(const FunctionCode& code, const PointAnswer& answer) {
  const Point* point = std::get_if<Point>(&answer);
  if (point == nullptr) return;
  const Displaced& taken = point->displaced;
  GEIST_CHECK(taken.end - taken.begin >= kJmpBytes && code.find_insn(taken.begin));
  GEIST_CHECK(taken.begin <= point->at && point->at < taken.end && code.find_insn(point->at));
  GEIST_CHECK(taken.end == code.function().end || code.find_insn(taken.end) ||
              code.bytes()[taken.end - code.function().entry] == 0xcc);
  if (point->kind == PointKind::kCall) return;  // a CALL stays one
  for (const x86::Brief& brief : code.briefs()) {
    const bool branches = brief.flow == x86::Flow::kJcc || brief.flow == x86::Flow::kJmp;
    GEIST_CHECK(!branches || brief.target <= taken.begin || brief.target >= taken.end);
  }
}

void check_points(const FunctionCode& code) {
  check_point(code, entry_point(code));
  for (const PointAnswer& answer : return_points(code)) check_point(code, answer);
  for (u32 i = 0; i < code.briefs().size(); ++i) {
    check_point(code, point_at(code, i, PointKind::kInlined));
    if (code.briefs()[i].flow != x86::Flow::kCall) continue;
    check_point(code, after_call_point(code, i));
    check_point(code, call_point(code, i, 0));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, usize size) {
  constexpr usize kEnough = 256;
  if (size == 0) return 0;
  const u64 elem_size = 1 + data[0];
  const ByteView bytes = decodable(ByteView(data + 1, std::min(size - 1, kEnough)));
  if (bytes.empty()) return 0;
  read::Function function;
  function.entry = kEntry;
  function.end = kEntry + bytes.size();
  const std::optional<FunctionCode> code = FunctionCode::decode_bytes(bytes, function, nullptr);
  if (!code) return 0;
  constexpr usize kMostSlots = 4;
  std::vector<i64> slots{0x20};
  for (u32 i = 0; i < code->briefs().size() && slots.size() < kMostSlots; ++i) {
    const x86::Operand& target = code->insn(i).operands[0];
    if (target.kind == x86::Operand::Kind::kMem && target.mem.base == x86::kRsp)
      slots.push_back(target.mem.disp);
  }
  for (const x86::Brief& brief : code->briefs()) {
    if (brief.flow != x86::Flow::kCall) continue;
    for (i64 slot : slots) check_words(*code, brief.end(), slot, elem_size);
  }
  return 0;
}

// Any bytes as an instruction. Decoded, it is inside its bytes; moved, it decodes to the same with
// the same operands, RIP-relative ones meaning the same address; moved back, it has its first bytes
// again. Its brief says the same of it. And the symbolic execution of whatever was decoded makes no
// claim that a second, equal execution does not.
#include <algorithm>

#include "base/check.h"
#include "program/symbolic.h"
#include "x86/assembler.h"
#include "x86/brief.h"

namespace {

using namespace geist;
using namespace geist::x86;

bool same(const Operand& a, const Operand& b) {
  return a.kind == b.kind && a.reg == b.reg && a.size_bits == b.size_bits && a.imm == b.imm &&
         a.mem.base == b.mem.base && a.mem.index == b.mem.index && a.mem.scale == b.mem.scale &&
         a.mem.disp == b.mem.disp && a.mem.rip_relative == b.mem.rip_relative &&
         a.mem.segment == b.mem.segment;
}

void check_moved(ByteView bytes, const Insn& insn, u64 to) {
  std::optional<std::vector<u8>> moved = relocate(bytes, insn, to);
  if (!moved) return;
  GEIST_CHECK(insn.flow == Flow::kNext && moved->size() == insn.length);
  std::optional<Insn> again = decode(*moved, ImageAddr(to));
  GEIST_CHECK(again && again->length == insn.length && again->op == insn.op &&
              again->flow == insn.flow);
  GEIST_CHECK(again->reads == insn.reads && again->writes == insn.writes &&
              again->operand_count == insn.operand_count);
  for (u8 i = 0; i < insn.operand_count; ++i)
    GEIST_CHECK(same(again->operands[i], insn.operands[i]));
  std::optional<std::vector<u8>> back = relocate(*moved, *again, insn.addr.value);
  GEIST_CHECK(back && std::equal(back->begin(), back->end(), bytes.begin()));
}

void check_brief(ByteView bytes, const std::optional<Insn>& insn, ImageAddr at) {
  std::optional<Brief> brief = decode_brief(bytes, at);
  GEIST_CHECK(brief.has_value() == insn.has_value());
  if (!insn) return;
  GEIST_CHECK(brief->addr == at && brief->length == insn->length && brief->flow == insn->flow &&
              brief->target == insn->target);
  GEIST_CHECK(brief->reads == insn->reads && brief->writes == insn->writes);
  GEIST_CHECK(insn->flow != Flow::kJcc || brief->cond == insn->cond);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, usize size) {
  constexpr usize kEnough =
      48;  // some instructions: the symbols of long paths take time that tells nothing new
  ByteView bytes(data, std::min(size, kEnough));
  program::SymbolTable table;
  program::SymbolicState once(table);
  program::SymbolicState twice(table);
  constexpr u64 kAt = 0x401000;
  for (usize offset = 0; offset < bytes.size();) {
    std::optional<Insn> insn = decode(bytes.subspan(offset), ImageAddr(kAt + offset));
    check_brief(bytes.subspan(offset), insn, ImageAddr(kAt + offset));
    if (!insn) break;
    GEIST_CHECK(insn->length > 0 && insn->length <= bytes.size() - offset);
    for (u64 to : {kAt - 0x1000000, kAt + 0x7000000, u64{0x7f0000000000}})
      check_moved(bytes.subspan(offset), *insn, to);
    once.execute(*insn);
    twice.execute(*insn);
    offset += insn->length;
  }
  for (int r = 0; r < 16; ++r) {
    // Symbols of values that are not understood are fresh each time: equal ones are understood in
    // both.
    const program::Expr& a = once.reg(static_cast<Reg>(r));
    if (a.is_constant()) GEIST_CHECK(a == twice.reg(static_cast<Reg>(r)));
  }
  return 0;
}

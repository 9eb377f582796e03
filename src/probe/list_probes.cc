#include "probe/list_probes.h"

namespace geist::probe {
namespace {

using program::ListMethod;
using program::ListQuestion;
using x86::Reg;

abi::ListOperation operation_of(ListMethod method) {
  switch (method) {
    case ListMethod::kNext:
      return abi::kListNext;
    case ListMethod::kPrev:
      return abi::kListPrev;
    case ListMethod::kRemove:
      return abi::kListRemove;
    case ListMethod::kMove:
      return abi::kListMove;
    case ListMethod::kInsert:
      return abi::kListInsert;
  }
  return abi::kListOperations;
}

abi::Location register_plus(Reg reg, i64 addend) {
  abi::Location at{};
  at.kind = abi::kRegister;
  at.reg = static_cast<u8>(reg);
  at.addend = addend;
  return at;
}

abi::Location constant(i64 value) {
  abi::Location at{};
  at.kind = abi::kConstant;
  at.addend = value;
  return at;
}

// e.list != l, or !(e.prev.next == e && e.next.prev == e). What is no list's is let through: the
// neighbours of an element of one are never nil.
void emit_owner_test(x86::Assembler& as, const PrimitivePlace& place, const ListQuestion& q) {
  const Reg element = place.temps[0], neighbour = place.temps[1];
  as.lea(element, {.base = q.base, .disp = q.element});
  if (q.owner != x86::kNoReg)
    as.cmp(q.list, q.owner);
  else
    as.cmp(q.list, {.base = element, .disp = abi::kElementList});
  as.jcc(x86::Cond::kNe, place.enter);
  as.mov(neighbour, {.base = element, .disp = abi::kElementPrev});
  as.test(neighbour, neighbour);
  as.jcc(x86::Cond::kE, place.done);
  as.cmp(element, {.base = neighbour, .disp = abi::kElementNext});
  as.jcc(x86::Cond::kNe, place.enter);
  as.mov(neighbour, {.base = element, .disp = abi::kElementNext});
  as.test(neighbour, neighbour);
  as.jcc(x86::Cond::kE, place.done);
  as.cmp(element, {.base = neighbour, .disp = abi::kElementPrev});
  as.jcc(x86::Cond::kNe, place.enter);
}

}  // namespace

Primitive look_at_list(const ListQuestion& question, i64 frame_bytes) {
  const bool is_step = question.list == x86::kNoReg;
  const bool always = question.method == ListMethod::kRemove;
  Primitive primitive;
  primitive.temps = is_step || always ? 0 : 2;
  primitive.writes_flags = true;
  primitive.enters = true;
  primitive.uses = x86::bit(question.base) | x86::bit(question.list) | x86::bit(question.owner);
  primitive.detector = abi::kLists;
  primitive.mode = operation_of(question.method);
  primitive.values[abi::kListElement] = register_plus(question.base, question.element);
  primitive.values[abi::kListOwner] = is_step ? constant(0) : register_plus(question.list, 0);
  primitive.values[abi::kListOther] =
      question.owner == x86::kNoReg ? constant(0) : register_plus(question.owner, 0);
  primitive.values[abi::kListFrame] = constant(frame_bytes);
  primitive.emit = [question, is_step, always](x86::Assembler& as, const PrimitivePlace& place) {
    if (always) return as.jmp(place.enter);
    if (!is_step) return emit_owner_test(as, place, question);
    const i64 list = question.element + static_cast<i64>(abi::kElementList);
    as.cmp_mem_zero({.base = question.base, .disp = list}, 64);
    as.jcc(x86::Cond::kE, place.enter);
  };
  return primitive;
}

ListProbes find_list_probes(const read::GoBinary& binary) {
  program::FoundListPoints found = program::find_list_points(binary);
  ListProbes out;
  out.missing = std::move(found.missing);
  for (const program::ListPoint& place : found.points)
    out.probes.push_back({place.point, look_at_list(place.question, place.point.frame_bytes)});
  return out;
}

}  // namespace geist::probe

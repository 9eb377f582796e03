// See list_questions.h. What makes the code that of a list is asked of it twice: where the question
// stands, and what is done with the answer: a neighbour is loaded and compared with the list, or the
// two neighbours are joined. A tree's nodes {first, last, parent} have the same layout and none of
// that.
#include "program/list_questions.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "program/code.h"
#include "program/inlined_bodies.h"
#include "program/stack_check.h"

namespace geist::program {
namespace {

using x86::Flow;
using x86::Insn;
using x86::Op;
using x86::Operand;
using x86::Reg;

// Of an element: container/list/list.go.
constexpr i64 kPrev = 8, kList = 16;

struct NamedMethod {
  std::string_view name;
  ListMethod method;
};
constexpr std::array kMethods{
    NamedMethod{"Next", ListMethod::kNext},           NamedMethod{"Prev", ListMethod::kPrev},
    NamedMethod{"Remove", ListMethod::kRemove},       NamedMethod{"MoveToFront", ListMethod::kMove},
    NamedMethod{"MoveToBack", ListMethod::kMove},     NamedMethod{"MoveBefore", ListMethod::kMove},
    NamedMethod{"MoveAfter", ListMethod::kMove},      NamedMethod{"InsertBefore", ListMethod::kInsert},
    NamedMethod{"InsertAfter", ListMethod::kInsert},
};

bool is_step(ListMethod method) {
  return method == ListMethod::kNext || method == ListMethod::kPrev;
}

// A word of memory at a register and an offset; no other operand of this kind can be a field.
const x86::Mem* field_of(const Operand& operand) {
  const bool is_field = operand.kind == Operand::Kind::kMem && operand.size_bits == 64 &&
                        operand.mem.base != x86::kNoReg && operand.mem.base != x86::kRsp &&
                        operand.mem.index == x86::kNoReg && !operand.mem.rip_relative &&
                        !operand.mem.segment;
  return is_field ? &operand.mem : nullptr;
}

bool is_equality(const x86::Brief& brief) {
  return brief.flow == Flow::kJcc && (brief.cond == x86::Cond::kE || brief.cond == x86::Cond::kNe);
}

// base + offset into reg.
struct Load {
  Reg to;
  Reg base;
  i64 disp;
};
std::optional<Load> as_load(const Insn& insn) {
  if (insn.op != Op::kMov || insn.operands[0].kind != Operand::Kind::kReg) return std::nullopt;
  const x86::Mem* from = field_of(insn.operands[1]);
  if (from == nullptr || insn.operands[0].size_bits != 64) return std::nullopt;
  return Load{insn.operands[0].reg, from->base, from->disp};
}

class Shapes {
 public:
  Shapes(const FunctionCode& code, ListMethod method, std::span<const InsnRange> body)
      : code_(code), method_(method), body_(body) {}

  std::optional<ListQuestion> find() const {
    for (const InsnRange& range : body_) {
      for (u32 i = range.first; i < range.end; ++i) {
        if (is_step(method_)) {
          if (std::optional<ListQuestion> step = step_at(i)) return step;
        } else if (is_equality(code_.briefs()[i])) {
          return owner_test_at(i);  // the first is the one, or none is
        }
      }
    }
    return std::nullopt;
  }

 private:
  usize size() const { return code_.briefs().size(); }
  std::optional<ListQuestion> step_at(u32 i) const;
  std::optional<u32> jump_after(u32 i, Reg tested) const;
  std::vector<u32> way_from(u32 first) const;
  bool goes_to_neighbour(const std::vector<u32>& way, Reg base, i64 list, Reg owner) const;
  std::optional<ListQuestion> owner_test_at(u32 jump) const;
  std::optional<ListQuestion> read_owner_test(u32 jump, u32 compare) const;
  std::optional<ListQuestion> read_compared_words(u32 jump, u32 compare, Reg one, Reg other) const;
  void add_later(u32 jump, ListQuestion& question) const;
  bool joins_neighbours(u32 from, Reg base, i64 list) const;
  ListQuestion make(u32 at, u32 asked, Reg base, i64 list, Reg owner = x86::kNoReg) const {
    return {method_, at, asked, {}, base, list - kList, owner, x86::kNoReg};
  }

  const FunctionCode& code_;
  const ListMethod method_;
  const std::span<const InsnRange> body_;
};

// The straight way on, a few instructions.
std::vector<u32> Shapes::way_from(u32 first) const {
  constexpr usize kNear = 6;
  std::vector<u32> way;
  for (u32 i = first; i < size() && way.size() < kNear; ++i) {
    way.push_back(i);
    if (code_.briefs()[i].flow != Flow::kNext) break;
  }
  return way;
}

// The JEQ or JNE that asks whether `tested` is nil; kNoReg: that the flags at i ask for.
std::optional<u32> Shapes::jump_after(u32 i, Reg tested) const {
  bool is_asked = tested == x86::kNoReg;
  for (u32 at : way_from(i + 1)) {
    const Insn& insn = code_.insn(at);
    if (is_equality(code_.briefs()[at])) return is_asked ? std::optional(at) : std::nullopt;
    if (insn.op == Op::kTest && insn.operands[0].is_reg(tested) && insn.operands[1].is_reg(tested))
      is_asked = true;
    else if ((insn.writes & x86::kFlagsBit) != 0)
      return std::nullopt;
  }
  return std::nullopt;
}

// Is the neighbour loaded on this way, and compared with the list?
bool Shapes::goes_to_neighbour(const std::vector<u32>& way, Reg base, i64 list, Reg owner) const {
  const i64 wanted = method_ == ListMethod::kNext ? list - kList : list - kList + kPrev;
  Reg neighbour = x86::kNoReg;
  for (u32 i : way) {
    const Insn& insn = code_.insn(i);
    const std::optional<Load> load = as_load(insn);
    if (load && load->base == base && load->disp == wanted) neighbour = load->to;
    if (load && load->base == base && load->disp == list && owner == x86::kNoReg) owner = load->to;
    if (insn.op != Op::kCmp || neighbour == x86::kNoReg) continue;
    const bool has_neighbour =
        insn.operands[0].is_reg(neighbour) || insn.operands[1].is_reg(neighbour);
    const bool has_owner =
        std::ranges::any_of(std::span(insn.operands).first(2), [&](const Operand& operand) {
          const x86::Mem* field = field_of(operand);
          return (owner != x86::kNoReg && operand.is_reg(owner)) ||
                 (field != nullptr && field->base == base && field->disp == list);
        });
    if (has_neighbour && has_owner) return true;
  }
  return false;
}

std::optional<ListQuestion> Shapes::step_at(u32 i) const {
  const Insn& insn = code_.insn(i);
  Reg base = x86::kNoReg, owner = x86::kNoReg;
  i64 list = 0;
  std::optional<u32> jump;
  if (const std::optional<Load> load = as_load(insn)) {
    base = load->base;
    owner = load->to;
    list = load->disp;
    if (owner == base) return std::nullopt;  // the element is gone where it would be asked for
    jump = jump_after(i, owner);
  } else if (insn.op == Op::kCmp && insn.operands[1].kind == Operand::Kind::kImm &&
             insn.operands[1].imm == 0) {
    const x86::Mem* field = field_of(insn.operands[0]);
    if (field == nullptr) return std::nullopt;
    base = field->base;
    list = field->disp;
    jump = jump_after(i, x86::kNoReg);
  }
  if (!jump || list < kList) return std::nullopt;
  std::vector<u32> before;
  for (u32 k = i + 1; k < *jump; ++k) before.push_back(k);
  const std::optional<u32> target = code_.find_insn(code_.briefs()[*jump].target);
  std::vector<std::vector<u32>> ways{way_from(*jump + 1)};
  if (target) ways.push_back(way_from(*target));
  for (std::vector<u32>& way : ways) {
    way.insert(way.begin(), before.begin(), before.end());
    if (goes_to_neighbour(way, base, list, owner)) return make(i + 1, i, base, list);
  }
  return std::nullopt;
}

// e.prev.next = e.next and e.next.prev = e.prev: both neighbours are loaded, and written through.
bool Shapes::joins_neighbours(u32 from, Reg base, i64 list) const {
  constexpr u32 kNear = 48;
  std::set<Reg> nexts, prevs;
  bool joins_next = false, joins_prev = false;
  for (u32 i = from; i < size() && i < from + kNear; ++i) {
    const Insn& insn = code_.insn(i);
    if (const std::optional<Load> load = as_load(insn)) {
      nexts.erase(load->to);
      prevs.erase(load->to);
      if (load->base == base && load->disp == list - kList) nexts.insert(load->to);
      if (load->base == base && load->disp == list - kPrev) prevs.insert(load->to);
    }
    const x86::Mem* to = insn.op == Op::kMov ? field_of(insn.operands[0]) : nullptr;
    if (to != nullptr) {
      joins_next |= to->disp == kPrev && nexts.contains(to->base);
      joins_prev |= to->disp == 0 && prevs.contains(to->base);
    }
    if (joins_next && joins_prev) return true;
    if ((code_.briefs()[i].writes & x86::bit(base)) != 0) return false;
  }
  return false;
}

std::optional<ListQuestion> Shapes::read_owner_test(u32 jump, u32 compare) const {
  const Operand& one = code_.insn(compare).operands[0];
  const Operand& other = code_.insn(compare).operands[1];
  const bool both = one.kind == Operand::Kind::kReg && other.kind == Operand::Kind::kReg;
  if (both) return read_compared_words(jump, compare, one.reg, other.reg);
  const x86::Mem* field = field_of(one) != nullptr ? field_of(one) : field_of(other);
  const Operand& list = field_of(one) != nullptr ? other : one;
  if (field == nullptr || list.kind != Operand::Kind::kReg || field->disp < kList)
    return std::nullopt;
  // Nothing else tells a mark from another struct's field: of it, only another list is believed.
  if (method_ != ListMethod::kInsert && !joins_neighbours(jump + 1, field->base, field->disp))
    return std::nullopt;
  return make(jump, compare, field->base, field->disp, list.reg);
}

// The element's word was loaded before, for another question about the same element. Which element
// that is, its neighbours tell, as soon as they are joined.
std::optional<ListQuestion> Shapes::read_compared_words(u32 jump, u32 compare, Reg one,
                                                        Reg other) const {
  if (method_ == ListMethod::kInsert) return std::nullopt;
  x86::RegMask written = 0;
  for (u32 i : way_from(jump + 1)) {
    const std::optional<Load> load = as_load(code_.insn(i));
    if (load && (written & x86::bit(load->base)) == 0) {
      for (i64 list : {load->disp + kPrev, load->disp + kList}) {
        if (list < kList || !joins_neighbours(jump + 1, load->base, list)) continue;
        ListQuestion question = make(jump, compare, load->base, list, one);
        question.owner = other;
        return question;
      }
    }
    written |= code_.briefs()[i].writes;
  }
  return std::nullopt;
}

// After MoveToFront's first test come others: is the element the first already, is it its own mark?
// Up to there nothing has been changed.
void Shapes::add_later(u32 jump, ListQuestion& question) const {
  constexpr usize kMost = 8;
  const x86::RegMask used =
      x86::bit(question.base) | x86::bit(question.list) | x86::bit(question.owner);
  std::vector<u32> open{jump + 1};
  std::set<u32> seen;
  while (!open.empty() && question.later.size() < kMost) {
    const u32 first = open.back();
    open.pop_back();
    for (u32 i : way_from(first)) {
      const x86::Brief& brief = code_.briefs()[i];
      const bool is_compare = code_.insn(i).op == Op::kCmp || is_equality(brief);
      if (is_compare && seen.insert(i).second) question.later.push_back(i);
      if ((brief.writes & used) != 0 || code_.insn(i).writes_memory) break;
      const std::optional<u32> target =
          is_equality(brief) ? code_.find_insn(brief.target) : std::nullopt;
      if (!target || seen.contains(*target)) continue;
      open.push_back(*target);
      open.push_back(i + 1);
    }
  }
}

std::optional<ListQuestion> Shapes::owner_test_at(u32 jump) const {
  constexpr u32 kNear = 8;
  x86::RegMask written = 0;
  for (u32 n = 1; n <= kNear && n <= jump; ++n) {
    const u32 i = jump - n;
    if (code_.briefs()[i].flow != Flow::kNext) return std::nullopt;
    if (code_.insn(i).op == Op::kCmp) {
      std::optional<ListQuestion> question = read_owner_test(jump, i);
      if (!question) return std::nullopt;
      const x86::RegMask used =
          x86::bit(question->base) | x86::bit(question->list) | x86::bit(question->owner);
      if ((written & used) != 0) return std::nullopt;
      if (method_ == ListMethod::kMove) add_later(jump, *question);
      return question;
    }
    written |= code_.briefs()[i].writes;
    if ((written & x86::kFlagsBit) != 0) return std::nullopt;
  }
  return std::nullopt;
}

// The bodies of methods, function by function.
class Finder {
 public:
  explicit Finder(const read::GoBinary& binary) : binary_(binary), stack_room_(binary) {}
  FoundListPoints find();

 private:
  struct Body {
    ListMethod method;
    std::string_view name;
    std::vector<CodeRange> ranges;
  };
  void look_at(const read::Function& function, const std::vector<Body>& bodies);
  void look_at(const FunctionCode& code, const Body& body);
  void miss(const FunctionCode& code, const Body& body, std::string_view why);

  const read::GoBinary& binary_;
  StackRoom stack_room_;
  std::set<ImageAddr> places_;
  FoundListPoints found_;
};

FoundListPoints Finder::find() {
  std::map<u32, std::vector<Body>> by_function;
  const read::Pclntab& all = binary_.pclntab();
  for (u32 i = 0; i < all.function_count(); ++i) {
    const read::Function function = all.function(read::FuncIndex{i});
    if (const std::optional<ListMethod> method = list_method(function.name))
      by_function[i].push_back({*method, function.name, {{function.entry, function.end}}});
  }
  auto wants = [](std::string_view name) { return list_method(name).has_value(); };
  for (InlinedBody& body : find_inlined_bodies(binary_, wants))
    by_function[body.function.value].push_back(
        {*list_method(body.name), body.name, std::move(body.ranges)});
  for (const auto& [index, bodies] : by_function)
    look_at(all.function(read::FuncIndex{index}), bodies);
  return std::move(found_);
}

void Finder::look_at(const read::Function& function, const std::vector<Body>& bodies) {
  const std::optional<FunctionCode> code = FunctionCode::decode(binary_, function);
  if (!code) return;
  for (const Body& body : bodies) look_at(*code, body);
}

void Finder::look_at(const FunctionCode& code, const Body& body) {
  std::vector<InsnRange> insns;
  for (const CodeRange& range : body.ranges)
    insns.push_back({code.first_insn_from(range.begin), code.first_insn_from(range.end)});
  const std::optional<ListQuestion> question = find_list_question(code, body.method, insns);
  if (!question) return miss(code, body, "its code has another shape");
  PointAnswer answer = point_at(code, question->at, PointKind::kInlined);
  for (u32 later : question->later) {
    if (std::holds_alternative<Point>(answer)) break;
    answer = point_at(code, later, PointKind::kInlined);
  }
  if (const RefusedPoint* refused = std::get_if<RefusedPoint>(&answer))
    return miss(code, body, refusal_help(refused->why));
  Point& point = std::get<Point>(answer);
  if (!places_.insert(point.at).second) return;
  if (const std::optional<i32> frame = binary_.pclntab().find_sp_delta(code.function(), point.at))
    point.frame_bytes = *frame;
  point.stack_room = stack_room_.below(code.function(), point.at);
  found_.points.push_back({*question, point, code.briefs()[question->asked].addr, body.name});
}

void Finder::miss(const FunctionCode& code, const Body& body, std::string_view why) {
  if (!body.name.starts_with("container/list.")) return;  // a method of another kind of type
  const std::string_view where = code.function().name;
  found_.missing.push_back(where == body.name ? fmt::format("{}: {}", body.name, why)
                                              : fmt::format("{} in {}: {}", body.name, where, why));
}

}  // namespace

std::optional<ListMethod> list_method(std::string_view function) {
  const usize dot = function.rfind(").");
  if (dot == std::string_view::npos || function.find(".(*") == std::string_view::npos)
    return std::nullopt;
  auto method = std::ranges::find(kMethods, function.substr(dot + 2), &NamedMethod::name);
  return method == kMethods.end() ? std::nullopt : std::optional(method->method);
}

std::optional<ListQuestion> find_list_question(const FunctionCode& code, ListMethod method,
                                               std::span<const InsnRange> body) {
  return Shapes(code, method, body).find();
}

FoundListPoints find_list_points(const read::GoBinary& binary) {
  return Finder(binary).find();
}

}  // namespace geist::program

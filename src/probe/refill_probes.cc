// A countdown and two comparisons run at each CALL; what is left enters the runtime, where it is
// looked at as an append that overwrites (runtime/overwrite.cc).
#include "probe/refill_probes.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include "program/code_cache.h"
#include "program/points.h"

namespace geist::probe {
namespace {

using program::FunctionCode;
using program::Point;
using program::PointKind;
using x86::Flow;
using x86::Reg;

// Where the arguments of a copying function are.
struct Copier {
  std::string_view name;
  Reg to, to_len, from, from_len;
  Reg type = x86::kNoReg;  // elements of this abi.Type; kNoReg: bytes
};
constexpr std::array kCopiers{
    Copier{"runtime.memmove", Reg::kRax, Reg::kRcx, Reg::kRbx, Reg::kRcx},
    Copier{"runtime.typedslicecopy", Reg::kRbx, Reg::kRcx, Reg::kRdi, Reg::kRsi, Reg::kRax},
    Copier{"reflect.typedslicecopy", Reg::kRbx, Reg::kRcx, Reg::kRsi, Reg::kR8, Reg::kRax},
};

const Copier* find_copier(std::string_view name) {
  auto copier = std::ranges::find(kCopiers, name, &Copier::name);
  return copier == kCopiers.end() ? nullptr : &*copier;
}

// func (fd *FD) Read(p []byte, …) (n int, …): fd AX, p BX CX DI; n AX.
constexpr std::array<std::string_view, 8> kReaders{
    "internal/poll.(*FD).Read",          "internal/poll.(*FD).Pread",
    "internal/poll.(*FD).ReadFrom",      "internal/poll.(*FD).ReadFromInet4",
    "internal/poll.(*FD).ReadFromInet6", "internal/poll.(*FD).ReadMsg",
    "internal/poll.(*FD).ReadMsgInet4",  "internal/poll.(*FD).ReadMsgInet6",
};
constexpr Reg kReadSize = Reg::kRcx;

abi::Location in_register(Reg reg) {
  abi::Location location{};
  location.kind = abi::kRegister;
  location.reg = static_cast<u8>(reg);
  return location;
}

Primitive make_primitive(const Copier& copier) {
  Primitive primitive;
  primitive.temps = 1;
  primitive.writes_flags = true;
  primitive.enters = true;
  primitive.detector = abi::kRefill;
  primitive.uses = x86::bit(copier.to) | x86::bit(copier.to_len) | x86::bit(copier.from) |
                   x86::bit(copier.from_len);
  if (copier.type != x86::kNoReg) primitive.uses |= x86::bit(copier.type);
  primitive.values[abi::kOldPtr] = in_register(copier.to);
  for (u32 value : {abi::kNewLen, abi::kCap, abi::kNum})
    primitive.values[value] = in_register(copier.to_len);
  if (copier.type != x86::kNoReg) primitive.values[abi::kType] = in_register(copier.type);
  primitive.elem_size = copier.type == x86::kNoReg ? 1 : 0;
  primitive.emit = [copier](x86::Assembler& as, const PrimitivePlace& place) {
    const Reg temp = place.temps[0];
    const x86::MemRef skip{.disp = static_cast<i64>(place.record + offsetof(abi::Site, skip)),
                           .absolute = true};
    as.test(copier.to_len, copier.to_len);
    as.jcc(x86::Cond::kE, place.done);
    if (copier.from_len != copier.to_len) {
      as.test(copier.from_len, copier.from_len);
      as.jcc(x86::Cond::kE, place.done);
    }
    as.cmp(copier.to, copier.from);
    as.jcc(x86::Cond::kE, place.done);
    as.mov(temp, skip);
    as.test(temp, temp);
    as.jcc(x86::Cond::kE, place.enter);
    as.lea(temp, {.base = temp, .disp = -1});
    as.mov(skip, temp);  // not atomic: a lost decrement costs nothing
  };
  return primitive;
}

bool is_left_alone(std::string_view function) {
  // reflect.typedslicecopy calls the runtime's: its own callers are looked at.
  constexpr std::array<std::string_view, 10> kPrefixes{
      "runtime.",          "runtime/",
      "internal/runtime/", "internal/bytealg.",
      "internal/abi.",     "internal/cpu",
      "reflect.call",      "internal/chacha8rand.",
      "internal/godebug",  "reflect.typedslicecopy",
  };
  const bool makes_strings =
      function.starts_with("strings.") && !function.starts_with("strings.(*Reader)");
  return makes_strings || std::ranges::any_of(kPrefixes, [&](std::string_view prefix) {
           return function.starts_with(prefix);
         });
}

// The first CALL on the straight way from `at` on; nothing where there is none near.
std::optional<ImageAddr> first_call_from(const FunctionCode& code, ImageAddr at) {
  constexpr u32 kNear = 64;
  u32 index = code.first_insn_from(at);
  for (u32 n = 0; n < kNear && index < code.briefs().size(); ++n) {
    const x86::Brief& brief = code.briefs()[index];
    if (brief.flow == Flow::kCall) return brief.addr;
    if (brief.flow == Flow::kJmp) {
      const std::optional<u32> next = brief.target ? code.find_insn(brief.target) : std::nullopt;
      if (!next) return std::nullopt;
      index = *next;
      continue;
    }
    if (brief.flow == Flow::kRet) return std::nullopt;
    ++index;
  }
  return std::nullopt;
}

// The copies that append itself makes: by a call, the first after it found room.
std::set<ImageAddr> copies_of_appends(const read::GoBinary& binary, const sites::SiteTable& sites) {
  program::CodeCache codes(binary);
  std::set<ImageAddr> calls;
  for (const sites::AppendSite& site : sites.sites) {
    const FunctionCode* code = codes.find(binary.pclntab().function(site.function));
    if (code == nullptr) continue;
    const ImageAddr from = site.inplace_entry ? site.inplace_entry : site.behind_call();
    if (const std::optional<ImageAddr> call = first_call_from(*code, from)) calls.insert(*call);
  }
  return calls;
}

}  // namespace

std::vector<PointProbe> find_refill_probes(const read::GoBinary& binary,
                                           const sites::SiteTable& sites) {
  const std::set<ImageAddr> of_appends = copies_of_appends(binary, sites);
  std::vector<PointProbe> probes;
  for (const Copier& copier : kCopiers) {
    program::FoundPoints found =
        program::find_points(binary, {program::PointKind::kCall, "", std::string(copier.name)});
    for (const Point& point : found.points) {
      const read::Function function = binary.pclntab().function(point.function);
      if (is_left_alone(function.name) || of_appends.contains(point.at)) continue;
      PointProbe probe{point, make_primitive(copier)};
      if (stack_needed(probe.point, probe.primitive) <= probe.point.stack_room)
        probes.push_back(std::move(probe));
    }
  }
  return probes;
}

std::vector<PointProbe> find_read_probes(const read::GoBinary& binary) {
  std::vector<PointProbe> probes;
  for (std::string_view name : kReaders) {
    const auto begins = program::find_points(binary, {PointKind::kEntry, std::string(name), ""});
    const auto ends = program::find_points(binary, {PointKind::kReturn, std::string(name), ""});
    // What begins must be seen to end: the buffer may be another's by then.
    const bool is_whole = begins.points.size() == 1 && begins.refused.empty() &&
                          !ends.points.empty() && ends.refused.empty();
    if (!is_whole) continue;
    std::vector<PointProbe> of_this{{begins.points[0], note_read(abi::kReadBegins)}};
    for (const Point& point : ends.points) of_this.push_back({point, note_read(abi::kReadEnds)});
    const bool has_room = std::ranges::all_of(of_this, [](const PointProbe& probe) {
      return probe.point.frame_bytes == 0 &&
             stack_needed(probe.point, probe.primitive) <= probe.point.stack_room;
    });
    if (has_room) std::ranges::move(of_this, std::back_inserter(probes));
  }
  return probes;
}

Primitive note_read(abi::RefillMode mode) {
  Primitive primitive = enter_runtime();
  primitive.detector = abi::kRefill;
  primitive.mode = mode;
  return primitive;
}

bool is_reader(std::string_view function) {
  return std::ranges::find(kReaders, function) != kReaders.end();
}

std::vector<Point> find_calls_of_readers(const read::GoBinary& binary) {
  std::vector<Point> calls;
  for (std::string_view name : kReaders) {
    if (!binary.pclntab().find_function_named(name)) continue;
    std::ranges::move(
        program::find_points(binary, {PointKind::kCall, "", std::string(name)}).points,
        std::back_inserter(calls));
  }
  return calls;
}

std::optional<Primitive> tell_refill(std::string_view callee) {
  const Copier* copier = find_copier(callee);
  return copier == nullptr ? std::nullopt : std::optional(make_primitive(*copier));
}

u64 refill_size(std::string_view callee, const abi::Event& event) {
  if (is_reader(callee)) return std::min(event.append.num, event.regs[kReadSize]);
  const Copier* copier = find_copier(callee);
  if (copier == nullptr) return 0;
  return std::min(event.regs[copier->to_len], event.regs[copier->from_len]);
}

}  // namespace geist::probe

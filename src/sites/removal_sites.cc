// See removal_sites.h.
#include "sites/removal_sites.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>

#include "program/calls_to.h"
#include "program/code_walk.h"
#include "program/displace.h"
#include "program/go_abi.h"
#include "program/origins.h"
#include "sites/plain_appends.h"

namespace geist::sites {
namespace {

using program::FunctionCode;
using program::Location;
using program::Origin;

// More calls than that are no program whose source anybody looks at line by line.
constexpr usize kMostFunctions = 2000;

// Where the arguments of a copying function are.
struct Copier {
  std::string_view name;
  x86::Reg to, from, size;
  x86::Reg type;  // of the elements; kNoReg: the size is in bytes
};
constexpr std::array kCopiers{
    Copier{"runtime.memmove", x86::kRax, x86::kRbx, x86::kRcx, x86::kNoReg},
    Copier{"runtime.typedslicecopy", x86::kRbx, x86::kRdi, x86::kRcx, x86::kRax},
};

// An array: what a call made, or a place in the frame.
struct Array {
  std::optional<u32> call;
  i64 slot = 0;
  ImageAddr elem_type;  // 0: not known
  bool operator==(const Array& other) const { return call == other.call && slot == other.slot; }
};

// Of an array in the frame either has its own distance from its start, where the index is a constant.
// That both are parts of one array the source tells.
bool is_behind(const Array& from, const Array& to) {
  return from == to || (!from.call && !to.call && from.slot > to.slot);
}

class RemovalFinder {
 public:
  RemovalFinder(const read::GoBinary& binary, const FunctionCode& code)
      : binary_(binary), code_(code), callees_(program::callees_of(binary)) {}

  std::optional<AppendSite> find(ImageAddr call, const Copier& copier,
                                 const std::vector<program::Displaced>& taken) const;

 private:
  std::optional<Array> array_of(u32 insn, x86::Reg reg) const;
  std::optional<Array> made_by(u32 call) const;
  std::optional<ImageAddr> address_in(u32 insn, x86::Reg reg) const;
  std::optional<program::Displaced> room_before(u32 call) const;

  const read::GoBinary& binary_;
  const FunctionCode& code_;
  program::Callees callees_;
};

// The address of a type or another global that the register has on all ways.
std::optional<ImageAddr> RemovalFinder::address_in(u32 insn, x86::Reg reg) const {
  const std::vector<Origin> origins = program::find_origins(code_, insn, {reg, 0}, callees_);
  const bool is_one = origins.size() == 1 && origins[0].kind == Origin::Kind::kAddress &&
                      origins[0].mem.rip_relative && !origins[0].is_shifted;
  return is_one ? std::optional(ImageAddr(static_cast<u64>(origins[0].mem.disp))) : std::nullopt;
}

// An array of its own: new([5]int) is what a literal of a slice is made of.
std::optional<Array> RemovalFinder::made_by(u32 call) const {
  const ImageAddr target = code_.briefs()[call].target;
  const std::optional<read::Function> callee =
      target ? binary_.pclntab().find_function(target) : std::nullopt;
  const std::optional<ImageAddr> type_addr = callee ? address_in(call, x86::kRax) : std::nullopt;
  if (!type_addr) return std::nullopt;
  if (callee->name == "runtime.makeslice") return Array{call, 0, *type_addr};
  if (callee->name != "runtime.newobject") return std::nullopt;
  const Result<read::GoType> type = binary_.types().read(*type_addr);
  if (!type.ok() || type->kind != read::Kind::kArray) return std::nullopt;
  return Array{call, 0, type->elem};
}

std::optional<Array> RemovalFinder::array_of(u32 insn, x86::Reg reg) const {
  const std::vector<Origin> origins = program::find_origins(code_, insn, {reg, 0}, callees_);
  std::optional<Array> found;
  for (const Origin& origin : origins) {
    // An index that was added to the pointer.
    if (origin.kind == Origin::Kind::kNumber) continue;
    std::optional<Array> array;
    if (origin.kind == Origin::Kind::kResult && origin.at == Location{x86::kRax, 0})
      array = made_by(origin.insn);
    else if (origin.kind == Origin::Kind::kAddress && origin.mem.base == x86::kRsp)
      array = Array{std::nullopt, origin.mem.disp, {}};
    if (!array || (found && !(*found == *array))) return std::nullopt;
    found = array;
  }
  return found;
}

// Whole instructions in front of the call, of its own block.
std::optional<program::Displaced> RemovalFinder::room_before(u32 call) const {
  const program::Block& block = code_.blocks()[code_.block_of(call)];
  u32 first = call;
  while (code_.briefs()[call].addr - code_.briefs()[first].addr < program::kJmpBytes) {
    if (first == block.first) return std::nullopt;
    --first;
    const x86::Insn& insn = code_.insn(first);
    const bool can_move = insn.flow == x86::Flow::kNext && insn.op != x86::Op::kPush &&
                          insn.op != x86::Op::kPop && !program::may_fault(code_, first);
    if (!can_move) return std::nullopt;
  }
  return program::Displaced{code_.briefs()[first].addr, code_.briefs()[call].addr};
}

program::ValueLocation in_register(x86::Reg reg) {
  program::ValueLocation location;
  location.kind = program::ValueLocation::Kind::kRegister;
  location.reg = reg;
  return location;
}

std::optional<AppendSite> RemovalFinder::find(
    ImageAddr call, const Copier& copier, const std::vector<program::Displaced>& taken) const {
  const std::optional<u32> insn = code_.find_insn(call);
  if (!insn || code_.briefs()[*insn].flow != x86::Flow::kCall) return std::nullopt;
  const std::optional<Array> to = array_of(*insn, copier.to), from = array_of(*insn, copier.from);
  if (!to || !from || !is_behind(*from, *to)) return std::nullopt;
  const std::optional<program::Displaced> room = room_before(*insn);
  const auto overlaps = [&](const program::Displaced& other) {
    return room->begin < other.end && other.begin < room->end;
  };
  if (!room || std::ranges::any_of(taken, overlaps)) return std::nullopt;
  AppendSite site;
  site.is_plain = site.is_removal = true;
  site.function = code_.function().index;
  site.call = site.branch = site.grow_entry = site.inplace_entry = call;
  site.displaced = *room;
  site.old_ptr = in_register(copier.to);
  site.new_len = site.num = site.cap = in_register(copier.size);
  site.elem_size = 1;
  site.array_elem = to->elem_type;
  if (copier.type != x86::kNoReg) {
    site.array_elem = address_in(*insn, copier.type).value_or(ImageAddr());
    if (!binary_.types().contains(site.array_elem)) return std::nullopt;
    site.elem_size = binary_.image().find_word(site.array_elem).value_or(0);  // abi.Type.Size_
    if (site.elem_size == 0) return std::nullopt;
  }
  if (!to->call) {
    site.array.kind = program::ValueLocation::Kind::kStackSlot;
    site.array.disp = to->slot;
  }
  site.live_inplace = code_.live_before(*insn);
  site.heal_refusal = HealRefusal::kNoGrowPath;
  return site;
}

}  // namespace

std::vector<AppendSite> find_removal_sites(const read::GoBinary& binary,
                                           const std::vector<AppendSite>& others) {
  std::vector<AppendSite> sites;
  std::map<u32, std::vector<program::Displaced>> taken;
  for (const AppendSite& site : others) {
    if (site.bucket == SiteBucket::kProbed) taken[site.function.value].push_back(site.displaced);
  }
  std::map<ImageAddr, const Copier*> copiers;
  std::vector<ImageAddr> entries;
  for (const Copier& copier : kCopiers) {
    const std::optional<read::Function> function =
        binary.pclntab().find_function_named(copier.name);
    if (!function) continue;
    copiers[function->entry] = &copier;
    entries.push_back(function->entry);
  }
  std::optional<FunctionCode> code;
  usize functions = 0;
  for (const program::CallPlace& call : program::find_calls_to(binary, entries)) {
    const std::optional<read::Function> function = binary.pclntab().find_function(call.at);
    if (!function || call.jumps || !is_of_main_module(binary, function->name)) continue;
    if (!code || code->function().index != function->index) {
      if (++functions > kMostFunctions) return {};
      code = FunctionCode::decode(binary, *function);
    }
    if (!code) continue;
    const RemovalFinder finder(binary, *code);
    std::optional<AppendSite> site =
        finder.find(call.at, *copiers[call.target], taken[function->index.value]);
    if (site) sites.push_back(std::move(*site));
  }
  return sites;
}

}  // namespace geist::sites

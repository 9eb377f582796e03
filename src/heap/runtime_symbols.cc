// Where the runtime's variables are, without a symbol table.
//
// Stripping takes .symtab, but pclntab keeps the name and place of every function, and a few
// runtime functions load the variables by RIP-relative addresses. The compiler has produced the
// same few instructions for them in go1.21 to go1.27 (position-dependent and PIE alike):
//
//   mheap_.arenas[0]  inlined spanOf (runtime/mheap.go), in findObject, spanOfHeap and others:
//                       CMPQ reg, $0x400000        number of arenas of 48-bit linux/amd64
//                       ...  at most 32 bytes of branches and moves
//                       MOVQ mheap_+arenas(IP), reg
//                     and in mallocinit
//                       LEAQ mheap_(IP), AX; CALL runtime.(*mheap).init
//   allglen, allgptr  inlined atomicAllG (runtime/proc.go), in forEachGRace: its first two
//                       MOVQ v(IP), reg            in this order
//                     and in allgadd, the two atomic stores, in the opposite order:
//                       LEAQ v(IP), reg; XCHGQ reg2, (reg)
//
// Invariant: an address is given only when at least two functions say the same, none says
// otherwise, and it lies in the program's data. Anything else is refused by name.
#include "heap/runtime_symbols.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace geist::heap {
namespace {

// A function's code and where it is linked.
struct Code {
  ByteView bytes;
  ImageAddr addr;
};

// No bytes when they are not in the file.
Code find_code(const read::GoBinary& binary, const read::Function& function) {
  u64 size = function.end - function.entry;
  return {binary.image().find_bytes(function.entry, size).value_or(ByteView()), function.entry};
}

// The address that a RIP-relative operand of the instruction [at, at+7) with the given opcode
// names:
//   REX.W opcode modrm(mod=00 rm=101) disp32
std::optional<ImageAddr> rip_operand(const Code& code, u64 at, u8 opcode) {
  std::optional<ByteView> insn = find_part(code.bytes, at, 7);
  if (!insn || ((*insn)[0] & 0xfb) != 0x48 || (*insn)[1] != opcode || ((*insn)[2] & 0xc7) != 0x05) {
    return std::nullopt;
  }
  i64 displacement = *find_int<i32>(*insn, 3);
  return code.addr + at + 7 + static_cast<u64>(displacement);
}

// Length of a CMPQ reg, $0x400000 at `at`, 0 if there is none:
//   REX.W 81 /7 imm32, or REX.W 3D imm32 for AX
u64 compare_with_arena_count(const Code& code, u64 at) {
  std::optional<ByteView> insn = find_part(code.bytes, at, 7);
  if (!insn) return 0;
  const ByteView& b = *insn;
  bool is_long = (b[0] & 0xfe) == 0x48 && b[1] == 0x81 && (b[2] & 0xf8) == 0xf8;
  if (is_long && *find_int<u32>(b, 3) == 0x400000) return 7;
  if (b[0] == 0x48 && b[1] == 0x3d && *find_int<u32>(b, 2) == 0x400000) return 6;
  return 0;
}

// All addresses that the function loads as mheap_.arenas[0].
std::vector<ImageAddr> find_arena_loads(const Code& code) {
  std::vector<ImageAddr> loads;
  for (u64 at = 0; at < code.bytes.size(); ++at) {
    u64 length = compare_with_arena_count(code, at);
    for (u64 gap = 0; length != 0 && gap < 32; ++gap) {
      std::optional<ImageAddr> load = rip_operand(code, at + length + gap, 0x8b);
      if (!load) continue;
      loads.push_back(*load);
      break;
    }
  }
  return loads;
}

// The variables of the first two RIP-relative loads.
std::vector<ImageAddr> find_first_loads(const Code& code) {
  std::vector<ImageAddr> loads;
  for (u64 at = 0; at < code.bytes.size() && loads.size() < 2; ++at) {
    std::optional<ImageAddr> load = rip_operand(code, at, 0x8b);
    if (!load) continue;
    loads.push_back(*load);
    at += 6;
  }
  return loads;
}

// The variables of all LEAQ v(IP), reg; XCHGQ reg2, (reg).
std::vector<ImageAddr> find_exchanges(const Code& code) {
  std::vector<ImageAddr> found;
  for (u64 at = 0; at + 10 <= code.bytes.size(); ++at) {
    std::optional<ImageAddr> variable = rip_operand(code, at, 0x8d);
    if (!variable) continue;
    u8 reg = static_cast<u8>((code.bytes[at + 2] >> 3) & 7);
    bool is_exchange = (code.bytes[at + 7] & 0xfa) == 0x48 && code.bytes[at + 8] == 0x87 &&
                       (code.bytes[at + 9] & 0xc7) == reg && reg != 4 && reg != 5;
    if (is_exchange) found.push_back(*variable);
  }
  return found;
}

// The receivers of all LEAQ v(IP), AX; CALL callee.
std::vector<ImageAddr> find_receivers(const Code& code, ImageAddr callee) {
  std::vector<ImageAddr> found;
  for (u64 at = 0; at + 12 <= code.bytes.size(); ++at) {
    std::optional<ImageAddr> variable = rip_operand(code, at, 0x8d);
    bool is_ax = code.bytes[at] == 0x48 && code.bytes[at + 2] == 0x05;
    if (!variable || !is_ax || code.bytes[at + 7] != 0xe8) continue;
    i64 distance = *find_int<i32>(code.bytes, at + 8);
    if (code.addr + at + 12 + static_cast<u64>(distance) == callee) found.push_back(*variable);
  }
  return found;
}

// What the functions say about one variable.
struct Votes {
  std::string_view variable;
  std::vector<std::pair<std::string_view, ImageAddr>> votes;
};

Result<ImageAddr> count(const read::GoBinary& binary, const Votes& votes, u64 size) {
  auto fail = [&](const std::string& what) {
    return Error(fmt::format("{}: cannot find {} in this stripped binary: {}",
                             binary.image().path(), votes.variable, what))
        .with_hint("build it without -ldflags=-s");
  };
  if (votes.votes.empty()) return fail("no known instruction loads it");
  auto [name, addr] = votes.votes.front();
  bool has_second = false;
  for (const auto& [other_name, other_addr] : votes.votes) {
    has_second |= other_name != name;
    if (other_addr == addr) continue;
    return fail(fmt::format("{} says {:#x}, {} says {:#x}", name, addr.value, other_name,
                            other_addr.value));
  }
  if (!has_second) return fail(fmt::format("only {} loads it", name));
  const read::ModuleData& module = binary.module();
  bool is_data = addr >= module.noptrdata && addr < module.enoptrbss &&
                 size <= module.enoptrbss - addr && addr.value % 8 == 0;
  if (!is_data) return fail(fmt::format("{:#x} is not in the program's data", addr.value));
  return addr;
}

constexpr std::array<std::string_view, 5> kSpanLookups = {
    "runtime.findObject", "runtime.spanOfHeap", "runtime.badPointer", "runtime.spanOf",
    "runtime.wbBufFlush1"};

// The functions that are asked, by name.
struct Witnesses {
  std::vector<read::Function> span_lookups, allgs_readers, allgs_writers, initializers;
  std::optional<ImageAddr> mheap_init;
};

Witnesses find_witnesses(const read::Pclntab& tables) {
  Witnesses found;
  for (u32 i = 0; i < tables.function_count(); ++i) {
    read::Function function = tables.function(read::FuncIndex{i});
    std::string_view name = function.name;
    if (!name.starts_with("runtime.")) continue;
    if (std::find(kSpanLookups.begin(), kSpanLookups.end(), name) != kSpanLookups.end()) {
      found.span_lookups.push_back(function);
    }
    if (name == "runtime.forEachGRace" || name == "runtime.atomicAllG") {
      found.allgs_readers.push_back(function);
    }
    if (name == "runtime.allgadd") found.allgs_writers.push_back(function);
    if (name == "runtime.mallocinit") found.initializers.push_back(function);
    if (name == "runtime.(*mheap).init") found.mheap_init = function.entry;
  }
  return found;
}

}  // namespace

Result<RuntimeSymbols> decode_runtime_symbols(const read::GoBinary& binary) {
  Votes mheap{"runtime.mheap_", {}}, allgptr{"runtime.allgptr", {}}, allglen{"runtime.allglen", {}};
  Witnesses witnesses = find_witnesses(binary.pclntab());
  for (const read::Function& function : witnesses.span_lookups) {
    Code code = find_code(binary, function);
    for (ImageAddr load : find_arena_loads(code)) {
      mheap.votes.emplace_back(function.name, load - binary.layout().mheap_arenas);
    }
  }
  for (const read::Function& function : witnesses.initializers) {
    if (!witnesses.mheap_init) break;
    Code code = find_code(binary, function);
    for (ImageAddr receiver : find_receivers(code, *witnesses.mheap_init)) {
      mheap.votes.emplace_back(function.name, receiver);
    }
  }
  // A pair is what the patterns promise; more or fewer are another shape, which says nothing.
  for (const read::Function& function : witnesses.allgs_readers) {
    std::vector<ImageAddr> pair = find_first_loads(find_code(binary, function));
    if (pair.size() != 2) continue;
    allglen.votes.emplace_back(function.name, pair[0]);
    allgptr.votes.emplace_back(function.name, pair[1]);
  }
  for (const read::Function& function : witnesses.allgs_writers) {
    std::vector<ImageAddr> pair = find_exchanges(find_code(binary, function));
    if (pair.size() != 2) continue;
    allgptr.votes.emplace_back(function.name, pair[0]);
    allglen.votes.emplace_back(function.name, pair[1]);
  }
  GEIST_TRY(mheap_addr, count(binary, mheap, u64{binary.layout().mheap_arenas} + 8));
  GEIST_TRY(allgptr_addr, count(binary, allgptr, 8));
  GEIST_TRY(allglen_addr, count(binary, allglen, 8));
  return RuntimeSymbols{.mheap = mheap_addr, .allgptr = allgptr_addr, .allglen = allglen_addr};
}

Result<RuntimeSymbols> find_runtime_symbols(const read::GoBinary& binary) {
  std::optional<read::Symbol> mheap = binary.image().find_symbol("runtime.mheap_");
  std::optional<read::Symbol> allgptr = binary.image().find_symbol("runtime.allgptr");
  std::optional<read::Symbol> allglen = binary.image().find_symbol("runtime.allglen");
  if (!mheap || !allgptr || !allglen) return decode_runtime_symbols(binary);
  return RuntimeSymbols{.mheap = mheap->addr, .allgptr = allgptr->addr, .allglen = allglen->addr};
}

}  // namespace geist::heap

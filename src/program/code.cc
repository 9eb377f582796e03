// Decoding, CFG and register liveness of one function; see code.h for what may be relied on.
#include "program/code.h"

#include <algorithm>

namespace geist::program {
namespace {

using x86::Flow;
using x86::Insn;
using x86::RegMask;

// ABIInternal (cmd/compile/abi-internal.md): integer arguments and results AX BX CX DI SI R8-R11, DX the closure
// context, R14 g, SP and BP the frame. A call reads all of them that it may read and destroys every other register.
constexpr RegMask kCallReads = (1u << x86::kRax) | (1u << x86::kRbx) | (1u << x86::kRcx) | (1u << x86::kRdi) |
                               (1u << x86::kRsi) | (1u << x86::kR8) | (1u << x86::kR9) | (1u << x86::kR10) |
                               (1u << x86::kR11) | (1u << x86::kRdx) | (1u << x86::kR14) | (1u << x86::kRsp) |
                               (1u << x86::kRbp);
// gcWriteBarrier1..8 keep all registers but R11, their result, and the morestack and duff helpers take registers that
// are not in the list above: a call therefore kills nothing here. That is conservative, never wrong.
constexpr RegMask kCallWrites = 0;

constexpr u64 kMaxJumpTable = 4096;

RegMask reads_of(const Insn& insn) {
  switch (insn.flow) {
    case Flow::kCall: return insn.reads | kCallReads;
    case Flow::kRet: return insn.reads | kCallReads;
    case Flow::kTrap: return 0;
    default: return insn.reads;
  }
}

RegMask writes_of(const Insn& insn) {
  return insn.flow == Flow::kCall ? (insn.writes & ~x86::kFlagsBit) | kCallWrites | x86::kFlagsBit : insn.writes;
}

}  // namespace

std::optional<FunctionCode> FunctionCode::decode(const read::GoBinary& binary, const read::Function& function) {
  std::optional<ByteView> bytes = binary.image().find_bytes(function.entry, function.end - function.entry);
  return bytes ? decode_bytes(*bytes, function, &binary.image()) : std::nullopt;
}

std::optional<FunctionCode> FunctionCode::decode_bytes(ByteView bytes, const read::Function& function,
                                                       const read::Image* image) {
  FunctionCode code;
  code.function_ = function;
  u64 size = bytes.size();
  code.insns_.reserve(size / 4);
  for (u64 offset = 0; offset < size;) {
    if (bytes[offset] == 0xcc) {  // padding between functions
      ++offset;
      continue;
    }
    std::optional<Insn> insn = x86::decode(bytes.subspan(offset), function.entry + offset);
    if (!insn) return std::nullopt;
    code.insns_.push_back(*insn);
    offset += insn->length;
  }
  if (code.insns_.empty()) return std::nullopt;
  code.find_leaders(image);
  code.connect();
  code.solve_liveness();
  return code;
}

std::optional<u32> FunctionCode::find_insn(ImageAddr addr) const {
  auto it = std::lower_bound(insns_.begin(), insns_.end(), addr,
                             [](const Insn& insn, ImageAddr a) { return insn.addr < a; });
  if (it == insns_.end() || it->addr != addr) return std::nullopt;
  return static_cast<u32>(it - insns_.begin());
}

std::optional<u32> FunctionCode::find_block(ImageAddr addr) const {
  std::optional<u32> insn = find_insn(addr);
  if (!insn || !leader_[*insn]) return std::nullopt;
  return block_of_insn_[*insn];
}

bool FunctionCode::starts_anew(u32 block) const {
  const Block& b = blocks_[block];
  bool calls = false;
  for (u32 i = b.first; i <= b.last; ++i) calls |= insns_[i].flow == Flow::kCall;
  return calls && insns_[b.last].flow == Flow::kJmp && insns_[b.last].target == function_.entry;
}

RegMask FunctionCode::live_in(u32 block) const { return live_in_[block]; }

// JMP (R)(I*8) or JMP R after MOV: the table's address is in a LEAQ a few instructions before.
void FunctionCode::add_jump_table(const read::Image& image, u32 insn, std::vector<ImageAddr>& targets) const {
  const u32 look_back = std::min<u32>(insn, 8);
  for (u32 i = insn; i-- > insn - look_back;) {
    const Insn& lea = insns_[i];
    if (lea.op != x86::Op::kLea || !lea.operands[1].mem.rip_relative) continue;
    ImageAddr table(static_cast<u64>(lea.operands[1].mem.disp));
    for (u64 k = 0; k < kMaxJumpTable; ++k) {
      std::optional<u64> word = image.find_word(table + 8 * k);
      if (!word || *word < function_.entry.value || *word >= function_.end.value) break;
      targets.push_back(ImageAddr(*word));
    }
    return;
  }
}

void FunctionCode::find_leaders(const read::Image* image) {
  leader_.assign(insns_.size(), false);
  leader_[0] = true;
  auto mark = [&](ImageAddr target) {
    if (std::optional<u32> i = find_insn(target)) leader_[*i] = true;
  };
  for (u32 i = 0; i < insns_.size(); ++i) {
    const Insn& insn = insns_[i];
    bool ends = insn.flow != Flow::kNext && insn.flow != Flow::kCall;
    if (ends && i + 1 < insns_.size()) leader_[i + 1] = true;
    if (insn.flow == Flow::kJcc || insn.flow == Flow::kJmp) mark(insn.target);
    if (insn.flow == Flow::kJmpIndirect) {
      std::vector<ImageAddr> targets;
      if (image != nullptr) add_jump_table(*image, i, targets);
      for (ImageAddr target : targets) mark(target);
      jump_tables_.emplace_back(i, std::move(targets));
    }
  }
}

void FunctionCode::connect() {
  block_of_insn_.resize(insns_.size());
  for (u32 i = 0; i < insns_.size(); ++i) {
    if (leader_[i]) blocks_.push_back(Block{.first = i, .last = i, .succs = {}, .preds = {}, .unknown_succs = false});
    blocks_.back().last = i;
    block_of_insn_[i] = static_cast<u32>(blocks_.size() - 1);
  }
  auto add_edge = [&](u32 from, u32 to) {
    std::vector<u32>& succs = blocks_[from].succs;
    if (std::find(succs.begin(), succs.end(), to) != succs.end()) return;
    succs.push_back(to);
    blocks_[to].preds.push_back(from);
  };
  auto add_target = [&](u32 from, ImageAddr target) {
    std::optional<u32> to = find_block(target);
    if (to) add_edge(from, *to);
    else if (target >= function_.entry && target < function_.end) blocks_[from].unknown_succs = true;
    // A jump out of the function is a tail call: no edge.
  };
  usize next_table = 0;
  for (u32 b = 0; b < blocks_.size(); ++b) {
    const Insn& last = insns_[blocks_[b].last];
    bool falls = last.flow == Flow::kNext || last.flow == Flow::kCall || last.flow == Flow::kJcc;
    if (falls && b + 1 < blocks_.size()) add_edge(b, b + 1);
    if (last.flow == Flow::kJcc || last.flow == Flow::kJmp) add_target(b, last.target);
    if (last.flow == Flow::kJmpIndirect) {
      const std::vector<ImageAddr>& targets = jump_tables_[next_table++].second;
      if (targets.empty()) blocks_[b].unknown_succs = true;
      for (ImageAddr target : targets) add_target(b, target);
    }
  }
}

void FunctionCode::solve_liveness() {
  std::vector<RegMask> use(blocks_.size()), def(blocks_.size());
  for (u32 b = 0; b < blocks_.size(); ++b) {
    for (u32 i = blocks_[b].first; i <= blocks_[b].last; ++i) {
      use[b] |= reads_of(insns_[i]) & ~def[b];
      def[b] |= writes_of(insns_[i]);
    }
    const Insn& last = insns_[blocks_[b].last];
    bool leaves = last.flow == Flow::kJmp && blocks_[b].succs.empty();
    if (blocks_[b].unknown_succs || leaves) use[b] |= (x86::kAllGprs | x86::kFlagsBit) & ~def[b];
  }
  live_in_ = use;
  for (bool changed = true; changed;) {
    changed = false;
    for (u32 b = static_cast<u32>(blocks_.size()); b-- > 0;) {
      RegMask out = 0;
      for (u32 s : blocks_[b].succs) out |= live_in_[s];
      RegMask in = use[b] | (out & ~def[b]);
      changed |= in != live_in_[b];
      live_in_[b] = in;
    }
  }
}

}  // namespace geist::program

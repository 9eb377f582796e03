// Decoding, CFG and register liveness of one function; see code.h for what may be relied on.
#include "program/code.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "program/go_abi.h"

namespace geist::program {
namespace {

using x86::Brief;
using x86::Flow;
using x86::Insn;
using x86::RegMask;

// The arguments, DX the closure context, R14 g, SP and BP the frame. A call reads all of them that
// it may read and destroys every other register.
constexpr RegMask kCallReads = [] {
  RegMask reads =
      x86::bit(x86::kRdx) | x86::bit(x86::kR14) | x86::bit(x86::kRsp) | x86::bit(x86::kRbp);
  for (x86::Reg argument : kIntegerArguments) reads |= x86::bit(argument);
  return reads;
}();
// gcWriteBarrier1..8 keep all registers but R11, their result, and the morestack and duff helpers
// take registers that are not in the list above: a call therefore kills nothing here. That is
// conservative, never wrong.
constexpr RegMask kCallWrites = 0;

constexpr u64 kMaxJumpTable = 4096;
constexpr usize kInsnsOfPiece = 64;

RegMask reads_of(const Brief& insn) {
  switch (insn.flow) {
    case Flow::kCall:
      return insn.reads | kCallReads;
    case Flow::kRet:
      return insn.reads | kCallReads;
    case Flow::kTrap:
      return 0;
    default:
      return insn.reads;
  }
}

// What it defines. Where some flags are kept, a later reader may mean those.
RegMask writes_of(const Brief& insn) {
  if (insn.flow == Flow::kCall) return insn.writes | kCallWrites | x86::kFlagsBit;
  const bool keeps_flags = (insn.writes & x86::kFlagsKeptBit) != 0;
  return keeps_flags ? insn.writes & ~(x86::kFlagsBit | x86::kFlagsKeptBit) : insn.writes;
}

}  // namespace

std::optional<FunctionCode> FunctionCode::decode(const read::GoBinary& binary,
                                                 const read::Function& function) {
  std::optional<ByteView> bytes =
      binary.image().find_bytes(function.entry, function.end - function.entry);
  return bytes ? decode_bytes(*bytes, function, &binary.image()) : std::nullopt;
}

std::optional<FunctionCode> FunctionCode::decode_bytes(ByteView bytes,
                                                       const read::Function& function,
                                                       const read::Image* image) {
  FunctionCode code;
  code.function_ = function;
  code.bytes_ = bytes;
  u64 size = bytes.size();
  code.briefs_.reserve(size / 4);
  for (u64 offset = 0; offset < size;) {
    if (bytes[offset] == 0xcc) {  // padding between functions
      ++offset;
      continue;
    }
    std::optional<Brief> brief = x86::decode_brief(bytes.subspan(offset), function.entry + offset);
    if (!brief) return std::nullopt;
    code.briefs_.push_back(*brief);
    offset += brief->length;
  }
  if (code.briefs_.empty()) return std::nullopt;
  code.place_in_insns_.assign(code.briefs_.size(), 0);
  code.find_leaders(image);
  code.connect();
  code.solve_liveness();
  return code;
}

const Insn& FunctionCode::insn(u32 index) const {
  u32& place = place_in_insns_[index];
  if (place == 0) {
    const Brief& brief = briefs_[index];
    std::optional<Insn> insn =
        x86::decode(bytes_.subspan(brief.addr - function_.entry, brief.length), brief.addr);
    GEIST_CHECK(insn.has_value());  // a brief is only made of what decodes
    if (insns_.empty() || insns_.back().size() == kInsnsOfPiece)
      insns_.emplace_back().reserve(kInsnsOfPiece);
    insns_.back().push_back(*insn);
    place = static_cast<u32>((insns_.size() - 1) * kInsnsOfPiece + insns_.back().size());
  }
  return insns_[(place - 1) / kInsnsOfPiece][(place - 1) % kInsnsOfPiece];
}

u32 FunctionCode::first_insn_from(ImageAddr addr) const {
  auto it = std::lower_bound(briefs_.begin(), briefs_.end(), addr,
                             [](const Brief& brief, ImageAddr a) { return brief.addr < a; });
  return static_cast<u32>(it - briefs_.begin());
}

std::optional<u32> FunctionCode::find_insn(ImageAddr addr) const {
  u32 index = first_insn_from(addr);
  if (index == briefs_.size() || briefs_[index].addr != addr) return std::nullopt;
  return index;
}

std::optional<u32> FunctionCode::find_block(ImageAddr addr) const {
  std::optional<u32> insn = find_insn(addr);
  if (!insn || !leader_[*insn]) return std::nullopt;
  return block_of_insn_[*insn];
}

bool FunctionCode::starts_anew(u32 block) const {
  const Block& b = blocks_[block];
  bool calls = false;
  for (u32 i = b.first; i <= b.last; ++i) calls |= briefs_[i].flow == Flow::kCall;
  return calls && briefs_[b.last].flow == Flow::kJmp && briefs_[b.last].target == function_.entry;
}

RegMask FunctionCode::live_in(u32 block) const {
  return live_in_[block];
}

RegMask FunctionCode::live_before(u32 insn) const {
  const Block& block = blocks_[block_of(insn)];
  const Brief& last = briefs_[block.last];
  const bool leaves = last.flow == Flow::kJmp && block.succs.empty();
  RegMask live = block.unknown_succs || leaves ? x86::kAllGprs | x86::kFlagsBit : 0;
  for (u32 succ : block.succs) live |= live_in_[succ];
  for (u32 i = block.last + 1; i-- > insn;)
    live = (live & ~writes_of(briefs_[i])) | reads_of(briefs_[i]);
  return live;
}

// JMP (R)(I*8) or JMP R after MOV: the table's address is in a LEAQ a few instructions before.
void FunctionCode::add_jump_table(const read::Image& image, u32 insn,
                                  std::vector<ImageAddr>& targets) const {
  const u32 look_back = std::min<u32>(insn, 8);
  for (u32 i = insn; i-- > insn - look_back;) {
    const Insn& lea = this->insn(i);
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
  leader_.assign(briefs_.size(), false);
  leader_[0] = true;
  auto mark = [&](ImageAddr target) {
    if (std::optional<u32> i = find_insn(target)) leader_[*i] = true;
  };
  for (u32 i = 0; i < briefs_.size(); ++i) {
    const Brief& insn = briefs_[i];
    bool ends = insn.flow != Flow::kNext && insn.flow != Flow::kCall;
    if (ends && i + 1 < briefs_.size()) leader_[i + 1] = true;
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
  block_of_insn_.resize(briefs_.size());
  blocks_.reserve(static_cast<usize>(std::count(leader_.begin(), leader_.end(), true)));
  for (u32 i = 0; i < briefs_.size(); ++i) {
    if (leader_[i])
      blocks_.push_back(
          Block{.first = i, .last = i, .succs = {}, .preds = {}, .unknown_succs = false});
    blocks_.back().last = i;
    block_of_insn_[i] = static_cast<u32>(blocks_.size() - 1);
  }
  std::vector<Edge> edges;
  edges.reserve(2 * blocks_.size());
  collect_edges(edges);
  join(edges);
}

// In the order of the blocks they come from, each once.
void FunctionCode::collect_edges(std::vector<Edge>& edges) {
  usize first = 0;  // of the block's own edges
  auto add_edge = [&](u32 from, u32 to) {
    auto is_known = [&](const Edge& edge) { return edge.to == to; };
    if (std::none_of(edges.begin() + static_cast<i64>(first), edges.end(), is_known))
      edges.push_back({from, to});
  };
  auto add_target = [&](u32 from, ImageAddr target) {
    std::optional<u32> to = find_block(target);
    if (to)
      add_edge(from, *to);
    else if (target >= function_.entry && target < function_.end)
      blocks_[from].unknown_succs = true;
    // A jump out of the function is a tail call: no edge.
  };
  usize next_table = 0;
  for (u32 b = 0; b < blocks_.size(); ++b) {
    first = edges.size();
    const Brief& last = last_brief(b);
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

// All successors and all predecessors stand in one array each, block by block.
void FunctionCode::join(const std::vector<Edge>& edges) {
  std::vector<u32> first_succ(blocks_.size() + 1), first_pred(blocks_.size() + 1);
  for (const Edge& edge : edges) {
    ++first_succ[edge.from + 1];
    ++first_pred[edge.to + 1];
  }
  std::partial_sum(first_succ.begin(), first_succ.end(), first_succ.begin());
  std::partial_sum(first_pred.begin(), first_pred.end(), first_pred.begin());
  succs_.resize(edges.size());
  preds_.resize(edges.size());
  std::vector<u32> next_succ = first_succ, next_pred = first_pred;
  for (const Edge& edge : edges) {
    succs_[next_succ[edge.from]++] = edge.to;
    preds_[next_pred[edge.to]++] = edge.from;
  }
  for (u32 b = 0; b < blocks_.size(); ++b) {
    blocks_[b].succs = std::span(succs_).subspan(first_succ[b], first_succ[b + 1] - first_succ[b]);
    blocks_[b].preds = std::span(preds_).subspan(first_pred[b], first_pred[b + 1] - first_pred[b]);
  }
}

void FunctionCode::solve_liveness() {
  std::vector<RegMask> use(blocks_.size()), def(blocks_.size());
  for (u32 b = 0; b < blocks_.size(); ++b) {
    for (u32 i = blocks_[b].first; i <= blocks_[b].last; ++i) {
      use[b] |= reads_of(briefs_[i]) & ~def[b];
      def[b] |= writes_of(briefs_[i]);
    }
    const Brief& last = last_brief(b);
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

// FunctionCode: one Go function decoded, with its control-flow graph and which registers are live
// where.
//
//   bytes ─▶ briefs ─▶ blocks ─▶ preds, succs      leaders: entry, branch and jump-table targets,
//              │                                   what follows a branch
//              └─▶ insns, each when it is first asked for
//
// A search for appends decodes millions of instructions and looks at the operands of a few: so the
// graph and the liveness are made of briefs (x86/brief.h), which cost a tenth.
//
// Go's compilers put no data between instructions, so a function decodes linearly; padding behind
// it is 0xCC. Jump tables (LEAQ tbl(IP),R; JMP (R)(I*8)) are read from the image: words as long as
// they point into the function. That may take a neighbouring table of the same function along,
// which only adds edges that no analysis here can be misled by. Source:
// cmd/compile/internal/ssagen, cmd/internal/obj/x86, go1.21 to go1.27.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "read/go/go_binary.h"
#include "x86/brief.h"

namespace geist::program {

struct Block {
  u32 first = 0;                      // index of the first instruction
  u32 last = 0;                       // index of the last instruction, inclusive
  std::span<const u32> succs, preds;  // block indices
  bool unknown_succs = false;         // ends in an indirect jump whose targets are not known
};

// Belongs to one thread at a time: insn() keeps what it decodes.
class FunctionCode {
 public:
  FunctionCode(FunctionCode&&) = default;
  FunctionCode& operator=(FunctionCode&&) = default;
  FunctionCode(const FunctionCode&) = delete;  // blocks point into edges
  FunctionCode& operator=(const FunctionCode&) = delete;

  // Nothing when the bytes do not decode from start to end. The image, or the bytes, must outlive
  // it.
  static std::optional<FunctionCode> decode(const read::GoBinary& binary,
                                            const read::Function& function);
  // The same of `bytes`, the function from entry to end; without an image, jump tables have no
  // known targets.
  static std::optional<FunctionCode> decode_bytes(ByteView bytes, const read::Function& function,
                                                  const read::Image* image);

  const read::Function& function() const { return function_; }
  ByteView bytes() const { return bytes_; }
  const std::vector<x86::Brief>& briefs() const { return briefs_; }
  // With its operands; stays where it is as long as this lives.
  const x86::Insn& insn(u32 index) const;
  const std::vector<Block>& blocks() const { return blocks_; }
  const x86::Brief& last_brief(u32 block) const { return briefs_[blocks_[block].last]; }
  // The instruction that begins at addr, if one does.
  std::optional<u32> find_insn(ImageAddr addr) const;
  // The first one that begins at addr or behind it; as many as there are when none does.
  u32 first_insn_from(ImageAddr addr) const;
  u32 block_of(u32 insn) const { return block_of_insn_[insn]; }
  // The block that begins at addr.
  std::optional<u32> find_block(ImageAddr addr) const;

  // A block that ends by starting the function anew, as prologues do when the stack was too small
  // (runtime.morestack): its edge to the entry leads to no later state of the same call.
  bool starts_anew(u32 block) const;

  // Registers and flags that may be read before they are written, at the start of a block.
  // Conservative: everything is live at unknown jumps and the argument registers are live at calls,
  // the result registers at returns.
  x86::RegMask live_in(u32 block) const;
  // Likewise before an instruction.
  x86::RegMask live_before(u32 insn) const;

 private:
  FunctionCode() = default;
  void find_leaders(const read::Image* image);
  void connect();
  void solve_liveness();
  void add_jump_table(const read::Image& image, u32 insn, std::vector<ImageAddr>& targets) const;

  struct Edge {
    u32 from, to;
  };
  void collect_edges(std::vector<Edge>& edges);
  void join(const std::vector<Edge>& edges);

  read::Function function_;
  ByteView bytes_;
  std::vector<x86::Brief> briefs_;
  mutable std::vector<u32> place_in_insns_;  // of each instruction, plus one; 0: not asked for yet
  mutable std::vector<std::vector<x86::Insn>> insns_;  // in pieces that never move
  std::vector<Block> blocks_;
  std::vector<u32> succs_, preds_;
  std::vector<u32> block_of_insn_;
  std::vector<bool> leader_;
  std::vector<std::pair<u32, std::vector<ImageAddr>>> jump_tables_;  // by instruction
  std::vector<x86::RegMask> live_in_;
};

}  // namespace geist::program

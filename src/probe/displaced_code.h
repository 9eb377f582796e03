// The instructions that give way to a JMP, decoded from the image once more: all that a trampoline
// needs of a function's code. What a site says about its branch is held against them, whoever made
// the site.
#pragma once

#include <optional>
#include <vector>

#include "program/displace.h"
#include "read/elf/image.h"
#include "sites/append_sites.h"
#include "x86/assembler.h"
#include "x86/insn.h"

namespace geist::probe {

struct DisplacedCode {
  program::Displaced range;
  ByteView bytes;                // of the range
  std::vector<x86::Insn> insns;  // from the first byte of the range to its last
  ByteView bytes_of(const x86::Insn& insn) const {
    return bytes.subspan(insn.addr - range.begin, insn.length);
  }
};

// Nothing when the range is not in the file or does not hold whole instructions.
std::optional<DisplacedCode> read_displaced(const read::Image& image, program::Displaced range);

// Which of the instructions is the site's branch; nothing when it is not there, or does not lead
// where the site says.
std::optional<usize> find_branch(const DisplacedCode& code, const sites::AppendSite& site);

// Emits the instructions [first, end) so that they do what they did at their place: branches lead
// where they led, relative operands mean what they meant. Ends with a JMP or RET among them, after
// which nothing is reached. False when one cannot be moved.
bool emit_displaced(x86::Assembler& as, const DisplacedCode& code, usize first, usize end,
                    LoadBias bias);

}  // namespace geist::probe

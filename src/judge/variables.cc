#include "judge/variables.h"

#include <array>

namespace geist::judge {
namespace {

using read::Piece;

// DWARF register numbers (System V psABI, figure 3.36) → hardware numbers.
constexpr std::array<u8, 16> kDwarfToHardware{0, 2, 1, 3, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15};

}  // namespace

x86::Reg hardware_register(u8 dwarf_register) {
  return dwarf_register < kDwarfToHardware.size()
             ? static_cast<x86::Reg>(kDwarfToHardware[dwarf_register])
             : x86::kNoReg;
}

std::optional<Word> find_word(const read::Variable& variable, u64 offset,
                              const FrameValues& values) {
  for (const Piece& piece : variable.pieces) {
    if (offset < piece.byte_offset || offset + 8 > u64{piece.byte_offset} + piece.size_bytes)
      continue;
    u64 inside = offset - piece.byte_offset;
    const x86::Reg reg = hardware_register(piece.reg);
    bool has_regs = values.regs != nullptr && reg != x86::kNoReg;
    Word word;
    switch (piece.where) {
      case Piece::Where::kCfa:
        word.at = values.frame.cfa + static_cast<u64>(piece.offset) + inside;
        break;
      case Piece::Where::kRegisterMemory:
        if (!has_regs) return std::nullopt;
        word.at = TargetAddr(values.regs[reg] + static_cast<u64>(piece.offset) + inside);
        break;
      case Piece::Where::kRegister:
        if (!has_regs || inside != 0) return std::nullopt;
        word.reg = reg;
        word.value = values.regs[word.reg];
        return word;
      case Piece::Where::kConstant:
        if (inside != 0) return std::nullopt;
        word.value = piece.value;
        return word;
      default:
        return std::nullopt;
    }
    std::optional<u64> value = values.stack.find_word(word.at);
    if (!value) return std::nullopt;
    word.value = *value;
    return word;
  }
  return std::nullopt;
}

}  // namespace geist::judge

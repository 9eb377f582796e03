// Go's register ABI on amd64, as far as code is read by it.
// Source: cmd/compile/abi-internal.md, go1.17 and later.
#pragma once

#include <array>
#include <optional>

#include "x86/insn.h"

namespace geist::program {

// Integer arguments and results in their order; a slice takes three, a string two.
inline constexpr std::array kIntegerArguments{x86::kRax, x86::kRbx, x86::kRcx, x86::kRdi, x86::kRsi,
                                              x86::kR8,  x86::kR9,  x86::kR10, x86::kR11};

// The one behind it: a slice's length is behind its pointer.
inline std::optional<x86::Reg> argument_behind(x86::Reg reg) {
  for (usize i = 0; i + 1 < kIntegerArguments.size(); ++i) {
    if (kIntegerArguments[i] == reg) return kIntegerArguments[i + 1];
  }
  return std::nullopt;
}

}  // namespace geist::program

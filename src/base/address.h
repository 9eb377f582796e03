// Three address spaces that never mix: an offset in a file, an address as linked, an address in a
// process.
//
//   FileOffset  where a byte stands in the file on disk
//   ImageAddr   the address the linker gave it (ELF p_vaddr, Go's minpc, DW_AT_low_pc)
//   TargetAddr  where it is in a live process: ImageAddr + load bias for the binary, anything
//               for heap and stack
//
// Subtraction within one space gives bytes; arithmetic across spaces does not compile. LoadBias is
// the only bridge.
#pragma once

#include <compare>
#include <functional>

#include "base/ints.h"

namespace geist {

template <typename Tag>
struct Address {
  u64 value = 0;

  constexpr Address() = default;
  constexpr explicit Address(u64 v) : value(v) {}
  constexpr auto operator<=>(const Address&) const = default;
  constexpr explicit operator bool() const { return value != 0; }
  friend constexpr Address operator+(Address a, u64 bytes) { return Address(a.value + bytes); }
  friend constexpr Address operator-(Address a, u64 bytes) { return Address(a.value - bytes); }
  friend constexpr u64 operator-(Address a, Address b) { return a.value - b.value; }
  constexpr Address& operator+=(u64 bytes) {
    value += bytes;
    return *this;
  }
};

using FileOffset = Address<struct FileOffsetTag>;
using ImageAddr = Address<struct ImageAddrTag>;
using TargetAddr = Address<struct TargetAddrTag>;

// What the loader added to every linked address: 0 for ET_EXEC, the mapping's base minus the first
// segment for PIE.
struct LoadBias {
  u64 bytes = 0;

  constexpr TargetAddr to_target(ImageAddr a) const { return TargetAddr(a.value + bytes); }
  constexpr ImageAddr to_image(TargetAddr a) const { return ImageAddr(a.value - bytes); }
};

}  // namespace geist

template <typename Tag>
struct std::hash<geist::Address<Tag>> {
  std::size_t operator()(geist::Address<Tag> a) const noexcept {
    return std::hash<geist::u64>{}(a.value);
  }
};

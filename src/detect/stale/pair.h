// Pair: one word of an element, in the array that an append moved away from and in the one it moved
// to. The two are the same when it has moved; who comes to the first, comes through a holder that
// stayed behind.
//
//   old │ … w … │   written: the update is lost to those who read the new one
//   new │ … w … │   written: those who read the old one see what was there before
#pragma once

#include <optional>

#include "base/address.h"

namespace geist::detect::stale {

enum class Side : u8 { kOld, kNew };

// What a read has shown.
enum class Loss : u8 {
  kUpdate,  // written on the old side, read on the new one
  kStale,   // written on the new side, read on the old one
};

class Pair {
 public:
  Pair(TargetAddr old_word, u32 size_bytes, u64 value)
      : words_{old_word, {}}, size_(size_bytes), values_{value, value} {}

  TargetAddr word(Side side) const { return words_[index(side)]; }
  u32 size_bytes() const { return size_; }
  bool has_moved() const { return words_[1].value != 0; }
  void move_to(TargetAddr new_word) { words_[1] = new_word; }
  u64 value(Side side) const { return values_[index(side)]; }

  // False: it leaves what is there, which says nothing. `is_whole`: of the whole element.
  bool write(Side side, u64 value, bool is_whole) {
    if (value == values_[index(side)]) return false;
    values_[index(side)] = value;
    is_written_[index(side)] = true;
    is_whole_ |= is_whole;
    return true;
  }
  // Where both sides were written, each shows what was written there.
  std::optional<Loss> read(Side side) const {
    const usize own = index(side), other = 1 - own;
    if (!is_written_[other] || is_written_[own] || values_[0] == values_[1]) return std::nullopt;
    return side == Side::kNew ? Loss::kUpdate : Loss::kStale;
  }
  bool was_written_whole() const { return is_whole_; }
  bool is_over() const { return is_written_[0] && is_written_[1]; }

 private:
  static usize index(Side side) { return side == Side::kOld ? 0 : 1; }

  TargetAddr words_[2];
  u32 size_;
  u64 values_[2];
  bool is_written_[2] = {};
  bool is_whole_ = false;
};

}  // namespace geist::detect::stale

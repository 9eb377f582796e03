// Structs of C in bytes that nobody vouches for.
#pragma once

#include <cstring>
#include <type_traits>

#include "base/bytes.h"

namespace geist {

// The one at `offset`, at any alignment, or nothing if it does not lie inside.
template <typename T>
std::optional<T> find_struct(ByteView bytes, u64 offset) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::optional<ByteView> part = find_part(bytes, offset, sizeof(T));
  if (!part) return std::nullopt;
  T value;
  std::memcpy(&value, part->data(), sizeof(T));
  return value;
}

}  // namespace geist

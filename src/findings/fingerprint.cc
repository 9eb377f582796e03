#include "findings/fingerprint.h"

#include <fmt/format.h>

namespace geist::findings {

std::string fingerprint_of(const std::string& text) {
  u64 hash = 0xcbf29ce484222325ull;
  for (char ch : text) hash = (hash ^ static_cast<u8>(ch)) * 0x100000001b3ull;
  return fmt::format("{:016x}", hash);
}

}  // namespace geist::findings

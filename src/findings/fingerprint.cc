#include "findings/fingerprint.h"

#include <fmt/format.h>

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace geist::findings {

std::string fingerprint_of(const std::string& text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("g2:{:016x}{:016x}", hash.high64, hash.low64);
}

std::string old_fingerprint_of(const std::string& text) {
  u64 hash = 0xcbf29ce484222325ull;
  for (char ch : text) hash = (hash ^ static_cast<u8>(ch)) * 0x100000001b3ull;
  return fmt::format("{:016x}", hash);
}

bool is_same_bug(const Finding& a, const Finding& b) {
  if (a.fingerprint.empty() || b.fingerprint.empty()) return false;
  auto is_alias = [](const std::string& fingerprint, const Finding& of) {
    return std::ranges::find(of.aliases, fingerprint) != of.aliases.end();
  };
  return a.fingerprint == b.fingerprint || is_alias(a.fingerprint, b) || is_alias(b.fingerprint, a);
}

std::string bug_and_victim(const Finding& finding) {
  if (finding.fingerprint.empty()) return "";
  return fmt::format("{}|{}|{}", finding.fingerprint, holder_name(finding.victim.holder),
                     finding.victim.type);
}

}  // namespace geist::findings

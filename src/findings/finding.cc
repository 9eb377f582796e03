#include "findings/finding.h"

#include <array>
#include <utility>

namespace geist::findings {
namespace {

constexpr std::array<std::pair<Level, std::string_view>, 5> kLevels{{
    {Level::kLatent, "latent"},
    {Level::kSuspect, "suspect"},
    {Level::kLikely, "likely"},
    {Level::kConfirmed, "confirmed"},
    {Level::kProved, "proved"},
}};

}  // namespace

std::string_view level_name(Level level) {
  for (const auto& [value, name] : kLevels) {
    if (value == level) return name;
  }
  return "unknown";
}

std::optional<Level> find_level(std::string_view name) {
  for (const auto& [value, level_text] : kLevels) {
    if (level_text == name) return value;
  }
  return std::nullopt;
}

std::string_view holder_name(Holder holder) {
  switch (holder) {
    case Holder::kHeap:
      return "heap";
    case Holder::kGlobal:
      return "global";
    case Holder::kStack:
      return "stack";
    case Holder::kRegister:
      return "register";
  }
  return "unknown";
}

}  // namespace geist::findings

#include "findings/losses.h"

#include <algorithm>
#include <array>

namespace geist::findings {
namespace {

struct Loss {
  std::string_view name;
  Severity severity;
  std::string_view help;
};

constexpr Severity info = Severity::kInfo, loss = Severity::kLoss, error = Severity::kError;
constexpr Loss kLosses[] = {
#define GEIST_LOSS(name, severity, help) {#name, severity, help},
#include "findings/loss.inc"
#undef GEIST_LOSS
};

constexpr bool all_are_explained() {
  return std::ranges::none_of(kLosses, [](const Loss& row) { return row.help.empty(); });
}
static_assert(all_are_explained());

const Loss* find_loss(std::string_view name) {
  const auto* found = std::ranges::find(kLosses, name, &Loss::name);
  return found == std::end(kLosses) ? nullptr : found;
}

}  // namespace

std::string_view severity_name(Severity severity) {
  constexpr std::array<std::string_view, 3> kNames{"info", "loss", "error"};
  return kNames[static_cast<usize>(severity)];
}

Severity severity_of_loss(std::string_view name) {
  const Loss* known = find_loss(name);
  return known == nullptr ? Severity::kLoss : known->severity;
}

std::string_view help_of_loss(std::string_view name) {
  const Loss* known = find_loss(name);
  return known == nullptr ? std::string_view() : known->help;
}

}  // namespace geist::findings

// What was not looked at, by name: loss.inc is the catalogue.
#pragma once

#include <string_view>

#include "base/ints.h"

namespace geist::findings {

enum class Severity : u8 { kInfo, kLoss, kError };

// "info", "loss", "error".
std::string_view severity_name(Severity severity);
// Of a counter in Report::lost. One that this geist does not know (of another release's report)
// counts as a loss.
Severity severity_of_loss(std::string_view name);
// The sentence that explains it; empty when it is not known.
std::string_view help_of_loss(std::string_view name);

}  // namespace geist::findings

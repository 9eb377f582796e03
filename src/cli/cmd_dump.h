// geist dump NOUN FILE...: facts in a stable text form, for tests. Hidden from users.
#pragma once

#include <string>
#include <vector>

namespace geist::cli {

int cmd_dump(const std::vector<std::string>& operands);

}  // namespace geist::cli

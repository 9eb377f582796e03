// Small files that are taken as a whole.
#pragma once

#include <string>

#include "base/result.h"

namespace geist {

// Fails with the path and what the system said.
Result<std::string> read_text_file(const std::string& path);

}  // namespace geist

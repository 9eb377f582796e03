// Paths in profiles, as pprof shows them.
#pragma once

#include <string>
#include <string_view>

namespace geist::profile {

// Go's filepath.Clean of a path without the prefixes that build systems leave; empty stays empty.
std::string clean_path(std::string_view path);

}  // namespace geist::profile

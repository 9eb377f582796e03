// Names of Go functions: as people write them, which package they belong to, and whether that is
// the standard library. Source: cmd/go's rule that the first element of a module path has a dot,
// while standard packages have none; "main" is the program's own.
#pragma once

#include <string>
#include <string_view>

namespace geist {

// "encoding/json" of "encoding/json.(*Decoder).Decode"; escapes like %2e are left as they are.
std::string_view package_of(std::string_view function);
// As people write it, without the path of its package: "echo.(*Group).add",
// "yaml.v3.(*Decoder).Decode".
std::string short_function(std::string_view function);
bool is_standard_library(std::string_view function);

}  // namespace geist

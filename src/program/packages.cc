#include "program/packages.h"

namespace geist::program {

std::string_view package_of(std::string_view function) {
  // Type arguments may hold slashes and dots of their own: "slices.Insert[go.shape.[]a.com/b.T]".
  std::string_view name = function.substr(0, function.find('['));
  auto slash = name.rfind('/');
  auto dot = name.find('.', slash == std::string_view::npos ? 0 : slash);
  return dot == std::string_view::npos ? name : name.substr(0, dot);
}

bool is_standard_library(std::string_view function) {
  std::string_view package = package_of(function);
  std::string_view first = package.substr(0, package.find('/'));
  return first != "main" && first != "command-line-arguments" && first.find('.') == std::string_view::npos;
}

}  // namespace geist::program

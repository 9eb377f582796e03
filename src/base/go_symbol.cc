#include "base/go_symbol.h"

#include "base/ints.h"

namespace geist {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// cmd/internal/objabi/path.go (PathToPrefix) escapes the dots of the last path element: "yaml%2ev3"
// -> "yaml.v3"
std::string unescape_prefix(std::string_view name) {
  std::string out;
  for (usize i = 0; i < name.size(); i++) {
    if (name[i] == '%' && i + 2 < name.size()) {
      int high = hex_digit(name[i + 1]);
      int low = hex_digit(name[i + 2]);
      if (high >= 0 && low >= 0) {
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
        continue;
      }
    }
    out.push_back(name[i]);
  }
  return out;
}

}  // namespace

std::string_view package_of(std::string_view function) {
  // Type arguments may hold slashes and dots of their own: "slices.Insert[go.shape.[]a.com/b.T]".
  std::string_view name = function.substr(0, function.find('['));
  auto slash = name.rfind('/');
  auto dot = name.find('.', slash == std::string_view::npos ? 0 : slash);
  return dot == std::string_view::npos ? name : name.substr(0, dot);
}

std::string short_function(std::string_view function) {
  // Type arguments and receivers may hold paths of their own; the package's path ends in front of
  // them.
  usize bound = function.find_first_of("([");
  usize slash = function.rfind('/', bound);
  return unescape_prefix(slash == std::string_view::npos ? function : function.substr(slash + 1));
}

bool is_standard_library(std::string_view function) {
  std::string_view package = package_of(function);
  std::string_view first = package.substr(0, package.find('/'));
  return first != "main" && first != "command-line-arguments" &&
         first.find('.') == std::string_view::npos;
}

}  // namespace geist

// Names as a person reads them: functions without the path of their package, files relative to
// where their reader stands, values without bytes that a terminal would obey.
//
//   github.com/labstack/echo.(*Group).add            ->  echo.(*Group).add
//   gopkg.in/yaml%2ev3.(*Decoder).Decode             ->  yaml.v3.(*Decoder).Decode
//   /home/u/go/pkg/mod/github.com/x/y@v1.2.0/z/a.go  ->  z/a.go
//   /usr/local/go/src/fmt/print.go                   ->  fmt/print.go
//
// Values and paths come from the target: nothing in them is trusted to be
// text.
#include <fmt/format.h>

#include "program/packages.h"
#include "report/report.h"

namespace geist::report {
namespace {

// Bytes of the UTF-8 sequence at `at`, or 0 when it is not one (overlong forms and surrogates are
// not looked for: a terminal shows them as it shows any unknown character).
usize sequence_length(std::string_view text, usize at) {
  u8 lead = static_cast<u8>(text[at]);
  usize length = lead < 0x80                   ? 1
                 : lead >= 0xc2 && lead < 0xe0 ? 2
                 : (lead & 0xf0) == 0xe0       ? 3
                 : lead >= 0xf0 && lead < 0xf5 ? 4
                                               : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (usize i = 1; i < length; i++) {
    if ((static_cast<u8>(text[at + i]) & 0xc0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

std::optional<std::string> find_rest(const std::string& path, std::string directory) {
  while (!directory.empty() && directory.back() == '/') directory.pop_back();
  if (directory.empty() || path.size() <= directory.size() + 1) return std::nullopt;
  if (path.compare(0, directory.size(), directory) != 0 || path[directory.size()] != '/')
    return std::nullopt;
  return path.substr(directory.size() + 1);
}

PlacedName split_place(std::string_view text) {
  constexpr std::string_view kIn = " in ";
  bool in_key = false;
  for (usize i = 0; i < text.size(); ++i) {
    if (text[i] == '"') in_key = !in_key;
    if (!in_key && text.substr(i).starts_with(kIn))
      return {text.substr(0, i), text.substr(i + kIn.size())};
  }
  return {text, {}};
}

std::string short_function(const std::string& function) {
  return program::short_function(function);
}

std::string base_name(const std::string& file) {
  usize slash = file.rfind('/');
  return slash == std::string::npos ? file : file.substr(slash + 1);
}

std::string short_file(const std::string& file, const judge::Target& target,
                       const TextOptions& options) {
  if (auto rest = find_rest(file, options.strip_path_prefix)) return *rest;
  if (auto rest = find_rest(file, target.module_dir_hint)) return *rest;
  if (!target.goroot.empty()) {
    if (auto rest = find_rest(file, target.goroot + "/src")) return *rest;
  }
  // A dependency: everything up to ".../name@version/" is its module root, with and without
  // -trimpath.
  usize at = file.rfind('@');
  if (at != std::string::npos) {
    usize slash = file.find('/', at);
    if (slash != std::string::npos && slash + 1 < file.size()) return file.substr(slash + 1);
  }
  // The main module built with -trimpath.
  if (auto rest = find_rest(file, target.module)) return *rest;
  return file;
}

usize display_width(std::string_view text) {
  usize columns = 0;
  for (char c : text) {
    if ((static_cast<u8>(c) & 0xc0) != 0x80) columns++;
  }
  return columns;
}

std::string printable(std::string_view text) {
  std::string out;
  for (usize i = 0; i < text.size();) {
    usize length = sequence_length(text, i);
    u8 byte = static_cast<u8>(text[i]);
    bool is_control = length == 1 && (byte < 0x20 || byte == 0x7f);
    // U+0080..U+009F are control characters too; some terminals obey them.
    is_control = is_control || (length == 2 && byte == 0xc2 && static_cast<u8>(text[i + 1]) < 0xa0);
    if (byte == '\t') {
      out.push_back(' ');
      i++;
    } else if (length == 0 || is_control) {
      for (usize end = i + std::max<usize>(length, 1); i < end; i++) {
        out += fmt::format("\\x{:02x}", static_cast<u8>(text[i]));
      }
    } else {
      out.append(text.substr(i, length));
      i += length;
    }
  }
  return out;
}

std::string describe_length(const judge::Victim& victim) {
  return victim.len != 0 ? fmt::format("len {}", victim.len) : "length not known";
}

std::string clip(const std::string& text, usize width) {
  if (display_width(text) <= width) return text;
  if (width == 0) return "";
  std::string out;
  usize columns = 0;
  for (usize i = 0; i < text.size(); i++) {
    bool starts = (static_cast<u8>(text[i]) & 0xc0) != 0x80;
    if (starts && ++columns == width) break;
    out.push_back(text[i]);
  }
  return out + "…";
}

}  // namespace geist::report

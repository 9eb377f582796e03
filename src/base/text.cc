#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace geist {
std::string base_name(const std::string& file) {
  usize slash = file.rfind('/');
  return slash == std::string::npos ? file : file.substr(slash + 1);
}

usize display_width(std::string_view text) {
  usize columns = 0;
  for (char c : text) {
    if ((static_cast<u8>(c) & 0xc0) != 0x80) columns++;
  }
  return columns;
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

std::string quote_for_shell(const std::string& word) {
  bool is_plain =
      !word.empty() && word.find_first_of(" \t\n'\"\\$`*?[]{}()<>|&;#~!") == std::string::npos;
  if (is_plain) return word;
  std::string out = "'";
  for (char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string human_size(u64 bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  usize unit = 0;
  while (value >= 1023.5 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  if (unit == 0) return fmt::format("{} B", bytes);
  return value < 10 ? fmt::format("{:.1f} {}", value, kUnits[unit])
                    : fmt::format("{:.0f} {}", value, kUnits[unit]);
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace geist

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace geist {
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

}  // namespace geist

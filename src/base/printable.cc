#include "base/printable.h"

#include <algorithm>
#include <array>

#include "base/ints.h"

namespace geist {
namespace {

// SGR sequences of ECMA-48: reset, bold, bold red, green.
constexpr std::array<std::string_view, 4> kPaints{"\x1b[0m", "\x1b[1m", "\x1b[1;31m", "\x1b[32m"};

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

void append_hex(u8 byte, std::string* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  *out += "\\x";
  *out += kDigits[byte >> 4];
  *out += kDigits[byte & 15];
}

// The character at `at`, as a terminal may see it. How many bytes it was.
usize append_character(std::string_view text, usize at, std::string* out) {
  const usize length = sequence_length(text, at);
  const u8 byte = static_cast<u8>(text[at]);
  bool is_control = length == 1 && (byte < 0x20 || byte == 0x7f);
  // U+0080..U+009F are control characters too; some terminals obey them.
  is_control = is_control || (length == 2 && byte == 0xc2 && static_cast<u8>(text[at + 1]) < 0xa0);
  const usize used = std::max<usize>(length, 1);
  if (length != 0 && !is_control)
    out->append(text.substr(at, length));
  else
    for (usize i = at; i < at + used; ++i) append_hex(static_cast<u8>(text[i]), out);
  return used;
}

usize paint_length(std::string_view text) {
  for (std::string_view paint : kPaints) {
    if (text.starts_with(paint)) return paint.size();
  }
  return 0;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (usize at = 0; at < text.size();) {
    if (text[at] == '\t') {
      out += ' ';
      ++at;
    } else {
      at += append_character(text, at, &out);
    }
  }
  return out;
}

Printable printable_lines(std::string_view text, bool with_colors) {
  Printable made;
  std::string& out = made.text_;
  out.reserve(text.size());
  for (usize at = 0; at < text.size();) {
    usize kept = text[at] == '\n' || text[at] == '\t' ? 1 : 0;
    if (kept == 0 && with_colors) kept = paint_length(text.substr(at));
    out.append(text.substr(at, kept));
    at += kept != 0 ? kept : append_character(text, at, &out);
  }
  return made;
}

}  // namespace geist

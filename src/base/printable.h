// Text that a terminal may be given. Names, paths, values and messages come from programs and files
// that nobody vouches for, and a terminal obeys what it is told: so cli/print.h takes nothing but
// this, and only the functions below and the literals of our own source make it.
#pragma once

#include <string>
#include <string_view>

namespace geist {

// A string literal: no other text can become one, for it must be known when geist is compiled.
struct Literal {
  consteval Literal(const char* literal) : text(literal) {}
  std::string_view text;
};

class Printable {
 public:
  Printable() = default;
  Printable(Literal literal) : text_(literal.text) {}
  const std::string& text() const { return text_; }

 private:
  friend Printable printable_lines(std::string_view text, bool with_colors);
  std::string text_;
};

// One line, to be put into others: control characters and bytes that are not UTF-8 become \xNN, a
// tab becomes a space.
std::string printable(std::string_view text);
// Lines: the same, but newlines and tabs stay. `with_colors`: so do the colours that geist itself
// uses (kPaints in the .cc), which change no more than how text looks.
Printable printable_lines(std::string_view text, bool with_colors = false);

}  // namespace geist

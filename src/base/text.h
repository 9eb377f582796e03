// Text for people. What it is made of comes from a target or its files, and nothing in those is
// trusted to be text.
#pragma once

#include <string>
#include <string_view>

#include "base/ints.h"
#include "base/printable.h"

namespace geist {

// Last element of a path; the whole of it when there is no slash.
std::string base_name(const std::string& file);
// Columns a string takes on a terminal: code points, not bytes.
usize display_width(std::string_view text);
// As one word for a shell, quoted only where it must be.
std::string quote_for_shell(const std::string& word);
// At most `width` columns, the last one '…' when something was cut.
std::string clip(const std::string& text, usize width);

// "17 B", "1.5 KiB", "310 MiB".
std::string human_size(u64 bytes);

// As text of an HTML page, also within quotes.
std::string escape_html(std::string_view text);

}  // namespace geist

// The words of a StopPoint (program/location_text.h) in the words of a debugger. A report is a file
// from anywhere and a script runs with its reader's rights: what is not exactly of the grammar is
// refused, and nothing else of a report gets into a script but as a quoted text or a comment.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "report/report.h"

namespace geist::report {

// gdb: a Python expression over word(address), reg(name) and image; dlv: an expression of its own.
// Nothing for a text that is not of the grammar, is deeper than 4 or longer than 80 bytes.
std::optional<std::string> translate_location(std::string_view text, Debugger debugger);

}  // namespace geist::report

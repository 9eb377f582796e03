#include "judge/sources.h"

#include "judge/fingerprint.h"

namespace geist::judge {
namespace {

void add_lines(std::vector<Frame>& frames, program::SourceCache& sources) {
  for (Frame& frame : frames) frame.source = sources.line_text(frame.file, frame.line);
}

}  // namespace

void add_sources(std::vector<Finding>& findings, program::SourceCache& sources) {
  for (Finding& f : findings) {
    add_lines(f.append_stack, sources);
    add_lines(f.reader_stack, sources);
    if (f.append_stack.empty()) continue;
    const program::SourceText* text = sources.find_file(f.append_stack[0].file);
    if (text == nullptr) continue;
    i32 line = f.append_stack[0].line;
    if (std::optional<std::string> fix = program::derive_append_fix(*text, line)) f.fix = *fix;
    std::optional<program::AppendCall> call = program::find_append_operand(*text, line);
    // Two appends of one function differ in their text; their lines move with every edit above them.
    if (call) f.fingerprint = fingerprint_of(f.fingerprint + "|" + call->call);
    constexpr usize kLongestLabel = 24;
    if (call && !f.drawing.empty() && call->operand.size() <= kLongestLabel) f.drawing[0].label = call->operand;
  }
}

}  // namespace geist::judge

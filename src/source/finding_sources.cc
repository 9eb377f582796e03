#include "source/finding_sources.h"

#include "findings/fingerprint.h"

namespace geist::source {
namespace {

void add_lines(std::vector<findings::Frame>& frames, SourceCache& sources) {
  for (findings::Frame& frame : frames) frame.source = sources.line_text(frame.file, frame.line);
}

// What it takes to be cured: the changed call, and as a patch of the file below the root of its
// module.
void add_fix(findings::Finding& f, const SourceText& text, const SourceCache& sources) {
  const findings::Frame& site = f.append_stack[0];
  std::optional<std::string> path = sources.find_path(site.file);
  std::optional<SourceCache::Module> module = path ? sources.find_module(*path) : std::nullopt;
  int language = module ? module->language : 0;
  bool bytes = f.element_size <= 1;
  std::optional<AppendEdit> edit = find_append_edit(text, site.line, language, bytes);
  if (edit) f.fix = edit->call;
  if (!module || !path->starts_with(module->root + "/")) return;
  std::string inside = path->substr(module->root.size() + 1);
  std::optional<Patch> patch = derive_fix_patch(text, site.line, language, inside, bytes);
  if (patch) f.fix_diff = emit_patch(*patch);
}

}  // namespace

void add_sources(std::vector<findings::Finding>& findings, SourceCache& sources) {
  for (findings::Finding& f : findings) {
    add_lines(f.append_stack, sources);
    add_lines(f.reader_stack, sources);
    add_lines(f.victim.made_by, sources);
    if (f.append_stack.empty()) continue;
    const SourceText* text = sources.find_file(f.append_stack[0].file);
    if (text == nullptr) continue;
    i32 line = f.append_stack[0].line;
    add_fix(f, *text, sources);
    std::optional<AppendCall> call = find_append_operand(*text, line);
    // The fingerprint of earlier releases had the text of the append in it.
    if (call && !f.aliases.empty())
      f.aliases[0] = findings::old_fingerprint_of(f.aliases[0] + "|" + call->call);
    if (call) f.operand = call->operand;
    constexpr usize kLongestLabel = 24;
    if (call && !f.drawing.empty() && call->operand.size() <= kLongestLabel)
      f.drawing[0].label = call->operand;
  }
}

}  // namespace geist::source

// Where a fix belongs: an append of the module itself is changed there. One of the standard library
// nobody changes, and one of a dependency lies in a cache; there the caller hands over a slice of its
// own, and the other choice is told in words.
#include "source/finding_sources.h"

#include <fmt/format.h>

#include "base/go_symbol.h"
#include "findings/fingerprint.h"

namespace geist::source {
namespace {

void add_lines(std::vector<findings::Frame>& frames, SourceCache& sources) {
  for (findings::Frame& frame : frames) frame.source = sources.line_text(frame.file, frame.line);
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// "jsonparser.Delete" at "parser.go:707".
std::string describe_place(const findings::Frame& frame) {
  return fmt::format("{}:{}", base_name(frame.file), frame.line);
}

class FixFinder {
 public:
  FixFinder(findings::Finding& finding, SourceCache& sources) : f_(finding), sources_(sources) {}
  void run();

 private:
  struct Choice {
    std::string call;
    std::string diff;
  };
  std::optional<Choice> change(const findings::Frame& frame,
                               const std::optional<AppendEdit>& edit) const;
  std::optional<Choice> at_append() const;
  std::optional<Choice> at_call(usize caller) const;
  int language_of(const findings::Frame& frame) const;
  void take(const std::optional<Choice>& choice, const findings::Frame& frame);

  findings::Finding& f_;
  SourceCache& sources_;
};

int FixFinder::language_of(const findings::Frame& frame) const {
  std::optional<std::string> path = sources_.find_path(frame.file);
  std::optional<SourceCache::Module> module = path ? sources_.find_module(*path) : std::nullopt;
  return module ? module->language : 0;
}

// The edit, and as a patch of the file below the root of its module.
std::optional<FixFinder::Choice> FixFinder::change(const findings::Frame& frame,
                                                   const std::optional<AppendEdit>& edit) const {
  if (!edit) return std::nullopt;
  Choice choice{edit->call, ""};
  const SourceText* text = sources_.find_file(frame.file);
  std::optional<std::string> path = sources_.find_path(frame.file);
  std::optional<SourceCache::Module> module = path ? sources_.find_module(*path) : std::nullopt;
  if (!module || !path->starts_with(module->root + "/")) return choice;
  std::optional<Patch> patch = make_edit_patch(*text, *edit, path->substr(module->root.size() + 1));
  if (patch) choice.diff = emit_patch(*patch);
  return choice;
}

std::optional<FixFinder::Choice> FixFinder::at_append() const {
  const findings::Frame& site = f_.append_stack[0];
  const SourceText* text = sources_.find_file(site.file);
  if (text == nullptr) return std::nullopt;
  return change(site, find_append_edit(*text, site.line, language_of(site), f_.element_size <= 1,
                                       f_.element_type));
}

std::optional<FixFinder::Choice> FixFinder::at_call(usize caller) const {
  const findings::Frame& frame = f_.append_stack[caller];
  const SourceText* text = sources_.find_file(frame.file);
  if (text == nullptr) return std::nullopt;
  const bool is_callers = f_.victim.function == frame.function;
  return change(frame, find_call_edit(*text, frame.line, f_.append_stack[caller - 1].function,
                                      is_callers ? f_.victim.name : "", language_of(frame)));
}

void FixFinder::take(const std::optional<Choice>& choice, const findings::Frame& frame) {
  if (!choice) return;
  f_.fix = choice->call;
  f_.fix_diff = choice->diff;
  f_.fix_file = frame.file;
}

// An append of the module's own is changed itself. One of the standard library nobody changes, and
// one of a dependency can be changed in a copy of it, or be given a slice of its own.
void FixFinder::run() {
  const std::vector<findings::Frame>& stack = f_.append_stack;
  const bool is_librarys = is_standard_library(stack[0].function);
  const bool is_own = !is_librarys && sources_.is_own(stack[0].file);
  const std::optional<Choice> there = is_librarys ? std::nullopt : at_append();
  if (is_own) return take(there, stack[0]);
  usize caller = 1;
  while (caller < stack.size() &&
         (is_standard_library(stack[caller].function) || !sources_.is_own(stack[caller].file)))
    ++caller;
  const std::string dependency(package_of(stack[0].function));
  if (caller == stack.size()) return take(there, stack[0]);
  const std::optional<Choice> here = at_call(caller);
  if (!here) {
    take(there, stack[0]);
    f_.fix_elsewhere =
        fmt::format("in {}: give {} a slice that nobody else has, such as slices.Clone makes",
                    describe_place(stack[caller]), short_function(stack[caller - 1].function));
    return;
  }
  take(here, stack[caller]);
  if (there)
    f_.fix_elsewhere =
        fmt::format("in {} ({}): {}", dependency, describe_place(stack[0]), there->call);
}

// A victim that no variable leads to is known by what its maker's line assigns to.
void name_victim(findings::Victim& victim, SourceCache& sources) {
  if (!victim.name.empty() || victim.made_by.empty()) return;
  const findings::Frame* frame = &victim.made_by.back();
  for (const findings::Frame& inner : victim.made_by) {
    if (inner.function == victim.function) frame = &inner;
  }
  const SourceText* text = sources.find_file(frame->file);
  const std::optional<std::string> assigned =
      text == nullptr ? std::nullopt : find_assigned(*text, frame->line);
  if (assigned)
    victim.name = *assigned + "…";
  else if (!frame->file.empty())
    victim.name = "set at " + describe_place(*frame);
}

}  // namespace

void add_sources(std::vector<findings::Finding>& findings, SourceCache& sources) {
  for (findings::Finding& f : findings) {
    add_lines(f.append_stack, sources);
    add_lines(f.reader_stack, sources);
    add_lines(f.victim.made_by, sources);
    for (findings::Stack& stack : f.stacks) {
      add_lines(stack.frames, sources);
      add_lines(stack.made_at, sources);
    }
    if (!f.stacks.empty()) continue;
    name_victim(f.victim, sources);
    // What is said of the source below is about appends.
    if (f.append_stack.empty() || f.finding_class == "buffer_reuse" ||
        f.finding_class == "stale_slice")
      continue;
    FixFinder(f, sources).run();
    const SourceText* text = sources.find_file(f.append_stack[0].file);
    if (text == nullptr) continue;
    i32 line = f.append_stack[0].line;
    std::optional<AppendCall> call = find_append_operand(*text, line);
    // The fingerprint of earlier releases had the text of the append in it.
    if (call && !f.aliases.empty())
      f.aliases[0] = findings::old_fingerprint_of(f.aliases[0] + "|" + call->call);
    if (call) f.operand = call->operand;
    const bool is_other_result = f.victim.name.empty() && !f.victim.made_by_note.empty();
    if (is_other_result && call) f.victim.name = "an earlier append to " + call->operand;
    constexpr usize kLongestLabel = 24;
    if (call && !f.drawing.empty() && call->operand.size() <= kLongestLabel)
      f.drawing[0].label = call->operand;
  }
}

}  // namespace geist::source

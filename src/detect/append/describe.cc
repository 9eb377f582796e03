// Every field of a finding is something that was seen: in the event, in the process, or in the
// binary's tables.
#include "detect/append/describe.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/go_symbol.h"
#include "detect/append/stop_point.h"
#include "findings/fingerprint.h"
#include "judge/names.h"
#include "judge/values.h"
#include "probe/heal_choice.h"
#include "program/header_words.h"
#include "sites/names.h"

namespace geist::detect::append {

using judge::HolderName;
using judge::ValuePrinter;

namespace {

constexpr usize kMaxStackLines = 12;

void add_source_frames(Context& context, const read::Function& function, ImageAddr pc,
                       std::vector<findings::Frame>& out) {
  for (const read::SourceFrame& source : context.binary.pclntab().source_frames(function, pc)) {
    findings::Frame frame;
    frame.function = std::string(source.function);
    frame.file = std::string(source.file);
    frame.line = source.line;
    frame.inlined = source.inlined;
    out.push_back(std::move(frame));
  }
}

// No name, or one that does not lead all the way.
bool is_vague(const std::string& name) {
  return name.empty() || name.ends_with("…") || name.ends_with("[key]") || name.starts_with("<-");
}

std::string_view name_of_function_at(const Context& context, ImageAddr pc) {
  const std::optional<read::Function> function = context.binary.pclntab().find_function(pc - 1);
  return function ? function->name : std::string_view();
}

// Where the changed bytes begin: the first element of the destination that the victim covers and
// that differs.
struct Changed {
  u64 dest_index = 0;  // element of the destination
  u64 offset = 0;      // byte of the destination
  bool found = false;
};

// [begin, end) of the bytes, as far as there are any.
ByteView part_of(ByteView bytes, u64 begin, u64 end) {
  end = std::min<u64>(end, bytes.size());
  return begin < end ? bytes.subspan(begin, end - begin) : ByteView();
}

Changed find_changed(const Overwrite& c, const View& view, ByteView after) {
  const abi::Event& e = *c.event;
  usize known = std::min<usize>(e.old_size, after.size());
  for (u64 offset = 0; offset < known; ++offset) {
    u64 address = e.append.dest + offset;
    bool covered = address >= view.ptr && address < view.end(e.append.elem_size);
    if (covered && after[offset] != e.old_bytes[offset])
      return {offset / e.append.elem_size, offset, true};
  }
  return {};
}

}  // namespace

std::vector<findings::Frame> access_stack(Context& context, const Access& access) {
  std::vector<findings::Frame> out;
  for (usize i = access.actor; i < access.frames.size() && out.size() < kMaxStackLines; ++i) {
    const heap::StackFrame& frame = access.frames[i];
    // The first frame stands behind the access, unless a helper made it; a return address is looked
    // up before it.
    const ImageAddr pc = i == 0 && access.insn ? access.insn : frame.lookup_pc();
    if (frame.function.name == "runtime.main" || frame.function.name == "runtime.goexit") continue;
    add_source_frames(context, frame.function, pc, out);
  }
  return out;
}

std::vector<findings::Frame> Describer::append_stack(const Append& append) const {
  std::vector<findings::Frame> out;
  const sites::AppendSite& site = append.site->site;
  add_source_frames(context_, context_.binary.pclntab().function(site.function), site.call, out);
  for (usize i = 1; i < append.frames.size() && out.size() < kMaxStackLines; ++i) {
    const heap::StackFrame& frame = append.frames[i];
    if (frame.function.name == "runtime.main" || frame.function.name == "runtime.goexit") continue;
    add_source_frames(context_, frame.function, frame.lookup_pc(), out);
  }
  return out;
}

void Describer::describe_values(const Overwrite& c, const Candidate& candidate, ByteView after,
                                findings::Finding& f) const {
  const abi::Event& e = *c.event;
  const View& view = candidate.view;
  ImageAddr type = c.append.site->site.type_addr;
  Changed changed = find_changed(c, view, after);
  u64 size = e.append.elem_size;
  u64 address = e.append.dest + changed.dest_index * size;
  f.element_index = (address - view.ptr) / size;
  ByteView old{e.old_bytes, e.old_size};
  ValuePrinter printer(context_);
  if (size == 1) {
    // A byte says nothing: the run from the first changed one that the victim sees.
    const u64 end =
        std::min(c.append.dest_end(), std::max(view.end(1), e.append.dest)) - e.append.dest;
    ByteView old_run = part_of(old, changed.offset, end);
    ByteView new_run = part_of(after, changed.offset, end);
    if (old_run.empty() || new_run.size() != old_run.size()) return;
    f.before = ValuePrinter::print_bytes(old_run);
    f.after = ValuePrinter::print_bytes(new_run);
    f.before_hex = ValuePrinter::hex(old_run);
    f.after_hex = ValuePrinter::hex(new_run);
    return;
  }
  u64 offset = changed.dest_index * size;
  std::optional<ByteView> old_element = find_part(old, offset, size);
  std::optional<ByteView> new_element = find_part(after, offset, size);
  if (!old_element) return;
  bool kept = changed.dest_index < c.before.size();
  f.before = kept ? c.before[changed.dest_index] : printer.print(*old_element, type);
  f.before_hex = ValuePrinter::hex(*old_element);
  if (!new_element) return;
  f.after = printer.print(*new_element, type);
  f.after_hex = ValuePrinter::hex(*new_element);
}

// A header that the compiler put into a heap box of its own (it is handed to an interface later):
// the variable with the same pointer and length in a frame of the stack is the one.
void Describer::name_by_value(const Overwrite& c, const View& view, findings::Victim& v) const {
  if (context_.debug == nullptr) return;
  for (usize i = 1; i < c.append.frames.size(); ++i) {
    const heap::StackFrame& frame = c.append.frames[i];
    for (const read::Variable& variable :
         context_.debug->variables_at(frame.lookup_pc(), frame.pc)) {
      if (variable.type == nullptr || variable.type->kind != read::Kind::kSlice) continue;
      std::optional<u64> ptr, len;
      for (const read::Piece& piece : variable.pieces) {
        if (piece.where != read::Piece::Where::kCfa) continue;
        TargetAddr at = frame.cfa + static_cast<u64>(piece.offset);
        if (piece.byte_offset == 0) ptr = c.append.stack.find_word(at);
        if (piece.byte_offset <= 8 && piece.byte_offset + piece.size_bytes >= 16)
          len = c.append.stack.find_word(at + (8 - piece.byte_offset));
      }
      if (ptr != view.ptr || (len && *len != view.len)) continue;
      v.name = variable.name;
      v.type = variable.type->name;
      v.function = variable.function;
      return;
    }
  }
}

void Describer::name_by_path(const View& view, findings::Victim& v) const {
  std::string path = context_.find_heap_path(view);
  if (path.empty()) return;
  v.name = std::move(path);
  v.function.clear();  // the path says where it begins
}

// The call that the victim is a result of, where the code of its frame says so.
void Describer::describe_maker(const Overwrite& c, const View& view, findings::Victim& v) const {
  const sites::AppendSite& site = c.append.site->site;
  auto add = [&](const read::Function& function, ImageAddr pc, i64 slot) {
    const std::optional<program::HeaderWords> words =
        program::find_header_words(context_.codes, function, pc, slot, c.event->append.elem_size);
    if (words && words->made_by) add_source_frames(context_, function, words->made_by, v.made_by);
  };
  if (view.same_frame) {
    for (const sites::LivePointer& pointer : site.live_pointers) {
      if (v.made_by.empty() && pointer.at_branch == view.ptr_from)
        add(context_.binary.pclntab().function(site.function), site.behind_call(), pointer.slot);
    }
    return;
  }
  for (const heap::StackFrame& frame : c.append.frames) {
    const bool is_own =
        judge::make_activation(frame, c.event->g, TargetAddr(c.event->stack_hi)) == view.frame;
    if (is_own && view.ptr_word && v.made_by.empty())
      add(frame.function, frame.pc, static_cast<i64>(view.ptr_word - frame.sp));
  }
}

// Where a debugger finds the victim's words again: what a stack frame of this goroutine holds is at
// the same place of the frame in every run, a global at its address.
void Describer::describe_place(const Overwrite& c, const View& view,
                               findings::StopPoint& stop) const {
  using Kind = program::ValueLocation::Kind;
  if (view.same_frame && view.told_by_code) {
    stop.victim_array = program::location_text(view.ptr_from);
    stop.victim_len = program::location_text(view.len_from);
    return;
  }
  const auto add = [&](Kind kind, TargetAddr base) {
    const auto text = [&](TargetAddr word) {
      return program::location_text({.kind = kind, .disp = static_cast<i64>(word - base)});
    };
    stop.victim_array = text(view.ptr_word);
    if (view.len_word) stop.victim_len = text(view.len_word);
  };
  if (!view.ptr_word) return;
  if (view.holder == findings::Holder::kGlobal)
    return add(Kind::kGlobal, context_.bias().to_target(ImageAddr()));
  if (view.holder != findings::Holder::kStack) return;
  for (usize i = 0; i < c.append.frames.size(); ++i) {
    const heap::StackFrame& frame = c.append.frames[i];
    if (judge::make_activation(frame, c.event->g, TargetAddr(c.event->stack_hi)) != view.frame)
      continue;
    stop.victim_frame = i;
    return add(Kind::kStackSlot, frame.sp);
  }
}

// As far as a name can be found that leads to it; else where it was set.
void Describer::name_victim(const Overwrite& c, const View& view, findings::Victim& v) const {
  HolderName name = find_holder_name(context_, c.append, view);
  const bool is_in_heap = view.holder == findings::Holder::kHeap;
  if (!name.name.empty()) {
    v.name = name.name;
    v.function = name.function;
  }
  if (!name.type.empty()) v.type = name.type;
  if (v.name.empty() && is_in_heap) name_by_value(c, view, v);
  if (is_vague(v.name) && is_in_heap && context_.find_heap_path) name_by_path(view, v);
  if (!v.name.empty()) return;
  if (name.set_at) {
    add_source_frames(context_, *name.set_in, name.set_at, v.made_by);
    v.function = std::string(name.set_in->name);
    return;
  }
  // What begins where the operand does and goes on behind it was made by appending to it.
  const abi::AppendFacts& facts = c.event->append;
  // Of the appending frame's own words whose length is not known, only another result is a view.
  const bool is_other_result =
      view.len_known ? view.ptr == facts.old_ptr && view.len > c.append.old_len() : view.same_frame;
  if (is_other_result) v.made_by_note = "an append to the same slice, earlier";
}

// The frame that a variable is in.
void Describer::place_victim(const View& view, findings::Victim& v) const {
  if (v.function.empty()) v.function = view.function;
  std::optional<read::Function> function = context_.binary.pclntab().find_function(view.pc - 1);
  if (!function) return;
  for (const read::SourceFrame& line :
       context_.binary.pclntab().source_frames(*function, view.pc - 1)) {
    if (line.function != v.function) continue;
    v.file = std::string(line.file);
    v.line = line.line;
  }
}

void Describer::describe_victim(const Overwrite& c, const Candidate& candidate,
                                findings::Finding& f) const {
  const View& view = candidate.view;
  findings::Victim& v = f.victim;
  v.holder = view.holder;
  v.len = view.len_known ? view.len : 0;
  v.cap = view.cap;
  if (view.ptr_word) v.address = fmt::format("{:#x}", view.ptr_word.value);
  v.name = view.name;
  v.type = view.type;
  const bool in_memory =
      view.holder == findings::Holder::kHeap || view.holder == findings::Holder::kGlobal;
  // What a library calls the slice that it was given says nothing to who gave it.
  const bool is_librarys = is_standard_library(view.function) &&
                           !is_standard_library(name_of_function_at(context_, view.pc));
  if (in_memory || view.name.empty() || is_librarys) name_victim(c, view, v);
  if (!in_memory) place_victim(view, v);
  if (!in_memory && !view.in_stack_object) describe_maker(c, view, v);
  const bool is_shape = v.type.find("go.shape.") != std::string::npos;
  if ((v.type.empty() || is_shape) && !f.element_type.empty()) v.type = "[]" + f.element_type;
}

void Describer::draw(const Overwrite& c, const Candidate& candidate, findings::Finding& f) const {
  const abi::Event& e = *c.event;
  const View& view = candidate.view;
  u64 size = e.append.elem_size;
  u64 base = std::min(e.append.old_ptr, view.ptr);
  f.array_address = fmt::format("{:#x}", base);
  f.array_capacity = (e.append.old_ptr + e.append.cap * size - base) / size;
  i64 operand = static_cast<i64>((e.append.old_ptr - base) / size);
  i64 victim = static_cast<i64>((view.ptr - base) / size);
  const bool is_append = !c.identity;
  if (is_append) f.drawing.push_back({"operand", operand, c.append.old_len(), e.append.cap});
  if (view.len_known) f.drawing.push_back({"victim", victim, view.len, view.cap});
  f.drawing.push_back(
      {is_append ? "this append" : "this copy", operand, e.append.new_len, e.append.cap});
}

findings::Finding Describer::describe(const Overwrite& c, const Candidate& candidate,
                                      findings::Level level, ByteView after) const {
  const abi::Event& e = *c.event;
  const sites::AppendSite& site = c.append.site->site;
  findings::Finding f;
  f.rule = c.rule;
  f.finding_class = c.finding_class;
  f.level = level;
  f.count = e.hit;
  f.goroutine = fmt::format("{}", e.goid);
  f.pc = fmt::format("{:#x}", site.call.value);
  if (!c.identity) f.stop = stop_point_of(site);
  f.append_stack = append_stack(c.append);
  if (!c.identity && probe::why_not_healable(site).empty())
    f.heal = sites::name_of(context_.binary, site).text();
  if (f.append_stack[0].inlined) {
    f.inlined_into = std::string(context_.binary.pclntab().function(site.function).name);
  }
  f.element_size = e.append.elem_size;
  if (site.type_addr) {
    Result<read::GoType> type = context_.binary.types().read(site.type_addr);
    if (type.ok()) f.element_type = type->name;
  }
  f.old_len = c.append.old_len();
  f.added = e.append.num;
  f.cap = e.append.cap;
  // Not those that are copies of one which was found first.
  for (usize i = 0; i < c.candidates.size(); ++i) f.sharing += c.candidates[i].family == i ? 1 : 0;
  describe_values(c, candidate, after, f);
  describe_victim(c, candidate, f);
  if (!c.identity) describe_place(c, candidate.view, f.stop);
  draw(c, candidate, f);
  if (!c.test.empty()) f.tests.push_back(c.test);
  if (candidate.reader) {
    f.reader_stack = access_stack(context_, *candidate.reader);
    f.reader_goroutine = candidate.reader_goroutine;
  }
  name_bug(c, f);
  return f;
}

// In Go's own code nobody repairs an append: the bug is the call from outside that it came by, and
// which append it ends in differs between releases.
std::string Describer::place_of(const Overwrite& c) const {
  const Append& append = c.append;
  sites::AppendIdentities& identities = context_.identities;
  const sites::AppendSite& site = append.site->site;
  const read::Pclntab& functions = context_.binary.pclntab();
  std::vector<read::SourceFrame> frames =
      functions.source_frames(functions.function(site.function), site.call);
  if (!sites::is_gos_own(context_.binary, frames.front().function)) {
    const sites::AppendIdentity identity = c.identity ? *c.identity : identities.of(site);
    return fmt::format("{}|{}", identity.function, identity.ordinal);
  }
  std::string entry;
  for (usize i = 1;; ++i) {
    for (const read::SourceFrame& frame : frames) {
      const std::string function = identities.declaring(frame);
      if (!sites::is_gos_own(context_.binary, frame.function)) return function + "|" + entry;
      entry = function;
    }
    if (i >= append.frames.size()) return entry;
    const heap::StackFrame& frame = append.frames[i];
    frames = functions.source_frames(frame.function, frame.lookup_pc());
  }
}

void Describer::name_bug(const Overwrite& c, findings::Finding& f) const {
  const std::string place = place_of(c);
  f.fingerprint = findings::fingerprint_of(f.rule + "|" + place);
  // The text of the append is added to this one where the source is: see source/finding_sources.cc.
  f.aliases.push_back(findings::old_fingerprint_of(
      fmt::format("{}|{}|{}|{}|{}", f.rule, f.append_stack[0].function, f.element_type,
                  findings::holder_name(f.victim.holder), f.victim.type)));
  if (const auto full = sites::with_import_path(context_.binary, place)) {
    f.aliases.push_back(f.fingerprint);
    f.fingerprint = findings::fingerprint_of(f.rule + "|" + *full);
  }
  f.site_code = sites::hash_site_code(context_.codes, c.append.site->site);
}

}  // namespace geist::detect::append

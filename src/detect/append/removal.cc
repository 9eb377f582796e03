// How a copy within an array becomes an append, and when its victim was read.
#include "detect/append/removal.h"

#include <algorithm>
#include <vector>

#include "heap/unwind.h"

namespace geist::detect::append {
namespace {

constexpr u64 kMostElementBytes = 1024;

// Where a removal copies from. memmove(to AX, from BX); typedslicecopy(type AX, to BX, _, from DI).
u64 source_of(const sites::AppendSite& site, const abi::Event& event) {
  return event.regs[site.old_ptr.reg == x86::kRbx ? x86::kRdi : x86::kRbx];
}

}  // namespace

const probe::ProbedSite* Removals::site_of(abi::Event& event) {
  const probe::ProbedSite& planned = context_.plan.sites[event.site];
  if (!planned.site.is_removal) return &planned;
  if (!planned.site.kept || !put_into_words(planned.site, event)) return nullptr;
  auto [known, is_new] = sites_.try_emplace(event.site, planned);
  known->second.site.type_addr = planned.site.array_elem;
  known->second.site.elem_size = event.append.elem_size;
  return &known->second;
}

// An array on the stack tells its place, one in the heap is an object. Where the type of the elements
// is not known one of them is taken out: the distance that is copied over.
bool Removals::put_into_words(const sites::AppendSite& site, abi::Event& event) const {
  abi::AppendFacts& facts = event.append;
  const bool is_typed = site.old_ptr.reg == x86::kRbx;  // typedslicecopy
  const u64 from = source_of(site, event), to = facts.dest;
  const u64 unit = facts.elem_size;
  u64 size = is_typed ? unit : from - to;
  if (!is_typed && site.array_elem)
    size = context_.binary.image().find_word(site.array_elem).value_or(0);  // abi.Type.Size_
  u64 begin = 0;
  if (site.array.kind == program::ValueLocation::Kind::kStackSlot) {
    begin = event.regs[x86::kRsp] + static_cast<u64>(site.array.disp);
  } else if (const std::optional<heap::Object> object = context_.spans.find_object(TargetAddr(to))) {
    begin = object->user.value;
  }
  const u64 bytes = facts.dest_size;
  const bool holds = begin != 0 && begin <= to && from > to && size != 0 &&
                     size <= kMostElementBytes && bytes % size == 0 && (to - begin) % size == 0 &&
                     to - begin < u64{1} << 32;
  if (!holds) return false;
  const u64 end = from + bytes;
  facts.old_ptr = begin;
  facts.num = bytes / size;
  facts.new_len = (to - begin) / size + facts.num;
  facts.elem_size = size;
  facts.cap = (end - begin) / size;
  return true;
}

std::optional<Chunk> find_changing(judge::Context& context, const judge::Append& append,
                                   const Chunk& part) {
  const u64 from = source_of(append.site->site, *append.event) + (part.at.value - append.dest());
  std::vector<u8> before(part.size), after(part.size);
  if (!context.memory.read(part.at, before) || !context.memory.read(TargetAddr(from), after))
    return std::nullopt;
  const auto change = std::ranges::mismatch(before, after).in1;
  if (change == before.end()) return std::nullopt;
  return Chunk{part.at + static_cast<u64>(change - before.begin()), 1};
}

judge::View make_kept_view(const judge::Append& append) {
  const abi::Event& event = *append.event;
  judge::View view;
  view.holder = findings::Holder::kStack;
  view.ptr = event.append.old_ptr;
  view.len = event.append.cap;
  view.len_known = false;
  view.told_by_source = true;
  view.name = append.site->site.kept->name;
  view.function = append.site->site.kept->function;
  view.pc = append.site->site.call;
  view.frame = append.activation();
  view.g = TargetAddr(event.g);
  view.goid = event.goid;
  view.stack_hi = TargetAddr(event.stack_hi);
  view.same_frame = true;
  return view;
}

judge::RouteAnswer find_kept_route(judge::Context& context, const judge::Append& append,
                                   const judge::Access& access) {
  const sites::KeptName& kept = *append.site->site.kept;
  auto has = [](const std::vector<i32>& lines, i32 line) {
    return std::ranges::binary_search(lines, line);
  };
  bool is_printed = false;
  for (usize i = 0; i < access.frames.size(); ++i) {
    const heap::StackFrame& frame = access.frames[i];
    if (!(access.activation(i) == append.activation())) {
      is_printed |= frame.function.name.starts_with("fmt.");
      continue;
    }
    const ImageAddr at = i == 0 ? access.insn : frame.pc - 1;
    for (const read::SourceFrame& source :
         context.binary.pclntab().source_frames(frame.function, at)) {
      if (source.file != kept.file || source.function != kept.function) continue;
      const bool is_read =
          has(kept.lines, source.line) || (is_printed && has(kept.shared_lines, source.line));
      if (is_read) return {judge::Route::kVictim, {}, false};
    }
    break;
  }
  return {};
}

}  // namespace geist::detect::append

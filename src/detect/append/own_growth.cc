// A victim that its holder goes on with: chunk[i] = append(chunk[i], x), in place. Of its header only
// the length is written then, and what the neighbour's append has put there stays in it.
#include "detect/append/append_case.h"

namespace geist::detect::append {
namespace {

using program::ValueLocation;

// The value that was in a register at the append's branch, as far as that still has it.
std::optional<u64> find_value(const ValueLocation& location, const Access& access) {
  switch (location.kind) {
    case ValueLocation::Kind::kConstant:
      return static_cast<u64>(location.addend);
    case ValueLocation::Kind::kRegister:
      return access.sample->regs[location.reg] + static_cast<u64>(location.addend);
    default:
      return std::nullopt;
  }
}

// Is the store of the length that of an append to this very slice? What a slice that was cut anew
// has for its pointer and length, no append has in its registers as operand and new length.
bool stores_length(const sites::AppendSite& site, const View& view, const Access& access) {
  const std::optional<u64> pointer = find_value(site.old_ptr, access);
  const std::optional<u64> length = find_value(site.new_len, access);
  const std::optional<u64> added = find_value(site.num, access);
  return pointer == view.ptr && length == access.stored.value && added &&
         *length - *added == view.len;
}

}  // namespace

// A header that begins with the operand may be given the append's own result: others cannot.
bool AppendCase::grows_in_place(const View& view, const Access& access) const {
  const bool is_memory = view.in_stack_object || view.holder == findings::Holder::kHeap ||
                         view.holder == findings::Holder::kGlobal;
  const bool is_length = is_memory && view.len_known && view.len_word &&
                         access.word == view.len_word && access.word == view.header_word();
  const Access::Stored& stored = access.stored;
  if (!is_length || view.ptr == event().append.old_ptr || access.kind != Access::Kind::kWrite ||
      access.actor != 0 || access.frames.empty() || access.sample == nullptr)
    return false;
  if (stored.size_bytes != 8 || stored.at != access.word || stored.value <= view.len) return false;
  const read::Pclntab& functions = context_.binary.pclntab();
  for (const sites::AppendSite& site : context_.sites.sites) {
    if (site.function.value != access.frames[0].function.index.value) continue;
    const read::SourceFrame at =
        functions.source_frames(access.frames[0].function, site.call).front();
    if (at.line == access.line && at.file == access.file && stores_length(site, view, access))
      return true;
  }
  return false;
}

void AppendCase::lengthen(Candidate& candidate, u64 len) {
  candidate.view.len = len;
  for (Evidence& evidence : candidate.evidence) evidence.go_on_with(make_route(candidate.view));
}

}  // namespace geist::detect::append

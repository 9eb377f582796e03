// What a goroutine can still reach while its append waits, told by stack maps where there is a
// call, and by the code where there is none.
#include "detect/append/roots.h"

#include <algorithm>

#include "heap/goroutines.h"
#include "heap/stack_roots.h"
#include "program/slot_writes.h"

namespace geist::detect::append {
namespace {

using program::ValueLocation;

// The values that are live behind the append, from where they are now. Where one could not be
// located, all registers are taken. False when a value is in memory that nobody has a copy of.
bool add_live_values(const Append& append, usize live_slots, std::vector<u64>& roots) {
  const abi::Event& event = *append.event;
  const sites::AppendSite& site = append.site->site;
  if (site.live_pointers.size() < live_slots)
    roots.insert(roots.end(), std::begin(event.regs), std::end(event.regs));
  for (const sites::LivePointer& pointer : site.live_pointers) {
    const ValueLocation& from = pointer.at_branch;
    const u64 addend = static_cast<u64>(from.addend);
    switch (from.kind) {
      case ValueLocation::Kind::kConstant:
      case ValueLocation::Kind::kImageAddress:
        break;
      case ValueLocation::Kind::kRegister:
        roots.push_back(event.regs[from.reg & 15] + addend);
        break;
      case ValueLocation::Kind::kStackSlot: {
        std::optional<u64> word =
            append.stack.find_word(TargetAddr(event.regs[x86::kRsp] + static_cast<u64>(from.disp)));
        if (!word) return false;
        roots.push_back(*word + addend);
        break;
      }
      default:
        return false;
    }
  }
  return true;
}

}  // namespace

// Without a grow path there is no call whose stack map would tell of the appending frame: its
// registers and words are live that the code may read before it writes them.
static std::optional<std::vector<u64>> find_roots_of_plain(Context& context, const Append& append,
                                                           const heap::Goroutine& goroutine,
                                                           heap::ParkedStack stack) {
  const sites::AppendSite& site = append.site->site;
  const heap::StackFrame own = append.frames[0];
  const program::FunctionCode* code = context.codes.find(own.function);
  if (code == nullptr || append.frames.size() < 2) return std::nullopt;
  stack.unwound.frames.erase(stack.unwound.frames.begin());
  std::vector<u64> roots = heap::find_stack_roots(context.memory, context.binary, goroutine, stack);
  for (int reg = 0; reg < 16; ++reg) {
    if ((site.live_inplace & x86::bit(static_cast<x86::Reg>(reg))) != 0)
      roots.push_back(append.event->regs[reg]);
  }
  for (TargetAddr at = own.sp; at < own.cfa; at = at + 8) {
    const std::optional<u64> word = append.stack.find_word(at);
    if (!word) return std::nullopt;
    if (*word != 0 && program::may_read_slot(*code, site.branch, static_cast<i64>(at - own.sp)))
      roots.push_back(*word);
  }
  return roots;
}

// The appending frame is looked at as if it stood behind the grow path's call: what is live across
// that call is live across the append. Slots that only that path fills hold older values here; what
// will be in them is in registers now.
std::optional<std::vector<u64>> find_append_roots(Context& context, const Append& append) {
  const abi::Event& event = *append.event;
  const sites::AppendSite& site = append.site->site;
  const u64 sp = event.regs[x86::kRsp];
  bool is_whole = sp < event.stack_hi && event.stack_size == event.stack_hi - sp;
  bool is_unwound =
      !append.frames.empty() && append.frames.back().function.name == "runtime.goexit";
  std::optional<heap::Goroutine> goroutine =
      heap::read_goroutine(context.memory, context.binary.layout(), TargetAddr(event.g));
  if (!is_whole || !is_unwound || !goroutine) return std::nullopt;
  heap::ParkedStack stack;
  stack.sp = TargetAddr(sp);
  stack.bytes.assign(event.stack, event.stack + event.stack_size);
  for (const sites::LivePointer& spill : site.spills) {
    u64 offset = static_cast<u64>(spill.slot);
    if (offset + 8 <= stack.bytes.size())
      std::fill_n(stack.bytes.begin() + static_cast<i64>(offset), 8, u8{0});
  }
  stack.unwound.frames = append.frames;
  stack.unwound.complete = true;
  if (site.is_plain) return find_roots_of_plain(context, append, *goroutine, std::move(stack));
  stack.unwound.frames[0].pc = site.behind_call();
  stack.unwound.frames[0].is_return_address = true;
  std::vector<u64> roots =
      heap::find_stack_roots(context.memory, context.binary, *goroutine, stack);
  usize live_slots = heap::live_pointer_slots(context.binary, stack.unwound.frames[0]).size();
  if (!add_live_values(append, live_slots, roots)) return std::nullopt;
  return roots;
}

}  // namespace geist::detect::append

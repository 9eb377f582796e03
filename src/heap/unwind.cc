// The walk from frame to frame. pclntab's pcsp gives the distance from SP to the return address at
// any instruction, prologue and epilogue included, so no frame pointer is needed and a frame is
// either known exactly or the walk ends.
//
// What makes a return address a pc that was interrupted instead: the callee was entered by a
// signal, not by a CALL. The runtime pushes such frames for sigpanic and asyncPreempt
// (runtime/signal_amd64.go preparePanic, pushCall).
//
// Source: runtime/traceback.go (unwinder.resolveInternal, next), runtime/stkframe.go (getStackMap),
// internal/abi/symtab.go (FuncFlag), go1.21 to go1.27.
#include "heap/unwind.h"

#include <array>
#include <string_view>

namespace geist::heap {
namespace {

constexpr u8 kTopFrame = 1, kSpWrite = 2;  // abi.FuncFlagTopFrame, FuncFlagSPWrite

bool is_entered_by_signal(std::string_view function) {
  return function == "runtime.asyncPreempt" || function == "runtime.sigpanic" ||
         function == "runtime.sigpanic0" || function == "runtime.debugCallV2";
}

// goexit's only caller is nobody: its return address is made up as goexit + 1 (runtime/proc.go
// newproc1).
bool is_made_up_caller(const read::Function& function) {
  return function.name == "runtime.goexit";
}

// Does a CALL end right in front of pc? E8 rel32, or FF /2 with any addressing.
bool is_behind_call(const read::Image& image, ImageAddr pc) {
  if (pc.value < 8) return false;
  std::optional<ByteView> before = image.find_bytes(pc - 8, 8);
  if (!before) return false;
  const ByteView& b = *before;
  if (b[3] == 0xe8) return true;
  // FF modrm [sib] [disp8 | disp32]: 2, 3, 4, 6 or 7 bytes, a REX prefix in front does not matter.
  for (u64 length : std::array<u64, 5>{2, 3, 4, 6, 7}) {
    if (b[8 - length] != 0xff || ((b[9 - length] >> 3) & 7) != 2) continue;
    u8 mod = b[9 - length] >> 6, rm = b[9 - length] & 7;
    u64 needed = 2 + (mod != 3 && rm == 4 ? 1 : 0) + (mod == 1 ? 1 : 0) + (mod == 2 ? 4 : 0);
    if (mod == 0 && rm == 5) needed = 6;
    if (needed == length) return true;
  }
  return false;
}

struct Place {
  ImageAddr pc;
  bool is_return_address;
  TargetAddr sp;
};

// The frame at this place, or nothing when it cannot be known.
std::optional<StackFrame> find_frame(const read::GoBinary& binary, const Place& place) {
  StackFrame frame{.function = {},
                   .pc = place.pc,
                   .is_return_address = place.is_return_address,
                   .sp = place.sp,
                   .cfa = {}};
  if (place.pc.value == 0) return std::nullopt;
  // pc - 1 behind a CALL: a call that does not return may be a function's last instruction.
  std::optional<read::Function> function = binary.pclntab().find_function(frame.lookup_pc());
  if (!function || function->name.empty()) return std::nullopt;
  bool is_credible = !place.is_return_address || is_made_up_caller(*function) ||
                     is_behind_call(binary.image(), place.pc);
  std::optional<i32> delta = binary.pclntab().find_sp_delta(*function, frame.lookup_pc());
  if (!is_credible || !delta || *delta < 0 || *delta % 8 != 0) return std::nullopt;
  frame.function = *function;
  frame.cfa = place.sp + static_cast<u64>(*delta) + 8;
  return frame;
}

}  // namespace

Unwound unwind(const read::GoBinary& binary, LoadBias bias, ImageAddr pc, const StackCopy& stack,
               u32 max_frames, bool pc_is_return_address) {
  Unwound unwound;
  Place place{pc, pc_is_return_address, stack.sp};
  while (unwound.frames.size() < max_frames) {
    std::optional<StackFrame> frame = find_frame(binary, place);
    if (!frame) break;
    unwound.frames.push_back(*frame);
    unwound.complete = (frame->function.flag & kTopFrame) != 0;
    // cgocallback writes SP too, but keeps its frame valid on both stacks (runtime/traceback.go).
    bool is_on_another_stack =
        (frame->function.flag & kSpWrite) != 0 && frame->function.name != "runtime.cgocallback";
    if (unwound.complete || is_on_another_stack) break;
    std::optional<u64> caller = stack.find_word(frame->cfa - 8);
    if (!caller) break;
    place = {bias.to_image(TargetAddr(*caller)), !is_entered_by_signal(frame->function.name),
             frame->cfa};
  }
  return unwound;
}

std::optional<ParkedStack> unwind_stopped(const process::Memory& memory,
                                          const read::GoBinary& binary, LoadBias bias,
                                          const Goroutine& goroutine, bool is_exact, u64 max_bytes,
                                          u32 max_frames) {
  u64 size = goroutine.stack_hi - goroutine.sp;
  bool has_place = goroutine.pc.value != 0 && goroutine.sp >= goroutine.stack_lo &&
                   goroutine.sp < goroutine.stack_hi;
  if (!has_place || size > max_bytes) return std::nullopt;
  ParkedStack parked{.sp = goroutine.sp, .bytes = std::vector<u8>(size), .unwound = {}};
  if (!memory.read(goroutine.sp, parked.bytes)) return std::nullopt;
  ImageAddr pc = bias.to_image(goroutine.pc);
  // Behind the call that parked it, with two exceptions: a new goroutine stands at its function's
  // entry, and one that works on the system stack at a made-up pc inside systemstack_switch
  // (runtime/asm_amd64.s gosave_systemstack_switch).
  std::optional<read::Function> function = binary.pclntab().find_function(pc);
  bool is_at_pc =
      is_exact ||
      (function && (function->entry == pc || function->name == "runtime.systemstack_switch"));
  parked.unwound = unwind(binary, bias, pc, parked.copy(), max_frames, !is_at_pc);
  return parked;
}

std::optional<ParkedStack> unwind_parked(const process::Memory& memory,
                                         const read::GoBinary& binary, LoadBias bias,
                                         const Goroutine& goroutine, u64 max_bytes,
                                         u32 max_frames) {
  std::optional<ParkedStack> parked =
      unwind_stopped(memory, binary, bias, goroutine, false, max_bytes, max_frames);
  if (!parked) return std::nullopt;
  std::optional<Goroutine> now = read_goroutine(memory, binary.layout(), goroutine.g);
  bool has_stayed = now && now->goid == goroutine.goid && now->status == goroutine.status &&
                    now->pc == goroutine.pc && now->sp == goroutine.sp;
  // It may have gone on and come back to the same place while its stack was read, as one that works
  // on the system stack does many times a collection. Nothing counts that, but its stack was used
  // meanwhile.
  std::vector<u8> again(parked->bytes.size());
  has_stayed = has_stayed && memory.read(parked->sp, again) && again == parked->bytes;
  return has_stayed ? parked : std::nullopt;
}

}  // namespace geist::heap

// Access: what a watch sample says, told from code: was the word read or written, by which
// instruction, on whose behalf.
//
// The sampled IP is behind the access, so the instruction that ends there is decoded; memmove's and
// REP's direction comes from the operand. Accesses by geist itself, the collector and the allocator
// are ignored: they are nobody's reading.
#pragma once

#include <map>
#include <optional>

#include "judge/activation.h"
#include "judge/view.h"
#include "process/watch.h"
#include "program/code.h"

namespace geist::judge {

// What the code does with a header whose length it loads.
enum class HeaderUse : u8 {
  kNone,      // as far as one can see, it only wants to know the length
  kWhole,     // it loads the pointer, the word in front, beside it
  kArgument,  // and both are arguments of the call that follows
};

struct HeaderLoad {
  HeaderUse use = HeaderUse::kNone;
  ImageAddr pointer;  // the instruction that loads the pointer from the word in front; 0: none
  // The word of the frame, as an offset from RSP, whose value is the argument in front of the
  // length's: the pointer of a header whose words the compiler keeps apart.
  std::optional<i64> argument_slot;
};

struct Access {
  enum class Kind : u8 { kRead, kWrite, kReadWrite, kUnknown, kIgnored } kind = Kind::kUnknown;
  u64 time = 0;
  TargetAddr word;
  int tid = 0;
  TargetAddr sp;
  ImageAddr insn;  // of the access; 0 when it was the kernel or is not known
  x86::Reg base =
      x86::kNoReg;  // register the address was made from, when it survived the instruction
  std::vector<heap::StackFrame> frames;  // of the goroutine, innermost first
  u64 g = 0;  // its g and the upper end of its stack, as far as they are known
  TargetAddr stack_hi;
  bool moves_stack = false;       // the runtime copied the stack that the word is on
  x86::Reg loaded = x86::kNoReg;  // register that a plain load put the word into
  HeaderLoad header;
  // What a plain store wrote, where its value is still in a register or in the instruction.
  struct Stored {
    TargetAddr at;
    u32 size_bytes = 0;  // 0: not known
    u64 value = 0;       // little-endian, size_bytes of it
  } stored;
  // What neighbouring stores through the same register write: the other words of the element.
  std::vector<Stored> stored_beside;
  // Of a write that is part of a longer copy: where the watched word came from. The distance is the
  // same for all of the copy: of one element, or of everything (`copies_all`).
  TargetAddr copied_from;
  bool copies_all = false;
  TargetAddr copied_to;    // where memmove puts the word it read
  bool by_growth = false;  // read because an array or a map grew: the reader asked for nothing
  const process::WatchSample* sample = nullptr;  // valid only while the access is being looked at
  usize actor = 0;        // index of the first frame that is not the runtime's or a byte helper's
  std::string_view file;  // of the actor's source line
  i32 line = 0;
  Activation activation(usize frame) const { return make_activation(frames[frame], g, stack_hi); }
  bool reads() const { return kind == Kind::kRead || kind == Kind::kReadWrite; }
  bool writes() const {
    return kind == Kind::kWrite || kind == Kind::kReadWrite || kind == Kind::kUnknown;
  }
};

class AccessReader {
 public:
  explicit AccessReader(Context& context) : context_(context) {}
  Access read(const process::WatchSample& sample);
  // A stack as an event told it: samples of before it moved may be read after.
  void note_stack(u64 g, TargetAddr lo, TargetAddr hi);

 private:
  void classify(const process::WatchSample& sample, Access& access);
  void classify_in_region(const process::WatchSample& sample, Access& access);
  void classify_kernel(Access& access) const;
  std::optional<ImageAddr> find_displaced(const process::WatchSample& sample) const;
  static void note_copy(const process::WatchSample& sample, Access& access);
  void note_source(const program::FunctionCode& code, u32 store, const process::WatchSample& sample,
                   Access& access) const;
  void find_stack(const process::WatchSample& sample, Access& access);
  void take(const x86::Insn& insn, const process::WatchSample& sample, Access& access) const;
  std::optional<Access::Stored> value_stored(const x86::Insn& insn,
                                             const process::WatchSample& sample) const;
  void note_stores(const program::FunctionCode& code, u32 store, const process::WatchSample& sample,
                   Access& access) const;

  Context& context_;
  struct Bounds {
    TargetAddr lo, hi;
    bool operator==(const Bounds&) const = default;
  };
  std::map<u64, std::vector<Bounds>> stacks_;  // by g, where it was seen, oldest first
};

// Does this function only move, compare or hash bytes for its caller, or belong to the runtime?
bool is_helper_function(std::string_view name);

}  // namespace geist::judge

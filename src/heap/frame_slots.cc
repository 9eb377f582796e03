// What the tables say about the words of one frame: live pointer slots and stack objects.
//
//   _func { ... npcdata u32 at 28 ... nfuncdata u8 at 43 }, npcdata u32, nfuncdata u32 (from
//   gofunc) FUNCDATA_StackObjects: count u64, then { off i32, size i32, ptrdata i32, gcdataoff u32
//   } each; off < 0 counts from varp, off >= 0 from argp; ptrdata < 0 says "as a program" (go1.21
//   to go1.23).
//
// Source: runtime/stkframe.go (getStackMap), runtime/stack.go (stackObjectRecord),
// runtime/symtab.go (funcdata), go1.21 to go1.27.
#include <algorithm>

#include "heap/unwind.h"

namespace geist::heap {
namespace {

constexpr u64 kFuncSize = 44, kNpcdata = 28, kNfuncdata = 43;  // runtime/runtime2.go _func
constexpr u64 kFuncdataStackObjects = 2;                       // internal/abi/symtab.go
constexpr u32 kNoOffset = 0xffffffff;
constexpr u64 kRecordSize = 16;
constexpr u64 kMaxObjects = 4096;  // more in a frame are not believed

// Below the return address and, in functions with a frame, below the saved BP.
TargetAddr varp(const StackFrame& frame) {
  return frame.cfa - (frame.cfa - frame.sp > 8 ? 16 : 8);
}

// FUNCDATA_StackObjects of the function, to the end of what holds it; empty when it has none.
ByteView find_stack_object_table(const read::GoBinary& binary, const read::Function& function) {
  const read::ModuleData& module = binary.module();
  std::optional<ByteView> pclntable =
      binary.image().find_bytes(module.pclntable, module.pclntable_size);
  if (!pclntable) return {};
  std::optional<u32> pcdata_count = find_int<u32>(*pclntable, function.func_offset + kNpcdata);
  std::optional<u8> funcdata_count = find_int<u8>(*pclntable, function.func_offset + kNfuncdata);
  if (!pcdata_count || !funcdata_count || *funcdata_count <= kFuncdataStackObjects) return {};
  u64 place = function.func_offset + kFuncSize + (*pcdata_count + kFuncdataStackObjects) * 4;
  u32 offset = find_int<u32>(*pclntable, place).value_or(kNoOffset);
  if (offset == kNoOffset) return {};
  return binary.image().find_bytes_from(module.gofunc + offset).value_or(ByteView());
}

}  // namespace

std::vector<TargetAddr> live_pointer_slots(const read::GoBinary& binary, const StackFrame& frame) {
  std::vector<TargetAddr> slots;
  bool is_at_entry = !frame.is_return_address && frame.pc == frame.function.entry;
  if (!frame.is_return_address && !is_at_entry) return slots;
  const read::Pclntab& tables = binary.pclntab();
  auto add = [&](TargetAddr base, const read::PointerMap& map, u64 max_words) {
    for (u64 i = 0; i < std::min<u64>(map.live.size(), max_words); ++i) {
      if (map.is_live(i)) slots.push_back(base + i * 8);
    }
  };
  std::optional<read::PointerMap> locals =
      tables.find_locals_map(frame.function, frame.lookup_pc());
  u64 words = locals ? locals->live.size() : 0;
  if (words > 0 && words <= (varp(frame) - frame.sp) / 8) {
    add(varp(frame) - words * 8, *locals, words);
  }
  // args_size is negative when nobody knows it (assembly).
  u64 args_words = static_cast<u64>(std::max(frame.function.args_size, 0)) / 8;
  if (args_words == 0) return slots;
  if (std::optional<read::PointerMap> args =
          tables.find_args_map(frame.function, frame.lookup_pc())) {
    add(frame.cfa, *args, args_words);
  }
  return slots;
}

std::vector<StackObject> stack_objects(const read::GoBinary& binary, const StackFrame& frame) {
  std::vector<StackObject> objects;
  ByteReader reader(find_stack_object_table(binary, frame.function));
  u64 count = reader.read_u64();
  if (reader.failed() || count > kMaxObjects || count * kRecordSize > reader.remaining()) return {};
  for (u64 i = 0; i < count; ++i) {
    i64 offset = reader.read_i32();
    i64 size = reader.read_i32();
    i64 ptr_bytes = std::abs(static_cast<i64>(reader.read_i32()));
    reader.skip(4);  // gcdataoff
    TargetAddr base = offset < 0 ? varp(frame) : frame.cfa;
    TargetAddr begin = base + static_cast<u64>(offset);
    bool is_sane = size > 0 && ptr_bytes > 0 && ptr_bytes <= size && offset % 8 == 0;
    // Below sp: not in the frame yet (runtime/mgcmark.go scanframeworker).
    bool is_inside = begin >= frame.sp && (offset >= 0 || offset + size <= 0);
    if (!is_sane || !is_inside) continue;
    objects.push_back({.begin = begin,
                       .size_bytes = static_cast<u64>(size),
                       .ptr_bytes = static_cast<u64>(ptr_bytes)});
  }
  return objects;
}

}  // namespace geist::heap

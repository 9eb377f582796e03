// See access.h. Names of runtime functions: runtime/mgcmark*.go, mbitmap.go, mwbbuf.go,
// memmove_amd64.s, go1.21-1.27.
#include "judge/access.h"

#include <algorithm>
#include <array>

#include "heap/goroutines.h"
#include "judge/through.h"

namespace geist::judge {
namespace {

using x86::Insn;
using x86::Operand;
using Kind = Access::Kind;

constexpr u32 kMaxFrames = 48;

// Runtime functions that look at memory for the collector's or the allocator's sake, on whatever
// stack they run.
constexpr std::array<std::string_view, 14> kCollectorPrefixes{
    "runtime.gc",          "runtime.scan",        "runtime.mark",     "runtime.grey",
    "runtime.sweep",       "runtime.bulkBarrier", "runtime.wb",       "runtime.heapBits",
    "runtime.heapSetType", "runtime.(*gc",        "runtime.(*mspan)", "runtime.(*wbBuf)",
    "runtime.(*mheap)",    "runtime.tryDefer"};

bool is_collector(std::string_view name) {
  return std::any_of(kCollectorPrefixes.begin(), kCollectorPrefixes.end(),
                     [name](std::string_view prefix) { return name.starts_with(prefix); });
}

u64 address_of(const x86::Mem& mem, const std::array<u64, 16>& regs, LoadBias bias) {
  if (mem.rip_relative) return static_cast<u64>(mem.disp) + bias.bytes;
  u64 address = static_cast<u64>(mem.disp);
  if (mem.base != x86::kNoReg) address += regs[mem.base];
  if (mem.index != x86::kNoReg) address += regs[mem.index] * mem.scale;
  return address;
}

// REP MOVS / STOS stop between elements: the registers tell which side touched the word.
Kind string_direction(const Insn& insn, const process::WatchSample& sample) {
  if (!insn.writes_memory) return Kind::kRead;
  if (!insn.reads_memory) return Kind::kWrite;
  u64 word = sample.word.value;
  u64 source = sample.regs[x86::kRsi] - word;
  u64 target = sample.regs[x86::kRdi] - word;
  constexpr u64 kNear = 4096;
  if (source <= kNear && target > kNear) return Kind::kRead;
  if (target <= kNear && source > kNear) return Kind::kWrite;
  return Kind::kReadWrite;
}

// Slices and maps that grow take along what they hold, headers in them too.
bool is_growth(std::string_view function) {
  // runtime/slice.go; internal/runtime/maps/map.go and table.go, go1.24 and later; runtime/map.go
  // and its _fast variants
  constexpr std::array<std::string_view, 7> kGrowth{"runtime.growslice",
                                                    "internal/runtime/maps.(*Map).growTo",
                                                    "internal/runtime/maps.(*table).grow",
                                                    "internal/runtime/maps.(*table).split",
                                                    "runtime.growWork",
                                                    "runtime.evacuate",
                                                    "runtime.hashGrow"};
  return std::any_of(kGrowth.begin(), kGrowth.end(),
                     [&](std::string_view name) { return function.starts_with(name); });
}

}  // namespace

bool is_helper_function(std::string_view name) {
  return name.starts_with("runtime.") || name.starts_with("internal/runtime/") ||
         name.starts_with("internal/bytealg.") || name.starts_with("memeqbody") ||
         name.starts_with("cmpbody") || name.starts_with("internal/abi.") ||
         name.starts_with("indexbytebody") || name.starts_with("countbody") ||
         name.starts_with("type:.") || name.starts_with("internal/cpu.") ||
         name == "reflect.typedslicecopy" || name == "reflect.typedmemmove";
}

void AccessReader::take(const Insn& insn, const process::WatchSample& sample,
                        Access& access) const {
  access.insn = insn.addr;
  if (insn.rep) {
    access.kind = string_direction(insn, sample);
    return;
  }
  access.kind = insn.reads_memory && insn.writes_memory ? Kind::kReadWrite
                : insn.reads_memory                     ? Kind::kRead
                : insn.writes_memory                    ? Kind::kWrite
                                                        : Kind::kUnknown;
  if (insn.op == x86::Op::kMov && insn.operands[0].kind == Operand::Kind::kReg)
    access.loaded = insn.operands[0].reg;
  for (u8 i = 0; i < insn.operand_count; ++i) {
    const Operand& operand = insn.operands[i];
    if (operand.kind != Operand::Kind::kMem || operand.mem.base == x86::kNoReg) continue;
    // A load into its own base register leaves no trace of the base.
    bool survives = (insn.writes & x86::bit(operand.mem.base)) == 0;
    if (!survives) continue;
    u64 address = address_of(operand.mem, sample.regs, context_.bias());
    constexpr u64 kWidest = 64;
    bool plausible = sample.word.value + 8 > address && sample.word.value < address + kWidest;
    if (plausible || operand.mem.index != x86::kNoReg) access.base = operand.mem.base;
  }
}

// A plain store changes no register, so the sample still has its value and its address.
std::optional<Access::Stored> AccessReader::value_stored(const Insn& insn,
                                                         const process::WatchSample& sample) const {
  const Operand& target = insn.operands[0];
  const Operand& source = insn.operands[1];
  const bool is_store = insn.op == x86::Op::kMov && target.kind == Operand::Kind::kMem &&
                        target.size_bits <= 64 && !target.mem.segment;
  if (!is_store) return std::nullopt;
  u64 value = static_cast<u64>(source.imm);
  if (source.kind == Operand::Kind::kReg && source.size_bits == target.size_bits) {
    constexpr u64 kHighByteRegisters = 4;  // AH, CH, DH, BH are no low part: not told apart here
    if (source.size_bits == 8 && source.reg >= kHighByteRegisters && source.reg < x86::kR8)
      return std::nullopt;
    value = sample.regs[source.reg];
  } else if (source.kind != Operand::Kind::kImm) {
    return std::nullopt;
  }
  return Access::Stored{TargetAddr(address_of(target.mem, sample.regs, context_.bias())),
                        static_cast<u32>(target.size_bits / 8), value};
}

namespace {

// The block that every way into `block` comes through last: its only predecessor, or, behind the
// check of the write barrier, the one that both its predecessors come from. `written` gets what is
// written in between.
std::optional<u32> block_before(const program::FunctionCode& code, u32 block,
                                x86::RegMask* written) {
  const std::span<const u32> before = code.blocks()[block].preds;
  if (before.size() == 1) return before[0];
  if (before.size() != 2) return std::nullopt;
  for (usize i = 0; i < 2; ++i) {
    const program::Block& detour = code.blocks()[before[i]];
    const u32 other = before[1 - i];
    if (detour.preds.size() != 1 || detour.preds[0] != other) continue;
    for (u32 k = detour.first; k <= detour.last; ++k) *written |= code.briefs()[k].writes;
    return other;
  }
  return std::nullopt;
}

}  // namespace

// The words of an element are stored one by one, through one register, the pointer's behind the
// check of the write barrier. Of those on the only way to the sampled store, and of those that come
// right after it, the values are known, too, as long as nothing writes the registers in between.
void AccessReader::note_stores(const program::FunctionCode& code, u32 store,
                               const process::WatchSample& sample, Access& access) const {
  constexpr u32 kMaxBlocks = 3;
  const Insn& own = code.insn(store);
  const std::optional<Access::Stored> stored = value_stored(own, sample);
  if (!stored) return;
  access.stored = *stored;
  const x86::Mem& mem = own.operands[0].mem;
  auto look_at = [&](u32 index, x86::RegMask written) {
    const Insn& insn = code.insn(index);
    const x86::Mem& other = insn.operands[0].mem;
    const x86::RegMask used =
        x86::bit(other.base) | x86::bit(other.index) | x86::bit(insn.operands[1].reg);
    const bool is_beside = insn.writes_memory && other.base == mem.base &&
                           other.index == mem.index && other.scale == mem.scale &&
                           (written & used) == 0;
    const std::optional<Access::Stored> one = is_beside ? value_stored(insn, sample) : std::nullopt;
    if (one) access.stored_beside.push_back(*one);
  };
  auto is_call = [&](u32 i) { return code.briefs()[i].flow == x86::Flow::kCall; };
  const u32 home = code.block_of(store);
  x86::RegMask written = 0;
  for (u32 i = store + 1; i <= code.blocks()[home].last && !is_call(i); ++i) {
    look_at(i, written);
    written |= code.briefs()[i].writes;
  }
  written = 0;
  std::optional<u32> block = home;
  for (u32 n = 0; block && n < kMaxBlocks; ++n) {
    for (u32 i = n == 0 ? store : code.blocks()[*block].last + 1;
         i-- > code.blocks()[*block].first;) {
      if (is_call(i)) return;
      written |= code.briefs()[i].writes;
      look_at(i, written);
    }
    block = block_before(code, *block, &written);
  }
}

void AccessReader::classify(const process::WatchSample& sample, Access& access) {
  ImageAddr ip = context_.bias().to_image(sample.ip);
  // The instruction may be the last of its function (a CALL's or JMP's operand read ends elsewhere
  // and stays unknown).
  std::optional<read::Function> function = context_.binary.pclntab().find_function(ip - 1);
  const program::FunctionCode* code = function ? context_.codes.find(*function) : nullptr;
  if (code == nullptr) return;
  const u32 index = code->first_insn_from(ip);
  bool begins_here = index < code->briefs().size() && code->briefs()[index].addr == ip;
  if (begins_here && code->insn(index).rep) {
    note_source(*code, index, sample, access);
    return take(code->insn(index), sample, access);
  }
  if (index == 0) return;
  const Insn& before = code->insn(index - 1);
  if (before.end() != ip) return;
  take(before, sample, access);
  note_source(*code, index - 1, sample, access);
  note_stores(*code, index - 1, sample, access);
  access.header = find_header_load(*code, index - 1);
}

// Inside our own trampolines: the content check is ours, displaced instructions are the program's.
void AccessReader::classify_in_region(const process::WatchSample& sample, Access& access) {
  access.kind = Kind::kIgnored;
  for (const probe::ProbedSite& site : context_.plan.sites) {
    u64 begin = site.trampoline.value;
    if (sample.ip.value < begin || sample.ip.value > begin + site.trampoline_size) continue;
    u64 offset = begin - context_.plan.region.value;
    for (u64 end = begin + site.trampoline_size; begin < end;) {
      std::optional<ByteView> bytes = find_part(context_.plan.region_bytes, offset, end - begin);
      std::optional<Insn> insn = bytes ? x86::decode(*bytes, ImageAddr(begin)) : std::nullopt;
      if (!insn) return;
      if (insn->end().value == sample.ip.value && insn->writes_memory) access.kind = Kind::kWrite;
      begin += insn->length;
      offset += insn->length;
    }
    return;
  }
}

// The kernel reads buffers for write(2) and fills them for read(2); the system call's Go wrapper
// tells which.
void AccessReader::classify_kernel(Access& access) const {
  access.kind = Kind::kIgnored;
  for (const heap::StackFrame& frame : access.frames) {
    std::string_view name = frame.function.name;
    usize dot = name.rfind('.');
    std::string_view last = dot == std::string_view::npos ? name : name.substr(dot + 1);
    bool out = last.starts_with("Write") || last.starts_with("write") || last.starts_with("Send") ||
               last.starts_with("send") || last.starts_with("Pwrite") || last.starts_with("pwrite");
    bool in = last.starts_with("Read") || last.starts_with("read") || last.starts_with("Recv") ||
              last.starts_with("recv") || last.starts_with("Pread") || last.starts_with("pread");
    if (out) access.kind = Kind::kRead;
    if (in) access.kind = Kind::kWrite;
    if (out || in) return;
  }
}

// Memory is copied by memmove, by duffcopy, by REP MOVS, or a vector register at a time, its load
// right in front of its store. Source: runtime/memmove_amd64.s and duff_amd64.s (SI is ahead of DI
// at a store), cmd/compile/internal/amd64 (Move), go1.21 to go1.27.
void AccessReader::note_source(const program::FunctionCode& code, u32 store,
                               const process::WatchSample& sample, Access& access) const {
  constexpr u64 kVectorBytes = 16;
  const std::string_view name = code.function().name;
  const Insn& insn = code.insn(store);
  const u64 cursors = sample.word.value + sample.regs[x86::kRsi] - sample.regs[x86::kRdi];
  if (!insn.writes_memory) return;
  const bool by_cursor = insn.rep || insn.operands[0].mem.base == x86::kRdi;
  if (insn.rep || (name == "runtime.memmove" && by_cursor)) {
    access.copied_from = TargetAddr(cursors);
    access.copies_all = name == "runtime.memmove";
  } else if (name == "runtime.duffcopy") {
    access.copied_from = TargetAddr(cursors - kVectorBytes);
  } else if (store > 0) {
    const Insn& load = code.insn(store - 1);
    auto is_vector = [](const Insn& i, usize memory) {
      return i.operand_count == 2 && i.operands[1 - memory].kind == Operand::Kind::kOther &&
             i.operands[memory].kind == Operand::Kind::kMem &&
             i.operands[memory].size_bits == 8 * kVectorBytes;
    };
    if (!is_vector(insn, 0) || !is_vector(load, 1)) return;
    const u64 to = address_of(insn.operands[0].mem, sample.regs, context_.bias());
    const u64 from = address_of(load.operands[1].mem, sample.regs, context_.bias());
    access.copied_from = TargetAddr(sample.word.value + from - to);
  }
}

// memmove loads before it moves its cursors, so the distance between them holds at every load
// (runtime/memmove_amd64.s, go1.21 to go1.27). Nothing depends on it: what stands at the copy's
// place is read and compared.
void AccessReader::note_copy(const process::WatchSample& sample, Access& access) {
  if (!access.reads() || access.frames.empty() ||
      access.frames[0].function.name != "runtime.memmove")
    return;
  access.copied_to =
      TargetAddr(sample.word.value + sample.regs[x86::kRdi] - sample.regs[x86::kRsi]);
}

void AccessReader::note_stack(u64 g, TargetAddr lo, TargetAddr hi) {
  constexpr usize kMaxGoroutines = 1u << 16, kMaxPlaces = 4;
  if (stacks_.size() >= kMaxGoroutines) stacks_.clear();
  std::vector<Bounds>& places = stacks_[g];
  std::erase(places, Bounds{lo, hi});
  if (places.size() >= kMaxPlaces) places.erase(places.begin());
  places.push_back({lo, hi});
}

// In Go code R14 is g (ABIInternal). By the time a sample is looked at the stack may have moved on;
// then it was at one of the places where it was seen before, if the sampled stack pointer says so.
void AccessReader::find_stack(const process::WatchSample& sample, Access& access) {
  u64 g = sample.regs[x86::kR14];
  std::optional<heap::Goroutine> now =
      heap::read_goroutine(context_.memory, context_.binary.layout(), TargetAddr(g));
  if (now && now->stack_hi) note_stack(g, now->stack_lo, now->stack_hi);
  auto seen = stacks_.find(g);
  if (seen == stacks_.end()) return;
  TargetAddr sp(sample.regs[x86::kRsp]);
  auto place = std::find_if(seen->second.rbegin(), seen->second.rend(),
                            [sp](const Bounds& b) { return sp >= b.lo && sp < b.hi; });
  if (place == seen->second.rend()) return;
  access.g = g;
  access.stack_hi = place->hi;
}

// The end of the instruction of the program that a trampoline executed in its stead: of an append
// without a grow path, whose own store is one of them.
std::optional<ImageAddr> AccessReader::find_displaced(const process::WatchSample& sample) const {
  for (const probe::ProbedSite& site : context_.plan.sites) {
    if (!site.site.is_plain || sample.ip <= site.trampoline ||
        sample.ip > site.trampoline + site.trampoline_size)
      continue;
    const u64 behind = sample.ip - context_.plan.region;
    const ByteView region{context_.plan.region_bytes};
    const ByteView original{site.patch.original};
    for (u64 offset = 0; offset < original.size();) {
      const ImageAddr at = site.site.displaced.begin + offset;
      const std::optional<Insn> insn = x86::decode(original.subspan(offset), at);
      if (!insn) break;
      const std::optional<ByteView> here =
          behind >= insn->length ? find_part(region, behind - insn->length, insn->length)
                                 : std::nullopt;
      const bool is_it = here && insn->writes_memory &&
                         std::equal(here->begin(), here->end(),
                                    original.begin() + static_cast<std::ptrdiff_t>(offset));
      if (is_it) return insn->end();
      offset += insn->length;
    }
    return std::nullopt;
  }
  return std::nullopt;
}

Access AccessReader::read(const process::WatchSample& sample) {
  TargetAddr region = context_.plan.region;
  bool ours = sample.ip >= region && sample.ip < region + context_.plan.region_bytes.size();
  if (const std::optional<ImageAddr> end = ours ? find_displaced(sample) : std::nullopt) {
    process::WatchSample in_place = sample;
    in_place.ip = in_place.user_ip = context_.bias().to_target(*end);
    Access access = read(in_place);
    access.sample = &sample;
    return access;
  }
  Access access;
  access.time = sample.time;
  access.word = sample.word;
  access.tid = sample.tid;
  access.sp = TargetAddr(sample.regs[x86::kRsp]);
  access.sample = &sample;
  if (ours) {
    classify_in_region(sample, access);
    return access;
  }
  heap::StackCopy stack{TargetAddr(sample.regs[x86::kRsp]), sample.stack};
  ImageAddr pc = context_.bias().to_image(sample.user_ip);
  access.frames = heap::unwind(context_.binary, context_.bias(), pc, stack, kMaxFrames).frames;
  find_stack(sample, access);
  access.moves_stack =
      std::any_of(access.frames.begin(), access.frames.end(),
                  [](const heap::StackFrame& f) { return f.function.name == "runtime.copystack"; });
  while (access.actor < access.frames.size() &&
         is_helper_function(access.frames[access.actor].function.name)) {
    ++access.actor;
  }
  if (sample.in_kernel) {
    classify_kernel(access);
    return access;
  }
  classify(sample, access);
  note_copy(sample, access);
  access.by_growth =
      std::any_of(access.frames.begin(), access.frames.begin() + static_cast<i64>(access.actor),
                  [](const heap::StackFrame& f) { return is_growth(f.function.name); });
  if (access.actor < access.frames.size()) {
    const heap::StackFrame& frame = access.frames[access.actor];
    ImageAddr at = access.actor == 0 && access.insn ? access.insn : frame.lookup_pc();
    read::SourceFrame source = context_.binary.pclntab().source_frames(frame.function, at)[0];
    access.file = source.file;
    access.line = source.line;
  }
  bool collector =
      std::any_of(access.frames.begin(), access.frames.begin() + static_cast<i64>(access.actor),
                  [](const heap::StackFrame& f) { return is_collector(f.function.name); });
  bool nobody = access.actor == access.frames.size();
  if (access.reads() && !access.writes() && (collector || nobody)) access.kind = Kind::kIgnored;
  return access;
}

}  // namespace geist::judge

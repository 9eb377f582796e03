// Reads of files, pipes and sockets (abi/reads.h): what stands in the buffer is kept when the
// function that reads is entered; at its return the bytes that were read are known, and whether they
// overwrote something. Between the two the goroutine may wait for long, on other threads, and its
// stack may move.
#include "abi/reads.h"

#include "runtime/runtime.h"
#include "runtime/sys.h"

namespace geist::runtime {

using abi::Control;
using abi::PendingRead;
using abi::Site;
using abi::State;

namespace {

constexpr int kRax = 0, kRcx = 1, kRbx = 3, kRsp = 4, kRbp = 5, kR14 = 14;
constexpr uint64_t kBusy = 1;  // PendingRead::g while it is filled: nobody's

PendingRead* place_of(State* state, uint64_t g, uint32_t i) {
  return &state->reads[(mix_hash(0x72656164u, g) + i) % abi::kPendingReads];
}

PendingRead* find_read(State* state, uint64_t g) {
  for (uint32_t i = 0; i < abi::kReadPlaces; ++i) {
    PendingRead* read = place_of(state, g, i);
    if (__atomic_load_n(&read->g, __ATOMIC_ACQUIRE) == g) return read;
  }
  return nullptr;
}

PendingRead* claim_read(State* state, uint64_t g) {
  if (PendingRead* own = find_read(state, g)) return own;
  for (uint32_t i = 0; i < abi::kReadPlaces; ++i) {
    PendingRead* read = place_of(state, g, i);
    uint64_t nobody = 0;
    if (__atomic_compare_exchange_n(&read->g, &nobody, kBusy, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
      return read;
  }
  return nullptr;
}

// Bytes that are not zero stand in the buffer.
bool keep_old_bytes(PendingRead* read) {
  const uint64_t size = read->size < abi::kMaxOldBytes ? read->size : abi::kMaxOldBytes;
  read->old_size = static_cast<uint32_t>(size);
  uint8_t any = 0;
  for (uint64_t i = 0; i < size; ++i) {
    read->old_bytes[i] = *reinterpret_cast<const volatile uint8_t*>(read->to + i);
    any |= read->old_bytes[i];
  }
  return any != 0;
}

bool has_old_bytes(const PendingRead* read, uint32_t size) {
  for (uint32_t i = 0; i < size; ++i)
    if (read->old_bytes[i] != 0) return true;
  return false;
}

// The machine at the entry, on the stack as it is now. What pointed into it before it moved points
// as far from its upper end (runtime/stack.go copystack, go1.21 to go1.27).
void at_the_call(const PendingRead* read, const Saved* saved, uint64_t stack_hi, Saved* out) {
  out->flags = saved->flags;
  out->resume = saved->resume;
  for (int reg = 0; reg < 16; ++reg) {
    const uint64_t value = read->regs[reg];
    const bool is_on_stack = value >= read->stack_lo && value < read->stack_hi;
    out->regs[reg] = is_on_stack ? value + (stack_hi - read->stack_hi) : value;
  }
  out->regs[kRsp] = saved->regs[kRsp];
  out->regs[kRbp] = saved->regs[kRbp];
  out->regs[kR14] = saved->regs[kR14];
}

uint64_t tell(const Site* site, const Saved* saved, State* state, Control* control,
              const PendingRead* read, uint64_t size, uint64_t now) {
  const uint64_t g = saved->regs[kR14];
  const uint64_t sp = saved->regs[kRsp], stack_hi = load64(g + 8);  // g.stack.hi
  if (stack_hi <= sp) return 0;
  // Who calls is what makes the place: SP is at the return address.
  const uint64_t hash = mix_hash(hash_context(site, saved, stack_hi), load64(sp)) | 1;
  const uint64_t hit = count_context(state, control, hash);
  if (hit == 0) {
    __atomic_add_fetch(&control->lost_context_table_full, 1, __ATOMIC_RELAXED);
    return 0;
  }
  if (!is_told(control, site, hit, now)) return 0;
  abi::AppendFacts facts{};
  facts.old_ptr = facts.dest = read->to;
  facts.new_len = facts.cap = facts.num = facts.dest_size = size;
  facts.elem_size = 1;
  Telling telling{};
  telling.facts = reinterpret_cast<const uint64_t*>(&facts);
  telling.facts_size = sizeof facts;
  telling.old_from = reinterpret_cast<uint64_t>(read->old_bytes);
  telling.old_size = size < read->old_size ? static_cast<uint32_t>(size) : read->old_size;
  telling.context = hash;
  telling.hit = hit;
  Saved then;
  at_the_call(read, saved, stack_hi, &then);
  return record(state, control, site, &then, telling, now);
}

}  // namespace

// Buffers on the goroutine's own stack are left alone: none is handed to the kernel by Go's library.
void begin_read(Site* site, const Saved* saved, State* state) {
  const uint64_t g = saved->regs[kR14];
  const uint64_t to = saved->regs[kRbx], size = saved->regs[kRcx];
  if (g == 0 || to == 0 || size == 0) return;
  const uint64_t stack_lo = load64(g), stack_hi = load64(g + 8);  // runtime/runtime2.go, g.stack
  if (to >= stack_lo && to < stack_hi) return;
  PendingRead* read = claim_read(state, g);
  if (read == nullptr) return;
  read->to = to;
  read->size = size;
  read->stack_lo = stack_lo;
  read->stack_hi = stack_hi;
  read->begin_site = reinterpret_cast<uint64_t>(site);
  for (int reg = 0; reg < 16; ++reg) read->regs[reg] = saved->regs[reg];
  const bool may_overwrite = keep_old_bytes(read);
  __atomic_store_n(&read->g, may_overwrite ? g : 0, __ATOMIC_RELEASE);
}

uint64_t end_read(const Site* site, const Saved* saved, State* state, Control* control,
                  uint64_t now) {
  PendingRead* read = find_read(state, saved->regs[kR14]);
  if (read == nullptr) return 0;
  const uint64_t size = saved->regs[kRax];
  const uint64_t known = size < read->old_size ? size : read->old_size;
  uint64_t waited = 0;
  const bool is_read = size != 0 && size <= read->size;  // not -1
  if (is_read && has_old_bytes(read, static_cast<uint32_t>(known))) {
    count_and_thin(control, reinterpret_cast<Site*>(read->begin_site), false, now);
    if (tool_is_alive(control, now)) waited = tell(site, saved, state, control, read, size, now);
  }
  __atomic_store_n(&read->g, uint64_t{0}, __ATOMIC_RELEASE);
  return waited;
}

}  // namespace geist::runtime

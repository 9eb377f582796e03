// Memory that nobody vouches for: whatever it says, every question ends soon, with an answer that
// holds together or with none.
#include <gtest/gtest.h>

#include <ctime>
#include <functional>

#include "heap/dominators.h"
#include "heap/gc.h"
#include "heap/goroutines.h"
#include "heap/graph.h"
#include "heap/runtime_symbols.h"
#include "heap/spans.h"
#include "heap/unwind.h"
#include "heap/views.h"
#include "live_program.h"

namespace geist::heap {
namespace {

// splitmix64: well mixed, the same on every run.
u64 mix(u64 x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// Every address is readable; the aligned word at each comes from a function.
class MadeUpMemory : public process::Memory {
 public:
  explicit MadeUpMemory(std::function<u64(u64)> word) : word_(std::move(word)) {}
  bool read(TargetAddr addr, std::span<u8> out) const override {
    for (usize i = 0; i < out.size();) {
      u64 at = addr.value + i;
      u64 word = word_(at & ~u64{7});
      usize count = std::min<usize>(8 - (at & 7), out.size() - i);
      std::memcpy(out.data() + i, reinterpret_cast<const u8*>(&word) + (at & 7), count);
      i += count;
    }
    return true;
  }
  usize read_some(TargetAddr addr, std::span<u8> out) const override {
    read(addr, out);
    return out.size();
  }

 private:
  std::function<u64(u64)> word_;
};

// Random words of the kinds that pass first checks: counts, flags, pages, pointers to more of it.
u64 plausible_word(u64 seed, u64 addr) {
  u64 random = mix(seed ^ addr);
  switch (random % 8) {
    case 0:
      return 0;
    case 1:
      return mix(random) % 4;
    case 2:
      return mix(random) % 5000;
    case 3:
      return 0xc000000000 + (mix(random) % 4096) * 8192;
    case 4:
      return (addr | 0xc000000000) + mix(random) % 4096;
    case 5:
      return 0x0102010200000000 | (mix(random) & 0xffffffff);
    case 6:
      return ~u64{0};
    default:
      return mix(random);
  }
}

// Real memory with one byte in `rate` changed, differently each time it is read.
class NoisyMemory : public process::Memory {
 public:
  NoisyMemory(const process::Memory& real, u64 seed, u64 rate)
      : real_(real), state_(seed), rate_(rate) {}
  bool read(TargetAddr addr, std::span<u8> out) const override {
    bool is_read = real_.read(addr, out);
    disturb(out);
    return is_read && mix(++state_) % 64 != 0;
  }
  usize read_some(TargetAddr addr, std::span<u8> out) const override {
    usize got = real_.read_some(addr, out);
    disturb(out.first(got));
    return mix(++state_) % 64 == 0 ? got / 2 : got;
  }

 private:
  void disturb(std::span<u8> bytes) const {
    for (u64 at = mix(++state_) % rate_; at < bytes.size(); at += mix(++state_) % rate_ + 1) {
      bytes[at] = static_cast<u8>(mix(++state_));
    }
  }
  const process::Memory& real_;
  mutable u64 state_;
  u64 rate_;
};

// Real memory whose first read from `torn` on finds its first word as it was at another moment.
class TornMemory : public process::Memory {
 public:
  TornMemory(const process::Memory& real, TargetAddr torn) : real_(real), torn_(torn) {}
  bool read(TargetAddr addr, std::span<u8> out) const override {
    bool is_read = real_.read(addr, out);
    if (is_read && addr == torn_ && std::exchange(is_torn_, false)) out[0] ^= 1;
    return is_read;
  }
  usize read_some(TargetAddr addr, std::span<u8> out) const override {
    return real_.read_some(addr, out);
  }

 private:
  const process::Memory& real_;
  TargetAddr torn_;
  mutable bool is_torn_ = true;
};

class HostileMemory : public testing::Test {
 protected:
  static constexpr u64 kMaxBytes = u64{2} << 20;

  void SetUp() override {
    program_ = LiveProgram::start("shapes.go", {"", ""});
    ASSERT_NE(program_, nullptr);
    Result<RuntimeSymbols> symbols = find_runtime_symbols(program_->binary());
    ASSERT_TRUE(symbols.ok());
    symbols_ = symbols.value();
  }

  void expect_sane(const Span& span) {
    EXPECT_LT(span.start, span.limit);
    EXPECT_LE(span.limit, span.end());
    EXPECT_LT(span.end().value, (u64{1} << 47) + 8192);
    if (!span.is_heap()) return;
    EXPECT_GT(span.elem_size, 0u);
    EXPECT_GE(span.nelems, 1u);
    EXPECT_LE(span.nelems, 1024u);
    EXPECT_LE(span.freeindex, span.nelems);
    EXPECT_LT(span.index_of(span.limit - 1), span.nelems);
  }

  // Asks everything once.
  void ask(const process::Memory& memory, u64 seed) {
    std::clock_t begin = std::clock();  // CPU time: the machine may be busy
    const read::GoBinary& binary = program_->binary();
    TargetAddr mheap = program_->bias().to_target(symbols_.mheap);
    SpanTable table(memory, binary.layout(), mheap);
    u64 damaged = 0;
    std::vector<Span> spans = table.read_all(&damaged);
    for (usize i = 0; i < spans.size(); ++i) {
      expect_sane(spans[i]);
      if (i > 0) {
        EXPECT_LE(spans[i - 1].end(), spans[i].start);
      }
    }
    for (u64 i = 0; i < 200; ++i) {
      TargetAddr addr(plausible_word(seed + 1, i * 8));
      if (i % 4 == 0 && !spans.empty()) addr = spans[i % spans.size()].start + i * 24;
      if (std::optional<Span> span = table.find_span(addr)) expect_sane(*span);
      if (std::optional<Object> object = table.find_object(addr)) {
        EXPECT_GE(object->user, object->base);
        EXPECT_LT(addr, object->user + object->size_bytes);
      }
      survived_gc(table, addr, static_cast<u32>(mix(i)));
    }
    ask_goroutines(memory);
    ViewScanner scanner(memory, binary, symbols_, program_->bias());
    std::vector<ArrayRange> arrays;
    for (u64 i = 0; i < 50; ++i) {
      TargetAddr start(0xc000000000 + i * 81920);
      arrays.push_back({start, start + 8192});
    }
    ScanStats stats;
    for (const HeaderHit& hit : scanner.scan(arrays, kMaxBytes, &stats)) {
      ASSERT_LT(hit.array, arrays.size());
      EXPECT_GE(hit.ptr, arrays[hit.array].begin);
      EXPECT_LT(hit.ptr, arrays[hit.array].end);
    }
    EXPECT_LE(stats.bytes_read, kMaxBytes);
    std::vector<bool> reached;
    scanner.is_reachable({arrays[0].begin, TargetAddr(mix(seed))}, kMaxBytes, &reached);
    EXPECT_EQ(reached.size(), 2u);
    EXPECT_LT((std::clock() - begin) / CLOCKS_PER_SEC, 10);
  }

  // The graph of a heap whose tables lie: an error, or a graph that holds together.
  void ask_graph(const process::Memory& memory) {
    HeapImage image{.memory = &memory,
                    .binary = &program_->binary(),
                    .symbols = symbols_,
                    .bias = program_->bias(),
                    .threads = {}};
    std::optional<Dominators> beside_types;
    auto find_dominators = [&](const HeapGraph& untyped) { beside_types.emplace(untyped); };
    auto made = HeapGraph::make(image, 2, find_dominators);
    if (!made.ok()) return;
    const HeapGraph& graph = *made.value();
    const Dominators& dominators = *beside_types;
    u64 bytes = 0;
    graph.for_each_reached([&](ObjectId id, u64 slot_size) {
      bytes += slot_size;
      ASSERT_LE(dominators.retained(id), graph.stats().reached_bytes);
      ObjectId above = dominators.idom(id);
      if (above != kNoObject) {
        ASSERT_TRUE(graph.is_reached(above));
        ASSERT_LE(dominators.retained(id), dominators.retained(above));
      }
      ASSERT_EQ(graph.find_object(graph.addr(id)), id);
      for (u64 k = 0; k < graph.slots(id).size(); ++k) {
        u32 slot = graph.slots(id)[k];
        ASSERT_LE(HeapGraph::target(slot), graph.last_id());
        if (slot != 0) {
          ASSERT_TRUE(graph.is_reached(HeapGraph::target(slot)));
        }
        graph.find_slot_offset(id, k);
      }
    });
    EXPECT_EQ(bytes, graph.stats().reached_bytes);
    EXPECT_LE(graph.stats().typed_bytes, bytes);
  }

  void ask_goroutines(const process::Memory& memory) {
    const read::GoBinary& binary = program_->binary();
    u64 damaged = 0;
    for (const Goroutine& g :
         read_goroutines(memory, binary.layout(), symbols_, program_->bias(), &damaged)) {
      EXPECT_LT(g.stack_lo, g.stack_hi);
      std::optional<ParkedStack> stack =
          unwind_parked(memory, binary, program_->bias(), g, u64{1} << 20, 50);
      if (!stack) continue;
      EXPECT_LE(stack->unwound.frames.size(), 50u);
      for (const StackFrame& frame : stack->unwound.frames) live_pointer_slots(binary, frame);
    }
  }

  std::unique_ptr<LiveProgram> program_;
  RuntimeSymbols symbols_;
};

TEST_F(HostileMemory, AllOnes) {
  ask(MadeUpMemory([](u64) { return ~u64{0}; }), 1);
}

TEST_F(HostileMemory, AllZero) {
  ask(MadeUpMemory([](u64) { return u64{0}; }), 2);
}

TEST_F(HostileMemory, EveryWordPointsToItself) {
  // Globals are at low addresses; what is read there as a count is a million at most.
  ask(MadeUpMemory([](u64 addr) { return addr < u64{1} << 32 ? addr % (1 << 20) : addr; }), 3);
}

TEST_F(HostileMemory, Random) {
  for (u64 seed = 0; seed < 20; ++seed) {
    ask(MadeUpMemory([seed](u64 addr) { return mix(seed ^ addr); }), seed);
  }
}

TEST_F(HostileMemory, RandomButPlausible) {
  for (u64 seed = 0; seed < 20; ++seed) {
    ask(MadeUpMemory([seed](u64 addr) { return plausible_word(seed, addr); }), seed);
  }
}

TEST_F(HostileMemory, RealButNoisy) {
  std::string why;
  if (!program_->is_readable(&why)) GTEST_SKIP() << why;
  for (u64 seed = 0; seed < 30; ++seed) {
    for (u64 rate : {40, 400, 20000}) ask(NoisyMemory(program_->memory(), seed, rate), seed);
  }
}

TEST_F(HostileMemory, GraphOfNoise) {
  std::string why;
  if (!program_->is_readable(&why)) GTEST_SKIP() << why;
  ask_graph(program_->memory());
  for (u64 seed = 0; seed < 10; ++seed) {
    for (u64 rate : {40, 400, 20000}) ask_graph(NoisyMemory(program_->memory(), seed, rate));
  }
}

// A goroutine may come back to where it stood, but its stack was used meanwhile.
TEST_F(HostileMemory, AStackThatWasUsedMeanwhileIsNotTaken) {
  std::string why;
  if (!program_->is_readable(&why)) GTEST_SKIP() << why;
  const process::Memory& real = program_->memory();
  const read::GoBinary& binary = program_->binary();
  auto unwind_in = [&](const process::Memory& memory, const Goroutine& g) {
    return unwind_parked(memory, binary, program_->bias(), g, u64{1} << 20, 50);
  };
  usize parked = 0;
  for (const Goroutine& g :
       read_goroutines(real, binary.layout(), symbols_, program_->bias(), nullptr)) {
    if (g.status != GStatus::kWaiting || !unwind_in(real, g)) continue;
    ++parked;
    TornMemory torn(real, g.sp);
    EXPECT_FALSE(unwind_in(torn, g)) << g.goid;
    EXPECT_TRUE(unwind_in(torn, g)) << g.goid;
  }
  EXPECT_GT(parked, 2u);
}

// A stack of nothing but return addresses, true and made up ones.
TEST_F(HostileMemory, UnwindEndsOnAnyStack) {
  const read::GoBinary& binary = program_->binary();
  const read::ModuleData& module = binary.module();
  u64 text = module.etext - module.text;
  for (u64 seed = 0; seed < 300; ++seed) {
    std::vector<u64> words(4096);
    for (u64 i = 0; i < words.size(); ++i) {
      u64 random = mix(seed * 10007 + i);
      words[i] = seed % 3 == 0 ? random : module.text.value + random % text;
    }
    const u8* bytes = reinterpret_cast<const u8*>(words.data());
    StackCopy stack{TargetAddr(0xc000100000), {bytes, words.size() * 8 - seed % 8}};
    ImageAddr pc = module.text + mix(seed) % text;
    Unwound unwound = unwind(binary, LoadBias{0}, pc, stack, 64, seed % 2 == 0);
    EXPECT_LE(unwound.frames.size(), 64u);
    for (const StackFrame& frame : unwound.frames) {
      EXPECT_GT(frame.cfa, frame.sp);
      live_pointer_slots(binary, frame);
    }
  }
}

}  // namespace
}  // namespace geist::heap

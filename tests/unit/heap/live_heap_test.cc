// Against real processes: what the program says about its objects is what we find.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "heap/gc.h"
#include "heap/goroutines.h"
#include "heap/runtime_symbols.h"
#include "heap/spans.h"
#include "heap/stack_roots.h"
#include "heap/unwind.h"
#include "heap/views.h"
#include "live_program.h"

namespace geist::heap {
namespace {

constexpr u64 kMaxBytes = u64{1} << 30;

std::vector<GoBuild> all_builds() {
  std::vector<GoBuild> builds;
  for (const std::string& toolchain : test_toolchains()) {
    builds.push_back({toolchain, ""});
    builds.push_back({toolchain, "-buildmode=pie -ldflags=-s"});
  }
  return builds;
}

class LiveHeap : public testing::TestWithParam<GoBuild> {
 protected:
  void SetUp() override {
    program_ = LiveProgram::start("shapes.go", GetParam());
    ASSERT_NE(program_, nullptr);
    std::string why;
    if (!program_->is_readable(&why)) GTEST_SKIP() << why;
    Result<RuntimeSymbols> symbols = find_runtime_symbols(program_->binary());
    ASSERT_TRUE(symbols.ok()) << symbols.error().message();
    symbols_ = symbols.value();
    spans_.emplace(program_->memory(), layout(), program_->bias().to_target(symbols_.mheap));
    scanner_.emplace(program_->memory(), program_->binary(), symbols_, program_->bias());
  }

  const read::Layout& layout() const { return program_->binary().layout(); }
  TargetAddr addr(const std::string& name) const { return program_->at(name).addr; }
  u64 size(const std::string& name) const { return program_->at(name).size; }
  std::vector<Goroutine> goroutines() const {
    u64 damaged = 0;
    std::vector<Goroutine> gs =
        read_goroutines(program_->memory(), layout(), symbols_, program_->bias(), &damaged);
    EXPECT_EQ(damaged, 0u);
    return gs;
  }
  std::optional<ParkedStack> parked(const Goroutine& g) const {
    return unwind_parked(program_->memory(), program_->binary(), program_->bias(), g, 1 << 20, 100);
  }
  static std::vector<std::string> names(const Unwound& unwound) {
    std::vector<std::string> names;
    for (const StackFrame& frame : unwound.frames) names.emplace_back(frame.function.name);
    return names;
  }

  std::unique_ptr<LiveProgram> program_;
  RuntimeSymbols symbols_;
  std::optional<SpanTable> spans_;
  std::optional<ViewScanner> scanner_;
};

TEST_P(LiveHeap, FindsObjectsOfAllShapes) {
  struct Shape {
    std::string name;
    u64 slot_size;
    bool noscan;
    bool has_header;
  };
  bool headers = layout().has_malloc_headers;
  const std::vector<Shape> shapes = {
      {"noscan", 64, true, false},          {"small", 24, false, false},
      {"with_header", 1024, false, true},   {"large", 80000, false, false},
      {"large_bytes", 106496, true, false}, {"tiny", 16, true, false},
      {"words", 24, true, false},           {"holder", 64, false, false},
  };
  for (const Shape& shape : shapes) {
    SCOPED_TRACE(shape.name);
    std::optional<Object> object = spans_->find_object(addr(shape.name));
    ASSERT_TRUE(object.has_value());
    u64 header = headers && shape.has_header ? 8 : 0;
    EXPECT_EQ(object->user - object->base, header);
    EXPECT_EQ(object->noscan, shape.noscan);
    EXPECT_FALSE(object->is_stack);
    if (shape.name != "tiny") {
      EXPECT_EQ(object->user, addr(shape.name));
    }
    EXPECT_GE(object->size_bytes, size(shape.name));
    EXPECT_LE(object->size_bytes + header, shape.slot_size);
    // The last byte belongs to the same object, a byte behind the slot does not.
    std::optional<Object> last = spans_->find_object(addr(shape.name) + size(shape.name) - 1);
    ASSERT_TRUE(last.has_value());
    EXPECT_EQ(last->base, object->base);
    std::optional<Object> next = spans_->find_object(object->user + object->size_bytes);
    EXPECT_TRUE(!next || next->base != object->base);
  }
}

TEST_P(LiveHeap, AnswersNothingForGlobalsAndNonsense) {
  EXPECT_FALSE(spans_->find_object(addr("global_view")).has_value());
  EXPECT_FALSE(spans_->find_object(TargetAddr(0)).has_value());
  EXPECT_FALSE(spans_->find_object(TargetAddr(0x1234)).has_value());
  EXPECT_FALSE(spans_->find_object(TargetAddr(~u64{0})).has_value());
  EXPECT_FALSE(spans_->find_object(TargetAddr(u64{1} << 47)).has_value());
}

TEST_P(LiveHeap, ReadsAllSpansAsSingleLookupsDo) {
  u64 damaged = ~u64{0};
  std::vector<Span> spans = spans_->read_all(&damaged);
  EXPECT_EQ(damaged, 0u);
  ASSERT_GT(spans.size(), 20u);
  usize heap = 0, manual = 0;
  for (const Span& span : spans) {
    heap += span.is_heap();
    manual += span.state == SpanState::kManual;
    std::optional<Span> same = spans_->find_span(span.start);
    ASSERT_TRUE(same.has_value());
    EXPECT_EQ(same->npages, span.npages);
    EXPECT_EQ(same->limit, span.limit);
    EXPECT_EQ(same->nelems, span.nelems);
  }
  EXPECT_GT(heap, 10u);
  EXPECT_GT(manual, 0u);
  for (const char* name : {"noscan", "small", "with_header", "large", "large_bytes", "tiny"}) {
    EXPECT_EQ(std::count_if(spans.begin(), spans.end(),
                            [&](const Span& span) { return span.holds(addr(name)); }),
              1)
        << name;
  }
}

TEST_P(LiveHeap, FreedObjectsAreNoObjects) {
  EXPECT_TRUE(spans_->find_object(addr("dropped_holder")).has_value());
  ASSERT_TRUE(program_->tell("drop"));
  ASSERT_TRUE(program_->tell("gc"));
  EXPECT_FALSE(spans_->find_object(addr("dropped_holder")).has_value());
  EXPECT_FALSE(spans_->find_object(addr("dropped_second")).has_value());
  EXPECT_TRUE(spans_->find_object(addr("small")).has_value());
}

TEST_P(LiveHeap, KnowsWhatSurvivedACollection) {
  std::optional<u32> moment = spans_->sweepgen();
  ASSERT_TRUE(moment.has_value());
  EXPECT_EQ(survived_gc(*spans_, addr("small"), *moment), std::nullopt);
  EXPECT_EQ(survived_gc(*spans_, addr("dropped_holder"), *moment), std::nullopt);
  ASSERT_TRUE(program_->tell("gc"));  // runtime.GC also finishes the sweep
  for (const char* name : {"small", "with_header", "large", "holder", "dropped_holder"}) {
    EXPECT_EQ(survived_gc(*spans_, addr(name), *moment), true) << name;
  }
  moment = spans_->sweepgen();
  ASSERT_TRUE(program_->tell("drop"));
  ASSERT_TRUE(program_->tell("gc"));
  EXPECT_EQ(survived_gc(*spans_, addr("small"), *moment), true);
  EXPECT_EQ(survived_gc(*spans_, addr("large"), *moment), true);
  EXPECT_EQ(survived_gc(*spans_, addr("dropped_holder"), *moment), false);
  EXPECT_EQ(survived_gc(*spans_, addr("dropped_second"), *moment), false);
}

TEST_P(LiveHeap, FindsViewsWhereTheyAre) {
  struct View {
    std::string name;
    u64 first, len, cap;  // in elements
    std::string holder;
  };
  const std::vector<View> expected = {
      {"global_view", 1, 4, 8, ""},        {"data_view", 2, 2, 62, ""},
      {"holder_view", 3, 3, 61, "holder"}, {"list_view", 5, 3, 3, ""},
      {"boxed_view", 6, 3, 58, ""},
  };
  TargetAddr array = addr("array");
  TargetAddr string_array = addr("string_array");
  ScanStats stats;
  // Not in order, and one in front that nobody points to.
  std::vector<HeaderHit> hits =
      scanner_->scan({{string_array, string_array + size("string_array")}, {array, array + 512}},
                     kMaxBytes, &stats);
  EXPECT_EQ(stats.bytes_unreadable, 0u);
  EXPECT_EQ(stats.spans_damaged, 0u);
  auto find = [&](TargetAddr at) {
    auto hit =
        std::find_if(hits.begin(), hits.end(), [&](const HeaderHit& h) { return h.at == at; });
    return hit == hits.end() ? nullptr : &*hit;
  };
  for (const View& view : expected) {
    SCOPED_TRACE(view.name);
    const HeaderHit* hit = find(addr(view.name));
    ASSERT_NE(hit, nullptr);
    EXPECT_EQ(hit->ptr, array + view.first * 8);
    EXPECT_EQ(hit->len, view.len);
    EXPECT_EQ(hit->cap, view.cap);
    EXPECT_EQ(hit->array, 1u);
    EXPECT_EQ(hit->in_globals, view.name == "global_view" || view.name == "data_view");
    EXPECT_EQ(hit->holder.value == 0, hit->in_globals);
    if (!view.holder.empty()) {
      EXPECT_EQ(hit->holder, addr(view.holder));
      EXPECT_EQ(hit->holder_size, 64u);
    }
  }
  // A map's value: somewhere in the heap.
  EXPECT_TRUE(std::any_of(hits.begin(), hits.end(), [&](const HeaderHit& h) {
    return h.ptr == array + 56 && h.len == 3 && h.cap == 57 && !h.in_globals;
  }));
  const HeaderHit* string = find(addr("global_string"));
  ASSERT_NE(string, nullptr);
  EXPECT_EQ(string->ptr, string_array + 2);
  EXPECT_EQ(string->len, 6u);
  EXPECT_EQ(string->array, 0u);
}

TEST_P(LiveHeap, HeaderWordsStopAtTheHoldersEnd) {
  TargetAddr array = addr("array");
  std::vector<HeaderHit> hits = scanner_->scan({{array, array + 512}}, kMaxBytes, nullptr);
  auto hit = std::find_if(hits.begin(), hits.end(),
                          [&](const HeaderHit& h) { return h.at == addr("tail_view"); });
  ASSERT_NE(hit, hits.end());
  EXPECT_EQ(hit->ptr, array + 64);
  EXPECT_EQ(hit->len, 0u);
  EXPECT_EQ(hit->cap, 0u);
  EXPECT_EQ(hit->holder_size, 24u);
}

TEST_P(LiveHeap, ScanKeepsItsBudget) {
  TargetAddr array = addr("array");
  ScanStats stats;
  scanner_->scan({{array, array + 512}}, 4096, &stats);
  EXPECT_LE(stats.bytes_read, 4096u);
  EXPECT_GT(stats.bytes_unreadable, 0u);
  EXPECT_TRUE(scanner_->scan({}, kMaxBytes, &stats).empty());
}

TEST_P(LiveHeap, UnwindsParkedGoroutines) {
  usize parked_count = 0;
  for (const Goroutine& g : goroutines()) {
    if (g.status != GStatus::kWaiting) continue;
    std::optional<ParkedStack> stack = parked(g);
    ASSERT_TRUE(stack.has_value()) << "goroutine " << g.goid;
    EXPECT_TRUE(stack->unwound.complete) << "goroutine " << g.goid;
    std::vector<std::string> functions = names(stack->unwound);
    ASSERT_FALSE(functions.empty());
    EXPECT_EQ(functions.front(), "runtime.gopark");
    EXPECT_EQ(functions.back(), "runtime.goexit");
    auto inner = std::find(functions.begin(), functions.end(), "main.parkInner");
    if (inner == functions.end()) continue;
    ++parked_count;
    ASSERT_NE(inner + 1, functions.end());
    EXPECT_EQ(*(inner + 1), "main.parkOuter");
  }
  EXPECT_EQ(parked_count, 11u);
}

TEST_P(LiveHeap, StackMapsGiveTheLocalView) {
  TargetAddr array = addr("array");
  usize locals = 0, arguments = 0;
  for (const Goroutine& g : goroutines()) {
    std::optional<ParkedStack> stack = parked(g);
    if (!stack) continue;
    for (const StackFrame& frame : stack->unwound.frames) {
      if (frame.function.name != "main.parkOuter") continue;
      for (TargetAddr slot : live_pointer_slots(program_->binary(), frame)) {
        EXPECT_GE(slot, frame.sp);
        locals += slot < frame.cfa && stack->copy().find_word(slot) == array.value + 8;
        arguments += slot >= frame.cfa && stack->copy().find_word(slot) == array.value;
      }
    }
  }
  // In each of the eleven calls of parkOuter, `local` and `view` are live across parkInner; view in
  // its home slot among the arguments.
  EXPECT_EQ(locals, 11u);
  EXPECT_EQ(arguments, 11u);
}

TEST_P(LiveHeap, StackObjectsHoldAddressTakenVariables) {
  TargetAddr array = addr("array");
  usize views = 0, roots = 0;
  for (const Goroutine& g : goroutines()) {
    std::optional<ParkedStack> stack = parked(g);
    if (!stack) continue;
    std::vector<u64> words = find_stack_roots(program_->memory(), program_->binary(), g, *stack);
    roots += static_cast<usize>(std::count(words.begin(), words.end(), array.value + 80));
    for (const StackFrame& frame : stack->unwound.frames) {
      if (frame.function.name != "main.parkOuter") continue;
      for (const StackObject& object : stack_objects(program_->binary(), frame)) {
        EXPECT_GE(object.begin, frame.sp);
        if (object.size_bytes != 64) continue;
        EXPECT_EQ(object.ptr_bytes, 56u);  // the length of holder.name is behind the last pointer
        EXPECT_EQ(stack->copy().find_word(object.begin + 24), array.value + 80);
        EXPECT_EQ(stack->copy().find_word(object.begin + 32), 2u);
        ++views;
      }
    }
  }
  // `box` of each of the eleven calls of parkOuter is used again behind parkInner.
  EXPECT_EQ(views, 11u);
  EXPECT_EQ(roots, 11u);
}

TEST_P(LiveHeap, UnwindsTheGoroutineInASystemCall) {
  std::vector<Goroutine> gs = goroutines();
  auto main = std::find_if(gs.begin(), gs.end(), [](const Goroutine& g) { return g.goid == 1; });
  ASSERT_NE(main, gs.end());
  EXPECT_EQ(main->status, GStatus::kSyscall);
  std::optional<ParkedStack> stack = parked(*main);
  ASSERT_TRUE(stack.has_value());
  EXPECT_TRUE(stack->unwound.complete);
  std::vector<std::string> functions = names(stack->unwound);
  EXPECT_TRUE(std::count(functions.begin(), functions.end(), "main.main"))
      << testing::PrintToString(functions);
}

TEST_P(LiveHeap, WhoRunsHasAPThatSaysSo) {
  const read::Layout& layout = program_->binary().layout();
  // One in a system call keeps its P until that is needed elsewhere.
  usize waiting = 0;
  for (const Goroutine& g : goroutines()) {
    if (g.status != GStatus::kWaiting || !parked(g)) continue;
    ++waiting;
    EXPECT_FALSE(has_running_p(program_->memory(), layout, g.g)) << g.goid;
  }
  EXPECT_GT(waiting, 2u);
  ASSERT_TRUE(program_->tell("spin"));
  usize running = 0;
  for (int i = 0; i < 200 && running < 20; ++i) {
    for (const Goroutine& g : goroutines()) {
      if (g.status != GStatus::kRunning) continue;
      running += has_running_p(program_->memory(), layout, g.g);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(running, 20u);
}

TEST_P(LiveHeap, UnwindsThroughAsyncPreemption) {
  ASSERT_TRUE(program_->tell("spin"));
  // Two goroutines share one P, so at any time one of them was preempted inside spin.
  bool has_seen = false;
  for (int i = 0; i < 200 && !has_seen; ++i) {
    for (const Goroutine& g : goroutines()) {
      std::optional<ParkedStack> stack = parked(g);
      if (!stack) continue;
      const std::vector<StackFrame>& frames = stack->unwound.frames;
      for (usize k = 0; k + 1 < frames.size(); ++k) {
        if (frames[k].function.name != "runtime.asyncPreempt") continue;
        EXPECT_EQ(frames[k + 1].function.name, "main.spin");
        EXPECT_FALSE(frames[k + 1].is_return_address);
        EXPECT_TRUE(live_pointer_slots(program_->binary(), frames[k + 1]).empty());
        EXPECT_TRUE(stack->unwound.complete);
        has_seen = true;
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_TRUE(has_seen);
}

TEST_P(LiveHeap, ReachabilityFollowsPointers) {
  std::vector<bool> reached;
  std::vector<TargetAddr> live = {addr("chain_third"), addr("array"), addr("large") + 5000,
                                  addr("dropped_second"), addr("global_view")};
  EXPECT_EQ(scanner_->is_reachable(live, kMaxBytes, &reached), true);
  EXPECT_EQ(reached, std::vector<bool>(5, true));
  ASSERT_TRUE(program_->tell("drop"));
  EXPECT_EQ(
      scanner_->is_reachable({addr("chain_third"), addr("dropped_second")}, kMaxBytes, &reached),
      false);
  EXPECT_EQ(reached, (std::vector<bool>{true, false}));
  EXPECT_EQ(scanner_->is_reachable({addr("dropped_second")}, 4096, &reached), std::nullopt);
}

// The collector's answer for a heap that nobody changes: what it kept is what we reach.
TEST_P(LiveHeap, ReachesWhatTheCollectorKept) {
  ASSERT_TRUE(program_->tell("gc"));
  std::vector<TargetAddr> kept;
  for (const Span& span : spans_->read_all(nullptr)) {
    if (!span.is_heap()) continue;
    std::optional<SpanTable::SpanBits> bits = spans_->read_bits(span);
    ASSERT_TRUE(bits.has_value());
    for (u64 i = 0; i < span.nelems; ++i) {
      bool was_marked = ((bits->alloc_bits[i / 8] >> (i % 8)) & 1) != 0;
      if (was_marked) kept.push_back(span.slot(i));
    }
  }
  ASSERT_GT(kept.size(), 100u);
  std::vector<bool> reached;
  EXPECT_EQ(scanner_->is_reachable(kept, kMaxBytes, &reached), true);
  EXPECT_EQ(std::count(reached.begin(), reached.end(), false), 0);
}

TEST_P(LiveHeap, StaleStackSlotsKeepNothing) {
  std::vector<bool> reached;
  ASSERT_TRUE(spans_->find_object(addr("stale")).has_value());
  EXPECT_EQ(scanner_->is_reachable({addr("stale")}, kMaxBytes, &reached), false);
}

TEST_P(LiveHeap, NumbersAreNoPointers) {
  std::vector<bool> reached;
  (void)scanner_->is_reachable({addr("number_in_global"), addr("number_in_object")}, kMaxBytes,
                               &reached);
  EXPECT_FALSE(reached[0]);
  if (layout().has_malloc_headers) {
    EXPECT_FALSE(reached[1]);
  }
}

TEST_P(LiveHeap, StackAddressesAreStackObjects) {
  for (const Goroutine& g : goroutines()) {
    std::optional<Object> object = spans_->find_object(g.stack_hi - 8);
    ASSERT_TRUE(object.has_value()) << g.goid;
    EXPECT_TRUE(object->is_stack);
    EXPECT_LE(object->base, g.stack_lo);
    EXPECT_GE(object->base + object->size_bytes, g.stack_hi);
  }
}

INSTANTIATE_TEST_SUITE_P(Builds, LiveHeap, testing::ValuesIn(all_builds()),
                         [](const testing::TestParamInfo<GoBuild>& build) {
                           std::string name;
                           for (char c : build.param.name()) name += std::isalnum(c) ? c : '_';
                           return name;
                         });

}  // namespace
}  // namespace geist::heap

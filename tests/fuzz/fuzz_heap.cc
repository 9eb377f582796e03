// A heap whose memory lies: a small sound heap is made in memory, the input writes over it (span
// table, bits, objects, goroutines, the program's data), and every question of geist snap is asked.
// Whatever the memory says, the graph's ids and sizes hold together, and every question ends. The
// programs are those of $GEIST_FUZZ_PROGRAMS that are no PIE.
//
//   input:  u8 program | question << 4, then writes:  u8 region | kind << 4, u24 offset, and
//           kind even:  u8 count, bytes
//           kind odd:   u8 what, u16 which: a pointer, to a region, a type or code
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "heap/dominators.h"
#include "snap/answers.h"
#include "snap/hold_tree.h"
#include "snap/text.h"

namespace {

using namespace geist;

constexpr u64 kPage = 8192;
constexpr u64 kHeap = 0xc000000000;
constexpr u64 kMetadata = 0x7f0000000000;
constexpr u8 kQuestions = 7;
constexpr u64 kRecord = 512;       // room for an mspan or a g
constexpr u32 kObjectsOfSpan = 6;  // few, for speed
enum RegionKind : u8 { kModule, kData, kSpans, kObjects, kBits, kGoroutines, kArena, kRegions };

struct Region {
  u64 begin = 0;
  std::vector<u8> bytes;
};

// Regions that were made here, and the program's constants.
class FakeMemory : public process::Memory {
 public:
  explicit FakeMemory(const read::Image& image) : image_(image) {}
  std::array<Region, kRegions> regions;

  bool read(TargetAddr addr, std::span<u8> out) const override {
    return read_some(addr, out) == out.size();
  }
  usize read_some(TargetAddr addr, std::span<u8> out) const override {
    if (out.empty()) return 0;
    for (const Region& region : regions) {
      if (addr.value < region.begin || addr.value - region.begin >= region.bytes.size()) continue;
      u64 at = addr.value - region.begin;
      usize count = std::min<u64>(out.size(), region.bytes.size() - at);
      std::memcpy(out.data(), region.bytes.data() + at, count);
      return count;
    }
    std::optional<ByteView> bytes = image_.find_bytes_from(ImageAddr(addr.value));
    if (!bytes) return 0;
    usize count = std::min(out.size(), bytes->size());
    std::memcpy(out.data(), bytes->data(), count);
    return count;
  }
  template <typename T>
  void put(u64 addr, T value) {
    for (Region& region : regions) {
      if (addr < region.begin || addr - region.begin + sizeof(T) > region.bytes.size()) continue;
      std::memcpy(region.bytes.data() + (addr - region.begin), &value, sizeof(T));
      return;
    }
    GEIST_CHECK(false);
  }

 private:
  const read::Image& image_;
};

struct Class {
  u8 number;
  u32 size, pages;
  bool noscan;
};
// runtime/sizeclasses.go; 0 is a large object.
constexpr std::array kClasses = {Class{2, 16, 1, true},     Class{2, 16, 1, false},
                                 Class{4, 32, 1, false},    Class{8, 96, 1, false},
                                 Class{5, 48, 1, true},     Class{32, 1024, 1, false},
                                 Class{0, 40960, 5, false}, Class{0, 16384, 2, true}};

class FakeHeap {
 public:
  explicit FakeHeap(std::unique_ptr<read::GoBinary> binary)
      : binary_(std::move(binary)), memory_(binary_->image()) {
    auto symbols = heap::find_runtime_symbols(*binary_);
    GEIST_CHECK(symbols.ok());
    image_ = {.memory = &memory_,
              .binary = binary_.get(),
              .debug = nullptr,
              .symbols = symbols.value(),
              .bias = {},
              .threads = {}};
    find_types();
    copy_data();
    make_spans();
    make_goroutine();
    root_everything();
    sound_ = memory_.regions;
    for (u8 question = 0; question < kQuestions; ++question) ask(question);
    GEIST_CHECK(reached_ > kClasses.size());
  }

  void run(u8 question, ByteReader& input) {
    while (input.remaining() >= 5) write(input);
    ask(question);
    for (u8 region : touched_) memory_.regions[region] = sound_[region];
    touched_.clear();
  }

 private:
  void find_types() {
    const read::ModuleData& module = binary_->module();
    for (ImageAddr at = module.types; at < module.etypes && types_.size() < 256; at += 8) {
      if (binary_->types().read(at).ok()) types_.push_back(at.value);
    }
  }

  void copy_data() {
    const read::ModuleData& module = binary_->module();
    Region& data = memory_.regions[kData];
    std::vector<u8> bytes(module.enoptrbss - module.noptrdata);
    memory_.read_some(TargetAddr(module.noptrdata.value), bytes);
    data = {module.noptrdata.value, std::move(bytes)};
    // In data, or in a section of its own.
    std::vector<u8> record(binary_->layout().moduledata_size);
    memory_.read_some(TargetAddr(module.addr.value), record);
    memory_.regions[kModule] = {module.addr.value, std::move(record)};
  }

  void make_spans() {
    const read::Layout& at = binary_->layout();
    u64 pages = 0;
    for (const Class& c : kClasses) pages += c.pages;
    memory_.regions[kObjects] = {kHeap, std::vector<u8>(pages * kPage)};
    memory_.regions[kSpans] = {kMetadata, std::vector<u8>(kRecord * (kClasses.size() + 1))};
    memory_.regions[kBits] = {kMetadata + (1 << 20), std::vector<u8>(kClasses.size() * 128)};
    memory_.regions[kArena] = {kMetadata + (1 << 24), std::vector<u8>(65536, 0x11)};
    u64 mheap = image_.symbols.mheap.value;
    memory_.put<u64>(mheap + at.mheap_allspans, kMetadata);
    memory_.put<u64>(mheap + at.mheap_allspans + 8, kClasses.size());
    memory_.put<u32>(mheap + at.mheap_sweepgen, 4);
    u64 start = kHeap;
    for (usize i = 0; i < kClasses.size(); ++i) {
      u64 mspan = kMetadata + kRecord * (i + 1);
      memory_.put<u64>(kMetadata + i * 8, mspan);
      make_span(mspan, start, kClasses[i], kMetadata + (1 << 20) + i * 128);
      start += kClasses[i].pages * kPage;
    }
    // Each word of the objects leads to some object; large ones and those with a header have a
    // type.
    for (u64 word = 0; word < pages * kPage; word += 24)
      memory_.put<u64>(kHeap + word, kHeap + word * 7 % pages * kPage + word % 6 * 32);
    for (u64 object = 4 * kPage; object < 6 * kPage; object += 1024)
      memory_.put<u64>(kHeap + object, types_[object / 1024 % types_.size()]);
  }

  void make_span(u64 mspan, u64 start, const Class& c, u64 bits) {
    const read::Layout& at = binary_->layout();
    u32 count = c.number == 0 ? 1 : static_cast<u32>(c.pages * kPage / c.size);
    u32 allocated = std::min(count, kObjectsOfSpan);
    memory_.put<u64>(mspan + at.mspan_start_addr, start);
    memory_.put<u64>(mspan + at.mspan_npages, c.pages);
    // Of a large one, few bytes were asked for.
    memory_.put<u64>(mspan + at.mspan_limit, start + (c.number == 0 ? 512 : u64{count} * c.size));
    memory_.put<u64>(mspan + at.mspan_elemsize, c.size);
    if (at.mspan_wide_counts) {
      memory_.put<u64>(mspan + at.mspan_nelems, count);
      memory_.put<u64>(mspan + at.mspan_freeindex, allocated);
    } else {
      memory_.put<u16>(mspan + at.mspan_nelems, static_cast<u16>(count));
      memory_.put<u16>(mspan + at.mspan_freeindex, static_cast<u16>(allocated));
    }
    memory_.put<u32>(mspan + at.mspan_div_mul, c.number == 0 ? 0 : 0xffffffffu / c.size + 1);
    memory_.put<u32>(mspan + at.mspan_sweepgen, 4);
    memory_.put<u8>(mspan + at.mspan_spanclass,
                    static_cast<u8>(c.number << 1 | (c.noscan ? 1 : 0)));
    memory_.put<u8>(mspan + at.mspan_state, 1);
    memory_.put<u64>(mspan + at.mspan_alloc_bits, bits);
    memory_.put<u64>(mspan + at.mspan_gcmark_bits, bits);
    if (at.mspan_large_type != read::kAbsent && c.number == 0 && !c.noscan)
      memory_.put<u64>(mspan + at.mspan_large_type, types_[7]);
  }

  void make_goroutine() {
    const read::Layout& at = binary_->layout();
    u64 g = kMetadata + (2 << 20), stack = g + 2 * kRecord;
    memory_.regions[kGoroutines] = {g - 8, std::vector<u8>(8 + 2 * kRecord + 4096)};
    memory_.put<u64>(g - 8, g);
    memory_.put<u64>(image_.symbols.allgptr.value, g - 8);
    memory_.put<u64>(image_.symbols.allglen.value, 1);
    memory_.put<u64>(g, stack);
    memory_.put<u64>(g + 8, stack + 4096);
    memory_.put<u32>(g + at.g_atomicstatus, 4);
    memory_.put<u64>(g + at.g_goid, 1);
    memory_.put<u64>(g + at.g_sched_sp, stack + 2048);
    memory_.put<u64>(g + at.g_sched_pc, binary_->module().text.value + 64);
    for (u64 i = 2048; i < 4096; i += 8) memory_.put<u64>(stack + i, kHeap + i * 8);
  }

  // Some words of bss that the collector would look at lead to the heap; behind them it looks at
  // none, for speed.
  void root_everything() {
    const read::ModuleData& module = binary_->module();
    u64 mask = module.addr.value + binary_->layout().moduledata_gcdatamask + 16;
    u64 bits = static_cast<u32>(memory_.find<i32>(TargetAddr(mask)).value_or(0));
    TargetAddr bytes(memory_.find<u64>(TargetAddr(mask + 8)).value_or(0));
    u64 words = std::min(bits, (module.ebss - module.bss) / 8), placed = 0, i = 0;
    for (; i < words && placed < 64; ++i) {
      if ((memory_.find<u8>(bytes + i / 8).value_or(0) >> (i % 8) & 1) == 0) continue;
      u64 at = module.bss.value + i * 8;
      if (memory_.find<u64>(TargetAddr(at)) == 0)
        memory_.put<u64>(at, kHeap + placed++ % 14 * kPage);
    }
    memory_.put<i32>(mask, static_cast<i32>(i));
    memory_.put<i32>(mask - 16, 64);
  }

  void write(ByteReader& input) {
    u8 first = input.read_u8();
    u8 region = static_cast<u8>((first & 15) % kRegions);
    u64 offset = input.read_u16() | u64{input.read_u8()} << 16;
    std::vector<u8>& bytes = memory_.regions[region].bytes;
    offset %= bytes.size() - 8;
    touched_.push_back(region);
    if ((first >> 4 & 1) != 0) {
      u64 word = pointer(input.read_u8(), input.read_u16());
      std::memcpy(&bytes[offset], &word, 8);
      return;
    }
    u64 count = std::min<u64>({input.read_u8() % 32u, input.remaining(), bytes.size() - offset});
    ByteView value = input.read_bytes(count);
    std::memcpy(&bytes[offset], value.data(), value.size());
  }

  u64 pointer(u8 what, u16 which) const {
    what %= kRegions + 2;
    if (what == kRegions) return types_[which % types_.size()];
    if (what == kRegions + 1) return binary_->module().text.value + which;
    return memory_.regions[what].begin + u64{which} * 8 % memory_.regions[what].bytes.size();
  }

  void ask(u8 question) {
    auto made = heap::HeapGraph::make(image_, 1);
    if (!made.ok()) return;
    const heap::HeapGraph& graph = *made.value();
    reached_ = graph.stats().reached_objects;
    GEIST_CHECK(graph.stats().typed_bytes <= graph.stats().reached_bytes &&
                graph.stats().reached_bytes <= graph.stats().allocated_bytes);
    heap::Dominators dominators(graph);
    snap::Paths paths(graph);
    snap::Snapshot snapshot{graph, dominators, paths};
    u64 bytes = 0;
    for (const snap::TypeRow& row : snap::list_types(snapshot)) bytes += row.bytes;
    GEIST_CHECK(bytes == graph.stats().reached_bytes);
    switch (question % kQuestions) {
      case 0:
        text_ = snap::emit_tree(snap::list_tree(snapshot, 64, 4));
        break;
      case 1:
        text_ = snap::emit_sharing(snap::find_sharing(snapshot, 4));
        break;
      case 2:
        text_ = snap::emit_pins(snap::find_pins(snapshot, 64, 25), 4);
        break;
      case 3:
        text_ = snap::emit_rings(snap::find_rings(snapshot, 4));
        break;
      case 4:
        text_ = snap::emit_goroutines(snap::list_goroutines(snapshot), 4);
        break;
      case 5:
        if (auto found = snap::find_paths(snapshot, "0xc000000010", 1); found.ok())
          text_ = snap::emit_paths(found.value());
        break;
      default:
        text_ = snap::emit_heap_json(snap::make_hold_tree(snapshot));
    }
  }

  std::unique_ptr<read::GoBinary> binary_;
  FakeMemory memory_;
  heap::HeapImage image_;
  std::vector<u64> types_;
  std::array<Region, kRegions> sound_;
  std::vector<u8> touched_;
  u64 reached_ = 0;
  std::string text_;
};

std::vector<std::unique_ptr<FakeHeap>> heaps;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* folder = std::getenv("GEIST_FUZZ_PROGRAMS");
  if (folder != nullptr) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      auto binary = read::GoBinary::open(entry.path());
      if (binary.ok() && !binary.value()->image().is_pie())
        heaps.push_back(std::make_unique<FakeHeap>(std::move(binary).value()));
    }
  }
  if (heaps.empty()) {
    std::fprintf(
        stderr, "GEIST_FUZZ_PROGRAMS names no folder with Go programs; tests/fuzz/run makes one\n");
    std::exit(2);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const u8* data, usize size) {
  ByteReader input(ByteView(data, size));
  u8 first = input.read_u8();
  heaps[(first & 15) % heaps.size()]->run(first >> 4, input);
  return 0;
}

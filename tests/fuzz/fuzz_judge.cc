// The judge's intake: a program that writes what it likes into the ring, into its records and into
// its own memory. Whatever an event says, and however little its fields have to do with each other
// or with the code, it is refused or described, within bounds and in a bounded time.
//
//   input:  u64 seed of the program's memory, u32 which site, u8 which view, then writes into the
//   event:  u16 offset, u8 count, bytes
//
// The event begins as a sound one of that site, or no change of it would ever pass the first check.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/bytes.h"
#include "base/check.h"
#include "detect/append/describe.h"
#include "heap/unwind.h"
#include "judge/heap_views.h"
#include "judge/values.h"
#include "probe/patch_plan.h"
#include "process/shared_ring.h"
#include "report/report.h"
#include "sites/append_sites.h"
#include "x86/insn.h"

namespace {

using namespace geist;

constexpr u64 kHeap = 0xc000000000;
constexpr u32 kMaxFrames = 64;

u64 mix(u64 x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// Every address is readable, and most words are such that somebody might follow them.
class MadeUpMemory : public process::Memory {
 public:
  bool read(TargetAddr addr, std::span<u8> out) const override {
    for (usize i = 0; i < out.size(); ++i) {
      const u64 at = addr.value + i;
      out[i] = static_cast<u8>(word(at & ~u64{7}) >> (at & 7) * 8);
    }
    return true;
  }
  usize read_some(TargetAddr addr, std::span<u8> out) const override {
    read(addr, out);
    return out.size();
  }
  u64 seed = 0;
  std::vector<ImageAddr> types;

 private:
  u64 word(u64 at) const {
    const u64 random = mix(seed ^ at);
    switch (random % 8) {
      case 0:
        return 0;
      case 1:
        return mix(random) % 9;
      case 2:
        return at;
      case 3:
        return kHeap + mix(random) % (1 << 20);
      case 4:
      case 5:
        return types[mix(random) % types.size()].value;
      case 6:
        return ~u64{0} >> random % 64;
      default:
        return mix(random);
    }
  }
};

// A program of the corpus, its sites, and a judge that looks at it.
struct World {
  World() {
    const char* folder = std::getenv("GEIST_FUZZ_PROGRAMS");
    GEIST_CHECK(folder != nullptr);
    std::vector<std::filesystem::path> programs;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      programs.push_back(entry.path());
    std::sort(programs.begin(), programs.end());
    GEIST_CHECK(!programs.empty());
    binary = std::move(read::GoBinary::open(programs.front().string(), {}).value());
    table = sites::find_append_sites(*binary, 1);
    const TargetAddr region((binary->module().text.value + (u64{1} << 30)) & ~u64{4095});
    plan = probe::plan_patches(*binary, table, LoadBias{0}, region, {});
    GEIST_CHECK(!plan.sites.empty());
    const read::ModuleData& module = binary->module();
    for (ImageAddr at = module.types; at < module.etypes; at = at + 8) {
      if (binary->types().read(at).ok()) memory.types.push_back(at);
    }
    GEIST_CHECK(!memory.types.empty());
    context.emplace(judge::Context{*binary, nullptr, table, plan, memory, symbols,
                                   heap::SpanTable(memory, binary->layout(), TargetAddr(kHeap)),
                                   heap::ViewScanner(memory, *binary, symbols, LoadBias{0}),
                                   std::nullopt});
    Fd file(static_cast<int>(::memfd_create("fuzz", MFD_CLOEXEC)));
    GEIST_CHECK(file.valid() && ::ftruncate(file.get(), abi::kRingBytes) == 0);
    bytes = static_cast<u8*>(
        ::mmap(nullptr, abi::kRingBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0));
    GEIST_CHECK(bytes != MAP_FAILED);
    ring.emplace(
        std::move(process::SharedRing::create(std::move(file), binary->layout(), {}, {}).value()));
  }
  abi::Slot& slot(u64 ticket) {
    return reinterpret_cast<abi::Slot*>(bytes + abi::kControlBytes)[ticket % abi::kSlots];
  }

  std::unique_ptr<read::GoBinary> binary;
  sites::SiteTable table;
  probe::PatchPlan plan;
  MadeUpMemory memory;
  heap::RuntimeSymbols symbols;
  std::optional<judge::Context> context;
  u8* bytes = nullptr;
  std::optional<process::SharedRing> ring;
  u64 next = 0;
};

// As the runtime would write it: three elements, the last of them new, in an array of eight.
void fill_soundly(abi::Event& e, u32 index, const sites::AppendSite& site, u64 seed) {
  std::memset(&e, 0, offsetof(abi::Event, stack));
  e.detector = abi::kAppend;
  e.facts_size = sizeof(abi::AppendFacts);
  e.site = index;
  e.g = kHeap + 0x1000;
  e.goid = 7;
  e.hit = 1;
  e.append.old_ptr = kHeap + (mix(seed) % 4096) * 8;
  e.append.new_len = 3;
  e.append.cap = 8;
  e.append.num = 1;
  e.append.elem_size = site.elem_size != 0 ? site.elem_size : 1 + mix(seed + 1) % 64;
  e.append.dest = e.append.old_ptr + 2 * e.append.elem_size;
  e.append.dest_size = e.append.elem_size;
  e.old_size = static_cast<u32>(std::min<u64>(e.append.dest_size, abi::kMaxOldBytes));
  e.stack_lo = kHeap + 0x100000;
  e.stack_hi = e.stack_lo + 0x8000;
  e.stack_size = 512;
  e.regs[x86::kRsp] = e.stack_hi - e.stack_size;
  for (usize i = 0; i < sizeof e.old_bytes; ++i) e.old_bytes[i] = static_cast<u8>(mix(seed + i));
  for (usize i = 0; i < 512; ++i) e.stack[i] = static_cast<u8>(mix(seed ^ (i / 8)) >> i % 8 * 8);
}

// A victim that covers the destination, as each step that finds victims promises, and else is
// anything.
judge::View make_view(const abi::Event& e, u8 which, u64 seed) {
  judge::View view;
  view.holder = static_cast<findings::Holder>(which % 4);
  const u64 before =
      (which & 4) != 0 ? 0 : std::min(e.append.dest, mix(seed) % (4 * e.append.elem_size));
  view.ptr = e.append.dest - before;
  view.len = (which & 8) != 0 ? e.append.cap : before / e.append.elem_size + 1 + mix(seed + 1) % 3;
  view.cap = mix(seed + 2) % 100;
  view.len_known = (which & 16) != 0;
  view.ptr_word = TargetAddr((which & 32) != 0 ? 0 : kHeap + mix(seed + 3) % 65536 * 8);
  view.len_word = view.ptr_word ? view.ptr_word + 8 : TargetAddr(0);
  view.object = view.ptr_word;
  view.object_size = 64;
  view.same_frame = (which & 64) != 0;
  view.name = "victim";
  view.pc = ImageAddr(mix(seed + 4));
  return view;
}

void judge_it(World& world, std::unique_ptr<abi::Event> event, u8 which) {
  judge::Context& context = *world.context;
  detect::append::Overwrite c;
  c.event = event.get();
  const abi::Event& e = *event;
  const sites::AppendSite& site = context.plan.sites[e.site].site;
  if (site.elem_size != 0 && site.elem_size != e.append.elem_size) return;
  c.append.site = &context.plan.sites[e.site];
  c.append.event = &e;
  c.append.array = judge::find_array(context, e, site.type_addr);
  c.append.stack = {TargetAddr(e.regs[x86::kRsp]), {e.stack, e.stack_size}};
  c.append.frames =
      heap::unwind(context.binary, context.bias(), site.branch, c.append.stack, kMaxFrames).frames;
  if (c.append.frames.empty()) return;
  detect::append::Candidate candidate;
  candidate.view = make_view(e, which, world.memory.seed);
  if (!c.append.covers_dest(candidate.view)) return;
  std::vector<u8> after(e.old_size);
  world.memory.read(TargetAddr(e.append.dest), after);
  const judge::ValuePrinter printer(context);
  const ByteView old{e.old_bytes, e.old_size};
  for (u64 i = 0; i < 4 && (i + 1) * e.append.elem_size <= old.size(); ++i)
    c.before.push_back(
        printer.print(old.subspan(i * e.append.elem_size, e.append.elem_size), site.type_addr));
  const detect::append::Describer describer(context);
  const findings::Finding finding =
      describer.describe(c, candidate, findings::Level::kLikely, after);
  GEIST_CHECK(finding.before_hex.size() <= 2 * abi::kMaxOldBytes);
  GEIST_CHECK(finding.after_hex.size() <= 2 * abi::kMaxOldBytes);
  constexpr usize kMostText = 1 << 20;
  GEIST_CHECK(finding.before.size() < kMostText && finding.after.size() < kMostText);
  for (const std::string& row :
       report::draw_array(finding.drawing, static_cast<i64>(finding.element_index), 80))
    GEIST_CHECK(row.size() < 1000);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, usize size) {
  static World world;
  ByteReader input(ByteView(data, size));
  world.memory.seed = input.read_u64();
  const u32 sites = static_cast<u32>(world.plan.sites.size());
  const u32 index = input.read_u32() % sites;
  const u8 which = input.read_u8();
  const u64 ticket = world.next++;
  abi::Slot& slot = world.slot(ticket);
  fill_soundly(slot.event, index, world.plan.sites[index].site, world.memory.seed);
  while (input.remaining() >= 4) {
    const u64 at = input.read_u16() % (offsetof(abi::Event, stack) + 512);
    const ByteView value = input.read_bytes(std::min<u64>(input.read_u8() % 17, input.remaining()));
    std::memcpy(reinterpret_cast<u8*>(&slot.event) + at, value.data(), value.size());
  }
  __atomic_store_n(&slot.sequence, ticket + 1, __ATOMIC_RELEASE);
  std::optional<process::RawEvent> raw = world.ring->take(sites);
  if (!raw) return 0;
  world.ring->release(*raw);
  judge_it(world, std::move(raw->event), which);
  return 0;
}

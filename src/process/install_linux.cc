// See install.h. What holds behind it: region r-x but for the site records, no file descriptor of
// ours in the process.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/page.h"
#include "base/system_error.h"
#include "process/install.h"

namespace geist::process {
namespace {

constexpr u64 kReach = 0x7ff00000;       // of a rel32 branch, with room for the region itself
constexpr u64 kLowestAddress = 0x10000;  // vm.mmap_min_addr
// What lies below can be named by the 32 bits of an instruction.
constexpr u64 kLowEnd = 0x80000000;
constexpr i64 kMaxErrno = 4095;

bool failed(i64 result) {
  return result < 0 && result >= -kMaxErrno;
}

RemoteCall mmap_call(u64 at, u64 size, int protection, int flags) {
  return {SYS_mmap, {at, size, static_cast<u64>(protection), static_cast<u64>(flags), ~u64{0}, 0}};
}

}  // namespace

Result<TargetAddr> find_gap(const std::vector<MapEntry>& maps, TargetAddr text, TargetAddr etext,
                            u64 size) {
  u64 top = text.value + kReach - size;
  if (etext.value < kLowEnd) top = std::min(top, kLowEnd);
  u64 bottom =
      std::max(etext.value > kReach ? etext.value - kReach : kLowestAddress, kLowestAddress);
  u64 end = top & ~(kPageBytes - 1);
  for (usize i = maps.size() + 1; i-- > 0;) {
    // The gap below maps[i] (or below the top, for i == size).
    u64 gap_end = i == maps.size() ? end : std::min(end, maps[i].begin);
    u64 gap_begin = i == 0 ? bottom : std::max(bottom, maps[i - 1].end);
    if (gap_end > gap_begin && gap_end - gap_begin >= size + 2 * kPageBytes) {
      return TargetAddr((gap_end - size - kPageBytes) & ~(kPageBytes - 1));
    }
  }
  return Error("no free memory within 2 GiB of the code", ErrorKind::kSystem);
}

Status map_code_and_state(RemoteProcess& process, const probe::RegionShape& shape,
                          Footprint& footprint) {
  constexpr int kPrivate = MAP_PRIVATE | MAP_ANONYMOUS;
  const u64 region = footprint.region.value;
  const RemoteCall calls[] = {
      mmap_call(0, sizeof(abi::State), PROT_READ | PROT_WRITE, kPrivate),
      {SYS_madvise, {0, abi::kWipedBytes, MADV_WIPEONFORK}, {}, 0},
      mmap_call(region, shape.size, PROT_READ | PROT_EXEC, kPrivate | MAP_FIXED_NOREPLACE),
  };
  const char* names[] = {"mmap", "madvise", "mmap"};
  return process.call(calls, [&](usize index, i64 result) -> Status {
    if (failed(result))
      return system_error(std::string(names[index]) + " in the program", static_cast<int>(-result));
    if (index == 0) footprint.state = TargetAddr(static_cast<u64>(result));
    if (index == 2) footprint.region_size = shape.size;
    return Done{};
  });
}

Result<SharedRing> map_ring(RemoteProcess& process, const probe::RegionShape& shape,
                            Footprint& footprint, const read::Layout& layout,
                            const Budget& budget) {
  RemoteCall map = mmap_call(footprint.ring.value, abi::kRingBytes, PROT_READ | PROT_WRITE,
                             MAP_SHARED | (footprint.ring ? MAP_FIXED : 0));
  map.result_arg = 4;
  RemoteCall records =
      mmap_call(footprint.region.value + shape.site_table_offset, shape.site_table_size,
                PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED);
  records.args[5] = abi::kRingBytes;
  records.result_arg = 4;
  std::vector<RemoteCall> calls{
      {SYS_memfd_create, {0, MFD_CLOEXEC}, "geist-ring"},
      {SYS_ftruncate, {0, abi::kRingBytes + shape.shared_size()}, {}, 0},
      map,
      records,
  };
  std::vector<const char*> names{"memfd_create", "ftruncate", "mmap", "mmap"};
  if (shape.tables_size() != 0) {
    RemoteCall counters =
        mmap_call(footprint.region.value + shape.counters_offset, shape.tables_size(),
                  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED);
    counters.args[5] = abi::kRingBytes + shape.site_table_size;
    counters.result_arg = 4;
    calls.push_back(counters);
    names.push_back("mmap");
  }
  calls.push_back({SYS_close, {}, {}, 0});
  names.push_back("close");
  Fd ours;
  Status made = process.call(calls, [&](usize index, i64 result) -> Status {
    if (failed(result))
      return system_error(std::string(names[index]) + " in the program", static_cast<int>(-result));
    if (index == 0)
      ours = Fd(
          ::open(fmt::format("/proc/{}/fd/{}", process.pid(), result).c_str(), O_RDWR | O_CLOEXEC));
    if (index == 0 && !ours.valid())
      return system_error("cannot open the memory shared with the program");
    if (index == 2) footprint.ring = TargetAddr(static_cast<u64>(result));
    return Done{};
  });
  if (!made.ok()) return made.take_error();
  const SharedTables tables{shape.site_table_size, shape.counters_size, shape.maps_size,
                            footprint.region + shape.maps_offset()};
  return SharedRing::create(std::move(ours), layout, budget, tables);
}

Status unmap(RemoteProcess& process, const Footprint& footprint) {
  const RemoteCall calls[] = {
      {SYS_munmap, {footprint.region.value, footprint.region_size}},
      {SYS_munmap, {footprint.state.value, sizeof(abi::State)}},
      {SYS_munmap, {footprint.ring.value, abi::kRingBytes}},
  };
  return process.call(calls, [](usize, i64 result) -> Status {
    if (failed(result)) return system_error("munmap in the program", static_cast<int>(-result));
    return Done{};
  });
}

Status write_region(const WritableMemory& memory, const probe::PatchPlan& plan,
                    const Footprint& footprint) {
  const ByteView bytes = plan.region_bytes;
  auto is_empty = [&](usize page) {
    ByteView left = bytes.subspan(page);
    return std::ranges::all_of(left.first(std::min<usize>(left.size(), kPageBytes)),
                               [](u8 byte) { return byte == 0; });
  };
  // A page with nothing in it stays untouched: it is zero, or has what a former attachment left
  // there, and nothing leads to that any more.
  for (usize page = 0; page < bytes.size();) {
    usize end = page;
    while (end < bytes.size() && !is_empty(end)) end += kPageBytes;
    const usize size = std::min(end, bytes.size()) - page;
    if (size > 0) GEIST_TRY_STATUS(memory.write(plan.region + page, bytes.subspan(page, size)));
    page = end == page ? page + kPageBytes : end;
  }
  abi::BlobHeader header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  header.state = footprint.state.value;
  header.region_size = static_cast<u32>(footprint.region_size);
  header.build = probe::runtime_build();
  GEIST_TRY_STATUS(
      memory.write(plan.region, ByteView(reinterpret_cast<const u8*>(&header), sizeof header)));
  // free_stacks, control, slots, reserved, then the contexts, which start empty.
  std::vector<u8> state(offsetof(abi::State, stacks), 0);
  const u64 first[4] = {~u64{0}, footprint.ring.value, footprint.ring.value + abi::kControlBytes,
                        0};
  std::memcpy(state.data(), first, sizeof first);
  return memory.write(footprint.state, state);
}

}  // namespace geist::process

// See install.h. What holds behind it: region r-x but for the site records, no file descriptor of
// ours in the process.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include <fmt/format.h>

#include "target/install.h"

namespace geist::target {
namespace {

constexpr u64 kReach = 0x7ff00000;       // of a rel32 branch, with room for the region itself
constexpr u64 kLowestAddress = 0x10000;  // vm.mmap_min_addr
constexpr u64 kPageBytes = 4096;
constexpr usize kJmpBytes = 5;
constexpr i64 kMaxErrno = 4095;

Error system_error(const std::string& what, i64 error) {
  return Error(what + ": " + std::strerror(static_cast<int>(error)), ErrorKind::kSystem);
}

bool failed(i64 result) {
  return result < 0 && result >= -kMaxErrno;
}

RemoteCall mmap_call(u64 at, u64 size, int protection, int flags) {
  return {SYS_mmap, {at, size, static_cast<u64>(protection), static_cast<u64>(flags), ~u64{0}, 0}};
}

usize bytes_to_page_end(TargetAddr addr) {
  return kPageBytes - addr.value % kPageBytes;
}

// Pages of code, edited here and written back whole.
class PageEdits {
 public:
  explicit PageEdits(const WritableMemory& memory) : memory_(memory) {}

  // False when the code there is not `from`, which is as long as `to`.
  Result<bool> replace(TargetAddr at, ByteView from, ByteView to) {
    bool is_there = true;
    auto compare = [&](Page& page, usize in_page, usize first, usize size) {
      is_there &= std::memcmp(&page.bytes[in_page], &from[first], size) == 0;
    };
    auto write = [&](Page& page, usize in_page, usize first, usize size) {
      std::memcpy(&page.bytes[in_page], &to[first], size);
      page.is_changed = true;
    };
    GEIST_TRY_STATUS(for_each_page(at, from.size(), compare));
    if (is_there) GEIST_TRY_STATUS(for_each_page(at, to.size(), write));
    return is_there;
  }
  Status flush(bool upwards) const {
    auto write = [&](const auto& page) -> Status {
      if (!page.second.is_changed) return Done{};
      return memory_.write(TargetAddr(page.first * kPageBytes), page.second.bytes);
    };
    for (auto page = pages_.begin(); upwards && page != pages_.end(); ++page)
      GEIST_TRY_STATUS(write(*page));
    for (auto page = pages_.rbegin(); !upwards && page != pages_.rend(); ++page)
      GEIST_TRY_STATUS(write(*page));
    return Done{};
  }

 private:
  struct Page {
    std::vector<u8> bytes;
    bool is_changed = false;
  };
  // Calls part(page, offset in the page, offset from `at`, size) for what each page has of the
  // range.
  template <typename Part>
  Status for_each_page(TargetAddr at, usize size, Part part) {
    for (usize done = 0; done < size;) {
      GEIST_TRY(page, page_of(at + done));
      const usize in_page = (at.value + done) % kPageBytes;
      const usize here = std::min<usize>(size - done, kPageBytes - in_page);
      part(*page, in_page, done, here);
      done += here;
    }
    return Done{};
  }
  Result<Page*> page_of(TargetAddr at) {
    Page& page = pages_[at.value / kPageBytes];
    if (page.bytes.empty()) {
      page.bytes.resize(kPageBytes);
      GEIST_TRY_STATUS(memory_.read(TargetAddr(at.value / kPageBytes * kPageBytes), page.bytes));
    }
    return &page;
  }

  const WritableMemory& memory_;
  std::map<u64, Page> pages_;  // by number
};

}  // namespace

Result<TargetAddr> find_gap(const std::vector<MapEntry>& maps, TargetAddr text, TargetAddr etext,
                            u64 size) {
  u64 top = text.value + kReach - size;
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
    if (failed(result)) return system_error(std::string(names[index]) + " in the program", -result);
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
  const RemoteCall calls[] = {
      {SYS_memfd_create, {0, MFD_CLOEXEC}, "geist-ring"},
      {SYS_ftruncate, {0, abi::kRingBytes + shape.site_table_size}, {}, 0},
      map,
      records,
      {SYS_close, {}, {}, 0},
  };
  const char* names[] = {"memfd_create", "ftruncate", "mmap", "mmap", "close"};
  Fd ours;
  Status made = process.call(calls, [&](usize index, i64 result) -> Status {
    if (failed(result)) return system_error(std::string(names[index]) + " in the program", -result);
    if (index == 0)
      ours = Fd(
          ::open(fmt::format("/proc/{}/fd/{}", process.pid(), result).c_str(), O_RDWR | O_CLOEXEC));
    if (index == 0 && !ours.valid())
      return system_error("cannot open the memory shared with the program", errno);
    if (index == 2) footprint.ring = TargetAddr(static_cast<u64>(result));
    return Done{};
  });
  if (!made.ok()) return made.take_error();
  return SharedRing::create(std::move(ours), layout, budget, shape.site_table_size);
}

Status unmap(RemoteProcess& process, const Footprint& footprint) {
  const RemoteCall calls[] = {
      {SYS_munmap, {footprint.region.value, footprint.region_size}},
      {SYS_munmap, {footprint.state.value, sizeof(abi::State)}},
      {SYS_munmap, {footprint.ring.value, abi::kRingBytes}},
  };
  return process.call(calls, [](usize, i64 result) -> Status {
    if (failed(result)) return system_error("munmap in the program", -result);
    return Done{};
  });
}

Status write_region(const WritableMemory& memory, const probe::PatchPlan& plan,
                    const Footprint& footprint) {
  std::vector<u8> bytes = plan.region_bytes;
  abi::BlobHeader header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  header.state = footprint.state.value;
  header.region_size = static_cast<u32>(footprint.region_size);
  std::memcpy(bytes.data(), &header, sizeof header);
  GEIST_TRY_STATUS(memory.write(plan.region, bytes));
  // free_stacks, control, slots, reserved, then the contexts, which start empty.
  std::vector<u8> state(offsetof(abi::State, stacks), 0);
  const u64 first[4] = {~u64{0}, footprint.ring.value, footprint.ring.value + abi::kControlBytes,
                        0};
  std::memcpy(state.data(), first, sizeof first);
  return memory.write(footprint.state, state);
}

bool can_write_patch(const probe::CodePatch& patch) {
  return bytes_to_page_end(patch.addr) >= kJmpBytes;
}

Result<Patches> write_patches(const WritableMemory& memory, const Patches& patches) {
  PageEdits edits(memory);
  Patches left;
  for (const probe::CodePatch* patch : patches) {
    GEIST_CHECK(can_write_patch(*patch));
    GEIST_TRY(is_there, edits.replace(patch->addr, patch->original, patch->replacement));
    if (!is_there) left.push_back(patch);
  }
  GEIST_TRY_STATUS(edits.flush(true));  // the JMP before what it makes unreachable
  return left;
}

Result<Patches> restore_patches(const WritableMemory& memory, const Patches& patches) {
  PageEdits edits(memory);
  Patches left;
  for (const probe::CodePatch* patch : patches) {
    GEIST_TRY(is_there, edits.replace(patch->addr, patch->replacement, patch->original));
    if (!is_there) left.push_back(patch);
  }
  GEIST_TRY_STATUS(edits.flush(false));
  return left;
}

}  // namespace geist::target

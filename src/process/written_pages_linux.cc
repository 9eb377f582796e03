// See written_pages.h. What is asked for is newer than the headers of some systems, so it is
// spelled out here.
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/system_error.h"
#include "process/written_pages.h"

namespace geist::process {
namespace {

// linux/userfaultfd.h and linux/fs.h of Linux 6.7; older headers do not have them.
constexpr u64 kFeatureWpAsync = 1 << 15;
struct PageRegion {
  u64 start, end, categories;
};
struct PagemapScan {
  u64 size = sizeof(PagemapScan), flags = 0, start = 0, end = 0, walk_end = 0;
  u64 vec = 0, vec_len = 0, max_pages = 0;
  u64 category_inverted = 0, category_mask = 0, category_anyof_mask = 0, return_mask = 0;
};
static_assert(sizeof(PagemapScan) == 96);
constexpr unsigned long kPagemapScan = _IOWR('f', 16, PagemapScan);
constexpr u64 kWpMatching = 1;                                          // PM_SCAN_WP_MATCHING
constexpr u64 kWritten = 1 << 1, kPresent = 1 << 3, kSwapped = 1 << 4;  // PAGE_IS_*

// What is taken off in one call, about half a millisecond. The kernel lets no page fault of the
// program through meanwhile, so there must be time between two calls.
constexpr u64 kPiece = u64{16} << 20;
constexpr int kRunsPerCall = 2;

}  // namespace

Result<WrittenPages> WrittenPages::watch(int pid, Fd uffd, std::vector<AddressRange> ranges) {
  Fd pagemap(::open(fmt::format("/proc/{}/pagemap", pid).c_str(), O_RDONLY | O_CLOEXEC));
  if (!pagemap.valid()) return system_error("pagemap");
  WrittenPages pages(std::move(uffd), std::move(pagemap));
  uffdio_api api{
      .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP | kFeatureWpAsync, .ioctls = 0};
  if (::ioctl(pages.uffd_.get(), UFFDIO_API, &api) != 0) return system_error("UFFDIO_API");
  for (const AddressRange& range : ranges) {
    uffdio_register with{.range = {range.begin.value, range.size_bytes},
                         .mode = UFFDIO_REGISTER_MODE_WP,
                         .ioctls = 0};
    if (::ioctl(pages.uffd_.get(), UFFDIO_REGISTER, &with) != 0)
      return system_error("UFFDIO_REGISTER");
    pages.ranges_.push_back(range);
    // Only pages that are there: the others would cost the program page tables.
    PagemapScan protect{.flags = kWpMatching,
                        .start = range.begin.value,
                        .end = range.end().value,
                        .category_mask = kPresent};
    if (::ioctl(pages.pagemap_.get(), kPagemapScan, &protect) < 0)
      return system_error("PAGEMAP_SCAN");
  }
  return pages;
}

WrittenPages::~WrittenPages() {
  if (!uffd_.valid()) return;
  for (const AddressRange& range : ranges_) {
    for (u64 done = 0; done < range.size_bytes; done += kPiece) {
      u64 size = std::min(kPiece, range.size_bytes - done);
      uffdio_range piece{range.begin.value + done, size};
      auto begin = std::chrono::steady_clock::now();
      ::ioctl(uffd_.get(), UFFDIO_UNREGISTER, &piece);
      auto taken = std::chrono::steady_clock::now() - begin;
      std::this_thread::sleep_for(taken * kRunsPerCall);
    }
  }
}

Result<std::vector<WrittenPages::Change>> WrittenPages::changes() const {
  constexpr usize kRegions = 1 << 14;
  std::vector<PageRegion> regions(kRegions);
  std::vector<Change> changes;
  u64 behind_last = 0;
  for (const AddressRange& range : ranges_) {
    PagemapScan scan{.start = range.begin.value,
                     .end = range.end().value,
                     .vec = reinterpret_cast<u64>(regions.data()),
                     .vec_len = kRegions,
                     .category_inverted = kPresent,
                     .category_anyof_mask = kWritten | kPresent,
                     .return_mask = kWritten | kPresent | kSwapped};
    while (scan.start < scan.end) {
      int found = ::ioctl(pagemap_.get(), kPagemapScan, &scan);
      if (found < 0 || scan.walk_end <= scan.start) return system_error("PAGEMAP_SCAN");
      for (int i = 0; i < found; ++i) {
        const PageRegion& region = regions[static_cast<usize>(i)];
        bool is_gone = (region.categories & (kPresent | kSwapped)) == 0;
        // Swapped out since, and as it was.
        if (!is_gone && (region.categories & kWritten) == 0) continue;
        // Memory without page tables at the end of a walk is told twice.
        u64 begin = std::max(region.start, behind_last);
        if (region.end <= begin) continue;
        behind_last = region.end;
        changes.push_back({{TargetAddr(begin), region.end - begin}, is_gone});
      }
      scan.start = scan.walk_end;
    }
  }
  return changes;
}

}  // namespace geist::process

// Which pages of a running process were written since one began to watch.
//
//   watch: every present page is write-protected ─▶ the program writes: the kernel lifts the
//          protection by itself ─▶ changes(): pages without it, and pages that are not there
//
// The program is not stopped for it, and nobody has to answer its faults (userfaultfd with
// UFFD_FEATURE_WP_ASYNC, ioctl PAGEMAP_SCAN, Linux 6.7;
// Documentation/admin-guide/mm/userfaultfd.rst and pagemap.rst). When the descriptor is closed, by
// us or by our end, the kernel forgets it all.
#pragma once

#include <optional>
#include <vector>

#include "base/address.h"
#include "base/fd.h"
#include "base/result.h"

namespace geist::process {

struct AddressRange {
  TargetAddr begin;
  u64 size_bytes = 0;
  TargetAddr end() const { return begin + size_bytes; }
};

class WrittenPages {
 public:
  // `uffd` is a userfaultfd that the process has made. Fails where the kernel cannot do it.
  static Result<WrittenPages> watch(int pid, Fd uffd, std::vector<AddressRange> ranges);
  WrittenPages(WrittenPages&&) noexcept = default;
  WrittenPages& operator=(WrittenPages&&) = delete;
  ~WrittenPages();

  struct Change {
    AddressRange range;
    bool is_gone = false;  // the program gave the pages back: they read as zeros
  };
  // Ascending and disjoint. Exact only while the process stands still.
  Result<std::vector<Change>> changes() const;

 private:
  WrittenPages(Fd uffd, Fd pagemap) : uffd_(std::move(uffd)), pagemap_(std::move(pagemap)) {}
  Fd uffd_, pagemap_;
  std::vector<AddressRange> ranges_;  // that are registered
};

}  // namespace geist::process

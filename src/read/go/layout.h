// Where things are in a Go binary and its process, per release: offsets as data, one table a layout
// under layouts/.
//
// Selected by the release in the build info, then held against structural checks (pclntab magic,
// moduledata bounds) that must all agree. Code asks layout.has_x() or reads an offset that may be
// absent (kAbsent), never the release. Every row of a table quotes the Go source path it was read
// from; sizes and offsets are bytes.
#pragma once

#include <optional>
#include <string>

#include "base/ints.h"

namespace geist::read {

inline constexpr u32 kAbsent = 0xffffffff;

struct Layout {
  int minor = 0;  // the release this row was made for

  // moduledata (runtime/symtab.go)
  u32 moduledata_etypes, moduledata_rodata, moduledata_gofunc;
  u32 moduledata_gcdatamask;  // bitvector {n i32, bytedata *u8}; gcbssmask is the next field
  u32 moduledata_next, moduledata_size;
  u32 moduledata_textsectmap;
  // pcHeader (runtime/symtab.go): from 1.26 textStart is unused, moduledata.text counts
  bool pcheader_has_text_start;

  // mheap, heapArena, mspan (runtime/mheap.go)
  u32 mheap_allspans, mheap_sweepgen, mheap_arenas;
  u32 heap_arena_spans;
  u32 heap_arena_no_more_ptrs;  // 1.21 only, with the pointer bitmap in front of it: kAbsent
  bool mspan_wide_counts;       // freeindex and nelems are 8 bytes (1.21)
  u32 mspan_start_addr, mspan_npages, mspan_freeindex, mspan_nelems, mspan_alloc_bits,
      mspan_gcmark_bits;
  u32 mspan_sweepgen, mspan_div_mul, mspan_alloc_count, mspan_spanclass, mspan_state,
      mspan_elemsize, mspan_limit;
  u32 mspan_specials;
  u32 mspan_large_type;  // kAbsent in 1.21
  u32 mspan_size;
  u32 special_kind, special_fn;                     // next is at 0
  u8 special_finalizer_kind, special_cleanup_kind;  // no cleanups before 1.24: 0
  bool has_malloc_headers;    // 512 < elemsize <= 32768: first word is *abi.Type (>= 1.22)
  bool has_inline_mark_bits;  // Green Tea default (>= 1.26)

  // g, m, p (runtime/runtime2.go)
  u32 g_m, g_sched_sp, g_sched_pc, g_sched_bp, g_syscallsp, g_syscallpc, g_atomicstatus, g_goid,
      g_parent_goid, g_go_pc;
  u32 m_procid, m_curg, m_p, m_id, m_alllink, m_locks;
  u32 p_status, p_schedtick, p_m;

  bool has_swiss_maps;  // internal/runtime/maps (>= 1.24), else runtime.hmap

  // abi.Type (internal/abi/type.go)
  u8 kind_mask;  // 31 up to 1.25, 255 after
};

inline constexpr int kOldestMinor = 21;
inline constexpr int kNewestMinor = 27;

// The row for the newest go1.MINOR, or nothing outside kOldestMinor..kNewestMinor.
std::optional<Layout> find_layout(int minor);
// The row for go1.MINOR.PATCH: a few fields moved within a release (layouts/patches.inc).
std::optional<Layout> find_layout(int minor, int patch);
// "Go 1.21 to 1.27", for messages.
std::string supported_releases();

}  // namespace geist::read

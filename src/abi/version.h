// Whose memory is it? Two geists share memory in a program only when they agree on every word of
// it, so its version and the build of the runtime stand where any later geist finds them.
//
// For ever: a region begins with BlobHeader::magic and ::version, at these offsets, and the control
// page with Control::magic and ::version (ring.h). What follows may differ by version.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace geist::abi {

// 6: BlobHeader::build; events and sites by detector. 7: the copy gate. 8: maps (maps.h).
// 9: what is done with a map. 10: lists (lists.h).
// 11: ranges over maps.
// 12: reads (reads.h).
inline constexpr uint32_t kVersion = 12;

// First bytes of the runtime blob.
struct BlobHeader {
  uint64_t magic;    // kBlobMagic
  uint32_t version;  // kVersion
  uint32_t size;     // of the blob, loaded as it is
  uint64_t
      build;  // [tool] which runtime, and which layout of what both sides know; since version 6
  uint32_t entry_event;  // offsets of the entries from the start of the blob
  uint32_t entry_exit;
  uint32_t entry_main;
  uint32_t entry_move;
  uint32_t entry_point;  // a point that is no append
  uint32_t entry_copy;   // headers may be copied; since version 7
  uint64_t state;        // [tool] address of State
  uint32_t region_size;  // [tool] of the mapping that begins with this header: a later geist finds
                         // it by that
  uint32_t reserved2;
};
inline constexpr uint64_t kBlobMagic = 0x626f6c6274736967ull;
static_assert(offsetof(BlobHeader, magic) == 0 && offsetof(BlobHeader, version) == 8);
static_assert(offsetof(BlobHeader, build) == 16);
static_assert(offsetof(BlobHeader, entry_event) == 24);
static_assert(offsetof(BlobHeader, state) == 48);
static_assert(offsetof(BlobHeader, region_size) == 56);
static_assert(sizeof(BlobHeader) == 64);

}  // namespace geist::abi

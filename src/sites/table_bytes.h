// A SiteTable as bytes and back, so that it can be kept between runs.
//
//   varint count, then for each site:
//     bucket  function  call  branch  condition|taken  grow entry  in-place entry
//     displaced begin, end  old_ptr  new_len  cap  num  elem_type  elem_size  type  live mask
//     n × (slot, location)  n × (slot, location)
//
// Numbers are LEB128, signed ones zigzag; addresses inside the function are offsets from its entry.
// What is read back may come from anybody: every number is held against the binary, and one that
// does not fit makes the whole worthless.
#pragma once

#include <optional>
#include <vector>

#include "sites/append_sites.h"

namespace geist::sites {

std::vector<u8> emit_site_table(const read::GoBinary& binary, const SiteTable& table);

// Nothing when a number is out of its range: a place outside its function, a register that is none,
// bytes left over.
std::optional<SiteTable> read_site_table(const read::GoBinary& binary, ByteView bytes);

}  // namespace geist::sites

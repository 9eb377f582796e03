#include "process/parted_memory.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace geist::process {
namespace {

// The first range that ends behind `addr`.
template <typename Range>
auto find_at(const std::vector<Range>& ranges, TargetAddr addr) {
  return std::ranges::upper_bound(ranges, addr, {}, &Range::end);
}

}  // namespace

void PartedMemory::add_part(TargetAddr begin, TargetAddr end, std::unique_ptr<Memory> memory) {
  GEIST_CHECK(begin < end && (parts_.empty() || parts_.back().end <= begin));
  parts_.push_back({begin, end, std::move(memory)});
}

void PartedMemory::add_patch(TargetAddr begin, u64 size, const u8* bytes) {
  GEIST_CHECK(size > 0 && (patches_.empty() || patches_.back().end <= begin));
  patches_.push_back({begin, begin + size, bytes});
}

usize PartedMemory::read_piece(TargetAddr addr, std::span<u8> out) const {
  auto until = [&](TargetAddr end) { out = out.first(std::min<u64>(out.size(), end - addr)); };
  auto patch = find_at(patches_, addr);
  if (patch != patches_.end() && patch->begin <= addr) {
    until(patch->end);
    if (patch->bytes != nullptr) {
      std::memcpy(out.data(), patch->bytes + (addr - patch->begin), out.size());
    } else {
      std::ranges::fill(out, u8{0});
    }
    return out.size();
  }
  if (patch != patches_.end()) until(patch->begin);
  auto part = find_at(parts_, addr);
  if (part != parts_.end() && part->begin <= addr) {
    until(part->end);
    usize got = part->memory->read_some(addr, out);
    return got;
  }
  if (part != parts_.end()) until(part->begin);
  return rest_->read_some(addr, out);
}

usize PartedMemory::read_some(TargetAddr addr, std::span<u8> out) const {
  usize done = 0;
  while (done < out.size()) {
    usize got = read_piece(addr + done, out.subspan(done));
    if (got == 0) break;
    done += got;
  }
  return done;
}

}  // namespace geist::process

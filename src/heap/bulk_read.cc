#include "heap/bulk_read.h"

#include <algorithm>

#include "base/check.h"

namespace geist::heap {
namespace {

constexpr u64 kWindow = u64{64} << 10;  // stays in the second-level cache
constexpr u64 kMaxGap = 2048;           // a longer gap costs more to copy than a read of its own

}  // namespace

u64 drop_overlapping(std::vector<TargetAddr>& addrs, u64 record_size) {
  std::sort(addrs.begin(), addrs.end());
  u64 behind_last = 0;
  return std::erase_if(addrs, [&](TargetAddr addr) {
    bool overlaps = addr.value < behind_last;
    if (!overlaps) behind_last = addr.value + record_size;
    return overlaps;
  });
}

void read_records(const process::Memory& memory, std::vector<TargetAddr> addrs, u64 record_size,
                  const std::function<void(TargetAddr, ByteView)>& visit) {
  GEIST_CHECK(record_size > 0 && record_size <= 4096);
  std::sort(addrs.begin(), addrs.end());
  addrs.erase(std::unique(addrs.begin(), addrs.end()), addrs.end());
  std::vector<u8> window(kWindow);
  for (usize first = 0; first < addrs.size();) {
    usize behind = first + 1;
    while (behind < addrs.size() && addrs[behind] - addrs[behind - 1] <= record_size + kMaxGap &&
           addrs[behind] - addrs[first] <= kWindow - record_size) {
      ++behind;
    }
    u64 size = addrs[behind - 1] - addrs[first] + record_size;
    bool is_whole = memory.read(addrs[first], {window.data(), size});
    for (usize i = first; i < behind; ++i) {
      u8* place = window.data() + (is_whole ? addrs[i] - addrs[first] : 0);
      bool is_there =
          is_whole || (behind - first > 1 && memory.read(addrs[i], {place, record_size}));
      visit(addrs[i], is_there ? ByteView(place, record_size) : ByteView());
    }
    first = behind;
  }
}

bool AscendingReader::read(TargetAddr addr, std::span<u8> out) {
  bool is_inside = addr >= begin_ && addr - begin_ <= window_.size() &&
                   out.size() <= window_.size() - (addr - begin_);
  if (!is_inside) {
    if (out.size() > kWindow) return memory_.read(addr, out);
    window_.resize(kWindow);
    window_.resize(memory_.read_some(addr, window_));
    begin_ = addr;
    if (window_.size() < out.size()) return false;
  }
  std::copy_n(window_.begin() + static_cast<i64>(addr - begin_), out.size(), out.begin());
  return true;
}

std::vector<TargetAddr> read_pointers(const process::Memory& memory, TargetAddr array, u64 count,
                                      u64 max_count) {
  std::vector<TargetAddr> pointers;
  if (count > max_count) return pointers;
  std::vector<u64> window(kWindow / 8);
  while (pointers.size() < count) {
    u64 wanted = std::min<u64>(count - pointers.size(), window.size());
    u8* bytes = reinterpret_cast<u8*>(window.data());
    u64 got = memory.read_some(array + pointers.size() * 8, {bytes, wanted * 8}) / 8;
    for (u64 i = 0; i < got; ++i) pointers.push_back(TargetAddr(window[i]));
    if (got < wanted) break;
  }
  return pointers;
}

}  // namespace geist::heap

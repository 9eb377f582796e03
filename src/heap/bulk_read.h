// Reading many small records of the target with few system calls: records that lie near each other
// come in one read. The runtime takes its mspans from 16 KiB chunks (runtime/mfixalloc.go) and its
// g's from heap spans, so a hundred of them share a read; a read costs as much as copying 2 KiB.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "process/memory.h"

namespace geist::heap {

// Sorts the addresses and drops those that share bytes with the record before: a list of records
// that says so is not one. Returns how many.
u64 drop_overlapping(std::vector<TargetAddr>& addrs, u64 record_size);

// Calls visit(addr, bytes) once for each different address, ascending; `bytes` has record_size
// bytes, or none where the target has no memory there. record_size is at most 4096.
void read_records(const process::Memory& memory, std::vector<TargetAddr> addrs, u64 record_size,
                  const std::function<void(TargetAddr, ByteView)>& visit);

// Reads of places that mostly ascend, each a few words: what lies behind the last one was read with
// it. The memory must not change meanwhile.
class AscendingReader {
 public:
  explicit AscendingReader(const process::Memory& memory) : memory_(memory) {}
  bool read(TargetAddr addr, std::span<u8> out);
  std::optional<u64> find_word(TargetAddr addr) {
    u64 word = 0;
    if (!read(addr, {reinterpret_cast<u8*>(&word), 8})) return std::nullopt;
    return word;
  }

 private:
  const process::Memory& memory_;
  std::vector<u8> window_;
  TargetAddr begin_;
};

// A Go slice of pointers at `array` with `count` entries, or less where memory ends. Nothing is
// allocated before it was read; more than `max_count` entries are not taken seriously: none.
std::vector<TargetAddr> read_pointers(const process::Memory& memory, TargetAddr array, u64 count,
                                      u64 max_count);

}  // namespace geist::heap

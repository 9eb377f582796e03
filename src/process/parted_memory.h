// Memory that lies in several places: ranges that other memories have, pages that were copied, and
// the rest.
#pragma once

#include <memory>
#include <vector>

#include "process/memory.h"

namespace geist::process {

class PartedMemory : public Memory {
 public:
  explicit PartedMemory(std::unique_ptr<Memory> rest) : rest_(std::move(rest)) {}

  // [begin, end) is what `memory` has there. Ranges are added ascending, and are disjoint.
  void add_part(TargetAddr begin, TargetAddr end, std::unique_ptr<Memory> memory);
  // Over all parts: [begin, begin + bytes.size()) is `bytes`, which must outlive us, or, where it
  // is null, `size` zeros. Ascending and disjoint.
  void add_patch(TargetAddr begin, u64 size, const u8* bytes);

  bool read(TargetAddr addr, std::span<u8> out) const override {
    return read_some(addr, out) == out.size();
  }
  usize read_some(TargetAddr addr, std::span<u8> out) const override;

 private:
  struct Part {
    TargetAddr begin, end;
    std::unique_ptr<Memory> memory;
  };
  struct Patch {
    TargetAddr begin, end;
    const u8* bytes = nullptr;
  };
  // The whole of out, or less, lies in one place: up to there.
  usize read_piece(TargetAddr addr, std::span<u8> out) const;

  std::unique_ptr<Memory> rest_;
  std::vector<Part> parts_;
  std::vector<Patch> patches_;
};

}  // namespace geist::process

// What the runtime knows of maps, goroutines and call paths (abi/maps.h), in words of the program.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "detect/detector.h"

namespace geist::detect::maps {

// Addresses are the process', which may have ended.
class Describer {
 public:
  explicit Describer(const Watched& watched) : watched_(watched) {}

  // The lines of a return address, the inlined ones first. What lies between a map operation and
  // the line that it is written in is left out.
  void add_return(u64 address, std::vector<findings::Frame>& frames) const;
  std::vector<findings::Frame> frames_of(std::span<const u64> returns) const;
  // The go statement behind a goroutine's go_pc; empty when there stands none.
  std::vector<findings::Frame> made_at(u64 go_pc) const;
  // The first that is not of the standard library; the first where all are.
  const findings::Frame& own_frame(const std::vector<findings::Frame>& frames) const;
  // "map[string]int"; empty when it is not known.
  std::string type_name(u64 type) const;
  // The ways to these maps; each empty when not known.
  std::vector<std::string> names_of(std::span<const TargetAddr> maps) const;
  // Map functions that are not looked at, each a note of the report, once.
  void note_gaps(findings::Report& report) const;

  LoadBias bias() const { return watched_.process.plan.bias; }

 private:
  const Watched& watched_;
};

}  // namespace geist::detect::maps

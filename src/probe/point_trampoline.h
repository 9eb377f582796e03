// Emits the trampoline of points that are no appends: what was displaced before a point, the
// primitives that run there, what was displaced from it on, the way back. Points whose bytes
// overlap (the entry and the return of a short function) share one.
//
//      [moved instructions before point 1]
//      save, primitive 1, restore            ──▶ runtime ──▶ resume 1
//      save, primitive 2, restore            ──▶ runtime ──▶ resume 2
//      [moved instructions from point 1 on, to point 2] …
//      JMP back, unless they end with a RET or JMP
//
//   of a CALL:  save, primitive, restore; JMP to what it called. The return address is the CALL's.
//
// Nothing of it is on the program's stack when Go's unwinder looks, for no signal handler unwinds
// code that is not Go's. What the primitive does not say it writes is kept.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "abi/event.h"
#include "abi/probe.h"
#include "probe/displaced_code.h"
#include "program/point.h"
#include "x86/assembler.h"

namespace geist::probe {

inline constexpr usize kMaxTemps = 4;

// What a primitive's instructions may use.
struct PrimitivePlace {
  std::array<x86::Reg, kMaxTemps> temps{};
  u64 record = 0;        // address of its abi::Site
  u64 maps = 0;          // address of abi::MapTable; 0: there is none
  i64 pushed_bytes = 0;  // what [RSP + n] was at the point is at [RSP + n + pushed_bytes]
  LoadBias bias;
  x86::Label done;   // go on; also after its last instruction
  x86::Label enter;  // enter the runtime with the machine as it was at the point, then go on
  x86::Label leave;  // go to Primitive::leaves_to instead of going on
};

// A few instructions that run at a point. A register that it writes and that is none of its temps
// stays written: so an argument of the program's is changed on purpose.
struct Primitive {
  u8 temps = 0;  // so many registers of its own, at most kMaxTemps
  bool writes_flags = false;
  bool enters = false;    // it uses PrimitivePlace::enter
  ImageAddr leaves_to;    // a function that PrimitivePlace::leave jumps to; 0: it does not use that
  x86::RegMask uses = 0;  // registers of the program that it reads or changes: none of its temps
  u64 extra_bytes = 0;    // of code, where it is longer than a few instructions
  // Whose events its record makes, and what that says (abi/probe.h).
  abi::Detector detector = abi::kNoDetector;
  u32 mode = 0;
  std::array<abi::Location, abi::kMaxValues> values{};
  u64 elem_size = 0;  // of a write
  std::function<void(x86::Assembler&, const PrimitivePlace&)> emit;
};

// Adds one to abi::Site::seen.
Primitive count_passes();
// Enters the runtime each time.
Primitive enter_runtime();

// Bytes below the point's stack pointer that running it takes: at most Point::stack_room.
u64 stack_needed(const program::Point& point, const Primitive& primitive);

struct PlacedPrimitive {
  const program::Point* point = nullptr;
  const Primitive* primitive = nullptr;
  u64 record = 0;
  u64 entry = 0;  // of the runtime
  u64 maps = 0;   // PrimitivePlace::maps
};

struct PointTrampoline {
  std::vector<u8> bytes;
  std::vector<u64> resumes;  // by primitive: where the runtime goes on
};

// `primitives` in the order of their points' addresses; of a CALL, only those. Nothing when an
// instruction cannot be moved or encoded, or when `code` does not hold the points.
std::optional<PointTrampoline> emit_point_trampoline(std::span<const PlacedPrimitive> primitives,
                                                     const DisplacedCode& code, LoadBias bias,
                                                     u64 at);

}  // namespace geist::probe

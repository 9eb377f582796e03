#include "program/location_text.h"

#include <array>

#include <fmt/format.h>

#include "base/check.h"

namespace geist::program {
namespace {

std::string_view register_name(x86::Reg reg) {
  constexpr std::array<std::string_view, 16> kNames = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
                                                       "rsi", "rdi", "r8",  "r9",  "r10", "r11",
                                                       "r12", "r13", "r14", "r15"};
  GEIST_CHECK(reg < kNames.size());
  return kNames[reg];
}

std::string number(u64 value) {
  return value < 16 ? fmt::format("{}", value) : fmt::format("{:#x}", value);
}

// "+8", "-1", or nothing.
std::string offset(i64 value) {
  if (value == 0) return {};
  const u64 size = value < 0 ? u64{0} - static_cast<u64>(value) : static_cast<u64>(value);
  return (value < 0 ? "-" : "+") + number(size);
}

std::string base_text(const ValueLocation& at) {
  switch (at.kind) {
    case ValueLocation::Kind::kConstant:
      return {};
    case ValueLocation::Kind::kRegister:
      return std::string(register_name(at.reg));
    case ValueLocation::Kind::kStackSlot:
      return fmt::format("[rsp{}]", offset(at.disp));
    case ValueLocation::Kind::kMemory:
      return fmt::format("[{}{}]", register_name(at.reg), offset(at.disp));
    case ValueLocation::Kind::kMemoryViaSlot:
      return fmt::format("[[rsp{}]{}]", offset(at.slot), offset(at.disp));
    case ValueLocation::Kind::kGlobal:
      return fmt::format("[image{}]", offset(at.disp));
    case ValueLocation::Kind::kImageAddress:
      return fmt::format("image{}", offset(at.disp));
  }
  GEIST_CHECK(false);
}

}  // namespace

std::string location_text(const ValueLocation& location) {
  const std::string base = base_text(location);
  if (!base.empty()) return base + offset(location.addend);
  return location.addend < 0 ? "0" + offset(location.addend)
                             : number(static_cast<u64>(location.addend));
}

}  // namespace geist::program

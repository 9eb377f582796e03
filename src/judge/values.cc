// Typed printing of hostile memory: every length is bounded, every pointer is only followed through
// checked reads, and every way from a value to another one lowers the depth, or leads to a kind
// that does.
#include "judge/values.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "base/go_symbol.h"

namespace geist::judge {
namespace {

using read::GoType;
using read::Kind;

constexpr u64 kMaxText = 48;     // bytes of a string shown
constexpr usize kMaxFields = 4;  // of a struct shown
constexpr u64 kMaxElements = 4;  // of an array or slice shown
constexpr u64 kMaxBytesPrinted = 64;
constexpr u64 kMaxElementBytes = 4096;
constexpr u32 kMaxDepth = 3;

u64 word(ByteView bytes, u64 offset) {
  return find_int<u64>(bytes, offset).value_or(0);
}

std::string quote(ByteView bytes) {
  std::string out = "\"";
  for (u8 c : bytes) {
    if (c == '"' || c == '\\')
      out += fmt::format("\\{}", static_cast<char>(c));
    else if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\r')
      out += "\\r";
    else if (c >= 0x20 && c != 0x7f)
      out += static_cast<char>(c);  // UTF-8 passes
    else
      out += fmt::format("\\x{:02x}", c);
  }
  return out + "\"";
}

// As %#v writes a pointer that it does not follow: "(*main.node)(0xc000012345)".
std::string print_address(const GoType& type, u64 address) {
  return address == 0 ? fmt::format("({})(nil)", type.name)
                      : fmt::format("({})({:#x})", type.name, address);
}

std::string print_integer(ByteView e, Kind kind) {
  switch (kind) {
    case Kind::kBool:
      return find_int<u8>(e, 0).value_or(0) != 0 ? "true" : "false";
    case Kind::kInt:
    case Kind::kInt64:
      return fmt::format("{}", static_cast<i64>(word(e, 0)));
    case Kind::kInt8:
      return fmt::format("{}", static_cast<int>(find_int<i8>(e, 0).value_or(0)));
    case Kind::kInt16:
      return fmt::format("{}", find_int<i16>(e, 0).value_or(0));
    case Kind::kInt32:
      return fmt::format("{}", find_int<i32>(e, 0).value_or(0));
    case Kind::kUint8:
      return fmt::format("{}", static_cast<unsigned>(find_int<u8>(e, 0).value_or(0)));
    case Kind::kUint16:
      return fmt::format("{}", find_int<u16>(e, 0).value_or(0));
    case Kind::kUint32:
      return fmt::format("{}", find_int<u32>(e, 0).value_or(0));
    case Kind::kUint:
    case Kind::kUint64:
      return fmt::format("{}", word(e, 0));
    default:
      return fmt::format("{:#x}", word(e, 0));
  }
}

std::string print_float(ByteView e, Kind kind) {
  auto f32 = [&](u64 offset) {
    u32 raw = find_int<u32>(e, offset).value_or(0);
    float value;
    std::memcpy(&value, &raw, sizeof value);
    return value;
  };
  auto f64 = [&](u64 offset) {
    u64 raw = word(e, offset);
    double value;
    std::memcpy(&value, &raw, sizeof value);
    return value;
  };
  switch (kind) {
    case Kind::kFloat32:
      return fmt::format("{}", f32(0));
    case Kind::kFloat64:
      return fmt::format("{}", f64(0));
    case Kind::kComplex64:
      return fmt::format("({}{:+}i)", f32(0), f32(4));
    default:
      return fmt::format("({}{:+}i)", f64(0), f64(8));
  }
}

}  // namespace

std::string ValuePrinter::print_bytes(ByteView bytes) {
  bool longer = bytes.size() > kMaxBytesPrinted;
  return quote(bytes.first(std::min<usize>(bytes.size(), kMaxBytesPrinted))) + (longer ? "…" : "");
}

std::string ValuePrinter::hex(ByteView bytes) {
  std::string out;
  for (u8 b : bytes) out += fmt::format("{:02x}", b);
  return out;
}

std::optional<std::string> ValuePrinter::read_string(u64 pointer, u64 length) const {
  if (length == 0) return "\"\"";
  if (pointer == 0 || length > (u64{1} << 40)) return std::nullopt;
  std::vector<u8> text(std::min(length, kMaxText));
  if (!context_.memory.read(TargetAddr(pointer), text)) return std::nullopt;
  return quote(text) + (length > kMaxText ? "…" : "");
}

std::string ValuePrinter::print_at(u64 address, ImageAddr type_addr, u32 depth) const {
  Result<GoType> type = context_.binary.types().read(type_addr);
  if (!type.ok() || type->size_bytes == 0 || type->size_bytes > kMaxElementBytes)
    return fmt::format("{:#x}", address);
  std::vector<u8> bytes(type->size_bytes);
  if (!context_.memory.read(TargetAddr(address), bytes)) return fmt::format("{:#x}", address);
  return print_type(bytes, type.value(), depth);
}

// A func value points to {code, captured...}: the code's name, and what it captured when DWARF says
// so. A func that calls itself captures itself.
std::string ValuePrinter::print_func(u64 closure, u32 depth) const {
  if (closure == 0) return "nil";
  std::optional<u64> code = context_.memory.find<u64>(TargetAddr(closure));
  std::optional<read::Function> function =
      code ? context_.binary.pclntab().find_function(context_.bias().to_image(TargetAddr(*code)))
           : std::nullopt;
  if (!function) return fmt::format("func {:#x}", closure);
  std::string out = short_function(function->name);
  if (context_.debug == nullptr || depth == 0) return out;
  std::string captured;
  usize shown = 0;
  for (const read::DebugInfo::Capture& capture :
       context_.debug->captures_of(std::string(function->name))) {
    if (capture.type == nullptr || ++shown > kMaxFields) continue;
    std::optional<u64> place = closure + capture.offset;
    if (capture.by_reference) place = context_.memory.find<u64>(TargetAddr(*place));
    if (!place || !capture.type->runtime_type) continue;
    ImageAddr type = capture.type->runtime_type;
    captured += fmt::format("{}{}: {}", captured.empty() ? "" : ", ", capture.name,
                            print_at(*place, type, depth - 1));
  }
  return captured.empty() ? out : fmt::format("{} {{{}}}", out, captured);
}

std::string ValuePrinter::print_interface(ByteView element, const GoType& type, u32 depth) const {
  u64 tab = word(element, 0);
  u64 data = word(element, 8);
  if (tab == 0) return "nil";
  // eface {type, data}; iface {itab, data} with the type at itab+8 (runtime/runtime2.go). Which one
  // is told by where the first word points.
  ImageAddr dynamic = context_.bias().to_image(TargetAddr(tab));
  Result<GoType> direct = context_.binary.types().read(dynamic);
  if (type.name != "interface {}" && type.name != "any") {
    std::optional<u64> from_itab = context_.memory.find<u64>(TargetAddr(tab + 8));
    Result<GoType> behind =
        from_itab ? context_.binary.types().read(context_.bias().to_image(TargetAddr(*from_itab)))
                  : Result<GoType>(Error("no itab"));
    if (behind.ok()) direct = std::move(behind);
  }
  if (!direct.ok()) return fmt::format("{:#x}", data);
  const GoType& held = direct.value();
  // No interface holds an interface, but memory may say so: one that points to itself, even.
  if (held.kind == Kind::kInterface) return fmt::format("{:#x}", data);
  bool pointer_shaped = held.kind == Kind::kPointer || held.kind == Kind::kMap ||
                        held.kind == Kind::kChan || held.kind == Kind::kFunc ||
                        held.kind == Kind::kUnsafePointer;
  if (pointer_shaped && data == 0)
    return print_address(held, 0);  // which is not nil, as many have learned
  if (pointer_shaped) return print_type(element.subspan(8), held, depth);
  std::string value = print_at(data, held.addr, depth);
  bool names_its_type = held.kind == Kind::kStruct || held.name == "string";
  return names_its_type ? value : fmt::format("{}({})", held.name, value);
}

std::string ValuePrinter::print_pointer(u64 pointer, const GoType& type, u32 depth) const {
  if (pointer == 0) return "nil";
  if (depth == 0 || !type.elem) return print_address(type, pointer);
  Result<GoType> elem = context_.binary.types().read(type.elem);
  if (!elem.ok()) return print_address(type, pointer);
  return "&" + print_at(pointer, type.elem, depth - 1);
}

std::string ValuePrinter::print_struct(ByteView element, const GoType& type, u32 depth) const {
  if (depth == 0) return short_function(type.name) + "{…}";
  std::string out = short_function(type.name) + "{";
  usize shown = 0;
  for (const read::TypeField& field : type.fields) {
    if (shown == kMaxFields) {
      out += ", …";
      break;
    }
    Result<GoType> of = context_.binary.types().read(field.type);
    std::optional<ByteView> bytes =
        of.ok() ? find_part(element, field.offset, of->size_bytes) : std::nullopt;
    if (!bytes) continue;
    out += fmt::format("{}{}: {}", shown == 0 ? "" : ", ", field.name,
                       print_type(*bytes, of.value(), depth - 1));
    ++shown;
  }
  return out + "}";
}

std::string ValuePrinter::print_slice(ByteView element, const GoType& type, u32 depth) const {
  u64 pointer = word(element, 0);
  u64 length = word(element, 8);
  Result<GoType> elem = context_.binary.types().read(type.elem);
  if (pointer == 0) return "nil";
  if (!elem.ok() || depth == 0) return fmt::format("{} len {}", type.name, length);
  if (elem->kind == Kind::kUint8)
    return read_string(pointer, length).value_or(fmt::format("{:#x}", pointer));
  std::string out = "[";
  for (u64 i = 0; i < std::min(length, kMaxElements); ++i) {
    out += (i == 0 ? "" : " ") + print_at(pointer + i * elem->size_bytes, type.elem, depth - 1);
  }
  return out + (length > kMaxElements ? " …]" : "]");
}

// Both begin with the number of their elements: runtime/map.go hmap.count (to Go 1.23),
// internal/runtime/maps Map.used; runtime/chan.go hchan.qcount.
std::string ValuePrinter::print_counted(u64 pointer, const GoType& type) const {
  if (pointer == 0) return "nil";
  std::optional<u64> count = context_.memory.find<u64>(TargetAddr(pointer));
  return count && *count < (u64{1} << 40) ? fmt::format("{} len {}", type.name, *count)
                                          : print_address(type, pointer);
}

std::string ValuePrinter::print_type(ByteView element, const GoType& type, u32 depth) const {
  switch (type.kind) {
    case Kind::kString:
      return read_string(word(element, 0), word(element, 8))
          .value_or(fmt::format("string {:#x}", word(element, 0)));
    case Kind::kFunc:
      return print_func(word(element, 0), depth);
    case Kind::kInterface:
      return print_interface(element, type, depth);
    case Kind::kPointer:
      return print_pointer(word(element, 0), type, depth);
    case Kind::kStruct:
      return print_struct(element, type, depth);
    case Kind::kMap:
    case Kind::kChan:
      return print_counted(word(element, 0), type);
    case Kind::kSlice:
      return print_slice(element, type, depth);
    case Kind::kFloat32:
    case Kind::kFloat64:
    case Kind::kComplex64:
    case Kind::kComplex128:
      return print_float(element, type.kind);
    case Kind::kArray: {
      Result<GoType> elem = context_.binary.types().read(type.elem);
      if (!elem.ok() || depth == 0) return type.name;
      std::string out = "[";
      for (u64 i = 0; i < std::min(type.length, kMaxElements); ++i) {
        std::optional<ByteView> part = find_part(element, i * elem->size_bytes, elem->size_bytes);
        if (part) out += (i == 0 ? "" : " ") + print_type(*part, elem.value(), depth - 1);
      }
      return out + (type.length > kMaxElements ? " …]" : "]");
    }
    default:
      return print_integer(element, type.kind);
  }
}

std::string ValuePrinter::print(ByteView element, ImageAddr type) const {
  if (!type) return hex(element.first(std::min<usize>(element.size(), kMaxBytesPrinted)));
  Result<GoType> known = context_.binary.types().read(type);
  if (!known.ok() || known->size_bytes != element.size()) {
    return hex(element.first(std::min<usize>(element.size(), kMaxBytesPrinted)));
  }
  return print_type(element, known.value(), kMaxDepth);
}

}  // namespace geist::judge

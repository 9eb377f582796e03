// abi.Type and what follows it for each kind.
//
//   +0   size          +8   ptrdata     +16  hash      +20  tflag   +21  align   +22  fieldAlign
//   +23  kind          +24  equal       +32  gcdata    +40  str     +44  ptrToThis
//   +48  array: elem, slice, len
//        chan, pointer, slice: elem
//        map: key, elem, bucket (group since go1.24)
//        struct: pkgPath, fields {ptr, len, cap}
//
// A name is: flag byte, uvarint length, bytes. nameOff counts from moduledata.types. Words go
// through relocations. Source: internal/abi/type.go, runtime/type.go, go1.21 to go1.27.
#include "read/go/types.h"

#include <fmt/format.h>

namespace geist::read {
namespace {

constexpr u64 kTypeSize = 48;
constexpr u8 kTflagExtraStar =
    2;  // the stored string has a '*' in front that is not part of the name
constexpr u8 kNameEmbedded = 8;  // flag byte of a field's name
constexpr u64 kFieldSize = 24;   // abi.StructField: Name, Typ, Offset
// Go has no such limit, but a longer name or field list in a descriptor is damage, not a type.
constexpr u64 kMaxNameSize = 1u << 20;
constexpr u64 kMaxFields = 1u << 16;

struct Name {
  u8 flags = 0;
  std::string text;
};

std::optional<Name> find_name(const Image& image, ImageAddr addr) {
  std::optional<ByteView> bytes = image.find_bytes_from(addr);
  if (!bytes) return std::nullopt;
  ByteReader reader(*bytes);
  Name name;
  name.flags = reader.read_u8();
  u64 size = reader.read_uvarint();
  if (size > kMaxNameSize) return std::nullopt;
  ByteView text = reader.read_bytes(size);
  if (reader.failed()) return std::nullopt;
  name.text.assign(reinterpret_cast<const char*>(text.data()), text.size());
  return name;
}

}  // namespace

bool Types::contains(ImageAddr addr) const {
  return addr >= module_->types && addr < module_->etypes && module_->etypes - addr >= kTypeSize;
}

Result<GoType> Types::read(ImageAddr addr) const {
  auto fail = [&](const std::string& what) {
    return Error(fmt::format("{}: type at {:#x}: {}", image_->path(), addr.value, what));
  };
  if (!contains(addr) || addr.value % 8 != 0) {
    return fail(fmt::format("not in the type section {:#x}..{:#x}", module_->types.value,
                            module_->etypes.value));
  }
  std::optional<ByteView> bytes = image_->find_bytes(addr, kTypeSize);
  if (!bytes) return fail("not in the file");
  ByteReader reader(*bytes);
  GoType type;
  type.addr = addr;
  type.size_bytes = reader.read_u64();
  type.ptr_bytes = reader.read_u64();
  reader.skip(4);  // hash
  u8 tflag = reader.read_u8();
  u8 align = reader.read_u8();
  reader.skip(1);  // fieldAlign
  u8 kind = reader.read_u8() & layout_->kind_mask;
  reader.skip(16);  // equal, gcdata
  i32 name_offset = reader.read_i32();

  if (kind == 0 || kind > static_cast<u8>(Kind::kUnsafePointer))
    return fail(fmt::format("kind {}", kind));
  type.kind = static_cast<Kind>(kind);
  if (type.ptr_bytes > type.size_bytes || type.ptr_bytes % 8 != 0) {
    return fail(fmt::format("{} of {} bytes hold pointers", type.ptr_bytes, type.size_bytes));
  }
  if (align == 0 || (align & (align - 1)) != 0 || type.size_bytes % align != 0) {
    return fail(fmt::format("{} bytes aligned to {}", type.size_bytes, align));
  }
  if (name_offset <= 0) return fail("no name");
  std::optional<Name> name = find_name(*image_, module_->types + static_cast<u32>(name_offset));
  if (!name || name->text.empty())
    return fail(fmt::format("name at offset {:#x} is not in the file", name_offset));
  type.name = std::move(name->text);
  if ((tflag & kTflagExtraStar) != 0 && type.name.starts_with('*')) type.name.erase(0, 1);
  GEIST_TRY_STATUS(read_kind(type));
  return type;
}

Status Types::read_kind(GoType& type) const {
  auto fail = [&](const std::string& what) {
    return Error(
        fmt::format("{}: type {} at {:#x}: {}", image_->path(), type.name, type.addr.value, what));
  };
  bool is_intact = true;
  auto word = [&](u64 offset) {
    std::optional<u64> value = image_->find_word(type.addr + offset);
    is_intact = is_intact && value.has_value();
    return value.value_or(0);
  };
  auto type_word = [&](u64 offset) {
    ImageAddr other(word(offset));
    is_intact = is_intact && contains(other);
    return other;
  };
  switch (type.kind) {
    case Kind::kArray:
      type.elem = type_word(48);
      type.length = word(64);
      break;
    case Kind::kChan:
    case Kind::kPointer:
    case Kind::kSlice:
      type.elem = type_word(48);
      break;
    case Kind::kMap:
      type.key = type_word(48);
      type.elem = type_word(56);
      type.bucket = type_word(64);
      break;
    case Kind::kStruct:
      return read_fields(type);
    default:
      break;
  }
  if (!is_intact) return fail("its element is not a type of this program");
  return Done{};
}

Status Types::read_fields(GoType& type) const {
  auto fail = [&](const std::string& what) {
    return Error(
        fmt::format("{}: type {} at {:#x}: {}", image_->path(), type.name, type.addr.value, what));
  };
  std::optional<u64> first = image_->find_word(type.addr + 56);
  std::optional<u64> count = image_->find_word(type.addr + 64);
  if (!first || !count || *count > kMaxFields) return fail("its field list is not in the file");
  if (!image_->find_bytes(ImageAddr(*first), *count * kFieldSize) && *count != 0) {
    return fail("its field list is not in the file");
  }
  for (u64 i = 0; i < *count; ++i) {
    ImageAddr at = ImageAddr(*first) + i * kFieldSize;
    std::optional<u64> name_addr = image_->find_word(at);
    std::optional<u64> field_type = image_->find_word(at + 8);
    std::optional<u64> offset = image_->find_word(at + 16);
    if (!name_addr || !field_type || !offset)
      return fail(fmt::format("field {} is not in the file", i));
    std::optional<Name> name = find_name(*image_, ImageAddr(*name_addr));
    if (!name) return fail(fmt::format("the name of field {} is not in the file", i));
    if (!contains(ImageAddr(*field_type)))
      return fail(fmt::format("field {} has no type of this program", i));
    if (*offset > type.size_bytes) return fail(fmt::format("field {} begins behind the end", i));
    type.fields.push_back({.name = std::move(name->text),
                           .type = ImageAddr(*field_type),
                           .offset = *offset,
                           .embedded = (name->flags & kNameEmbedded) != 0});
  }
  return Done{};
}

}  // namespace geist::read

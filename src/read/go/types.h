// Go's runtime type descriptors (abi.Type) read from the file: name, kind, size, element, fields.
// Source: internal/abi/type.go, runtime/type.go (resolveNameOff), go1.21 to go1.27.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "read/elf/image.h"
#include "read/go/layout.h"
#include "read/go/pclntab.h"

namespace geist::read {

enum class Kind : u8 {  // abi.Kind, same numbers
  kInvalid = 0,
  kBool,
  kInt,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kUintptr,
  kFloat32,
  kFloat64,
  kComplex64,
  kComplex128,
  kArray,
  kChan,
  kFunc,
  kInterface,
  kMap,
  kPointer,
  kSlice,
  kString,
  kStruct,
  kUnsafePointer,
};

struct TypeField {
  std::string name;
  ImageAddr type;
  u64 offset = 0;
  bool embedded = false;
};

struct GoType {
  ImageAddr addr;
  std::string name;  // reflect's String(): "[]echo.MiddlewareFunc", "*main.T"
  Kind kind = Kind::kInvalid;
  u64 size_bytes = 0;
  u64 ptr_bytes = 0;  // prefix that may hold pointers; 0 = noscan
  ImageAddr elem;     // array, chan, map, pointer, slice; else 0
  ImageAddr key;      // map
  ImageAddr bucket;   // map: of its buckets (runtime.bmap) or groups (internal/runtime/maps)
  u64 length = 0;     // array
  std::vector<TypeField> fields;  // struct
};

class Types {
 public:
  Types(const Image& image, const Layout& layout, const ModuleData& module)
      : image_(&image), layout_(&layout), module_(&module) {}
  // Fails when addr is not inside [types, etypes) or the descriptor does not hold together.
  Result<GoType> read(ImageAddr addr) const;
  bool contains(ImageAddr addr) const;

 private:
  Status read_kind(GoType& type) const;    // what follows abi.Type
  Status read_fields(GoType& type) const;  // structs
  const Image* image_;
  const Layout* layout_;
  const ModuleData* module_;
};

}  // namespace geist::read

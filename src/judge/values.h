// Elements as people read them: bytes and a type → text. Strings as quoted text, numbers as
// numbers, funcs by name with what they captured, pointers and interfaces by what they point to,
// structs by field, maps and channels by type and length. Memory is read as it is now; pointers
// that cannot be followed are printed as addresses.
#pragma once

#include <string>

#include "judge/view.h"

namespace geist::judge {

class ValuePrinter {
 public:
  explicit ValuePrinter(Context& context) : context_(context) {}
  // One element of the abi.Type at `type` (0: not known, printed as hex).
  std::string print(ByteView element, ImageAddr type) const;
  // Bytes of a []byte as quoted text, non-printing ones escaped.
  static std::string print_bytes(ByteView bytes);
  static std::string hex(ByteView bytes);

 private:
  std::string print_type(ByteView element, const read::GoType& type, u32 depth) const;
  std::string print_func(u64 closure, u32 depth) const;
  std::string print_interface(ByteView element, const read::GoType& type, u32 depth) const;
  std::string print_pointer(u64 pointer, const read::GoType& type, u32 depth) const;
  std::string print_struct(ByteView element, const read::GoType& type, u32 depth) const;
  std::string print_counted(u64 pointer, const read::GoType& type) const;
  std::string print_slice(ByteView element, const read::GoType& type, u32 depth) const;
  std::optional<std::string> read_string(u64 pointer, u64 length) const;
  std::string print_at(u64 address, ImageAddr type, u32 depth) const;

  Context& context_;
};

}  // namespace geist::judge

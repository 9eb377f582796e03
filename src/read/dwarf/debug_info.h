// DebugInfo: variables and types of a Go binary from its DWARF (4 up to Go 1.24, 5 after), through
// elfutils libdw.
//
//   pc ─▶ compile unit ─▶ subprogram ─▶ inlined subroutines that hold pc ─▶ variables and
//   parameters, each with the pieces of its location that are valid at pc.
//
// Go's optimiser takes slice headers apart: DW_OP_piece gives ptr, len and cap separately, each in
// a register, a stack slot, a constant or nowhere. Units are opened on first use, so opening a
// large binary costs little; all answers are cached. Stripped binaries have no DebugInfo. Source:
// DWARF 5 spec 2.6, 3.3; cmd/internal/dwarf/dwarf.go. Thread-safety: none, one user at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "read/elf/image.h"
#include "read/go/types.h"

namespace geist::read {

struct DebugType {
  std::string name;            // as Go writes it: "[]echo.MiddlewareFunc", "string", "main.T"
  Kind kind = Kind::kInvalid;  // DW_AT_go_kind
  u64 size_bytes = 0;
  ImageAddr runtime_type;  // DW_AT_go_runtime_type: address of the abi.Type, 0 when absent
  u64 length = 0;          // array: number of elements
  // Slice, array, pointer; null when DWARF does not say.
  const DebugType* elem = nullptr;
  struct Field {
    std::string name;
    u64 offset = 0;
    const DebugType* type = nullptr;
  };
  std::vector<Field> fields;  // struct only: user-visible fields

  // Null when there is none of this name.
  const Field* find_field(std::string_view wanted) const {
    for (const Field& field : fields) {
      if (field.name == wanted) return &field;
    }
    return nullptr;
  }
};

// Where one run of bytes of a variable is at a pc.
struct Piece {
  enum class Where : u8 {
    kNowhere,   // optimised away
    kRegister,  // DWARF number in `reg`: 0 rax 1 rdx 2 rcx 3 rbx 4 rsi 5 rdi 6 rbp 7 rsp 8.. r8..
    kCfa,       // at CFA + offset; the CFA is the address right above the return-address slot
    kRegisterMemory,  // at reg + offset
    kAddress,         // at a fixed ImageAddr (`value`)
    kConstant,        // the value itself (DW_OP_stack_value)
  };
  Where where = Where::kNowhere;
  u8 reg = 0;
  i64 offset = 0;
  u64 value = 0;
  u32 size_bytes = 0;   // of this piece
  u32 byte_offset = 0;  // within the variable
};

struct Variable {
  std::string name;  // without the '&' of an escaped variable
  // Of the variable itself, also when it is escaped.
  const DebugType* type = nullptr;
  std::string function;  // the (possibly inlined) function it belongs to
  u32 inline_depth = 0;  // 0 = physical function, 1 = inlined into it, ...
  bool is_parameter = false;
  // The one piece holds a pointer to the variable, which is in the heap (Go names it "&x").
  bool is_escaped = false;
  // A slice of which the compiler kept two words. The first is ptr; the second is nearly always len
  // and given as such, but it is cap where only s[:n], append(s[:n], ...) and cap(s) use it: in a
  // function that never asks for len(s). See read/dwarf/components.h.
  bool len_may_be_cap = false;
  i32 decl_line = 0;
  std::vector<Piece> pieces;  // ordered by byte_offset, at least one that is somewhere
};

// A variable that is declared, wherever its value may be: the optimiser keeps no record of where
// many of them are, as of a struct of one field, or of a word that only moves.
struct DeclaredVariable {
  std::string name;  // without the '&' of an escaped variable
  const DebugType* type = nullptr;
  std::string function;  // the (possibly inlined) function it belongs to
  u32 inline_depth = 0;  // 0 = physical function, 1 = inlined into it, ...
  i32 decl_line = 0;
  std::vector<i64> cfa_slots;  // the words of the frame, CFA + x, that hold a part of it at some
                               // pc, ascending
};

struct GlobalVariable {
  std::string name;  // "main.table"
  ImageAddr addr;
  const DebugType* type = nullptr;
};

class DebugInfo {
 public:
  // Nothing when the binary has no .debug_info; an error when it is damaged beyond opening.
  static Result<std::unique_ptr<DebugInfo>> open(const Image& image);
  ~DebugInfo();

  // All variables and parameters in scope at pc whose location is known there, innermost function
  // first. A pc that is a return address must be passed as pc - 1 for scope, but locations are
  // those valid at pc itself: scope_pc chooses the lexical scope, location_pc the location list
  // entry.
  std::vector<Variable> variables_at(ImageAddr scope_pc, ImageAddr location_pc);
  // All variables and parameters that are declared in the scopes around pc, innermost first, also
  // those without a location.
  std::vector<DeclaredVariable> declared_at(ImageAddr scope_pc);
  // The package-level variable that covers addr.
  std::optional<GlobalVariable> find_global(ImageAddr addr);
  // All package-level variables whose type is known, ascending.
  std::vector<GlobalVariable> globals();
  // The DWARF type that carries this abi.Type.
  const DebugType* find_type(ImageAddr runtime_type);
  // The DWARF type of this name ("main.T", "[]string"), for closure structs and fields.
  const DebugType* find_type_named(const std::string& name);
  // What the closure "main.f.func1" captured, by offset in the closure object: from
  // DW_AT_go_closure_offset, which go1.23 and later write; empty for older binaries. By reference =
  // the slot holds a pointer to the variable; `type` is that of the variable.
  struct Capture {
    std::string name;
    u64 offset = 0;
    const DebugType* type = nullptr;
    bool by_reference = false;
  };
  std::vector<Capture> captures_of(const std::string& function);
  // The same for the function that holds pc: needs no walk over all units, and is exact where
  // pclntab writes "[...]" for type arguments.
  std::vector<Capture> captures_at(ImageAddr pc);

 private:
  DebugInfo();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace geist::read

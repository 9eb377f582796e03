// pclntab: every function of a Go binary with its code range, lines, inlining, frame sizes and live
// pointer maps. It is there stripped or not: the runtime itself needs it.
//
//   moduledata.ftab ─▶ _func ─┬▶ pcsp, pcfile, pcln   (pc → value tables)
//                             ├▶ PCDATA   stack map index, inline tree index
//                             └▶ FUNCDATA stack maps, inline tree
//
// Source: runtime/symtab.go, internal/abi/symtab.go, cmd/internal/obj/pcln.go, go1.21 to go1.27
// (encoding unchanged). All offsets come from the file and are checked; a lookup that leaves the
// tables answers "absent", never a guess.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"
#include "read/elf/image.h"
#include "read/go/layout.h"

namespace geist::read {

// The fields of the first (and only) Go module that the project uses; runtime/symtab.go moduledata.
struct ModuleData {
  ImageAddr addr;  // of runtime.firstmoduledata
  ImageAddr pc_header;
  ImageAddr funcnametab, cutab, filetab, pctab, pclntable, ftab;
  u64 funcnametab_size = 0, cutab_count = 0, filetab_size = 0, pctab_size = 0, pclntable_size = 0,
      ftab_count = 0;
  ImageAddr minpc, maxpc, text, etext;
  ImageAddr noptrdata, enoptrdata, data, edata, bss, ebss, noptrbss, enoptrbss;
  ImageAddr types, etypes, rodata, gofunc;
};

struct FuncIndex {
  u32 value = 0;
  auto operator<=>(const FuncIndex&) const = default;
};

struct Function {
  FuncIndex index;
  ImageAddr entry;
  ImageAddr end;  // exclusive: the next function's entry, padding included
  std::string_view
      name;  // as pclntab has it: "main.main", "github.com/x/y.(*T).M", "slices.Insert[...]"
  u32 func_offset = 0;  // of _func in pclntable
  i32 args_size = 0;    // bytes of stack arguments; -1-ish values mean unknown (assembly)
  i32 start_line = 0;
  u8 func_id = 0;
  u8 flag = 0;  // abi.FuncFlag: 1 TopFrame, 2 SPWrite, 4 Asm
};

// One source position on the way from the innermost inlined function out to the physical function.
struct SourceFrame {
  std::string_view function;
  std::string_view file;  // as compiled: absolute, or module@version/... with -trimpath
  i32 line = 0;
  i32 start_line = 0;    // of the function
  bool inlined = false;  // true for all but the last (physical) frame
};

struct SourceLine {
  std::string_view file;
  i32 line = 0;
  auto operator<=>(const SourceLine&) const = default;
};

// A piece of a function's code that a call was inlined into: the innermost one that it belongs to.
struct InlinedPiece {
  ImageAddr begin, end;
  u32 call = 0;  // for Pclntab::find_inlined_call
};

// One call that was inlined, from the function's inline tree.
struct InlinedCall {
  std::string_view function;  // that was called
  ImageAddr parent_pc;        // an instruction of the call's position, in what it is inlined into
  std::optional<u32> parent;  // the inlined call that it was made in; none: the function's own code
};

// Which words of a frame hold pointers that are live; bit i is the word at base + 8*i.
struct PointerMap {
  std::vector<bool> live;
  bool is_live(u64 word) const { return word < live.size() && live[word]; }
};

class Pclntab {
 public:
  static Result<Pclntab> read(const Image& image, const Layout& layout, const ModuleData& module);

  u32 function_count() const { return static_cast<u32>(entries_.size()); }
  Function function(FuncIndex index) const;
  // The function whose [entry, end) holds pc.
  std::optional<Function> find_function(ImageAddr pc) const;
  // Linear search, first match: for a handful of runtime functions.
  std::optional<Function> find_function_named(std::string_view name) const;

  // Bytes from SP to the slot of the return address at pc (pcsp). For a pc behind a CALL pass pc
  // itself.
  std::optional<i32> find_sp_delta(const Function& function, ImageAddr pc) const;
  // The source frames at pc, innermost first, at least one. For return addresses the caller passes
  // pc - 1.
  std::vector<SourceFrame> source_frames(const Function& function, ImageAddr pc) const;
  // All code of the function that is some inlined function's, ascending.
  std::vector<InlinedPiece> inlined_pieces(const Function& function) const;
  // Nothing when the inline tree has no such call, or is damaged there.
  std::optional<InlinedCall> find_inlined_call(const Function& function, u32 call) const;
  // The lines that its instructions come from, those of inlined functions too; ascending, each
  // once.
  std::vector<SourceLine> source_lines(const Function& function) const;
  // PCDATA_StackMapIndex at pc (pass returnPC - 1) applied to FUNCDATA_LocalsPointerMaps: bit 0 is
  // the lowest word of the locals, which end (exclusive) at varp = frame's return-address slot - 8
  // (saved BP slot). nbit words in all.
  std::optional<PointerMap> find_locals_map(const Function& function, ImageAddr pc) const;
  // The same for FUNCDATA_ArgsPointerMaps; bit 0 is the word right above the return address slot.
  std::optional<PointerMap> find_args_map(const Function& function, ImageAddr pc) const;
  // PCDATA_UnsafePoint at pc; -1 means safe.
  i32 unsafe_point(const Function& function, ImageAddr pc) const;

 private:
  struct Entry {
    u64 entry;
    u32 func_offset;
  };
  Pclntab() = default;
  // Calls visit(value, length) for the pieces of a pc → value table, in order, until it returns
  // true (then true).
  template <typename Visit>
  bool visit_pc_values(u32 table, Visit visit) const;
  // The value that the table at `table` of pctab gives for pc; -1 where it says nothing
  // (runtime/symtab.go pcvalue).
  i32 pc_value(u32 table, ImageAddr entry, ImageAddr pc) const;
  // Where PCDATA `which` begins in pctab; 0: the function has none.
  u32 pc_data_table(const Function& function, u32 which) const;
  i32 pc_data(const Function& function, u32 which, ImageAddr pc) const;
  // The bytes from FUNCDATA `which` on, to the end of what holds it; empty when the function has
  // none.
  ByteView func_data(const Function& function, u32 which) const;
  std::string_view name_at(i32 offset) const;
  std::string_view file_at(const Function& function, ImageAddr pc) const;
  // By the value of pcfile.
  std::string_view file_of(const Function& function, i32 number) const;
  i32 line_at(const Function& function, ImageAddr pc) const;
  // `max_words`: what the frame has room for; a map of more words is damage and absent.
  std::optional<PointerMap> find_map(const Function& function, u32 which, ImageAddr pc,
                                     u64 max_words) const;
  i32 max_sp_delta(const Function& function) const;

  std::vector<Entry> entries_;  // sorted by entry
  u64 end_ = 0;                 // maxpc
  ByteView funcnametab_, cutab_, filetab_, pctab_, pclntable_, gofunc_;
};

}  // namespace geist::read

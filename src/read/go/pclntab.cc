// Lookups in the function tables. Only ftab is walked when opening (8 bytes a function); all else
// is read on demand.
//
//   _func (44 bytes, then npcdata u32, then nfuncdata u32)
//     entryOff nameOff args deferreturn pcsp pcfile pcln npcdata
//     cuOffset startLine funcID flag - nfuncdata
//
//   pc → value table: pairs (zigzag varint value delta, uvarint pc delta), value from -1, pc from
//   the entry; the pair's value holds up to its pc. A zero value delta ends the table, except in
//   the first pair.
//
// Names of fields are Go's: runtime/runtime2.go _func, runtime/symtab.go, runtime/symtabinl.go,
// internal/abi/symtab.go.
#include "read/go/pclntab.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace geist::read {
namespace {

// Offsets in _func; runtime/runtime2.go, the same in go1.21 to go1.27.
constexpr u64 kNameOff = 4, kArgs = 8, kPcsp = 16, kPcfile = 20, kPcln = 24, kNpcdata = 28;
constexpr u64 kCuOffset = 32, kStartLine = 36, kFuncId = 40, kFlag = 41, kNfuncdata = 43;
constexpr u64 kFuncSize = 44;

// internal/abi/symtab.go
constexpr u32 kPcdataUnsafePoint = 0, kPcdataStackMapIndex = 1, kPcdataInlTreeIndex = 2;
constexpr u32 kFuncdataArgsPointerMaps = 0, kFuncdataLocalsPointerMaps = 1, kFuncdataInlTree = 3;
constexpr u32 kNoOffset = 0xffffffff;

// runtime/symtabinl.go inlinedCall: funcID u8, nameOff i32 at 4, parentPc i32 at 8, startLine i32
// at 12.
constexpr u64 kInlinedCallSize = 16;
// The compiler's inlining budget keeps real trees far below this; a damaged one may go in circles.
constexpr usize kMaxInlineDepth = 512;

// 16 MiB of locals. Variables of more than 10 MiB (128 KiB in newer releases) go to the heap:
// cmd/compile/internal/ir/cfg.go MaxStackVarSize.
constexpr u64 kMaxMapWords = 1u << 21;
constexpr u64 kMaxPrototypeWords = 1024;

}  // namespace

Result<Pclntab> Pclntab::read(const Image& image, const Layout& layout, const ModuleData& module) {
  auto fail = [&](const std::string& what) {
    return Error(fmt::format("{}: function table does not look like Go 1.{}: {}; build it again",
                             image.path(), layout.minor, what));
  };
  auto view = [&](ImageAddr addr, u64 size) {
    return image.find_bytes(addr, size).value_or(ByteView{});
  };
  std::optional<u64> ftab_size = checked_mul(module.ftab_count, 8);
  std::optional<u64> cutab_size = checked_mul(module.cutab_count, 4);
  if (!ftab_size || !cutab_size || module.ftab_count < 2) {
    return fail(fmt::format("{} functions, {} files", module.ftab_count, module.cutab_count));
  }
  Pclntab tab;
  tab.funcnametab_ = view(module.funcnametab, module.funcnametab_size);
  tab.cutab_ = view(module.cutab, *cutab_size);
  tab.filetab_ = view(module.filetab, module.filetab_size);
  tab.pctab_ = view(module.pctab, module.pctab_size);
  tab.pclntable_ = view(module.pclntable, module.pclntable_size);
  tab.gofunc_ = image.find_bytes_from(module.gofunc).value_or(ByteView{});
  ByteView ftab = view(module.ftab, *ftab_size);
  if (ftab.empty() || tab.pclntable_.empty()) return fail("ftab or pclntable is not in the file");
  tab.end_ = module.maxpc.value;

  ByteReader reader(ftab);
  u64 count = module.ftab_count - 1;  // the last entry only says where the last function ends
  tab.entries_.reserve(count);
  u64 previous = 0;
  for (u64 i = 0; i < count; ++i) {
    u64 entry = module.text.value + reader.read_u32();
    u32 func_offset = reader.read_u32();
    if (entry < previous || entry > tab.end_) {
      return fail(fmt::format("function {} begins at {:#x}, out of order", i, entry));
    }
    if (func_offset > tab.pclntable_.size() || tab.pclntable_.size() - func_offset < kFuncSize) {
      return fail(
          fmt::format("function {} is described at {:#x}, outside pclntable", i, func_offset));
    }
    tab.entries_.push_back({.entry = entry, .func_offset = func_offset});
    previous = entry;
  }
  return tab;
}

Function Pclntab::function(FuncIndex index) const {
  GEIST_CHECK(index.value < entries_.size());
  const Entry& entry = entries_[index.value];
  bool is_last = index.value + 1 == entries_.size();
  // read() made sure that the whole _func is there.
  ByteView record = pclntable_.subspan(entry.func_offset, kFuncSize);
  Function function;
  function.index = index;
  function.entry = ImageAddr(entry.entry);
  function.end = ImageAddr(is_last ? end_ : entries_[index.value + 1].entry);
  function.name = name_at(*find_int<i32>(record, kNameOff));
  function.func_offset = entry.func_offset;
  function.args_size = *find_int<i32>(record, kArgs);
  function.start_line = *find_int<i32>(record, kStartLine);
  function.func_id = record[kFuncId];
  function.flag = record[kFlag];
  return function;
}

std::optional<Function> Pclntab::find_function(ImageAddr pc) const {
  if (entries_.empty() || pc.value < entries_.front().entry || pc.value >= end_)
    return std::nullopt;
  auto after = std::upper_bound(entries_.begin(), entries_.end(), pc.value,
                                [](u64 value, const Entry& entry) { return value < entry.entry; });
  return function(FuncIndex{static_cast<u32>(after - entries_.begin()) - 1});
}

std::optional<Function> Pclntab::find_function_named(std::string_view name) const {
  std::string terminated(name);
  terminated += '\0';
  for (u32 i = 0; i < entries_.size(); ++i) {
    i32 offset = *find_int<i32>(pclntable_, entries_[i].func_offset + kNameOff);
    if (offset < 0) continue;
    // Not name_at(): to find the end of each of 100,000 names takes ten times as long.
    std::optional<ByteView> bytes =
        find_part(funcnametab_, static_cast<u64>(offset), terminated.size());
    if (bytes && std::memcmp(bytes->data(), terminated.data(), terminated.size()) == 0) {
      return function(FuncIndex{i});
    }
  }
  return std::nullopt;
}

std::string_view Pclntab::name_at(i32 offset) const {
  // The runtime takes 0 for "no name", but the linker puts the first function's name there.
  if (offset < 0) return {};
  return ByteReader(funcnametab_, static_cast<u64>(offset)).read_cstring();
}

template <typename Visit>
bool Pclntab::visit_pc_values(u32 table, Visit visit) const {
  if (table == 0) return false;
  ByteReader reader(pctab_, table);
  u32 value = 0xffffffff;  // -1; unsigned, as damaged deltas may overflow
  for (bool is_first = true;; is_first = false) {
    u32 zigzag = static_cast<u32>(reader.read_uvarint());
    if (zigzag == 0 && !is_first) return false;
    value += (zigzag & 1) != 0 ? ~(zigzag >> 1) : zigzag >> 1;
    u64 length = reader.read_uvarint();
    if (reader.failed()) return false;
    if (visit(static_cast<i32>(value), length)) return true;
  }
}

i32 Pclntab::pc_value(u32 table, ImageAddr entry, ImageAddr pc) const {
  if (pc < entry) return -1;
  u64 ahead = pc - entry;
  i32 found = -1;
  bool is_covered = visit_pc_values(table, [&](i32 value, u64 length) {
    found = value;
    if (length > ahead) return true;
    ahead -= length;
    return false;
  });
  return is_covered ? found : -1;
}

i32 Pclntab::max_sp_delta(const Function& function) const {
  i32 largest = 0;
  visit_pc_values(find_int<u32>(pclntable_, function.func_offset + kPcsp).value_or(0),
                  [&](i32 value, u64) {
                    largest = std::max(largest, value);
                    return false;
                  });
  return largest;
}

u32 Pclntab::pc_data_table(const Function& function, u32 which) const {
  u32 count = find_int<u32>(pclntable_, function.func_offset + kNpcdata).value_or(0);
  if (which >= count) return 0;
  u64 place = function.func_offset + kFuncSize + u64{4} * which;
  return find_int<u32>(pclntable_, place).value_or(0);
}

i32 Pclntab::pc_data(const Function& function, u32 which, ImageAddr pc) const {
  return pc_value(pc_data_table(function, which), function.entry, pc);
}

ByteView Pclntab::func_data(const Function& function, u32 which) const {
  u8 count = find_int<u8>(pclntable_, function.func_offset + kNfuncdata).value_or(0);
  if (which >= count) return {};
  u32 pcdata_count = find_int<u32>(pclntable_, function.func_offset + kNpcdata).value_or(0);
  u64 place = function.func_offset + kFuncSize + u64{4} * pcdata_count + u64{4} * which;
  u32 offset = find_int<u32>(pclntable_, place).value_or(kNoOffset);
  if (offset == kNoOffset || offset >= gofunc_.size()) return {};
  return gofunc_.subspan(offset);
}

std::optional<i32> Pclntab::find_sp_delta(const Function& function, ImageAddr pc) const {
  std::optional<u32> table = find_int<u32>(pclntable_, function.func_offset + kPcsp);
  if (!table || *table == 0) return std::nullopt;
  i32 delta = pc_value(*table, function.entry, pc);
  // runtime/symtab.go funcspdelta: everything else is "invalid spdelta".
  if (delta < 0 || delta % 8 != 0) return std::nullopt;
  return delta;
}

std::string_view Pclntab::file_at(const Function& function, ImageAddr pc) const {
  std::optional<u32> table = find_int<u32>(pclntable_, function.func_offset + kPcfile);
  return table ? file_of(function, pc_value(*table, function.entry, pc)) : std::string_view();
}

std::string_view Pclntab::file_of(const Function& function, i32 number) const {
  std::optional<u32> unit = find_int<u32>(pclntable_, function.func_offset + kCuOffset);
  if (number < 0 || !unit || *unit == kNoOffset) return {};
  std::optional<u32> offset = find_int<u32>(cutab_, (u64{*unit} + static_cast<u32>(number)) * 4);
  if (!offset || *offset == kNoOffset) return {};
  return ByteReader(filetab_, *offset).read_cstring();
}

i32 Pclntab::line_at(const Function& function, ImageAddr pc) const {
  std::optional<u32> table = find_int<u32>(pclntable_, function.func_offset + kPcln);
  return table ? std::max(0, pc_value(*table, function.entry, pc)) : 0;
}

std::vector<SourceFrame> Pclntab::source_frames(const Function& function, ImageAddr pc) const {
  std::vector<SourceFrame> frames;
  ByteView tree = func_data(function, kFuncdataInlTree);
  bool is_intact = true;
  while (!tree.empty()) {
    i32 index = pc_data(function, kPcdataInlTreeIndex, pc);
    if (index < 0) break;
    ByteReader call(tree, static_cast<u32>(index) * kInlinedCallSize);
    call.skip(4);  // funcID and padding
    i32 name_offset = call.read_i32();
    i32 parent_pc = call.read_i32();
    i32 start_line = call.read_i32();
    is_intact = !call.failed() && parent_pc >= 0 && frames.size() < kMaxInlineDepth;
    if (!is_intact) break;
    frames.push_back({.function = name_at(name_offset),
                      .file = file_at(function, pc),
                      .line = line_at(function, pc),
                      .start_line = start_line,
                      .inlined = true});
    // An instruction whose position is that of the call in the function around it.
    pc = function.entry + static_cast<u32>(parent_pc);
  }
  // Behind a damaged tree the position in the physical function is unknown: no file, line 0.
  frames.push_back({.function = function.name,
                    .file = is_intact ? file_at(function, pc) : std::string_view(),
                    .line = is_intact ? line_at(function, pc) : 0,
                    .start_line = function.start_line,
                    .inlined = false});
  return frames;
}

std::vector<InlinedPiece> Pclntab::inlined_pieces(const Function& function) const {
  std::vector<InlinedPiece> pieces;
  if (func_data(function, kFuncdataInlTree).empty()) return pieces;
  const u64 size = function.end - function.entry;
  u64 begin = 0;
  visit_pc_values(pc_data_table(function, kPcdataInlTreeIndex), [&](i32 value, u64 length) {
    const u64 end = begin + std::min(length, size - begin);
    if (value >= 0 && end > begin)
      pieces.push_back({function.entry + begin, function.entry + end, static_cast<u32>(value)});
    begin = end;
    return begin == size;
  });
  return pieces;
}

std::optional<InlinedCall> Pclntab::find_inlined_call(const Function& function, u32 call) const {
  ByteView tree = func_data(function, kFuncdataInlTree);
  ByteReader reader(tree, u64{call} * kInlinedCallSize);
  reader.skip(4);  // funcID and padding
  const i32 name_offset = reader.read_i32();
  const i32 parent_pc = reader.read_i32();
  if (tree.empty() || reader.failed() || parent_pc < 0) return std::nullopt;
  InlinedCall found;
  found.function = name_at(name_offset);
  found.parent_pc = function.entry + static_cast<u32>(parent_pc);
  if (found.parent_pc >= function.end) return std::nullopt;
  const i32 parent = pc_data(function, kPcdataInlTreeIndex, found.parent_pc);
  if (parent >= 0) found.parent = static_cast<u32>(parent);
  return found;
}

std::vector<SourceLine> Pclntab::source_lines(const Function& function) const {
  struct Piece {
    u64 end;
    i32 value;
  };
  const u64 size = function.end - function.entry;
  auto pieces_of = [&](u32 table) {
    std::vector<Piece> pieces;
    u64 end = 0;
    visit_pc_values(find_int<u32>(pclntable_, function.func_offset + table).value_or(0),
                    [&](i32 value, u64 length) {
                      end += std::min(length, size - end);
                      pieces.push_back({end, value});
                      return end == size;
                    });
    return pieces;
  };
  const std::vector<Piece> files = pieces_of(kPcfile), numbers = pieces_of(kPcln);
  std::vector<SourceLine> lines;
  auto file = files.begin();
  u64 begin = 0;
  for (const Piece& number : numbers) {
    while (file != files.end() && file->end <= begin) ++file;
    for (auto in = file; in != files.end() && number.value > 0; ++in) {
      lines.push_back({file_of(function, in->value), number.value});
      if (in->end >= number.end) break;
    }
    begin = number.end;
  }
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  return lines;
}

std::optional<PointerMap> Pclntab::find_map(const Function& function, u32 which, ImageAddr pc,
                                            u64 max_words) const {
  ByteView table = func_data(function, which);
  if (table.empty()) return std::nullopt;
  // runtime/symtab.go stackmap: n, nbit, then n bitmaps of nbit bits, each rounded up to bytes.
  ByteReader reader(table);
  i32 count = reader.read_i32();
  i32 bits = reader.read_i32();
  // -1 is the prologue: the runtime takes map 0 there (runtime/stkframe.go getStackMap).
  i32 index = std::max(0, pc_data(function, kPcdataStackMapIndex, pc));
  if (reader.failed() || bits < 0 || index >= count) return std::nullopt;
  u64 words = static_cast<u64>(bits);
  if (words > std::min(max_words, kMaxMapWords)) return std::nullopt;
  u64 map_size = (words + 7) / 8;
  reader.skip(map_size * static_cast<u32>(index));
  ByteView bytes = reader.read_bytes(map_size);
  if (reader.failed()) return std::nullopt;
  PointerMap map;
  map.live.resize(words);
  for (u64 i = 0; i < words; ++i) map.live[i] = ((bytes[i / 8] >> (i % 8)) & 1) != 0;
  return map;
}

std::optional<PointerMap> Pclntab::find_locals_map(const Function& function, ImageAddr pc) const {
  u64 frame_words = static_cast<u64>(max_sp_delta(function)) / 8;
  return find_map(function, kFuncdataLocalsPointerMaps, pc, frame_words);
}

std::optional<PointerMap> Pclntab::find_args_map(const Function& function, ImageAddr pc) const {
  // Maps of assembly functions come from their Go prototype: a few words more than args_size, which
  // may be unknown (negative) there.
  u64 known_words = static_cast<u64>(std::max(0, function.args_size)) / 8;
  return find_map(function, kFuncdataArgsPointerMaps, pc,
                  std::max(known_words, kMaxPrototypeWords));
}

i32 Pclntab::unsafe_point(const Function& function, ImageAddr pc) const {
  return pc_data(function, kPcdataUnsafePoint, pc);
}

}  // namespace geist::read

// Debug sections put together by hand as Go's linker writes them, in DWARF 4 or 5, and an ELF file
// around them: small enough to damage byte by byte.
//
//   unit "main"   main.outer [0x1000,0x1100)   xs []int in registers, then in memory; &heap; a
//   block with `inner`
//                   └ main.callee inlined at [0x1040,0x1060)   ys []int of which two words are kept
//                 main.outer.func1 [0x1100,0x1140)   captured []int at offset 8
//                 main.table []int at 0x5000
//                 types: int, []int, *[]int, main.Node { next *main.Node; list []int; pair [2]int
//                 }, main.Alias
#pragma once

#include <elf.h>

#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace geist::read {

using DebugSections = std::map<std::string, std::vector<u8>>;

class ByteWriter {
 public:
  ByteWriter& u8_(u64 value) { return integer(value, 1); }
  ByteWriter& u16_(u64 value) { return integer(value, 2); }
  ByteWriter& u32_(u64 value) { return integer(value, 4); }
  ByteWriter& u64_(u64 value) { return integer(value, 8); }
  ByteWriter& uleb(u64 value) {
    do {
      bytes.push_back(static_cast<u8>((value & 0x7f) | (value > 0x7f ? 0x80 : 0)));
      value >>= 7;
    } while (value != 0);
    return *this;
  }
  ByteWriter& text(std::string_view value) {
    bytes.insert(bytes.end(), value.begin(), value.end());
    bytes.push_back(0);
    return *this;
  }
  ByteWriter& block(const std::vector<u8>& value) {
    bytes.push_back(static_cast<u8>(value.size()));
    bytes.insert(bytes.end(), value.begin(), value.end());
    return *this;
  }
  void set_u32(u64 at, u64 value) {
    for (int i = 0; i < 4; i++) bytes[at + static_cast<u64>(i)] = static_cast<u8>(value >> (8 * i));
  }
  u64 size() const { return bytes.size(); }

  std::vector<u8> bytes;

 private:
  ByteWriter& integer(u64 value, int count) {
    for (int i = 0; i < count; i++) bytes.push_back(static_cast<u8>(value >> (8 * i)));
    return *this;
  }
};

// Builds the sections above. References are written as names and filled in at the end.
class DebugSectionsMaker {
 public:
  explicit DebugSectionsMaker(int version) : version_(version) {}

  DebugSections make() {
    write_abbrevs();
    start_unit();
    write_abstract();
    write_outer();
    write_closure();
    die(kGlobal, "table").text("main.table").block(at_address(0x5000));
    refer("[]int").u8_(1);
    write_types();
    info_.u8_(0);
    for (const auto& [at, name] : references_) info_.set_u32(at, dies_[name]);
    info_.set_u32(0, info_.size() - 4);
    DebugSections sections = {{".debug_info", info_.bytes}, {".debug_abbrev", abbrev_.bytes}};
    if (version_ == 5) {
      sections[".debug_loclists"] = lists_.bytes;
      sections[".debug_rnglists"] = ranges_.bytes;
      sections[".debug_addr"] = addrs_.bytes;
    } else {
      sections[".debug_loc"] = lists_.bytes;
      sections[".debug_ranges"] = ranges_.bytes;
    }
    return sections;
  }

 private:
  enum Abbrev : u64 {
    kUnit = 1,
    kFunction,
    kAbstract,
    kAbstractParameter,
    kParameter,
    kVariable,
    kInlined,
    kInlinedParameter,
    kBlock,
    kGlobal,
    kCaptured,
    kBase,
    kSlice,
    kPointer,
    kStruct,
    kMember,
    kTypedef,
    kArray,
    kRange,
  };

  // DW_FORM_*
  static constexpr u64 kAddr = 0x01, kBlock1 = 0x0a, kData1 = 0x0b, kFlag = 0x0c, kString = 0x08,
                       kUdata = 0x0f, kRefAddr = 0x10, kSecOffset = 0x17, kAddrx = 0x1b;
  // DW_AT_*
  static constexpr u64 kLocation = 0x02, kName = 0x03, kByteSize = 0x0b, kLowPc = 0x11,
                       kHighPc = 0x12, kLanguage = 0x13, kInline = 0x20, kCount = 0x37,
                       kOrigin = 0x31, kMemberAt = 0x38, kDeclLine = 0x3b, kExternal = 0x3f,
                       kFrameBase = 0x40, kType = 0x49, kRanges = 0x55, kAddrBase = 0x73,
                       kGoKind = 0x2900, kGoElem = 0x2902, kGoRuntimeType = 0x2904,
                       kClosureOffset = 0x2907;

  void abbrev(u64 code, u64 tag, bool has_children,
              const std::vector<std::pair<u64, u64>>& attributes) {
    abbrev_.uleb(code).uleb(tag).u8_(has_children ? 1 : 0);
    for (const auto& [name, form] : attributes) abbrev_.uleb(name).uleb(form);
    abbrev_.u8_(0).u8_(0);
  }

  void write_abbrevs() {
    bool v5 = version_ == 5;
    u64 low = v5 ? kAddrx : kAddr;
    u64 high = v5 ? kUdata : kAddr;
    if (v5) {
      abbrev(kUnit, 0x11, true,
             {{kName, kString},
              {kLanguage, kData1},
              {kRanges, kSecOffset},
              {kLowPc, kAddrx},
              {kAddrBase, kSecOffset}});
    } else {
      abbrev(kUnit, 0x11, true,
             {{kName, kString}, {kLanguage, kData1}, {kRanges, kSecOffset}, {kLowPc, kAddr}});
    }
    abbrev(kFunction, 0x2e, true,
           {{kName, kString},
            {kLowPc, low},
            {kHighPc, high},
            {kFrameBase, kBlock1},
            {kExternal, kFlag}});
    abbrev(kAbstract, 0x2e, true, {{kName, kString}, {kInline, kData1}});
    abbrev(kAbstractParameter, 0x05, false, {{kName, kString}, {kType, kRefAddr}});
    abbrev(kParameter, 0x05, false,
           {{kName, kString}, {kDeclLine, kUdata}, {kType, kRefAddr}, {kLocation, kSecOffset}});
    abbrev(kVariable, 0x34, false,
           {{kName, kString}, {kDeclLine, kUdata}, {kType, kRefAddr}, {kLocation, kBlock1}});
    abbrev(kInlined, 0x1d, true, {{kOrigin, kRefAddr}, {kLowPc, low}, {kHighPc, high}});
    abbrev(kInlinedParameter, 0x05, false, {{kOrigin, kRefAddr}, {kLocation, kSecOffset}});
    abbrev(kBlock, 0x0b, true, {{kRanges, kSecOffset}});
    abbrev(kGlobal, 0x34, false,
           {{kName, kString}, {kLocation, kBlock1}, {kType, kRefAddr}, {kExternal, kFlag}});
    abbrev(kCaptured, 0x34, false,
           {{kName, kString},
            {kDeclLine, kUdata},
            {kType, kRefAddr},
            {kClosureOffset, kUdata},
            {kLocation, kSecOffset}});
    abbrev(kBase, 0x24, false,
           {{kName, kString}, {kByteSize, kData1}, {kGoKind, kData1}, {kGoRuntimeType, kAddr}});
    abbrev(kSlice, 0x13, true,
           {{kName, kString},
            {kByteSize, kUdata},
            {kGoKind, kData1},
            {kGoRuntimeType, kAddr},
            {kGoElem, kRefAddr}});
    abbrev(kPointer, 0x0f, false, {{kName, kString}, {kType, kRefAddr}, {kGoKind, kData1}});
    abbrev(kStruct, 0x13, true,
           {{kName, kString}, {kByteSize, kUdata}, {kGoKind, kData1}, {kGoRuntimeType, kAddr}});
    abbrev(kMember, 0x0d, false, {{kName, kString}, {kMemberAt, kUdata}, {kType, kRefAddr}});
    abbrev(kTypedef, 0x16, false, {{kName, kString}, {kType, kRefAddr}});
    abbrev(kArray, 0x01, true,
           {{kName, kString}, {kType, kRefAddr}, {kByteSize, kUdata}, {kGoKind, kData1}});
    abbrev(kRange, 0x21, false, {{kCount, kUdata}});
    abbrev_.u8_(0);
  }

  void start_unit() {
    info_.u32_(0).u16_(static_cast<u64>(version_));
    if (version_ == 5) {
      info_.u8_(1).u8_(8).u32_(0);
      lists_.u32_(0).u16_(5).u8_(8).u8_(0).u32_(0);
      ranges_.u32_(0).u16_(5).u8_(8).u8_(0).u32_(0);
      addrs_.u32_(0).u16_(5).u8_(8).u8_(0);
    } else {
      info_.u32_(0).u8_(8);
    }
    die(kUnit, "unit").text("main").u8_(0x16).u32_(add_ranges({{0, 0x140}}));
    low_pc(0x1000);
    if (version_ == 5) info_.u32_(8);
  }

  void write_abstract() {
    die(kAbstract, "callee").text("main.callee").u8_(1);
    die(kAbstractParameter, "callee.ys").text("ys");
    refer("[]int").u8_(0);
  }

  void write_outer() {
    die(kFunction, "outer").text("main.outer");
    low_high(0x1000, 0x100).block({0x9c}).u8_(1);
    std::vector<u8> registers = {0x50, 0x93, 8, 0x53, 0x93, 8, 0x52, 0x93, 8};
    std::vector<u8> memory = {0x9c, 0x93, 8, 0x91, 8, 0x93, 8, 0x91, 16, 0x93, 8};
    die(kParameter, "xs").text("xs").uleb(10);
    refer("[]int").u32_(add_list({{0, 0x20, registers}, {0x20, 0x100, memory}}));
    die(kVariable, "heap").text("&heap").uleb(11);
    refer("*[]int").block({0x91, 0x68});
    die(kVariable, "slot").text("xs.ptr").uleb(11);
    refer("int").block({0x91, 0x60});
    die(kBlock, "block").u32_(add_ranges({{0x20, 0x30}, {0x40, 0x80}}));
    die(kVariable, "inner").text("inner").uleb(12);
    refer("alias").block({0x91, 0x58});
    die(kInlined, "inlined");
    refer("callee");
    low_high(0x1040, 0x20);
    die(kInlinedParameter, "ys");
    refer("callee.ys").u32_(add_list({{0x40, 0x60, {0x91, 0x78, 0x93, 8, 0x91, 0x70, 0x93, 8}}}));
    info_.u8_(0).u8_(0).u8_(0);
  }

  void write_closure() {
    die(kFunction, "closure").text("main.outer.func1");
    low_high(0x1100, 0x40).block({0x9c}).u8_(1);
    die(kCaptured, "captured").text("captured").uleb(13);
    refer("[]int").uleb(8).u32_(
        add_list({{0x100, 0x140, {0x51, 0x93, 8, 0x93, 8, 0x52, 0x93, 8}}}));
    info_.u8_(0);
  }

  void write_types() {
    die(kBase, "int").text("int").u8_(8).u8_(2).u64_(0x40);
    die(kSlice, "[]int").text("[]int").uleb(24).u8_(23).u64_(0x80);
    refer("int");
    die(kMember, "array").text("array").uleb(0);
    refer("*int").u8_(0);
    die(kPointer, "*int").text("*int");
    refer("int").u8_(22);
    die(kPointer, "*[]int").text("*[]int");
    refer("[]int").u8_(22);
    die(kStruct, "node").text("main.Node").uleb(48).u8_(25).u64_(0xc0);
    die(kMember, "next").text("next").uleb(0);
    refer("*node");
    die(kMember, "list").text("list").uleb(8);
    refer("[]int");
    die(kMember, "pair").text("pair").uleb(32);
    refer("[2]int").u8_(0);
    die(kPointer, "*node").text("*main.Node");
    refer("nodename").u8_(22);
    die(kTypedef, "nodename").text("main.Node");
    refer("node");
    die(kArray, "[2]int").text("[2]int");
    refer("int").uleb(16).u8_(17);
    die(kRange, "range").uleb(2).u8_(0);
    die(kTypedef, "alias").text("main.Alias");
    refer("nodename");
  }

  ByteWriter& die(Abbrev code, const std::string& name) {
    dies_[name] = static_cast<u32>(info_.size());
    return info_.uleb(code);
  }
  ByteWriter& refer(const std::string& name) {
    references_.emplace_back(info_.size(), name);
    return info_.u32_(0);
  }
  void low_pc(u64 pc) {
    if (version_ == 4) {
      info_.u64_(pc);
      return;
    }
    info_.uleb((addrs_.size() - 8) / 8);
    addrs_.u64_(pc);
  }
  ByteWriter& low_high(u64 low, u64 size) {
    low_pc(low);
    return version_ == 4 ? info_.u64_(low + size) : info_.uleb(size);
  }
  static std::vector<u8> at_address(u64 addr) { return ByteWriter().u8_(0x03).u64_(addr).bytes; }

  struct ListEntry {
    u64 begin;
    u64 end;
    std::vector<u8> expression;
  };
  // Offsets count from the unit's low_pc, 0x1000.
  u64 add_list(const std::vector<ListEntry>& entries) {
    u64 at = lists_.size();
    for (const ListEntry& entry : entries) {
      if (version_ == 5) {
        lists_.u8_(4).uleb(entry.begin).uleb(entry.end).uleb(entry.expression.size());
      } else {
        lists_.u64_(entry.begin).u64_(entry.end).u16_(entry.expression.size());
      }
      lists_.bytes.insert(lists_.bytes.end(), entry.expression.begin(), entry.expression.end());
    }
    version_ == 5 ? lists_.u8_(0) : lists_.u64_(0).u64_(0);
    if (version_ == 5) lists_.set_u32(0, lists_.size() - 4);
    return at;
  }
  u64 add_ranges(const std::vector<std::pair<u64, u64>>& entries) {
    u64 at = ranges_.size();
    for (const auto& [begin, end] : entries) {
      version_ == 5 ? ranges_.u8_(4).uleb(begin).uleb(end) : ranges_.u64_(begin).u64_(end);
    }
    version_ == 5 ? ranges_.u8_(0) : ranges_.u64_(0).u64_(0);
    if (version_ == 5) ranges_.set_u32(0, ranges_.size() - 4);
    return at;
  }

  int version_;
  ByteWriter info_, abbrev_, lists_, ranges_, addrs_;
  std::map<std::string, u32> dies_;
  std::vector<std::pair<u64, std::string>> references_;
};

inline DebugSections make_debug_sections(int version) {
  return DebugSectionsMaker(version).make();
}

// An ELF file with these sections; `compressed` says which carry SHF_COMPRESSED.
inline std::vector<u8> make_debug_elf(const DebugSections& sections,
                                      const std::vector<std::string>& compressed = {}) {
  std::string names(1, '\0');
  std::vector<Elf64_Shdr> headers(1);
  std::vector<u8> content(sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr));
  auto add = [&](const std::string& name, u32 type, const u8* data, u64 size) {
    Elf64_Shdr header{};
    header.sh_name = static_cast<u32>(names.size());
    header.sh_type = type;
    for (const std::string& one : compressed)
      header.sh_flags |= one == name ? u64{SHF_COMPRESSED} : 0;
    header.sh_offset = content.size();
    header.sh_size = size;
    names.append(name).push_back('\0');
    headers.push_back(header);
    content.insert(content.end(), data, data + size);
  };
  for (const auto& [name, bytes] : sections) add(name, SHT_PROGBITS, bytes.data(), bytes.size());
  std::string all_names = names + ".shstrtab" + '\0';
  add(".shstrtab", SHT_STRTAB, reinterpret_cast<const u8*>(all_names.data()), all_names.size());
  content.resize((content.size() + 7) & ~usize{7});
  Elf64_Ehdr file{};
  std::memcpy(file.e_ident, ELFMAG, SELFMAG);
  file.e_ident[EI_CLASS] = ELFCLASS64;
  file.e_ident[EI_DATA] = ELFDATA2LSB;
  file.e_ident[EI_VERSION] = EV_CURRENT;
  file.e_type = ET_EXEC;
  file.e_machine = EM_X86_64;
  file.e_version = EV_CURRENT;
  file.e_ehsize = sizeof(Elf64_Ehdr);
  file.e_phoff = sizeof(Elf64_Ehdr);
  file.e_phentsize = sizeof(Elf64_Phdr);
  file.e_phnum = 1;
  file.e_shoff = content.size();
  file.e_shentsize = sizeof(Elf64_Shdr);
  file.e_shnum = static_cast<u16>(headers.size());
  file.e_shstrndx = static_cast<u16>(headers.size() - 1);
  std::memcpy(content.data(), &file, sizeof(file));
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_X;
  segment.p_vaddr = 0x1000;
  segment.p_filesz = sizeof(file);
  segment.p_memsz = sizeof(file);
  std::memcpy(content.data() + file.e_phoff, &segment, sizeof(segment));
  const u8* first = reinterpret_cast<const u8*>(headers.data());
  content.insert(content.end(), first, first + headers.size() * sizeof(Elf64_Shdr));
  return content;
}

}  // namespace geist::read

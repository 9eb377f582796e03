// runtime.firstmoduledata: the record from which every other table of a Go binary hangs.
//
//   +0    *pcHeader
//   +8    funcnametab cutab filetab pctab pclntable ftab    slices {ptr, len, cap}
//   +160  minpc maxpc text etext
//   +192  noptrdata data bss noptrbss                       {start, end}
//   +296  types, then fields whose place depends on the release (Layout)
//
// A candidate counts only when everything agrees: the pcHeader's magic and its own offsets of the
// same tables, slices with len <= cap that lie in the file, text bounds, type bounds, no further
// module. All words are read with relocations applied, since in PIE the file holds zeros there.
// Source: runtime/symtab.go, go1.21 to go1.27.
#include <elf.h>
#include <fmt/format.h>

#include <algorithm>

#include "read/go/go_binary.h"

namespace geist::read {
namespace {

// cmd/internal/obj/abi (internal/abi/symtab.go) Go120PCLnTabMagic; unchanged up to 1.27. Then pad,
// minLC 1, ptrSize 8.
constexpr u64 kPcHeaderStart = 0x0801'0000'ffff'fff1;
constexpr u64 kPcHeaderSize = 72;
constexpr u64 kModuleTypes = 296;  // the last field in the same place in all releases
constexpr u64 kFtabEntrySize = 8;  // runtime/symtab.go functab: entryoff, funcoff

class Candidate {
 public:
  Candidate(const Image& image, const Layout& layout, ImageAddr addr)
      : image_(image), layout_(layout) {
    module_.addr = addr;
  }

  // The module, or the first thing that does not agree.
  Result<ModuleData> read() {
    if (!image_.find_bytes(module_.addr, layout_.moduledata_size)) {
      return Error(fmt::format("moduledata at {:#x} leaves its segment", module_.addr.value));
    }
    read_fields();
    if (!failed_.empty()) return Error(failed_);
    check_header();
    check_slices();
    check_bounds();
    if (!failed_.empty()) return Error(failed_);
    return module_;
  }

 private:
  u64 word(u64 offset) {
    std::optional<u64> value = image_.find_word(module_.addr + offset);
    if (!value) disagree(fmt::format("moduledata+{} is not in the file", offset));
    return value.value_or(0);
  }
  ImageAddr address(u64 offset) { return ImageAddr(word(offset)); }

  void slice(u64 offset, ImageAddr& start, u64& count) {
    start = address(offset);
    count = word(offset + 8);
    if (count > word(offset + 16)) {
      disagree(fmt::format("slice at moduledata+{} is longer than its capacity", offset));
    }
  }

  void disagree(const std::string& what) {
    if (failed_.empty()) failed_ = what;
  }

  void read_fields() {
    ModuleData& m = module_;
    m.pc_header = address(0);
    slice(8, m.funcnametab, m.funcnametab_size);
    slice(32, m.cutab, m.cutab_count);
    slice(56, m.filetab, m.filetab_size);
    slice(80, m.pctab, m.pctab_size);
    slice(104, m.pclntable, m.pclntable_size);
    slice(128, m.ftab, m.ftab_count);
    m.minpc = address(160);
    m.maxpc = address(168);
    m.text = address(176);
    m.etext = address(184);
    m.noptrdata = address(192);
    m.enoptrdata = address(200);
    m.data = address(208);
    m.edata = address(216);
    m.bss = address(224);
    m.ebss = address(232);
    m.noptrbss = address(240);
    m.enoptrbss = address(248);
    m.types = address(kModuleTypes);
    m.etypes = address(layout_.moduledata_etypes);
    m.rodata = address(layout_.moduledata_rodata);
    m.gofunc = address(layout_.moduledata_gofunc);
  }

  // pcHeader repeats where the tables are; runtime/symtab.go moduledataverify1 checks the same.
  void check_header() {
    const ModuleData& m = module_;
    if (!image_.find_bytes(m.pc_header, kPcHeaderSize)) {
      return disagree(fmt::format("pcHeader at {:#x} is not in the file", m.pc_header.value));
    }
    auto header = [&](u64 offset) { return image_.find_word(m.pc_header + offset).value_or(0); };
    if (header(0) != kPcHeaderStart) {
      return disagree(
          fmt::format("pcHeader begins with {:#x}, expected {:#x}", header(0), kPcHeaderStart));
    }
    if (m.ftab_count == 0 || header(8) != m.ftab_count - 1) {
      disagree(fmt::format("pcHeader counts {} functions, ftab has {} entries", header(8),
                           m.ftab_count));
    }
    u64 text_start = layout_.pcheader_has_text_start ? m.text.value : 0;
    if (header(24) != text_start) {
      disagree(fmt::format("pcHeader.textStart is {:#x}, expected {:#x} in Go 1.{}", header(24),
                           text_start, layout_.minor));
    }
    const ImageAddr tables[] = {m.funcnametab, m.cutab, m.filetab, m.pctab, m.pclntable};
    for (u64 i = 0; i < std::size(tables); ++i) {
      if (header(32 + 8 * i) != tables[i] - m.pc_header) {
        disagree(fmt::format("pcHeader puts table {} at +{:#x}, moduledata at {:#x}", i,
                             header(32 + 8 * i), tables[i].value));
      }
    }
  }

  void check_slices() {
    const ModuleData& m = module_;
    auto inside = [&](std::string_view name, ImageAddr start, u64 count, u64 item_size) {
      std::optional<u64> size = checked_mul(count, item_size);
      if (!size || !image_.find_bytes(start, *size)) {
        disagree(
            fmt::format("{} ({} items at {:#x}) is not in the file", name, count, start.value));
      }
    };
    inside("funcnametab", m.funcnametab, m.funcnametab_size, 1);
    inside("cutab", m.cutab, m.cutab_count, 4);
    inside("filetab", m.filetab, m.filetab_size, 1);
    inside("pctab", m.pctab, m.pctab_size, 1);
    inside("pclntable", m.pclntable, m.pclntable_size, 1);
    inside("ftab", m.ftab, m.ftab_count, kFtabEntrySize);
    inside("gofunc", m.gofunc, 1, 1);
    inside("rodata", m.rodata, 1, 1);
  }

  void check_bounds() {
    const ModuleData& m = module_;
    auto ordered = [&](std::string_view name, ImageAddr start, ImageAddr end) {
      if (start > end)
        disagree(fmt::format("{} ends at {:#x} before it begins at {:#x}", name, end.value,
                             start.value));
    };
    ordered("minpc..maxpc", m.minpc, m.maxpc);
    ordered("text", m.text, m.etext);
    ordered("data", m.data, m.edata);
    ordered("bss", m.bss, m.ebss);
    ordered("noptrdata", m.noptrdata, m.enoptrdata);
    ordered("noptrbss", m.noptrbss, m.enoptrbss);
    if (m.minpc < m.text || m.maxpc > m.etext) disagree("the functions leave the text segment");
    if (m.types >= m.etypes || !image_.find_bytes(m.types, m.etypes - m.types)) {
      disagree(
          fmt::format("types {:#x}..{:#x} are not in the file", m.types.value, m.etypes.value));
    }
    u64 next = word(layout_.moduledata_next);
    if (next != 0)
      disagree(fmt::format("moduledata.next is {:#x}; geist reads programs of one module", next));
  }

  const Image& image_;
  const Layout& layout_;
  ModuleData module_;
  std::string failed_;
};

// Addresses at which a pcHeader begins. Linkers name its section in three ways, or merge it into
// .data.rel.ro.
std::vector<ImageAddr> find_pc_headers(const Image& image) {
  std::vector<ImageAddr> found;
  auto add_if_header = [&](ImageAddr addr) {
    std::optional<ByteView> bytes = image.find_bytes(addr, 8);
    if (bytes && find_int<u64>(*bytes, 0) == kPcHeaderStart) found.push_back(addr);
  };
  for (const Section& section : image.sections()) {
    if (section.name.ends_with(".gopclntab")) add_if_header(section.addr);
  }
  if (!found.empty()) return found;
  for (const Segment& segment : image.segments()) {
    if (segment.type != PT_LOAD) continue;
    std::optional<ByteView> bytes = image.find_bytes_from(segment.vaddr);
    if (!bytes) continue;
    for (u64 at = (8 - segment.vaddr.value % 8) % 8; at + 8 <= bytes->size(); at += 8) {
      if (*find_int<u64>(*bytes, at) == kPcHeaderStart) found.push_back(segment.vaddr + at);
    }
  }
  return found;
}

}  // namespace

Result<ModuleData> read_module_data(const Image& image, const Layout& layout) {
  auto fail = [&](const std::string& what) {
    return Error(fmt::format(
        "{}: the tables do not look like Go 1.{}: {}; build it again, or name its release with "
        "--assume-go=1.NN",
        image.path(), layout.minor, what));
  };
  // Since 1.26 the linker gives it a section of its own.
  if (const Section* section = image.find_section(".go.module"); section != nullptr) {
    Result<ModuleData> module = Candidate(image, layout, section->addr).read();
    if (module.ok()) return module;
    return fail(module.error().message());
  }
  std::string first_reason = "no function table (.gopclntab) found";
  bool has_reason = false;
  for (ImageAddr header : find_pc_headers(image)) {
    if (!has_reason) first_reason = "nothing points to the function table";
    for (ImageAddr place : image.find_word_places(header.value)) {
      Result<ModuleData> module = Candidate(image, layout, place).read();
      if (module.ok()) return module;
      if (!has_reason) first_reason = module.error().message();
      has_reason = true;
    }
  }
  return fail(first_reason);
}

}  // namespace geist::read

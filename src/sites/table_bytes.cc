// Both directions of the format that the header draws. The reader knows the limit of every number
// before it takes it, and asks at the end of each site whether the whole may be.
#include "sites/table_bytes.h"

#include <algorithm>

namespace geist::sites {
namespace {

constexpr u8 kBuckets = [] {
  u8 n = 0;
#define GEIST_BUCKET(name, text, help) ++n;
#include "sites/buckets.inc"
#undef GEIST_BUCKET
  return n;
}();
constexpr u64 kHealRefusals = [] {
  u64 n = 0;
#define GEIST_HEAL_REFUSAL(name, text, help) ++n;
#include "sites/heal_refusals.inc"
#undef GEIST_HEAL_REFUSAL
  return n;
}();
constexpr u64 kLocationKinds = static_cast<u64>(program::ValueLocation::Kind::kImageAddress) + 1;
constexpr u64 kTakenBit = 16;      // beside the condition's four bits
constexpr u64 kSmallestSite = 40;  // one byte a number, at least: bounds what a count can promise

class Writer {
 public:
  void number(u64 value) {
    while (value >= 0x80) {
      bytes_.push_back(static_cast<u8>(value | 0x80));
      value >>= 7;
    }
    bytes_.push_back(static_cast<u8>(value));
  }
  void signed_number(i64 value) {
    number((static_cast<u64>(value) << 1) ^ static_cast<u64>(value >> 63));
  }
  // The 0 that means "none" stays 0.
  void code_addr(ImageAddr addr, ImageAddr entry) { number(addr ? addr - entry + 1 : 0); }
  void location(const program::ValueLocation& l) {
    number(static_cast<u64>(l.kind));
    number(l.reg);
    signed_number(l.disp);
    signed_number(l.slot);
    signed_number(l.addend);
  }
  void pointers(const std::vector<LivePointer>& pointers) {
    number(pointers.size());
    for (const LivePointer& p : pointers) {
      signed_number(p.slot);
      location(p.at_branch);
    }
  }
  std::vector<u8> take() { return std::move(bytes_); }

 private:
  std::vector<u8> bytes_;
};

class Reader {
 public:
  explicit Reader(ByteView bytes) : reader_(bytes) {}

  bool failed() const { return failed_ || reader_.failed(); }
  u64 remaining() const { return reader_.remaining(); }
  u64 number(u64 limit) {
    u64 value = reader_.read_uvarint();
    if (value >= limit) failed_ = true;
    return failed() ? 0 : value;
  }
  u64 number() { return reader_.read_uvarint(); }
  i64 signed_number() {
    u64 value = reader_.read_uvarint();
    return static_cast<i64>((value >> 1) ^ (~(value & 1) + 1));
  }
  // In [entry, entry + size], or 0.
  ImageAddr code_addr(const read::Function& function) {
    u64 value = number(function.end - function.entry + 2);
    return value == 0 ? ImageAddr() : function.entry + (value - 1);
  }
  program::ValueLocation location() {
    program::ValueLocation l;
    l.kind = static_cast<program::ValueLocation::Kind>(number(kLocationKinds));
    u64 reg = number(256);
    if (reg > x86::kR15 && reg != x86::kNoReg) failed_ = true;
    l.reg = static_cast<x86::Reg>(reg);
    l.disp = signed_number();
    l.slot = signed_number();
    l.addend = signed_number();
    bool needs_reg = l.kind == program::ValueLocation::Kind::kRegister ||
                     l.kind == program::ValueLocation::Kind::kMemory;
    if (needs_reg != (l.reg != x86::kNoReg)) failed_ = true;
    return l;
  }
  std::vector<LivePointer> pointers() {
    std::vector<LivePointer> found;
    u64 count = number(remaining() + 1);
    for (u64 i = 0; i < count && !failed(); ++i) {
      i64 slot = signed_number();
      found.push_back({slot, location()});
    }
    return found;
  }

 private:
  ByteReader reader_;
  bool failed_ = false;
};

void emit_site(Writer& to, const AppendSite& site, ImageAddr entry) {
  to.number(static_cast<u64>(site.bucket));
  to.number(site.is_removal ? 2 : site.is_plain ? 1 : 0);
  to.number(site.function.value);
  to.code_addr(site.call, entry);
  to.code_addr(site.branch, entry);
  to.number(static_cast<u64>(site.grow_cond) | (site.inplace_is_taken ? kTakenBit : 0));
  to.code_addr(site.grow_entry, entry);
  to.code_addr(site.inplace_entry, entry);
  to.code_addr(site.displaced.begin, entry);
  to.code_addr(site.displaced.end, entry);
  for (const program::ValueLocation* l :
       {&site.old_ptr, &site.new_len, &site.cap, &site.num, &site.elem_type, &site.array})
    to.location(*l);
  to.number(site.elem_size);
  to.number(site.type_addr.value);
  to.number(site.array_elem.value);
  to.number(site.live_inplace);
  to.number(site.live_grow);
  to.number(static_cast<u64>(site.heal_refusal));
  to.pointers(site.live_pointers);
  to.pointers(site.spills);
}

AppendSite read_site(Reader& from, const read::Pclntab& functions) {
  AppendSite site;
  site.bucket = static_cast<SiteBucket>(from.number(kBuckets));
  const u64 kind = from.number(2);
  site.is_plain = kind != 0;
  site.is_removal = kind == 2;
  site.function.value = static_cast<u32>(from.number(functions.function_count()));
  if (from.failed()) return site;
  read::Function function = functions.function(site.function);
  site.call = from.code_addr(function);
  site.branch = from.code_addr(function);
  u64 how = from.number(2 * kTakenBit);
  site.grow_cond = static_cast<x86::Cond>(how % kTakenBit);
  site.inplace_is_taken = how >= kTakenBit;
  site.grow_entry = from.code_addr(function);
  site.inplace_entry = from.code_addr(function);
  site.displaced.begin = from.code_addr(function);
  site.displaced.end = from.code_addr(function);
  for (program::ValueLocation* l :
       {&site.old_ptr, &site.new_len, &site.cap, &site.num, &site.elem_type, &site.array})
    *l = from.location();
  site.elem_size = from.number();
  site.type_addr = ImageAddr(from.number());
  site.array_elem = ImageAddr(from.number());
  site.live_inplace =
      static_cast<x86::RegMask>(from.number(u64{x86::kAllGprs | x86::kFlagsBit} + 1));
  site.live_grow = static_cast<x86::RegMask>(from.number(u64{x86::kAllGprs | x86::kFlagsBit} + 1));
  site.heal_refusal = static_cast<HealRefusal>(from.number(kHealRefusals));
  site.live_pointers = from.pointers();
  site.spills = from.pointers();
  return site;
}

// What the search promises of a probed site. Where the branch leads is held against the code by the
// patch plan.
bool holds_together(const AppendSite& site, const read::GoBinary& binary) {
  if (!site.call) return false;
  if (site.bucket != SiteBucket::kProbed) return true;
  bool inside = site.displaced.begin && site.displaced.begin <= site.branch &&
                site.branch < site.displaced.end;
  if (site.type_addr && !binary.types().contains(site.type_addr)) return false;
  u64 size =
      site.type_addr ? binary.image().find_word(site.type_addr).value_or(0) : 0;  // abi.Type.Size_
  if (site.is_plain && site.heal_refusal != HealRefusal::kNoGrowPath) return false;
  if (site.array_elem && !binary.types().contains(site.array_elem)) return false;
  if (site.is_removal)
    return site.displaced.begin && site.displaced.begin < site.branch &&
           site.displaced.end == site.branch && site.elem_size != 0;
  return inside && site.grow_entry && site.inplace_entry && site.elem_size == size;
}

}  // namespace

std::vector<u8> emit_site_table(const read::GoBinary& binary, const SiteTable& table) {
  Writer writer;
  for (const std::vector<AppendSite>* part : {&table.sites, &table.plain}) {
    writer.number(part->size());
    for (const AppendSite& site : *part)
      emit_site(writer, site, binary.pclntab().function(site.function).entry);
  }
  return writer.take();
}

std::optional<SiteTable> read_site_table(const read::GoBinary& binary, ByteView bytes) {
  Reader reader(bytes);
  SiteTable table;
  for (std::vector<AppendSite>* part : {&table.sites, &table.plain}) {
    const bool are_plain = part == &table.plain;
    const u64 count = reader.number(bytes.size() / kSmallestSite + 1);
    part->reserve(count);
    ImageAddr last;
    for (u64 i = 0; i < count && !reader.failed(); ++i) {
      AppendSite site = read_site(reader, binary.pclntab());
      const bool is_sound = !reader.failed() && holds_together(site, binary) && site.call > last &&
                            site.is_plain == are_plain &&
                            (!are_plain || site.bucket == SiteBucket::kProbed);
      if (!is_sound) return std::nullopt;
      last = site.call;
      part->push_back(std::move(site));
    }
  }
  if (reader.failed() || reader.remaining() != 0) return std::nullopt;
  return table;
}

}  // namespace geist::sites

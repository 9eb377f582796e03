// Puts the region together: blob, site records, trampolines; see patch_plan.h for the picture.
#include "probe/patch_plan.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "probe/trampoline.h"
#include "program/packages.h"

extern "C" {
extern const unsigned char geist_runtime_blob_begin[];
extern const unsigned char geist_runtime_blob_end[];
}

namespace geist::probe {
namespace {

using program::AppendSite;
using program::FunctionCode;
using program::SiteBucket;
using program::ValueLocation;

constexpr u64 kTrampolineBytes = 384;  // more than the longest seen; the plan checks what it really takes
constexpr u64 kPageBytes = 4096;
constexpr usize kMaxHooks = 16;        // runtime.exit and the returns of main.main

abi::Location resolve(const ValueLocation& from, LoadBias bias) {
  abi::Location to{};
  to.reg = static_cast<u8>(from.reg & 15);
  to.disp = static_cast<i32>(from.disp);
  to.addend = from.addend;
  switch (from.kind) {
    case ValueLocation::Kind::kConstant: to.kind = abi::kConstant; break;
    case ValueLocation::Kind::kRegister: to.kind = abi::kRegister; break;
    case ValueLocation::Kind::kStackSlot: to.kind = abi::kStackSlot; break;
    case ValueLocation::Kind::kMemory: to.kind = abi::kMemory; break;
    case ValueLocation::Kind::kMemoryViaSlot:
      to.kind = abi::kMemoryViaSlot;
      to.extra = static_cast<u64>(from.slot);
      break;
    case ValueLocation::Kind::kGlobal:
      to.kind = abi::kAbsolute;
      to.disp = 0;
      to.extra = static_cast<u64>(from.disp) + bias.bytes;
      break;
    case ValueLocation::Kind::kImageAddress:
      to.kind = abi::kConstant;
      to.disp = 0;
      to.addend = static_cast<i64>(static_cast<u64>(from.disp) + bias.bytes);
      break;
  }
  return to;
}

class Planner {
 public:
  Planner(const read::GoBinary& binary, PatchPlan& plan, usize max_sites, bool thorough)
      : binary_(binary), plan_(plan), thorough_(thorough) {
    ByteView blob = runtime_blob();
    plan_.region_bytes.assign(blob.begin(), blob.end());
    std::memcpy(&header_, blob.data(), sizeof header_);
    align(kPageBytes);
    plan_.site_table_offset = plan_.region_bytes.size();
    plan_.region_bytes.resize(plan_.region_bytes.size() + (max_sites + kMaxHooks) * sizeof(abi::Site), 0);
    align(kPageBytes);
    plan_.site_table_size = plan_.region_bytes.size() - plan_.site_table_offset;
  }

  SiteBucket add_site(const FunctionCode& code, const AppendSite& site);
  bool add_hook(const FunctionCode& code, const std::optional<Displaced>& displaced, u32 entry_offset);

 private:
  void align(usize boundary) {
    while (plan_.region_bytes.size() % boundary != 0) plan_.region_bytes.push_back(0xcc);
  }
  TrampolinePlace next_place(u32 entry_offset) {
    align(16);
    u64 record = plan_.region.value + plan_.site_table_offset + records_ * sizeof(abi::Site);
    return {plan_.bias, plan_.region.value + plan_.region_bytes.size(), record, plan_.region.value + entry_offset, thorough_};
  }
  bool overlaps(const Displaced& d) const {
    auto after = ranges_.lower_bound(d.begin.value);
    if (after != ranges_.end() && after->first < d.end.value) return true;
    return after != ranges_.begin() && std::prev(after)->second > d.begin.value;
  }
  CodePatch make_patch(const Displaced& d, u64 trampoline) const;
  void commit(const Trampoline& trampoline, const abi::Site& record);

  const read::GoBinary& binary_;
  PatchPlan& plan_;
  bool thorough_;
  abi::BlobHeader header_{};
  usize records_ = 0;
  std::map<u64, u64> ranges_;  // replaced bytes, begin → end
};

CodePatch Planner::make_patch(const Displaced& d, u64 trampoline) const {
  CodePatch patch;
  patch.addr = plan_.bias.to_target(d.begin);
  ByteView original = *binary_.image().find_bytes(d.begin, d.end - d.begin);
  patch.original.assign(original.begin(), original.end());
  x86::Assembler as(patch.addr.value);
  as.jmp_to(trampoline);
  patch.replacement = as.bytes();
  patch.replacement.resize(patch.original.size(), 0xcc);  // unreachable behind the JMP
  return patch;
}

void Planner::commit(const Trampoline& trampoline, const abi::Site& record) {
  std::vector<u8>& bytes = plan_.region_bytes;
  bytes.insert(bytes.end(), trampoline.bytes.begin(), trampoline.bytes.end());
  std::memcpy(bytes.data() + plan_.site_table_offset + records_ * sizeof record, &record, sizeof record);
  ++records_;
}

SiteBucket Planner::add_site(const FunctionCode& code, const AppendSite& site) {
  std::optional<u32> branch = code.find_insn(site.branch);
  SiteBucket why = SiteBucket::kNoRoomForPatch;
  if (!branch) return why;
  std::optional<Displaced> displaced = displace_around(code, *branch, &why);
  if (!displaced) return why;
  if (overlaps(*displaced)) return SiteBucket::kNoRoomForPatch;
  std::optional<ByteView> bytes = binary_.image().find_bytes(code.function().entry, code.function().end - code.function().entry);
  TrampolinePlace place = next_place(header_.entry_event);
  std::optional<Trampoline> trampoline =
      bytes ? emit_append_trampoline(code, site, *displaced, *bytes, place) : std::nullopt;
  if (!trampoline) return SiteBucket::kArgumentNotLocated;
  abi::Site record{};
  record.id = static_cast<u32>(plan_.sites.size());
  record.in_library = program::is_standard_library(code.function().name) ? 1 : 0;
  record.resume = trampoline->resume;
  record.elem_size = site.elem_size;
  record.old_ptr = resolve(site.old_ptr, plan_.bias);
  record.new_len = resolve(site.new_len, plan_.bias);
  record.cap = resolve(site.cap, plan_.bias);
  record.num = resolve(site.num, plan_.bias);
  record.type = resolve(site.elem_type, plan_.bias);
  commit(*trampoline, record);
  plan_.sites.push_back({site, make_patch(*displaced, place.at), TargetAddr(place.at), trampoline->bytes.size()});
  ranges_[displaced->begin.value] = displaced->end.value;
  return SiteBucket::kProbed;
}

bool Planner::add_hook(const FunctionCode& code, const std::optional<Displaced>& displaced, u32 entry_offset) {
  if (!displaced || overlaps(*displaced) || plan_.hooks.size() >= kMaxHooks) return false;
  std::optional<ByteView> bytes = binary_.image().find_bytes(code.function().entry, code.function().end - code.function().entry);
  TrampolinePlace place = next_place(entry_offset);
  std::optional<Trampoline> trampoline = bytes ? emit_hook_trampoline(code, *displaced, *bytes, place) : std::nullopt;
  if (!trampoline) return false;
  abi::Site record{};
  record.id = 0xffffffff;
  record.resume = trampoline->resume;
  commit(*trampoline, record);
  plan_.hooks.push_back(make_patch(*displaced, place.at));
  ranges_[displaced->begin.value] = displaced->end.value;
  return true;
}

void plan_exit_hook(const read::GoBinary& binary, Planner& planner, PatchPlan& plan, u32 entry_offset) {
  std::optional<read::Function> exit = binary.pclntab().find_function_named("runtime.exit");
  std::optional<FunctionCode> code = exit ? FunctionCode::decode(binary, *exit) : std::nullopt;
  if (!code || !planner.add_hook(*code, displace_entry(*code), entry_offset)) {
    plan.notes.push_back("runtime.exit could not be hooked: a program that ends at once may end before it was judged");
  }
}

void plan_main_hook(const read::GoBinary& binary, Planner& planner, PatchPlan& plan, u32 entry_offset) {
  std::optional<read::Function> main = binary.pclntab().find_function_named("main.main");
  std::optional<FunctionCode> code = main ? FunctionCode::decode(binary, *main) : std::nullopt;
  if (!code) return;
  for (u32 i = 0; i < code->insns().size(); ++i) {
    if (code->insns()[i].flow != x86::Flow::kRet) continue;
    if (!planner.add_hook(*code, displace_before_ret(*code, i), entry_offset)) {
      plan.notes.push_back("a return of main.main could not be hooked: what was in scope there is judged from the last look");
      return;
    }
  }
}

}  // namespace

ByteView runtime_blob() {
  return {geist_runtime_blob_begin, static_cast<usize>(geist_runtime_blob_end - geist_runtime_blob_begin)};
}

u64 region_size(usize sites) {
  u64 bytes = runtime_blob().size() + (sites + kMaxHooks) * (sizeof(abi::Site) + kTrampolineBytes) + 4 * kPageBytes;
  return (bytes + kPageBytes - 1) & ~(kPageBytes - 1);
}

PatchPlan plan_patches(const read::GoBinary& binary, program::SiteTable& table, LoadBias bias, TargetAddr region,
                       const PlanOptions& options) {
  PatchPlan plan;
  plan.bias = bias;
  plan.region = region;
  usize probed = static_cast<usize>(table.count(SiteBucket::kProbed));
  u64 limit = region_size(probed);
  Planner planner(binary, plan, probed, options.thorough);
  abi::BlobHeader header{};
  std::memcpy(&header, runtime_blob().data(), sizeof header);
  plan_exit_hook(binary, planner, plan, header.entry_exit);
  std::optional<FunctionCode> code;
  for (AppendSite& site : table.sites) {
    if (site.bucket != SiteBucket::kProbed) continue;
    bool wanted = options.only.empty() ||
                  std::find(options.only.begin(), options.only.end(), site.call) != options.only.end();
    if (!wanted) continue;
    if (!code || code->function().index != site.function) {
      code = FunctionCode::decode(binary, binary.pclntab().function(site.function));
    }
    site.bucket = code ? planner.add_site(*code, site) : SiteBucket::kFunctionNotDecoded;
  }
  plan_main_hook(binary, planner, plan, header.entry_main);
  GEIST_CHECK(plan.region_bytes.size() <= limit);
  return plan;
}

}  // namespace geist::probe

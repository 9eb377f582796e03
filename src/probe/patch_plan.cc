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
using program::Displaced;
using program::FunctionCode;
using program::SiteBucket;
using program::ValueLocation;

constexpr u64 kTrampolineBytes =
    384;  // more than the longest seen; the plan checks what it really takes
constexpr u64 kPageBytes = 4096;
constexpr usize kMaxHooks = 16;  // runtime.exit, runtime.newstack and the returns of main.main

abi::Location resolve(const ValueLocation& from, LoadBias bias) {
  abi::Location to{};
  to.reg = static_cast<u8>(from.reg & 15);
  to.disp = static_cast<i32>(from.disp);
  to.addend = from.addend;
  switch (from.kind) {
    case ValueLocation::Kind::kConstant:
      to.kind = abi::kConstant;
      break;
    case ValueLocation::Kind::kRegister:
      to.kind = abi::kRegister;
      break;
    case ValueLocation::Kind::kStackSlot:
      to.kind = abi::kStackSlot;
      break;
    case ValueLocation::Kind::kMemory:
      to.kind = abi::kMemory;
      break;
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
    plan_.region_bytes.reserve(region_shape(max_sites).size);
    plan_.sites.reserve(max_sites);
    plan_.region_bytes.assign(blob.begin(), blob.end());
    std::memcpy(&header_, blob.data(), sizeof header_);
    const RegionShape shape = region_shape(max_sites);
    align(kPageBytes);
    plan_.region_bytes.resize(shape.site_table_offset + shape.site_table_size, 0);
    plan_.site_table_offset = shape.site_table_offset;
    plan_.site_table_size = shape.site_table_size;
  }

  SiteBucket add_site(const AppendSite& site, abi::SiteMode mode);
  bool add_hook(const std::optional<Displaced>& displaced, u32 entry_offset);

 private:
  void align(usize boundary) {
    while (plan_.region_bytes.size() % boundary != 0) plan_.region_bytes.push_back(0xcc);
  }
  TrampolinePlace next_place(u32 entry_offset) {
    align(16);
    u64 record = plan_.region.value + plan_.site_table_offset + records_ * sizeof(abi::Site);
    return {plan_.bias,  plan_.region.value + plan_.region_bytes.size(),
            record,      plan_.region.value + entry_offset,
            abi::kWatch, thorough_};
  }
  bool overlaps(const Displaced& d) const {
    auto after = ranges_.lower_bound(d.begin.value);
    if (after != ranges_.end() && after->first < d.end.value) return true;
    return after != ranges_.begin() && std::prev(after)->second > d.begin.value;
  }
  CodePatch make_patch(const DisplacedCode& code, u64 trampoline) const;
  void commit(const Trampoline& trampoline, const abi::Site& record);
  bool heal_call(const AppendSite& site);

  const read::GoBinary& binary_;
  PatchPlan& plan_;
  bool thorough_;
  abi::BlobHeader header_{};
  usize records_ = 0;
  std::map<u64, u64> ranges_;         // replaced bytes, begin → end
  std::map<u64, u64> healing_calls_;  // function that is called → what is called in its place
  usize hook_count_ = 0;
};

CodePatch Planner::make_patch(const DisplacedCode& code, u64 trampoline) const {
  CodePatch patch;
  patch.addr = plan_.bias.to_target(code.range.begin);
  patch.original.assign(code.bytes.begin(), code.bytes.end());
  x86::Assembler as(patch.addr.value);
  as.jmp_to(trampoline);
  patch.replacement = as.bytes();
  patch.replacement.resize(patch.original.size(), 0xcc);  // unreachable behind the JMP
  return patch;
}

void Planner::commit(const Trampoline& trampoline, const abi::Site& record) {
  std::vector<u8>& bytes = plan_.region_bytes;
  bytes.insert(bytes.end(), trampoline.bytes.begin(), trampoline.bytes.end());
  std::memcpy(bytes.data() + plan_.site_table_offset + records_ * sizeof record, &record,
              sizeof record);
  ++records_;
}

// Lets the site's CALL, which stays where it is, go by way of emit_healing_call().
bool Planner::heal_call(const AppendSite& site) {
  constexpr u8 kCallRel32 = 0xe8;
  std::optional<ByteView> original = binary_.image().find_bytes(site.call, program::kJmpBytes);
  std::optional<read::Function> growslice =
      binary_.pclntab().find_function_named("runtime.growslice");
  if (!original || (*original)[0] != kCallRel32 || !growslice) return false;
  std::optional<x86::Insn> call = x86::decode(*original, site.call);
  if (!call || call->flow != x86::Flow::kCall) return false;
  u64 called = plan_.bias.to_target(call->target).value;
  if (healing_calls_.count(called) == 0) {
    align(16);
    u64 at = plan_.region.value + plan_.region_bytes.size();
    std::optional<Trampoline> way =
        emit_healing_call(at, called, plan_.bias.to_target(growslice->entry).value);
    if (!way) return false;
    plan_.region_bytes.insert(plan_.region_bytes.end(), way->bytes.begin(), way->bytes.end());
    healing_calls_[called] = at;
  }
  CodePatch patch;
  patch.addr = plan_.bias.to_target(site.call);
  patch.original.assign(original->begin(), original->end());
  x86::Assembler as(patch.addr.value);
  as.call_to(healing_calls_[called]);
  if (!as.ok()) return false;
  patch.replacement = as.bytes();
  plan_.hooks.push_back(std::move(patch));
  ranges_[site.call.value] = site.call.value + program::kJmpBytes;
  return true;
}

SiteBucket Planner::add_site(const AppendSite& site, abi::SiteMode mode) {
  std::optional<DisplacedCode> code = read_displaced(binary_.image(), site.displaced);
  if (!code || overlaps(site.displaced)) return SiteBucket::kNoRoomForPatch;
  if (mode != abi::kWatch && !heal_call(site)) return SiteBucket::kNoRoomForPatch;
  TrampolinePlace place = next_place(header_.entry_event);
  place.mode = mode;
  std::optional<Trampoline> trampoline = emit_append_trampoline(site, *code, place);
  if (!trampoline) return SiteBucket::kArgumentNotLocated;
  abi::Site record{};
  record.id = static_cast<u32>(plan_.sites.size());
  record.in_library =
      program::is_standard_library(binary_.pclntab().function(site.function).name) ? 1 : 0;
  record.mode = mode;
  record.resume = trampoline->resume;
  record.elem_size = site.elem_size;
  record.old_ptr = resolve(site.old_ptr, plan_.bias);
  record.new_len = resolve(site.new_len, plan_.bias);
  record.cap = resolve(site.cap, plan_.bias);
  record.num = resolve(site.num, plan_.bias);
  record.type = resolve(site.elem_type, plan_.bias);
  u32 index = static_cast<u32>(records_);
  commit(*trampoline, record);
  plan_.sites.push_back({site, mode, index, make_patch(*code, place.at), TargetAddr(place.at),
                         trampoline->bytes.size()});
  ranges_[site.displaced.begin.value] = site.displaced.end.value;
  return SiteBucket::kProbed;
}

bool Planner::add_hook(const std::optional<Displaced>& displaced, u32 entry_offset) {
  if (!displaced || overlaps(*displaced) || hook_count_ >= kMaxHooks) return false;
  ++hook_count_;
  std::optional<DisplacedCode> code = read_displaced(binary_.image(), *displaced);
  TrampolinePlace place = next_place(entry_offset);
  std::optional<Trampoline> trampoline = code ? emit_hook_trampoline(*code, place) : std::nullopt;
  if (!trampoline) return false;
  abi::Site record{};
  record.id = 0xffffffff;
  record.resume = trampoline->resume;
  commit(*trampoline, record);
  plan_.hooks.push_back(make_patch(*code, place.at));
  ranges_[displaced->begin.value] = displaced->end.value;
  return true;
}

void plan_exit_hook(const read::GoBinary& binary, Planner& planner, PatchPlan& plan,
                    u32 entry_offset) {
  std::optional<read::Function> exit = binary.pclntab().find_function_named("runtime.exit");
  std::optional<FunctionCode> code = exit ? FunctionCode::decode(binary, *exit) : std::nullopt;
  if (!code || !planner.add_hook(program::displace_entry(*code), entry_offset)) {
    plan.notes.push_back(
        "runtime.exit could not be hooked: a program that ends at once may end before it was "
        "judged");
  }
}

// runtime.newstack calls copystack in one place (runtime/stack.go, go1.21 to go1.27).
void plan_move_hook(const read::GoBinary& binary, Planner& planner, PatchPlan& plan,
                    u32 entry_offset) {
  const read::Pclntab& functions = binary.pclntab();
  std::optional<read::Function> grows = functions.find_function_named("runtime.newstack");
  std::optional<read::Function> copies = functions.find_function_named("runtime.copystack");
  std::optional<FunctionCode> code = grows ? FunctionCode::decode(binary, *grows) : std::nullopt;
  bool is_hooked = false;
  for (u32 i = 0; code && copies && i < code->briefs().size(); ++i) {
    const bool is_call =
        code->briefs()[i].flow == x86::Flow::kCall && code->insn(i).target == copies->entry;
    if (is_call)
      is_hooked = planner.add_hook(program::displace_behind_call(*code, i), entry_offset);
  }
  plan.follows_stacks = is_hooked;
  if (!is_hooked)
    plan.notes.push_back(
        "runtime.newstack could not be hooked: a victim on a stack that grows may be missed");
}

void plan_main_hook(const read::GoBinary& binary, Planner& planner, PatchPlan& plan,
                    u32 entry_offset) {
  std::optional<read::Function> main = binary.pclntab().find_function_named("main.main");
  std::optional<FunctionCode> code = main ? FunctionCode::decode(binary, *main) : std::nullopt;
  if (!code) return;
  for (u32 i = 0; i < code->briefs().size(); ++i) {
    if (code->briefs()[i].flow != x86::Flow::kRet) continue;
    if (!planner.add_hook(program::displace_before_ret(*code, i), entry_offset)) {
      plan.notes.push_back(
          "a return of main.main could not be hooked: what was in scope there is judged from the "
          "last look");
      return;
    }
  }
}

}  // namespace

ByteView runtime_blob() {
  return {geist_runtime_blob_begin,
          static_cast<usize>(geist_runtime_blob_end - geist_runtime_blob_begin)};
}

RegionShape region_shape(usize sites) {
  auto whole_pages = [](u64 bytes) { return (bytes + kPageBytes - 1) & ~(kPageBytes - 1); };
  RegionShape shape;
  shape.site_table_offset = whole_pages(runtime_blob().size());
  shape.site_table_size = whole_pages((sites + kMaxHooks) * sizeof(abi::Site));
  shape.size = shape.site_table_offset + shape.site_table_size +
               whole_pages((sites + kMaxHooks) * kTrampolineBytes + kPageBytes);
  return shape;
}

PatchPlan plan_patches(const read::GoBinary& binary, program::SiteTable& table, LoadBias bias,
                       TargetAddr region, const PlanOptions& options) {
  PatchPlan plan;
  plan.bias = bias;
  plan.region = region;
  usize probed = static_cast<usize>(table.count(SiteBucket::kProbed));
  u64 limit = region_shape(probed).size;
  Planner planner(binary, plan, probed, options.thorough);
  abi::BlobHeader header{};
  std::memcpy(&header, runtime_blob().data(), sizeof header);
  if (options.with_hooks) {
    plan_exit_hook(binary, planner, plan, header.entry_exit);
    plan_move_hook(binary, planner, plan, header.entry_move);
  }
  for (AppendSite& site : table.sites) {
    if (site.bucket != SiteBucket::kProbed) continue;
    auto found = options.modes.find(site.call);
    bool wanted = options.only_healed
                      ? found != options.modes.end()
                      : options.only.empty() || std::find(options.only.begin(), options.only.end(),
                                                          site.call) != options.only.end();
    if (!wanted) continue;
    abi::SiteMode mode = found == options.modes.end() ? abi::kWatch : found->second;
    GEIST_CHECK(mode == abi::kWatch || site.heal_refusal == program::HealRefusal::kNone);
    site.bucket = planner.add_site(site, mode);
  }
  if (options.with_hooks) plan_main_hook(binary, planner, plan, header.entry_main);
  GEIST_CHECK(plan.region_bytes.size() <= limit);
  return plan;
}

}  // namespace geist::probe

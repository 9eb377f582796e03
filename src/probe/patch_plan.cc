// Puts the region together: blob, site records, trampolines; see patch_plan.h for the picture.
#include "probe/patch_plan.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <thread>

#include "abi/maps.h"
#include "abi/ring.h"
#include "base/go_symbol.h"
#include "base/parallel.h"
#include "probe/map_probes.h"
#include "probe/map_walk_probes.h"
#include "probe/trampoline.h"
#include "program/stack_check.h"

extern "C" {
extern const unsigned char geist_runtime_blob_begin[];
extern const unsigned char geist_runtime_blob_end[];
}

namespace geist::probe {
namespace {

using program::Displaced;
using program::FunctionCode;
using program::ValueLocation;
using sites::AppendSite;
using sites::SiteBucket;

constexpr u64 kTrampolineBytes =
    384;  // more than the longest seen; the plan checks what it really takes
constexpr u64 kCountingBytes = 256;  // more, where it counts: likewise
// The check of an append of one element has about 20 bytes: so they are in one line of the caches.
constexpr usize kTrampolineAlignment = 32;
constexpr u32 kNoSite = 0xffffffff;  // the record's id: no event comes from there
constexpr u64 kPageBytes = 4096;
constexpr usize kMinSitesOfThread = 256;  // a thread costs as much as some dozen sites
// runtime.exit, runtime.newstack and the returns of main.main. Their part of the region has room
// for the few ways of healed calls too, and for points.
constexpr usize kMaxHooks = 16;

constexpr u64 align_up(u64 value, u64 boundary) {
  return (value + boundary - 1) / boundary * boundary;
}

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

CodePatch make_patch(const DisplacedCode& code, LoadBias bias, u64 trampoline, bool calls = false) {
  CodePatch patch;
  patch.addr = bias.to_target(code.range.begin);
  patch.original.assign(code.bytes.begin(), code.bytes.end());
  x86::Assembler as(patch.addr.value);
  if (calls)
    as.call_to(trampoline);
  else
    as.jmp_to(trampoline);
  patch.replacement = as.bytes();
  patch.replacement.resize(patch.original.size(), 0xcc);  // unreachable behind the JMP
  return patch;
}

// Where the next trampoline goes, within one part of the region.
struct Cursor {
  u64 offset;  // from the region's begin
  u64 end;
};

// A site on its way into the plan.
struct Draft {
  const AppendSite* site;
  abi::SiteMode mode;
  SiteBucket bucket = SiteBucket::kProbed;  // or why it cannot be
};

class Planner {
 public:
  Planner(const read::GoBinary& binary, PatchPlan& plan, usize max_sites,
          const PlanOptions& options)
      : binary_(binary),
        plan_(plan),
        thorough_(options.thorough),
        shape_(region_shape(max_sites, options)) {
    ByteView blob = runtime_blob();
    std::memcpy(&header_, blob.data(), sizeof header_);
    plan_.region_bytes.resize(shape_.size - shape_.tables_size(), 0);
    std::memcpy(plan_.region_bytes.data(), blob.data(), blob.size());
    plan_.site_table_offset = shape_.site_table_offset;
    plan_.site_table_size = shape_.site_table_size;
    if (shape_.maps_size != 0) plan_.map_table_offset = shape_.maps_offset();
    hooks_ = {shape_.hooks_offset(), shape_.sites_offset};
    first_hook_record_ = max_sites;
    first_point_record_ = max_sites + kMaxHooks;
  }

  bool add_hook(const std::optional<Displaced>& displaced, u32 entry_offset);
  // The record's index.
  std::optional<u32> add_point_hook(const program::Point& point, const Primitive& primitive,
                                    u32 entry_offset, bool keeps_source);
  // Sets the bucket of every draft. Once, and before the hooks that give way to sites which want
  // the same bytes.
  void add_sites(std::vector<Draft> drafts);
  // Each gets its trampoline or its refusal. Once, and last.
  void add_points(const std::vector<PointProbe>& probes);
  // Of the points, those from `first` on are of maps.
  void set_map_points_apart(usize first);

 private:
  TrampolinePlace place_at(u64 offset, usize record, u32 entry_offset) const {
    return {plan_.bias,
            plan_.region.value + offset,
            record_address(record),
            plan_.region.value + entry_offset,
            abi::kWatch,
            thorough_};
  }
  u64 record_offset(usize record) const {
    return shape_.site_table_offset + record * sizeof(abi::Site);
  }
  u64 record_address(usize record) const { return plan_.region.value + record_offset(record); }
  u64 map_table() const {
    return plan_.map_table_offset == 0 ? 0 : plan_.region.value + plan_.map_table_offset;
  }
  bool overlaps(const Displaced& d) const {
    auto after = ranges_.lower_bound(d.begin.value);
    if (after != ranges_.end() && after->first < d.end.value) return true;
    return after != ranges_.begin() && std::prev(after)->second > d.begin.value;
  }
  bool put(ByteView trampoline, Cursor& at);
  void write_record(const abi::Site& record, usize index);
  bool heal_call(const AppendSite& site);
  std::optional<program::PointRefusal> why_not(const PointProbe& probe) const;
  bool add_together(const std::vector<PointProbe>& probes, const std::vector<usize>& members,
                    Displaced range);
  // Called by several threads.
  SiteBucket draft_site(const Draft& draft, usize index, Cursor& at);
  abi::Site make_record(const AppendSite& site, abi::SiteMode mode, u64 resume) const;
  void keep_sites(std::vector<Draft>& drafts);

  const read::GoBinary& binary_;
  PatchPlan& plan_;
  bool thorough_;
  RegionShape shape_;
  abi::BlobHeader header_{};
  Cursor hooks_{};
  usize first_hook_record_ = 0;
  usize first_point_record_ = 0;
  std::map<u64, u64> ranges_;         // replaced bytes, begin → end
  std::map<u64, u64> healing_calls_;  // function that is called → what is called in its place
  usize hook_count_ = 0;
};

// False: no more room in this part.
bool Planner::put(ByteView trampoline, Cursor& at) {
  const usize size = trampoline.size();
  if (size > at.end - at.offset) return false;
  u8* to = plan_.region_bytes.data() + at.offset;
  std::memcpy(to, trampoline.data(), size);
  const u64 next = std::min(align_up(at.offset + size, kTrampolineAlignment), at.end);
  std::memset(to + size, 0xcc, next - at.offset - size);
  at.offset = next;
  return true;
}

void Planner::write_record(const abi::Site& record, usize index) {
  std::memcpy(plan_.region_bytes.data() + record_offset(index), &record, sizeof record);
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
    u64 at = plan_.region.value + hooks_.offset;
    std::optional<Trampoline> way =
        emit_healing_call(at, called, plan_.bias.to_target(growslice->entry).value);
    if (!way || !put(way->bytes, hooks_)) return false;
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

abi::Site Planner::make_record(const AppendSite& site, abi::SiteMode mode, u64 resume) const {
  abi::Site record{};
  if (is_standard_library(binary_.pclntab().function(site.function).name))
    record.in_library = site.elem_size > 1 ? 2 : 1;
  record.detector = abi::kAppend;
  record.mode = mode;
  record.resume = resume;
  record.elem_size = site.elem_size;
  record.values[abi::kOldPtr] = resolve(site.old_ptr, plan_.bias);
  record.values[abi::kNewLen] = resolve(site.new_len, plan_.bias);
  record.values[abi::kCap] = resolve(site.cap, plan_.bias);
  record.values[abi::kNum] = resolve(site.num, plan_.bias);
  record.values[abi::kType] = resolve(site.elem_type, plan_.bias);
  return record;
}

SiteBucket Planner::draft_site(const Draft& draft, usize index, Cursor& at) {
  const AppendSite& site = *draft.site;
  std::optional<DisplacedCode> code = read_displaced(binary_.image(), site.displaced);
  if (!code) return SiteBucket::kNoRoomForPatch;
  TrampolinePlace place = place_at(at.offset, index, header_.entry_event);
  place.mode = draft.mode;
  if (shape_.counters_size != 0) {
    const read::Layout& layout = binary_.layout();
    place.counter = {plan_.region.value + shape_.counters_offset + index * abi::kCounterPageBytes,
                     layout.g_m, layout.m_id};
  }
  std::optional<Trampoline> trampoline = emit_append_trampoline(site, *code, place);
  if (!trampoline || !put(trampoline->bytes, at)) return SiteBucket::kArgumentNotLocated;
  write_record(make_record(site, draft.mode, trampoline->resume), index);
  plan_.sites[index] = {site,
                        draft.mode,
                        static_cast<u32>(index),
                        make_patch(*code, plan_.bias, place.at),
                        TargetAddr(place.at),
                        trampoline->bytes.size()};
  return SiteBucket::kProbed;
}

// Each part of the sites has a part of the region, as large as its trampolines may become: what
// they leave free there is never written, and takes no memory.
void Planner::add_sites(std::vector<Draft> drafts) {
  for (Draft& draft : drafts) {
    if (draft.mode != abi::kWatch && !heal_call(*draft.site))
      draft.bucket = SiteBucket::kNoRoomForPatch;
  }
  plan_.sites.resize(drafts.size());
  const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  const usize parts = std::clamp<usize>(drafts.size() / kMinSitesOfThread, 1, threads);
  std::vector<u64> ends(parts);
  for_each_part(parts, threads, [&](usize part) {
    const usize first = drafts.size() * part / parts;
    const usize end = drafts.size() * (part + 1) / parts;
    Cursor at{shape_.sites_offset + first * shape_.trampoline_bytes,
              shape_.sites_offset + end * shape_.trampoline_bytes};
    for (usize i = first; i < end; ++i) {
      if (drafts[i].bucket == SiteBucket::kProbed) drafts[i].bucket = draft_site(drafts[i], i, at);
    }
    ends[part] = at.offset;
  });
  plan_.region_bytes.resize(ends.back());
  keep_sites(drafts);
  for (const Draft& draft : drafts) {
    if (draft.bucket != SiteBucket::kProbed) plan_.refused[draft.site->call] = draft.bucket;
  }
}

// Those that got a trampoline and whose bytes nobody else replaces, by their final numbers.
void Planner::keep_sites(std::vector<Draft>& drafts) {
  usize kept = 0;
  for (usize i = 0; i < drafts.size(); ++i) {
    const AppendSite& site = *drafts[i].site;
    if (drafts[i].bucket != SiteBucket::kProbed) continue;
    if (overlaps(site.displaced)) {
      drafts[i].bucket = SiteBucket::kNoRoomForPatch;
      continue;
    }
    ranges_.emplace_hint(ranges_.end(), site.displaced.begin.value, site.displaced.end.value);
    const u32 id = static_cast<u32>(kept);
    std::memcpy(plan_.region_bytes.data() + record_offset(i) + offsetof(abi::Site, id), &id,
                sizeof id);
    if (kept != i) plan_.sites[kept] = std::move(plan_.sites[i]);
    ++kept;
  }
  plan_.sites.resize(kept);
}

bool Planner::add_hook(const std::optional<Displaced>& displaced, u32 entry_offset) {
  if (!displaced || overlaps(*displaced) || hook_count_ >= kMaxHooks) return false;
  std::optional<DisplacedCode> code = read_displaced(binary_.image(), *displaced);
  const usize index = first_hook_record_ + hook_count_++;
  TrampolinePlace place = place_at(hooks_.offset, index, entry_offset);
  std::optional<Trampoline> trampoline = code ? emit_hook_trampoline(*code, place) : std::nullopt;
  if (!trampoline || !put(trampoline->bytes, hooks_)) return false;
  abi::Site record{};
  record.id = kNoSite;
  record.resume = trampoline->resume;
  write_record(record, index);
  plan_.hooks.push_back(make_patch(*code, plan_.bias, place.at));
  ranges_[displaced->begin.value] = displaced->end.value;
  return true;
}

std::optional<u32> Planner::add_point_hook(const program::Point& point, const Primitive& primitive,
                                           u32 entry_offset, bool keeps_source) {
  const bool has_room = stack_needed(point, primitive) <= point.stack_room;
  if (!has_room || overlaps(point.displaced) || hook_count_ >= kMaxHooks) return std::nullopt;
  const std::optional<DisplacedCode> code = read_displaced(binary_.image(), point.displaced);
  if (!code) return std::nullopt;
  const usize index = first_hook_record_ + hook_count_++;
  const PlacedPrimitive placed{&point, &primitive, record_address(index),
                               plan_.region.value + entry_offset};
  const u64 at = plan_.region.value + hooks_.offset;
  std::optional<PointTrampoline> made =
      emit_point_trampoline(std::span(&placed, 1), *code, plan_.bias, at);
  if (!made || !put(made->bytes, hooks_)) return std::nullopt;
  abi::Site record{};
  record.id = kNoSite;
  record.resume = made->resumes[0];
  record.period = ~u64{0};  // nothing is watched
  record.reserved = keeps_source ? 1 : 0;
  write_record(record, index);
  const bool is_call = point.kind == program::PointKind::kCall;
  plan_.hooks.push_back(make_patch(*code, plan_.bias, at, is_call));
  ranges_[point.displaced.begin.value] = point.displaced.end.value;
  return static_cast<u32>(index);
}

std::optional<program::PointRefusal> Planner::why_not(const PointProbe& probe) const {
  const program::Point& point = probe.point;
  if (overlaps(point.displaced)) return program::PointRefusal::kTaken;
  if (stack_needed(point, probe.primitive) > point.stack_room)
    return program::PointRefusal::kNoStack;
  return std::nullopt;
}

// False: their trampoline could not be made.
bool Planner::add_together(const std::vector<PointProbe>& probes, const std::vector<usize>& members,
                           Displaced range) {
  std::optional<DisplacedCode> code = read_displaced(binary_.image(), range);
  if (!code) return false;
  std::vector<PlacedPrimitive> placed;
  for (usize i : members) {
    const abi::Detector detector = probes[i].primitive.detector;
    const bool is_write = detector == abi::kRefill || detector == abi::kStale;
    const u32 entry = is_write ? header_.entry_event : header_.entry_point;
    placed.push_back({&probes[i].point, &probes[i].primitive,
                      record_address(first_point_record_ + i), plan_.region.value + entry,
                      map_table()});
  }
  const u64 at = plan_.region.value + hooks_.offset;
  std::optional<PointTrampoline> made = emit_point_trampoline(placed, *code, plan_.bias, at);
  if (!made || !put(made->bytes, hooks_)) return false;
  for (usize k = 0; k < members.size(); ++k) {
    const usize index = first_point_record_ + members[k];
    const Primitive& primitive = probes[members[k]].primitive;
    abi::Site record{};
    record.id = primitive.detector == abi::kNoDetector ? kNoSite : static_cast<u32>(index);
    record.detector = primitive.detector;
    record.mode = primitive.mode;
    record.elem_size = primitive.elem_size;
    std::ranges::copy(primitive.values, record.values);
    record.resume = made->resumes[k];
    write_record(record, index);
    PlannedPoint& planned = plan_.points[members[k]];
    planned.detector = primitive.detector;
    planned.patch = plan_.point_patches.size();
    planned.record = static_cast<u32>(index);
    planned.trampoline = TargetAddr(at);
    planned.trampoline_size = made->bytes.size();
  }
  const bool is_call = probes[members[0]].point.kind == program::PointKind::kCall;
  plan_.point_patches.push_back(make_patch(*code, plan_.bias, at, is_call));
  ranges_[range.begin.value] = range.end.value;
  return true;
}

// What overlaps is one stretch of code without a jump into it, as each of them is.
void Planner::add_points(const std::vector<PointProbe>& probes) {
  std::vector<usize> order;
  plan_.points.resize(probes.size());
  for (usize i = 0; i < probes.size(); ++i) {
    plan_.points[i].point = probes[i].point;
    plan_.points[i].refused = why_not(probes[i]);
    if (!plan_.points[i].refused) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](usize a, usize b) {
    return probes[a].point.displaced.begin < probes[b].point.displaced.begin;
  });
  for (usize first = 0; first < order.size();) {
    Displaced range = probes[order[first]].point.displaced;
    usize end = first + 1;
    for (; end < order.size(); ++end) {
      const Displaced& next = probes[order[end]].point.displaced;
      if (next.begin >= range.end) break;
      range.end = std::max(range.end, next.end);
    }
    std::vector<usize> members(order.begin() + static_cast<i64>(first),
                               order.begin() + static_cast<i64>(end));
    std::stable_sort(members.begin(), members.end(),
                     [&](usize a, usize b) { return probes[a].point.at < probes[b].point.at; });
    if (!add_together(probes, members, range)) {
      for (usize i : members) plan_.points[i].refused = program::PointRefusal::kNotEncoded;
    }
    first = end;
  }
}

void Planner::set_map_points_apart(usize first) {
  const auto begin = plan_.points.begin() + static_cast<i64>(first);
  plan_.map_points.assign(begin, plan_.points.end());
  plan_.points.erase(begin, plan_.points.end());
  plan_.first_map_record = static_cast<u32>(first_point_record_ + first);
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

// Enters the runtime when the source of a memmove (BX from, CX bytes) and what is watched may
// overlap.
Primitive enter_when_watched_is_copied() {
  Primitive primitive;
  primitive.temps = 1;
  primitive.enters = true;
  primitive.writes_flags = true;
  primitive.uses = x86::bit(x86::kRax) | x86::bit(x86::kRbx) | x86::bit(x86::kRcx);
  primitive.emit = [](x86::Assembler& as, const PrimitivePlace& place) {
    const x86::Reg temp = place.temps[0];
    auto field = [&](usize offset) {
      return x86::MemRef{.disp = static_cast<i64>(place.record + offset), .absolute = true};
    };
    as.mov(temp, field(offsetof(abi::Site, healed)));
    as.cmp(x86::kRbx, temp);
    as.jcc(x86::Cond::kA, place.done);
    as.mov(temp, field(offsetof(abi::Site, period)));
    as.sub(temp, x86::kRbx);
    as.jcc(x86::Cond::kB, place.enter);  // what is watched begins before what is copied
    as.cmp(temp, x86::kRcx);
    as.jcc(x86::Cond::kB, place.enter);
  };
  return primitive;
}

// Bytes that a function without a stack check and what it calls are sure to have, their return
// addresses included: the linker has added them up.
u64 sure_depth(const read::GoBinary& binary, const read::Function& function, u32 levels) {
  const std::optional<FunctionCode> code = FunctionCode::decode(binary, function);
  if (!code || program::read_stack_check(code->bytes(), function.entry)) return 0;
  u64 most = 0;
  for (const x86::Brief& brief : code->briefs()) {
    if (brief.flow != x86::Flow::kCall || !brief.target) continue;
    const std::optional<i32> frame = binary.pclntab().find_sp_delta(function, brief.addr);
    const std::optional<read::Function> callee = binary.pclntab().find_function(brief.target);
    if (!frame || *frame < 0 || !callee) continue;
    const u64 below = levels == 0 ? 0 : sure_depth(binary, *callee, levels - 1);
    most = std::max(most, 8 + static_cast<u64>(*frame) + below);
  }
  return most;
}

// The calls of memmove in one function of the runtime, which have their arguments in registers.
// `beside`: another function that it calls, from a frame as deep; empty where it has a stack check.
bool plan_copies_in(const read::GoBinary& binary, Planner& planner, PatchPlan& plan,
                    u32 entry_offset, std::string_view name, std::string_view beside) {
  constexpr x86::RegMask kArguments = x86::bit(x86::kRax) | x86::bit(x86::kRbx) |
                                      x86::bit(x86::kRcx) | x86::bit(x86::kR14) |
                                      x86::bit(x86::kR15);
  constexpr u64 kReturnAddress = 8;
  const read::Pclntab& functions = binary.pclntab();
  const std::optional<read::Function> copier = functions.find_function_named(name);
  const std::optional<read::Function> copies = functions.find_function_named("runtime.memmove");
  const std::optional<FunctionCode> code =
      copier ? FunctionCode::decode(binary, *copier) : std::nullopt;
  if (!code || !copies) return false;
  u64 room = 0;
  if (beside.empty() && program::read_stack_check(code->bytes(), copier->entry))
    room = program::kStackOfCallees;
  else if (const std::optional<read::Function> other = functions.find_function_named(beside))
    room = sure_depth(binary, *other, 2);
  bool is_hooked = false;
  for (u32 i = 0; i < code->briefs().size() && room > kReturnAddress; ++i) {
    const x86::Brief& brief = code->briefs()[i];
    if (brief.flow != x86::Flow::kCall || brief.target != copies->entry) continue;
    program::PointAnswer answer = program::call_point(*code, i, kArguments);
    program::Point* point = std::get_if<program::Point>(&answer);
    if (point == nullptr) continue;
    point->frame_bytes = 0;
    point->stack_room = room - kReturnAddress;
    const std::optional<u32> record = planner.add_point_hook(*point, enter_when_watched_is_copied(),
                                                             entry_offset, !beside.empty());
    if (record) plan.copy_records.push_back(*record);
    is_hooked |= record.has_value();
  }
  return is_hooked;
}

// Where headers are copied: arrays that grow; copy and append of slices; values of maps, channels,
// reflection and interfaces. The latter two have no stack check; their calls of the write barrier
// need more than ours do. Source: runtime/slice.go growslice, runtime/mbarrier.go, go1.21 to go1.27.
void plan_copy_hooks(const read::GoBinary& binary, Planner& planner, PatchPlan& plan,
                     u32 entry_offset) {
  constexpr std::string_view kBarrier = "runtime.bulkBarrierPreWrite";
  bool all = plan_copies_in(binary, planner, plan, entry_offset, "runtime.growslice", "");
  for (std::string_view name : {"runtime.typedslicecopy", "runtime.typedmemmove"}) {
    // What is not in the program copies nothing.
    const bool is_there = binary.pclntab().find_function_named(name).has_value();
    all &= plan_copies_in(binary, planner, plan, entry_offset, name, kBarrier) || !is_there;
  }
  if (!all)
    plan.notes.push_back(
        "where the runtime copies could not be hooked: a victim whose header is copied may be "
        "missed");
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

u64 runtime_build() {
  static const u64 build = [] {
    const u64 layout[] = {abi::kVersion,      sizeof(abi::Control), sizeof(abi::Event),
                          sizeof(abi::Slot),  abi::kSlots,          sizeof(abi::Site),
                          sizeof(abi::State), sizeof(abi::MapTable)};
    const ByteView blob = runtime_blob();
    return XXH3_64bits_withSeed(blob.data(), blob.size(), XXH3_64bits(layout, sizeof layout));
  }();
  return build;
}

usize PlanOptions::point_slots() const {
  usize slots = points.size() + (maps ? kMostMapProbes + kMostMapWalkProbes : 0);
  for (const PointProbe& probe : points)
    slots += align_up(probe.primitive.extra_bytes, kTrampolineBytes) / kTrampolineBytes;
  return slots;
}

RegionShape region_shape(usize sites, const PlanOptions& options) {
  const usize others = kMaxHooks + options.point_slots();
  RegionShape shape;
  shape.trampoline_bytes = kTrampolineBytes + (options.counts ? kCountingBytes : 0);
  shape.site_table_offset = align_up(runtime_blob().size(), kPageBytes);
  shape.site_table_size = align_up((sites + others) * sizeof(abi::Site), kPageBytes);
  shape.sites_offset = align_up(shape.hooks_offset() + others * kTrampolineBytes, kPageBytes);
  shape.counters_offset = shape.sites_offset + align_up(sites * shape.trampoline_bytes, kPageBytes);
  shape.counters_size = options.counts ? sites * abi::kCounterPageBytes : 0;
  shape.maps_size = options.maps ? align_up(sizeof(abi::MapTable), kPageBytes) : 0;
  shape.size = shape.counters_offset + shape.tables_size();
  return shape;
}

namespace {

// The sites that are to be probed, and how.
std::vector<Draft> choose_sites(const sites::SiteTable& table, const PlanOptions& options) {
  std::vector<Draft> drafts;
  for (const AppendSite& site : table.sites) {
    if (site.bucket != SiteBucket::kProbed) continue;
    auto found = options.modes.find(site.call);
    bool wanted = options.only_healed
                      ? found != options.modes.end()
                      : options.only.empty() || std::find(options.only.begin(), options.only.end(),
                                                          site.call) != options.only.end();
    if (!wanted) continue;
    abi::SiteMode mode = found == options.modes.end() ? abi::kWatch : found->second;
    GEIST_CHECK(mode == abi::kWatch || site.heal_refusal == sites::HealRefusal::kNone);
    drafts.push_back({&site, mode});
  }
  const bool wants_all = !options.only_healed && options.only.empty();
  for (const AppendSite& site : table.plain) {
    if (wants_all) drafts.push_back({&site, abi::kWatch});
  }
  return drafts;
}

}  // namespace

PatchPlan plan_patches(const read::GoBinary& binary, const sites::SiteTable& table, LoadBias bias,
                       TargetAddr region, const PlanOptions& options) {
  PatchPlan plan;
  plan.bias = bias;
  plan.region = region;
  Planner planner(binary, plan, static_cast<usize>(table.count_probed()), options);
  abi::BlobHeader header{};
  std::memcpy(&header, runtime_blob().data(), sizeof header);
  if (options.with_hooks) {
    plan_exit_hook(binary, planner, plan, header.entry_exit);
    plan_move_hook(binary, planner, plan, header.entry_move);
    plan_copy_hooks(binary, planner, plan, header.entry_copy);
  }
  planner.add_sites(choose_sites(table, options));
  if (options.with_hooks) plan_main_hook(binary, planner, plan, header.entry_main);
  std::vector<PointProbe> points = options.points;
  if (options.maps) {
    for (PointProbe& probe : find_map_probes(binary, options.map_counts).probes) {
      plan.map_operations.push_back(probe.primitive.mode);
      points.push_back(std::move(probe));
    }
    for (PointProbe& probe : find_map_walk_probes(binary)) {
      plan.map_operations.push_back(probe.primitive.mode);
      points.push_back(std::move(probe));
    }
  }
  planner.add_points(points);
  planner.set_map_points_apart(options.points.size());
  return plan;
}

PatchPlan plan_anywhere(const read::GoBinary& binary, const sites::SiteTable& table,
                        const PlanOptions& options) {
  TargetAddr region((binary.module().text.value + (u64{1} << 30)) & ~(kPageBytes - 1));
  return plan_patches(binary, table, LoadBias{0}, region, options);
}

}  // namespace geist::probe

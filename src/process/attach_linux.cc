// See attach.h.
#include <elf.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "process/attach.h"
#include "process/inject.h"

namespace geist::process {
namespace {

constexpr u64 kJmpBytes = 5;
constexpr u8 kCall = 0xe8, kJmp = 0xe9, kFiller = 0xcc;
// A signal's frame, which holds the interrupted pc, is this far above a handler's stack pointer at
// most: the stacks that Go makes for handlers have 32 KiB (runtime/os_linux.go, mpreinit).
constexpr u64 kHandlerStackBytes = 32768;
constexpr int kMapAttempts = 300, kPatchAttempts = 40;
constexpr u64 kRetryMs = 10;

void sleep_ms(u64 ms) {
  timespec ts{static_cast<time_t>(ms / 1000), static_cast<long>(ms % 1000) * 1000000};
  ::nanosleep(&ts, nullptr);
}

bool is_anonymous_code(const MapEntry& entry) {
  return entry.is_anonymous() && entry.permissions.substr(0, 3) == "r-x";
}

// The head of a geist's code; nothing where the mapping is something else.
std::optional<abi::BlobHeader> find_head(const Memory& memory, const MapEntry& entry) {
  if (!is_anonymous_code(entry)) return std::nullopt;
  std::optional<abi::BlobHeader> header = memory.find<abi::BlobHeader>(TargetAddr(entry.begin));
  return header && header->magic == abi::kBlobMagic ? header : std::nullopt;
}

// Of this very build: what it says beyond its version can be understood.
bool is_of_this_build(const abi::BlobHeader& head) {
  return head.version == abi::kVersion && head.build == probe::runtime_build();
}

std::string build_name(u32 version, u64 build) {
  return version < abi::kVersion ? fmt::format("ABI version {}", version)
                                 : fmt::format("ABI version {}, build {:016x}", version, build);
}

// The memory of another build of geist: how large it is only that build knows, so all of ours-like
// mappings that follow each other count.
std::vector<ForeignMemory> find_foreign(const Memory& memory, const std::vector<MapEntry>& maps) {
  std::vector<ForeignMemory> found;
  for (auto entry = maps.begin(); entry != maps.end(); ++entry) {
    std::optional<abi::BlobHeader> head = find_head(memory, *entry);
    if (!head || is_of_this_build(*head)) continue;
    u64 end = entry->end;
    for (auto next = entry + 1; next != maps.end() && next->begin == end; ++next) {
      if (!is_anonymous_code(*next) && !next->path.starts_with("/memfd:geist-ring")) break;
      end = next->end;
    }
    found.push_back(
        {TargetAddr(entry->begin), end - entry->begin, build_name(head->version, head->build)});
  }
  return found;
}

// The memory of a former attachment. Every address comes from the program and is held against its
// mappings.
std::optional<Footprint> find_footprint(const Memory& memory, const std::vector<MapEntry>& maps) {
  auto entry_with = [&](u64 addr, u64 size) {
    return std::find_if(maps.begin(), maps.end(),
                        [&](const MapEntry& e) { return e.holds(addr, size); });
  };
  for (const MapEntry& entry : maps) {
    const std::optional<abi::BlobHeader> head = find_head(memory, entry);
    if (!head || !is_of_this_build(*head) || head->region_size == 0) continue;
    const abi::BlobHeader& header = *head;
    // Two entries: the page that a fork's child finds empty, and the rest.
    auto is_state = [&](u64 begin, u64 size) {
      auto part = entry_with(begin, size);
      return part != maps.end() && part->is_anonymous() && part->permissions.starts_with("rw-p");
    };
    bool state_fits =
        is_state(header.state, abi::kWipedBytes) &&
        is_state(header.state + abi::kWipedBytes, sizeof(abi::State) - abi::kWipedBytes);
    u64 ring_at =
        memory.find<u64>(TargetAddr(header.state + offsetof(abi::State, control))).value_or(0);
    auto ring = entry_with(ring_at, abi::kRingBytes);
    bool ring_fits =
        ring != maps.end() && ring->begin == ring_at && ring->path.starts_with("/memfd:geist-ring");
    if (state_fits && ring_fits)
      return Footprint{TargetAddr(entry.begin), header.region_size, TargetAddr(header.state),
                       TargetAddr(ring_at)};
  }
  return std::nullopt;
}

}  // namespace

std::optional<u32> find_other_geist(const Memory& memory, const std::vector<MapEntry>& maps) {
  std::optional<Footprint> there = find_footprint(memory, maps);
  if (!there) return std::nullopt;
  constexpr int kSteps = 120, kStepMs = 20;
  std::optional<u64> first_beat;
  for (int step = 0; step < kSteps; ++step) {
    std::optional<abi::Control> control = memory.find<abi::Control>(there->ring);
    if (!control || control->magic != abi::kMagic || control->armed == 0) return std::nullopt;
    i64 age = static_cast<i64>(read_tsc() - control->heartbeat_tsc);
    if (age > static_cast<i64>(control->heartbeat_limit)) return std::nullopt;
    // A pulse not yet stale: is it there still, or that of one that was just killed? Its id may be
    // of another namespace.
    bool beats = first_beat && *first_beat != control->heartbeat_tsc;
    bool exists = control->tool_pid != 0 && ::kill(static_cast<pid_t>(control->tool_pid), 0) == 0;
    if (beats || exists) return control->tool_pid;
    first_beat = control->heartbeat_tsc;
    sleep_ms(kStepMs);
  }
  return std::nullopt;
}

// Where the program is, and where in it calls can be made from: the start-up code, which never runs
// a second time.
Status Attachment::locate() {
  pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, request_.pid, 0)));
  GEIST_TRY(entry, read_auxv(request_.pid, AT_ENTRY));
  bias_.bytes = entry - binary_.image().entry().value;
  if (!binary_.image().is_pie() && bias_.bytes != 0)
    return Error("the program was not loaded where it was linked");
  text_ = {bias_.to_target(binary_.module().text), bias_.to_target(binary_.module().etext)};
  GEIST_TRY(room, find_code_room(binary_, bias_));
  room_ = room;
  // A call that a filter of the program's own forbids would end it. Filters that we have too let us
  // live, at least.
  i64 filters = find_status_number(request_.pid, "Seccomp_filters").value_or(0);
  if (filters > find_status_number(::getpid(), "Seccomp_filters").value_or(0)) {
    return Error(fmt::format("process {} has {} seccomp filter{} that geist has not: mapping "
                             "memory in its name could end it",
                             request_.pid, filters, filters == 1 ? "" : "s"),
                 ErrorKind::kNoPermission)
        .with_hint(
            "Of a container's filter: run geist inside the container. A program that confines "
            "itself can be watched from\n"
            "its start, with geist run.");
  }
  return Done{};
}

// Where a JMP or CALL leads that stands at `at`; nothing when there is none.
static std::optional<TargetAddr> find_target(TargetAddr at, ByteView code) {
  if (code.size() < kJmpBytes || (code[0] != kJmp && code[0] != kCall)) return std::nullopt;
  i32 distance = 0;
  std::memcpy(&distance, code.data() + 1, sizeof distance);
  return at + kJmpBytes + static_cast<u64>(static_cast<i64>(distance));
}

Error Attachment::explain_foreign(const ForeignMemory& memory) const {
  return Error(fmt::format("process {} runs patches of another build of geist ({})", request_.pid,
                           memory.build),
               ErrorKind::kSystem)
      .with_hint(fmt::format(
          "This geist ({}) does not know what is in that memory. Attach to the process with the\n"
          "other geist and end it, which takes the patches back; or start the program anew.",
          build_name(abi::kVersion, probe::runtime_build())));
}

bool Attachment::leads_to_region(TargetAddr at, ByteView code) const {
  const std::optional<TargetAddr> to = find_target(at, code);
  return to && *to >= footprint_.region && *to - footprint_.region < footprint_.region_size;
}

// The other build's memory that the patch leads to which changed this byte; null when there is
// none.
const ForeignMemory* Attachment::find_foreign_patch(ByteView now, usize changed) const {
  for (usize back = 0; back < kJmpBytes && back <= changed; ++back) {
    const usize begin = changed - back;
    const std::optional<TargetAddr> to = find_target(text_.begin + begin, now.subspan(begin));
    for (const ForeignMemory& other : foreign_) {
      if (to && *to >= other.begin && *to - other.begin < other.size) return &other;
    }
  }
  return nullptr;
}

// Where the patch begins that changed this byte: there, or, since a CALL stays one and its distance
// may keep some of its bytes, up to four bytes before.
std::optional<usize> Attachment::find_left_over(ByteView now, usize changed) const {
  for (usize back = 0; back < kJmpBytes && back <= changed; ++back) {
    const usize begin = changed - back;
    if (leads_to_region(text_.begin + begin, now.subspan(begin))) return begin;
  }
  return std::nullopt;
}

// A detached geist leaves its memory, a killed one also its patches: code that differs from the
// file and jumps there or calls. Another build's memory is never touched: without patches it is
// left where it is, with patches there is no attaching.
Status Attachment::find_former_memory() {
  ProcessMemory memory(request_.pid);
  GEIST_TRY(maps, read_maps(request_.pid));
  footprint_ = find_footprint(memory, maps).value_or(Footprint{});
  foreign_ = find_foreign(memory, maps);
  if (!footprint_.region && foreign_.empty()) return Done{};
  std::optional<ByteView> file =
      binary_.image().find_bytes(bias_.to_image(text_.begin), text_.end - text_.begin);
  std::vector<u8> now(text_.end - text_.begin);
  if (!file || !memory.read(text_.begin, now))
    return Error("the code of the program cannot be read", ErrorKind::kSystem);
  for (usize i = 0; i < now.size();) {
    std::optional<usize> begin;
    if (now[i] != (*file)[i]) {
      if (const ForeignMemory* other = find_foreign_patch(now, i)) return explain_foreign(*other);
      begin = find_left_over(now, i);
    }
    if (!begin) {
      ++i;
      continue;
    }
    usize end = *begin + kJmpBytes;
    while (end < now.size() && now[end] == kFiller && (*file)[end] != kFiller) ++end;
    left_over_.push_back(
        {text_.begin + *begin,
         {file->begin() + static_cast<i64>(*begin), file->begin() + static_cast<i64>(end)},
         {now.begin() + static_cast<i64>(*begin), now.begin() + static_cast<i64>(end)}});
    i = end;
  }
  return Done{};
}

std::vector<u64> Attachment::find_standing(const StoppedProcess& stopped,
                                           const StandingPlaces& places) const {
  ProcessMemory memory(request_.pid);
  std::vector<u64> found;
  auto add = [&](u64 word) {
    bool in_text = word >= text_.begin.value && word < text_.end.value;
    if (in_text || (footprint_.region && word - footprint_.region.value < footprint_.region_size))
      found.push_back(word);
  };
  std::vector<u8> bytes;
  auto add_range = [&](TargetAddr begin, u64 size) {
    bytes.resize(size);
    usize got = memory.read_some(begin, bytes);
    for (usize i = 0; i + 8 <= got; i += 8) add(*find_int<u64>(bytes, i));
  };
  for (const StoppedThread& thread : stopped.threads()) {
    add(thread.pc.value);
    if (!thread.asleep) add_range(TargetAddr(thread.regs.rsp & ~u64{7}), kHandlerStackBytes);
  }
  for (const AddrRange& range : places.stacks) add_range(range.begin, range.end - range.begin);
  std::sort(found.begin(), found.end());
  return found;
}

Result<bool> Attachment::map_once(StoppedProcess& stopped, const probe::RegionShape& shape) {
  StandingPlaces places = request_.find_standing(bias_);
  if (!places.has_begun) return false;
  for (const StoppedThread& thread : stopped.threads()) {
    if (thread.pc >= room_.begin && thread.pc - room_.begin < room_.original.size()) return false;
  }
  // From here on nobody comes into a former region; those who are in it leave.
  Patches left_over;
  for (const probe::CodePatch& patch : left_over_) left_over.push_back(&patch);
  GEIST_TRY_STATUS(restore_patches(memory_, left_over));
  left_over_.clear();
  if (footprint_.region) {
    std::vector<u64> standing = find_standing(stopped, places);
    auto inside = std::lower_bound(standing.begin(), standing.end(), footprint_.region.value);
    if (inside != standing.end() && *inside - footprint_.region.value < footprint_.region_size)
      return false;
    if (footprint_.region_size != shape.size) {
      GEIST_TRY_STATUS(unmap(stopped, footprint_));
      footprint_ = {};
    }
  }
  if (!footprint_.region) {
    GEIST_TRY(maps, read_maps(request_.pid));
    GEIST_TRY(gap, find_gap(maps, text_.begin, text_.end, shape.size));
    footprint_.region = gap;
    GEIST_TRY_STATUS(map_code_and_state(stopped, shape, footprint_));
  }
  GEIST_TRY(ring, map_ring(stopped, shape, footprint_, binary_.layout(), request_.budget));
  ring_.emplace(std::move(ring));
  return true;
}

Status Attachment::map_memory(const probe::RegionShape& shape) {
  for (int attempt = 0; attempt < kMapAttempts; ++attempt) {
    bool mapped = false;
    GEIST_TRY_STATUS(with_process_stopped(request_.pid, memory_, room_, pauses_,
                                          [&](StoppedProcess& stopped) -> Status {
                                            GEIST_TRY(done, map_once(stopped, shape));
                                            mapped = done;
                                            return Done{};
                                          }));
    if (mapped) return Done{};
    sleep_ms(kRetryMs);
  }
  return Error(
      fmt::format("process {} has not begun to run Go code, or hangs in code of a former geist",
                  request_.pid),
      ErrorKind::kSystem);
}

bool Attachment::leave_out_points(const probe::CodePatch& patch, sites::SiteBucket bucket) {
  using program::PointRefusal;
  const PointRefusal why = bucket == sites::SiteBucket::kInUse         ? PointRefusal::kInUse
                           : bucket == sites::SiteBucket::kCodeChanged ? PointRefusal::kCodeChanged
                                                                       : PointRefusal::kNoRoom;
  bool is_points = false;
  for (probe::PlannedPoint& point : process_->plan.points) {
    if (point.refused || &process_->plan.point_patches[point.patch] != &patch) continue;
    point.refused = why;
    is_points = true;
  }
  return is_points;
}

void Attachment::leave_out(const probe::CodePatch& patch, sites::SiteBucket bucket) {
  if (leave_out_points(patch, bucket)) return;
  for (const probe::ProbedSite& probed : process_->plan.sites) {
    if (&probed.patch != &patch) continue;
    process_->plan.refused[probed.site.call] = bucket;
    return;
  }
  process_->plan.notes.push_back(fmt::format("the hook at {:#x} could not be set: {}",
                                             bias_.to_image(patch.addr).value,
                                             sites::bucket_name(bucket)));
}

const probe::ProbedSite* Attachment::find_healing_site(const probe::CodePatch& patch) const {
  auto found = healing_.find(&patch);
  return found == healing_.end() ? nullptr : found->second;
}

bool Attachment::waits_for_its_call(const probe::ProbedSite& healing) const {
  TargetAddr call = bias_.to_target(healing.site.call);
  return std::none_of(patched_.begin(), patched_.end(),
                      [&](const probe::CodePatch* done) { return done->addr == call; });
}

Status Attachment::write_free(const Patches& free) {
  // Ours to restore from here on, also when writing them fails half way.
  patched_.insert(patched_.end(), free.begin(), free.end());
  GEIST_TRY(changed, write_patches(memory_, free));
  for (const probe::CodePatch* patch : changed) {
    std::erase(patched_, patch);
    leave_out(*patch, sites::SiteBucket::kCodeChanged);
  }
  return Done{};
}

Result<Patches> Attachment::patch_some(StoppedProcess& stopped, const Patches& wanted) {
  std::vector<u64> standing = find_standing(stopped, request_.find_standing(bias_));
  Patches left, free, healing;
  for (const probe::CodePatch* patch : wanted) {
    // At the patch's first byte is fine: whoever stands there takes the JMP.
    auto inside = std::upper_bound(standing.begin(), standing.end(), patch->addr.value);
    bool is_stood_in =
        inside != standing.end() && *inside < patch->addr.value + patch->original.size();
    if (is_stood_in)
      left.push_back(patch);
    else
      (find_healing_site(*patch) != nullptr ? healing : free).push_back(patch);
  }
  GEIST_TRY_STATUS(write_free(free));
  free.clear();
  for (const probe::CodePatch* patch : healing)
    (waits_for_its_call(*find_healing_site(*patch)) ? left : free).push_back(patch);
  GEIST_TRY_STATUS(write_free(free));
  return left;
}

Status Attachment::patch_all() {
  Patches left;
  auto want = [&](const probe::CodePatch& patch) {
    if (can_write_patch(patch))
      left.push_back(&patch);
    else
      leave_out(patch, sites::SiteBucket::kNoRoomForPatch);
  };
  for (const probe::CodePatch& hook : process_->plan.hooks) want(hook);
  for (const probe::CodePatch& point : process_->plan.point_patches) want(point);
  for (const probe::ProbedSite& site : process_->plan.sites) want(site.patch);
  process_->ring.beat();
  for (int attempt = 0; attempt < kPatchAttempts && !left.empty(); ++attempt) {
    if (attempt > 0) sleep_ms(kRetryMs);
    process_->ring.beat();
    GEIST_TRY_STATUS(with_process_stopped(request_.pid, memory_, room_, pauses_,
                                          [&](StoppedProcess& stopped) -> Status {
                                            GEIST_TRY(still, patch_some(stopped, left));
                                            left = std::move(still);
                                            return Done{};
                                          }));
  }
  for (const probe::CodePatch* patch : left) leave_out(*patch, sites::SiteBucket::kInUse);
  return Done{};
}

Status Attachment::prepare() {
  GEIST_TRY_STATUS(locate());
  GEIST_TRY_STATUS(find_former_memory());
  const probe::RegionShape shape =
      probe::region_shape(static_cast<usize>(table_.count_probed()), request_.plan);
  GEIST_TRY_STATUS(map_memory(shape));
  probe::PatchPlan plan =
      probe::plan_patches(binary_, table_, bias_, footprint_.region, request_.plan);
  ring_->look_at_maps(plan.map_record(0), static_cast<u32>(plan.map_points.size()),
                      request_.plan.map_hold_us, request_.plan.map_counts);
  GEIST_TRY_STATUS(write_region(memory_, plan, footprint_));
  process_.reset(new ProbedProcess{request_.pid, bias_, std::move(plan), std::move(*ring_),
                                   ProcessMemory(request_.pid)});
  for (const ForeignMemory& other : foreign_) {
    process_->plan.notes.push_back(
        fmt::format("{} KiB of another build of geist ({}) stay in the process, unused",
                    other.size >> 10, other.build));
  }
  for (const probe::ProbedSite& site : process_->plan.sites) {
    if (site.mode != abi::kWatch) healing_[&site.patch] = &site;
  }
  return patch_all();
}

Result<std::unique_ptr<Attachment>> Attachment::attach(const read::GoBinary& binary,
                                                       const sites::SiteTable& table,
                                                       const AttachRequest& request) {
  GEIST_TRY(memory, WritableMemory::open(request.pid));
  std::unique_ptr<Attachment> attachment(new Attachment(binary, table, request, std::move(memory)));
  Status prepared = attachment->prepare();
  if (prepared.ok()) return attachment;
  // Whatever failed then failed for that.
  pollfd end{attachment->pidfd_.get(), POLLIN, 0};
  if (attachment->pidfd_.valid() && ::poll(&end, 1, 0) > 0)
    return Error(fmt::format("process {} ended while geist was attaching to it", request.pid));
  return prepared.take_error();
}

Attachment::~Attachment() {
  (void)detach();
}

bool Attachment::is_over() const {
  pollfd end{pidfd_.get(), POLLIN, 0};
  if (pidfd_.valid() && ::poll(&end, 1, 0) > 0) return true;
  u64 magic = 0;
  bool there = memory_.read(footprint_.region, {reinterpret_cast<u8*>(&magic), sizeof magic}).ok();
  return !there || magic != abi::kBlobMagic;
}

Status Attachment::detach() {
  if (process_) process_->ring.disarm();
  if (patched_.empty() || is_over()) return Done{};
  Status done =
      with_process_stopped(request_.pid, memory_, room_, pauses_, [&](StoppedProcess&) -> Status {
        if (is_over()) return Done{};
        GEIST_TRY_STATUS(restore_patches(memory_, patched_));
        patched_.clear();
        return Done{};
      });
  return is_over() ? Status(Done{}) : std::move(done);
}

}  // namespace geist::process

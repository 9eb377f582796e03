// Attaching to a running program, and leaving it as it was.
//
//   attach   [stop: map memory] ─▶ fill it ─▶ [stop: patch all sites but those that a thread or
//            goroutine stands in] ─▶ again for those
//   detach   disarm ─▶ [stop: restore the code]
//
// Between the stops nobody traces the program. The order makes every moment a good one to be killed
// in: memory is filled before code leads there, each patch is written in one piece while all
// threads are held, and calls made in the program's name lead back by themselves. What a killed
// geist leaves behind disarms itself, and the next attach takes it over: it restores the code first
// and uses the memory again.
//
// Only its own build's, though: the memory begins with a version and a build (abi/version.h), and
// what another one has patched is refused by name.
//
// Detach leaves the mappings where they are, since a thread may still be inside; the next attach
// uses them again.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "base/fd.h"
#include "process/code_patches.h"
#include "process/install.h"
#include "process/launch.h"
#include "process/stopped_process.h"

namespace geist::process {

struct AddrRange {
  TargetAddr begin, end;
};

// What only a reader of Go's heap knows about the stopped program (heap/suspended.h).
struct StandingPlaces {
  std::vector<AddrRange>
      stacks;  // memory that may hold the address of an instruction somebody will go on at
  bool has_begun = false;  // main's goroutine has run: the start-up code is over for good
};

struct AttachRequest {
  int pid = 0;  // of the process, or of a thread of it that lives when its main thread does not
  Budget budget;
  probe::PlanOptions plan;
  std::function<StandingPlaces(LoadBias)> find_standing;
};

// What another build of geist has left in the process.
struct ForeignMemory {
  TargetAddr begin;
  u64 size = 0;
  std::string build;  // in words
};

class Attachment {
 public:
  // Sites that could not be patched are in process().plan.refused. In every failure the program
  // runs on with the code it had.
  static Result<std::unique_ptr<Attachment>> attach(const read::GoBinary& binary,
                                                    const sites::SiteTable& table,
                                                    const AttachRequest& request);
  // Detaches when that was not done.
  ~Attachment();

  ProbedProcess& process() { return *process_; }
  // The process ended, or runs another program now.
  bool is_over() const;
  // Restores the code; nothing to do when it is over.
  Status detach();
  const PauseLog& pauses() const { return pauses_; }
  // Of our memory in the process.
  u64 mapped_bytes() const { return footprint_.region_size + sizeof(abi::State) + abi::kRingBytes; }

 private:
  Attachment(const read::GoBinary& binary, const sites::SiteTable& table,
             const AttachRequest& request, WritableMemory memory)
      : binary_(binary), table_(table), request_(request), memory_(std::move(memory)) {}

  Status prepare();
  Status locate();
  Status find_former_memory();
  Status map_memory(const probe::RegionShape& shape);
  // One stop; false when somebody stands where that cannot be.
  Result<bool> map_once(StoppedProcess& stopped, const probe::RegionShape& shape);
  Status patch_all();
  // One stop; what could not be patched in it.
  Result<Patches> patch_some(StoppedProcess& stopped, const Patches& wanted);
  Status write_free(const Patches& free);
  // A site that heals must not do so before its CALL is patched as well (probe/patch_plan.h,
  // hooks): growslice would be told of the room that there is, and double the array each time.
  bool waits_for_its_call(const probe::ProbedSite& healing) const;
  // The site that this patch is of, if it heals.
  const probe::ProbedSite* find_healing_site(const probe::CodePatch& patch) const;
  // Addresses within code or region that threads and goroutines stand at or may come back to,
  // sorted; more than there are is harmless.
  std::vector<u64> find_standing(const StoppedProcess& stopped, const StandingPlaces& places) const;
  // False: it is not the patch of points.
  bool leave_out_points(const probe::CodePatch& patch, sites::SiteBucket bucket);
  void leave_out(const probe::CodePatch& patch, sites::SiteBucket bucket);
  bool leads_to_region(TargetAddr at, ByteView code) const;
  std::optional<usize> find_left_over(ByteView now, usize changed) const;
  const ForeignMemory* find_foreign_patch(ByteView now, usize changed) const;
  Error explain_foreign(const ForeignMemory& memory) const;

  const read::GoBinary& binary_;
  const sites::SiteTable& table_;
  const AttachRequest request_;
  WritableMemory memory_;
  Fd pidfd_;
  LoadBias bias_;
  AddrRange text_;
  StoppedProcess::CodeRoom room_;
  Footprint footprint_;  // a former attachment's until map_memory() is through
  std::vector<ForeignMemory> foreign_;
  std::vector<probe::CodePatch> left_over_;  // code that a killed geist has changed
  std::optional<SharedRing> ring_;
  std::unique_ptr<ProbedProcess> process_;
  std::map<const probe::CodePatch*, const probe::ProbedSite*> healing_;  // sites by their patches
  Patches patched_;
  PauseLog pauses_;
};

// Is a geist that shows signs of life watching the process? Its process id (0 when it did not say).
std::optional<u32> find_other_geist(const Memory& memory, const std::vector<MapEntry>& maps);

}  // namespace geist::process

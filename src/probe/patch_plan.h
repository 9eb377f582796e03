// PatchPlan: everything that will be written into a target to probe it, decided before anything is
// written.
//
//   region (within ±2 GiB of the code), each part on pages of its own:
//   │ runtime blob │ abi::Site × n │ hooks, points │ trampolines, in one or more runs │ counters, maps │
//   │ r-x          │ rw-           │ r-x           │ r-x                              │ rw-            │
//
// Counters (abi/counters.h) and the table of maps (abi/maps.h) are there when a detector asks for
// them.
//   patches: JMP rel32 to a trampoline over each branch
//
// A trampoline of an append site: the displaced instructions, the branch to the grow path, the
// content check of the destination, the way on to the in-place path; when a destination byte is not
// zero it enters the runtime. It leaves no return address anywhere and at most 24 bytes on the
// goroutine's stack, which Go guarantees to have (stackNosplit).
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "abi/probe.h"
#include "probe/point_trampoline.h"
#include "read/go/go_binary.h"
#include "sites/append_sites.h"

namespace geist::probe {

struct CodePatch {
  TargetAddr addr;
  std::vector<u8> original;
  std::vector<u8> replacement;  // same size
};

// One probed site: abi::Site.id is its index in PatchPlan::sites.
struct ProbedSite {
  sites::AppendSite site;
  abi::SiteMode mode = abi::kWatch;
  u32 record = 0;  // index of its abi::Site in the table, where the hooks have records too
  CodePatch patch;
  TargetAddr trampoline;  // where its trampoline begins in the region
  u64 trampoline_size = 0;
};

// What is to run at a point. Several may be meant for one point: they run in the order given.
struct PointProbe {
  program::Point point;
  Primitive primitive;
};

// One of PlanOptions::points, as far as it was planned.
struct PlannedPoint {
  program::Point point;
  std::optional<program::PointRefusal> refused;  // then nothing else holds
  usize patch = 0;                               // in PatchPlan::point_patches
  u32 record = 0;                                // index of its abi::Site
  abi::Detector detector = abi::kNoDetector;     // whose events that makes
  TargetAddr trampoline;                         // of all that runs at this point
  u64 trampoline_size = 0;
};

struct PatchPlan {
  LoadBias bias;
  TargetAddr region;             // page-aligned
  std::vector<u8> region_bytes;  // at most region_shape(...).size; zero where nothing is
  std::vector<ProbedSite> sites;
  sites::Refused refused;  // sites that could not be patched; with `sites` all that were asked for
  std::vector<CodePatch> hooks;  // runtime.exit, runtime.newstack, the returns of main.main, the
                                 // growslice calls of healed sites
  std::vector<PlannedPoint> points;  // in the order of PlanOptions::points
  std::vector<CodePatch> point_patches;
  std::vector<PlannedPoint> map_points;  // in the order of MapProbes::probes
  u64 map_table_offset = 0;              // of abi::MapTable in the region; 0: there is none
  std::vector<u32> map_operations;       // abi::MapOperation of each
  u32 first_map_record = 0;
  // Where the record of a map point will be.
  TargetAddr map_record(usize index) const {
    return region + site_table_offset + (first_map_record + index) * sizeof(abi::Site);
  }
  bool follows_stacks = false;     // a goroutine whose stack has grown waits for the judge
  std::vector<u32> copy_records;   // of the places where headers may be copied
  std::vector<std::string> notes;  // hooks that could not be set, in words
  u64 site_table_offset = 0;       // of abi::Site 0 in the region, page-aligned
  u64 site_table_size = 0;         // whole pages
};

struct PlanOptions {
  std::vector<ImageAddr> only;  // probe just these calls; empty: all
  bool thorough = false;        // also appends to a destination that is all zero
  bool counts = false;          // each site counts its appends (abi/counters.h)
  std::map<ImageAddr, abi::SiteMode>
      modes;  // of calls that are healed; each must be healable (AppendSite::heal_refusal)
  bool only_healed = false;  // leave all other calls alone
  bool maps = false;         // map operations are looked at (map_probes.h)
  bool map_counts = false;   // and counted, map by map (abi/maps.h)
  u32 map_hold_us = 100;     // how long one waits where others came near; 0: nobody waits
  // They give way to sites and hooks, not the other way round.
  std::vector<PointProbe> points;
  // Their number, as region_shape() takes it: one with long code counts as several.
  usize point_slots() const;
  // runtime.exit, the returns of main.main and stacks that have grown wait for the judge.
  bool with_hooks = true;
};

// What to reserve for the region of a plan for this many sites and points
// (PlanOptions::point_slots), and where its writable part, the site records, will be.
struct RegionShape {
  u64 size = 0;
  u64 site_table_offset = 0;
  u64 site_table_size = 0;
  u64 counters_offset = 0;   // whole pages at the region's end, with the site records in the memory
  u64 counters_size = 0;     // that is shared; 0: nothing is counted
  u64 maps_size = 0;         // of abi::MapTable, whole pages, behind the counters; 0: there is none
  u64 trampoline_bytes = 0;  // room for each
  u64 hooks_offset() const { return site_table_offset + site_table_size; }
  u64 sites_offset = 0;
  u64 maps_offset() const { return counters_offset + counters_size; }
  u64 tables_size() const { return counters_size + maps_size; }
  u64 shared_size() const { return site_table_size + tables_size(); }
};
RegionShape region_shape(usize sites, const PlanOptions& options);

// The plan for this region, which all code must reach with a rel32.
PatchPlan plan_patches(const read::GoBinary& binary, const sites::SiteTable& table, LoadBias bias,
                       TargetAddr region, const PlanOptions& options);
// A plan for a region somewhere in reach of the code as linked: for who asks what can be patched,
// which does not depend on where that is.
PatchPlan plan_anywhere(const read::GoBinary& binary, const sites::SiteTable& table,
                        const PlanOptions& options);

// The runtime blob that geist carries.
ByteView runtime_blob();
// Which runtime that is, and which layout of what it shares with the tool: abi::BlobHeader::build.
u64 runtime_build();

}  // namespace geist::probe

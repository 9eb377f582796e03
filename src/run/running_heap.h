// The heap of a program that is being watched, as a graph: who holds what. It is made from a
// copy-on-write child, for which the program stands still some milliseconds; while the graph is
// made the program is shown signs of life.
//
//   watched program ─▶ child ─▶ HeapGraph ─▶ the path to a victim     "srv.sessions["ann"].roles"
//                                        └─▶ latent findings          room that another slice uses
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "findings/finding.h"
#include "judge/view.h"
#include "process/launch.h"
#include "run/heap_source.h"

namespace geist::run {

class RunningHeap {
 public:
  // What the program's pauses are spent on.
  struct Uses {
    bool names = false;    // the context names victims by paths
    bool latent = false;   // latent findings are looked for
    bool objects = false;  // ways to objects are asked for
  };
  // Both must outlive it.
  RunningHeap(judge::Context& context, process::ProbedProcess& process, Uses uses);

  // To be called often. Lets go of a copy that nobody has asked for a while: the more the program
  // writes, the more memory it takes. Looks for arrays in which an append would overwrite what
  // another slice has, when it is due: after a second, two, four, up to a minute; large heaps less
  // often.
  void turn(double now_s);
  // How a root leads to the object at each of these addresses, as they are now; each empty as
  // path_to() is.
  std::vector<std::string> paths_to_objects(std::span<const TargetAddr> objects);
  // Now, while the program waits at its end.
  void look_for_latent_at_end();
  // Each pair of fields or variables once, with how often it was seen; and a note when a look could
  // not be had.
  void add_latent(findings::Report& report) const;

 private:
  HeapSource* take();
  bool is_small_enough() const;
  bool take_for_name();
  // How a root leads to this header in the heap; empty when none does, the memory has changed
  // since, or looking would cost the program too much.
  std::string path_to(const judge::View& view);
  void look();
  bool shows(const HeapSource& heap, const judge::View& view) const;

  const judge::Context& context_;
  process::ProbedProcess& process_;
  const Uses uses_;
  using Clock = std::chrono::steady_clock;
  std::unique_ptr<HeapSource> last_;
  Clock::time_point taken_at_;
  u32 taken_for_names_ = 0, taken_for_objects_ = 0;
  double next_look_s_ = 1, look_step_s_ = 1;
  std::map<std::string, findings::Finding> latent_;  // by fingerprint
  u64 latent_left_out_ = 0;                          // in the look that had most of them
  std::string why_not_;
};

}  // namespace geist::run

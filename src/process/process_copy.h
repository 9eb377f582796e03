// The memory of a process as it is at one moment, while the process goes on.
//
//   freeze ─▶ clone in one thread ─▶ thaw          a pause
//             └─▶ child: never runs an instruction, shares pages until either side writes
//
// The child is made by the kernel's copy on write, so the pause is the copying of page tables: 15
// ms a GiB and more. A large process is therefore copied in parts, in one short pause each:
//
//   watch the large mappings (written_pages.h)
//   pause ─▶ child 1 gets the first part, and so on        the others are MADV_DONTFORK meanwhile
//   pause ─▶ a child gets all but the large mappings; pages written since are copied by us
//
// The moment is the last pause: a page that was not written since its child got it is still what it
// was. Whoever writes more than can be copied quickly is copied whole, in one long pause.
//
// Children share the file table (CLONE_FILES), so no file stays open for their sake, and have no
// exit signal, so the process gets no SIGCHLD and its wait4(-1) does not find them. They die with
// geist (PTRACE_O_EXITKILL); should geist be killed before that is set, the child ends by itself
// (self_restoring_code.h), and the process goes on with its mappings as they were. What is left of
// them is taken away when they are given up, or geist has ended (child_collector.h).
#pragma once

#include <memory>
#include <optional>

#include "process/child_collector.h"
#include "process/freeze.h"
#include "process/parted_memory.h"
#include "process/stopped_process.h"
#include "process/written_pages.h"

namespace geist::process {

struct CopyLimits {
  // Memory whose page tables are copied in one pause, in about a millisecond; to stop and to let go
  // takes another one or two.
  u64 part_bytes = u64{64} << 20;
  u64 max_parts = 64;  // each is a process
};

// Of one or several pauses.
struct Pauses {
  double longest_ms = 0, total_ms = 0;
  int count = 0;
  void add(double ms);
};

class ProcessCopy {
 public:
  // Calls are made from `room`, whose bytes must last. Fails as FrozenProcess does, or when the
  // kernel refuses the child (a limit of processes or memory); the process runs on in all cases.
  static Result<ProcessCopy> make(int pid, const StoppedProcess::CodeRoom& room,
                                  const CopyLimits& limits = {});
  ProcessCopy(ProcessCopy&& other) noexcept;
  ProcessCopy& operator=(ProcessCopy&&) = delete;
  ~ProcessCopy();

  const Memory& memory() const { return *memory_; }
  // The process that has all of it but parts().
  int pid() const { return children_.back(); }
  // Ascending, disjoint.
  const std::vector<AddressRange>& parts() const { return parts_; }
  // Of the process at that moment.
  const std::vector<FrozenThread>& threads() const { return threads_; }
  const Pauses& pauses() const { return pauses_; }

 private:
  ProcessCopy(Tracer& tracer, int pid, WritableMemory process, const StoppedProcess::CodeRoom& room)
      : tracer_(&tracer), pid_(pid), process_(std::move(process)), room_(room) {}
  static Result<ProcessCopy> make_here(Tracer& tracer, int pid,
                                       const StoppedProcess::CodeRoom& room,
                                       const CopyLimits& limits);
  Status take_whole();
  Status take_in_parts(const CopyLimits& limits);
  Status take_part(const std::vector<AddressRange>& large, const AddressRange& part);
  Status take_rest(const std::vector<AddressRange>& large, const WrittenPages& written);
  void end_children();

  std::unique_ptr<Tracer> owned_tracer_;  // of the process for some moments, and of its copies
  Tracer* tracer_;
  int pid_;
  WritableMemory process_;
  StoppedProcess::CodeRoom room_;
  std::optional<ChildCollector> collector_;
  std::vector<int> children_;  // one a part, and one for the rest
  std::vector<AddressRange> parts_;
  std::vector<u8> written_bytes_;  // pages of the process itself
  std::unique_ptr<PartedMemory> memory_;
  std::vector<FrozenThread> threads_;
  Pauses pauses_;
};

}  // namespace geist::process

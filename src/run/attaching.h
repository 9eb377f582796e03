// What every verb needs that comes to a running process and leaves it again.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/fd.h"
#include "heap/runtime_symbols.h"
#include "process/attach.h"
#include "read/go/go_binary.h"
#include "run/find_process.h"

namespace geist::run {

// Signals that ask us to end. From its making on none of them can interrupt a patch: they are
// looked for between turns.
class EndSignals {
 public:
  EndSignals();
  bool came() const;
  // Until one comes, or the time is over.
  void wait(int timeout_ms) const;

 private:
  Fd fd_;
};

// The program of a process, as the kernel keeps it, whatever became of the file. Fails on what
// geist cannot patch, and when another geist is there.
Result<std::unique_ptr<read::GoBinary>> open_program(const FoundProcess& process,
                                                     std::optional<int> assume_go_minor);

// For AttachRequest; both must outlive it.
std::function<process::StandingPlaces(LoadBias)> find_standing_in(
    int pid, const read::GoBinary& binary, const heap::RuntimeSymbols& symbols);

}  // namespace geist::run

// What every verb needs that comes to a running process and leaves it again.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/fd.h"
#include "cli/find_process.h"
#include "heap/runtime_symbols.h"
#include "read/go/go_binary.h"
#include "target/attach.h"

namespace geist::cli {

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
std::function<target::StandingPlaces(LoadBias)> find_standing_in(
    int pid, const read::GoBinary& binary, const heap::RuntimeSymbols& symbols);

}  // namespace geist::cli

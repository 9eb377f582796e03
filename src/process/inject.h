// System calls made in the name of a stopped thread, from code that leads back by itself
// (self_restoring_code.h): killed at any moment, we leave a thread that makes the rest of the calls
// and goes on. So calls that undo each other belong into one list.
#pragma once

#include <sys/types.h>

#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "process/freeze.h"
#include "process/remote_call.h"
#include "process/stopped_process.h"
#include "read/go/go_binary.h"

namespace geist::process {

struct InjectedCalls {
  std::vector<i64> results;  // raw: negative errno on failure
  pid_t child = 0;           // of a clone, traced and stopped; else 0
  std::vector<int> signals;  // that arrived meanwhile; the caller delivers them
};

// Stops the process while none of its threads is in the room: calls of a geist that was killed may
// still be under way there.
Result<FrozenProcess> freeze_outside(Tracer& tracer, int pid, const StoppedProcess::CodeRoom& room);

// The thread must be seized and stopped, and no other one may run: all calls are made from the same
// room. `first` is told the first result while the thread stands behind that call. Fails when the
// code has no room there, the process ends, or a call does not come back in time: then the thread
// makes the rest of the calls by itself as soon as it is let go.
Result<InjectedCalls> inject_calls(int tid, const WritableMemory& memory,
                                   const StoppedProcess::CodeRoom& room,
                                   std::span<const RemoteCall> calls,
                                   const std::function<void(i64)>& first = nullptr);
// The start-up code of a Go program, which never runs a second time (runtime/asm_amd64.s rt0_go).
Result<StoppedProcess::CodeRoom> find_code_room(const read::GoBinary& binary, LoadBias bias);

}  // namespace geist::process

// System calls made in the name of a stopped process, and writes to its memory: what both ways into
// a process share.
//
//   launch  Tracee          the one thread of a child that dies with us: calls from where it stands
//   attach  StoppedProcess  a thread of a running program, by code that restores itself when we die
//   snap    inject_calls    the same for a process that is copied; a clone makes a child that ends
//                           by itself when nobody traces it
//   (self_restoring_code.h)
#pragma once

#include <array>
#include <functional>
#include <span>
#include <string>

#include "base/result.h"
#include "process/writable_memory.h"

namespace geist::process {

struct RemoteCall {
  long number = 0;
  std::array<u64, 6> args{};
  std::string text =
      {};  // not empty: args[0] is the address of this text, in memory that lasts for the call
  int result_arg =
      -1;  // 0 to 5: this argument is what the first call of the list returned (a file descriptor)
  int arg_count = 6;  // of args; the rest have any value
};

class RemoteProcess {
 public:
  virtual ~RemoteProcess() = default;
  virtual int pid() const = 0;
  // Makes the calls in order and tells the raw result of each (negative errno on failure) as soon
  // as it is there. An error of `told` ends the list there: the calls that are left may or may not
  // be made.
  virtual Status call(std::span<const RemoteCall> calls,
                      const std::function<Status(usize, i64)>& told) = 0;
  virtual const WritableMemory& memory() const = 0;
};

}  // namespace geist::process

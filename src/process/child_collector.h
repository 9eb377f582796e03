// Takes away what is left of the children that a process was made to have.
//
// A child that has ended stays in the table of processes until its parent asks for it, and the
// parent does not know that it has one. So the parent is made to ask, by a system call of ours. We
// may be killed before we come to that; therefore it is the business of a process of its own, which
// waits for our end, however it comes: then a socket closes.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "process/stopped_process.h"

namespace geist::process {

class ChildCollector {
 public:
  // For children of `pid`. Fails when there is no process to be had for it.
  static Result<ChildCollector> start(int pid, const StoppedProcess::CodeRoom& room);
  ChildCollector(ChildCollector&& other) noexcept;
  ChildCollector& operator=(ChildCollector&&) = delete;
  // Those that were added must be dead, and untraced; afterwards they are gone.
  ~ChildCollector();

  // `child` as we see it, and as its parent does: they may live in different pid namespaces.
  void add(int child, int seen_by_parent);

 private:
  ChildCollector(int collector, Fd socket) : collector_(collector), socket_(std::move(socket)) {}
  int collector_;
  Fd socket_;
};

}  // namespace geist::process

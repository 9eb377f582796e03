// Tracer: a thread of its own that traces. What a thread has seized only that thread can let go,
// and only while it stands still; so one that sleeps in the kernel where nothing can wake it (state
// D: a file system that does not answer, a vfork) cannot be let go when everybody else is. Such
// stragglers stay with the tracer, which lets go of each as soon as it has woken up, and before the
// thread has run an instruction. When the tracer ends the kernel lets go of all that is left
// (ptrace(2)).
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/result.h"

namespace geist::process {

class Tracer {
 public:
  // Fails when no thread can be started.
  static Result<std::unique_ptr<Tracer>> start();
  // The calling thread is the tracer: for a process that does nothing else, and ends soon.
  static std::unique_ptr<Tracer> make_here();
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  // Does it on the tracing thread, and waits until it is done.
  void run(const std::function<void()>& work);

  // The rest may be called on the tracing thread only.
  // Lets go of a seized thread as soon as that has stopped.
  void add_straggler(int tid) { stragglers_.push_back(tid); }
  // Is it one? Then it is seized, told to stop, and the caller's from now on.
  bool take_straggler(int tid);

 private:
  Tracer() = default;
  void loop();
  void let_go_of_stragglers();

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* work_ = nullptr;  // to be done, or being done
  bool is_over_ = false;
  std::vector<int> stragglers_;
  std::thread::id id_;
  std::optional<std::thread> thread_;
};

}  // namespace geist::process

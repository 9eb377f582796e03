// See tracer.h.
#include "process/tracer.h"

#include <errno.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <chrono>

#include "base/start_thread.h"

namespace geist::process {

Result<std::unique_ptr<Tracer>> Tracer::start() {
  std::unique_ptr<Tracer> tracer(new Tracer());
  tracer->thread_ = start_thread([&self = *tracer] { self.loop(); });
  if (!tracer->thread_)
    return Error("no thread can be started to trace the process: see ulimit -u",
                 ErrorKind::kSystem);
  tracer->id_ = tracer->thread_->get_id();
  return tracer;
}

std::unique_ptr<Tracer> Tracer::make_here() {
  std::unique_ptr<Tracer> tracer(new Tracer());
  tracer->id_ = std::this_thread::get_id();
  return tracer;
}

Tracer::~Tracer() {
  if (!thread_) return;
  {
    std::unique_lock lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_all();
  thread_->join();
}

void Tracer::run(const std::function<void()>& work) {
  if (std::this_thread::get_id() == id_) {
    work();
    return;
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return work_ == nullptr; });
  work_ = &work;
  changed_.notify_all();
  changed_.wait(lock, [&] { return work_ != &work; });
}

void Tracer::loop() {
  constexpr auto kLookInterval = std::chrono::milliseconds(1);
  std::unique_lock lock(mutex_);
  while (!is_over_) {
    if (work_ != nullptr) {
      const std::function<void()>* work = work_;
      lock.unlock();
      (*work)();
      lock.lock();
      work_ = nullptr;
      changed_.notify_all();
    }
    auto has_work = [&] { return work_ != nullptr || is_over_; };
    if (stragglers_.empty()) {
      changed_.wait(lock, has_work);
    } else if (!changed_.wait_for(lock, kLookInterval, has_work)) {
      let_go_of_stragglers();
    }
  }
}

void Tracer::let_go_of_stragglers() {
  std::erase_if(stragglers_, [](int tid) {
    int status = 0;
    const pid_t got = ::waitpid(tid, &status, __WALL | WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR)) return false;
    if (got == tid && WIFSTOPPED(status)) {
      const bool is_event = (status >> 16) == PTRACE_EVENT_STOP;
      ptrace(PTRACE_DETACH, tid, 0, static_cast<long>(is_event ? 0 : WSTOPSIG(status)));
    }
    return true;
  });
}

bool Tracer::take_straggler(int tid) {
  return std::erase(stragglers_, tid) != 0;
}

}  // namespace geist::process

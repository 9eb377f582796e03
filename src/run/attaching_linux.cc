#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <fmt/format.h>

#include "heap/suspended.h"
#include "run/attaching.h"
#include "run/refuse_sanitized.h"

namespace geist::run {

EndSignals::EndSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  fd_ = Fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

bool EndSignals::came() const {
  signalfd_siginfo info;
  return ::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info);
}

void EndSignals::wait(int timeout_ms) const {
  pollfd signal{fd_.get(), POLLIN, 0};
  (void)::poll(&signal, 1, timeout_ms);
}

Result<std::unique_ptr<read::GoBinary>> open_program(const FoundProcess& process,
                                                     std::optional<int> assume_go_minor) {
  auto binary = read::GoBinary::open(process.program_link(), {assume_go_minor});
  if (!binary.ok())
    return binary.take_error().in(fmt::format("process {} ({})", process.pid, process.name));
  GEIST_TRY_STATUS(refuse_sanitized(*binary.value()));
  process::ProcessMemory memory(process.thread);
  GEIST_TRY(maps, process::read_maps(process.thread));
  if (std::optional<u32> other = process::find_other_geist(memory, maps)) {
    return Error(fmt::format("process {} ({}) is watched by another geist already (process {})",
                             process.pid, process.name, *other))
        .with_hint("End that one first.");
  }
  return binary;
}

std::function<process::StandingPlaces(LoadBias)> find_standing_in(
    int pid, const read::GoBinary& binary, const heap::RuntimeSymbols& symbols) {
  return [pid, &binary, &symbols](LoadBias bias) {
    return heap::find_standing_places(process::ProcessMemory(pid), binary, symbols, bias);
  };
}

}  // namespace geist::run

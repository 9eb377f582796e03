// See child_collector.h. Everything here runs in a process of its own, a copy of geist made before
// it had read the heap; nobody hears of its errors, for there is nothing else to be done.
//
// It allocates, though its parent had other threads when it was forked: that holds with glibc,
// whose fork takes the allocator's locks and gives them back in the child (malloc/arena.c), and
// glibc is what geist is built for.
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "process/child_collector.h"
#include "process/freeze.h"
#include "process/inject.h"
#include "process/process_info.h"
#include "process/self_restoring_code.h"

namespace geist::process {
namespace {

struct Child {
  int pid = 0, seen_by_parent = 0;
};

// Dead, and with nobody who traces it: before that its parent does not get it.
bool is_to_be_collected(int child) {
  return find_thread_state(child, child) == 'Z' &&
         find_status_number(child, "TracerPid").value_or(0) == 0;
}

// What is left of us ends after the socket is closed, and our children with it.
void wait_until_dead(const std::vector<Child>& children) {
  constexpr int kTurns = 1000;
  constexpr useconds_t kTurnUs = 2000;
  int turn = 0;
  for (const Child& child : children) {
    ::kill(child.pid, SIGKILL);
    while (turn < kTurns && find_thread_state(child.pid, child.pid) &&
           !is_to_be_collected(child.pid)) {
      ::usleep(kTurnUs);
      ++turn;
    }
  }
}

// Children that were born when we had ended already, or just before we could say so: nothing else
// ends with this status and without a signal to its parent.
void add_untold(int pid, std::vector<Child>* children) {
  for (int child : children_of(pid)) {
    bool is_known = std::ranges::any_of(*children, [&](const Child& c) { return c.pid == child; });
    std::optional<EndedProcess> ended = is_known ? std::nullopt : find_ended(child);
    if (!ended || ended->exit_signal != 0 || ended->wait_status != kUntracedChildStatus << 8) {
      continue;
    }
    // Its numbers from our namespace to its own, which is its parent's.
    std::string numbers = find_status_line(child, "NSpid").value_or("");
    usize last = numbers.find_last_of(" \t");
    const char* own = numbers.c_str() + (last == std::string::npos ? 0 : last + 1);
    children->push_back({child, std::atoi(own)});
  }
}

void collect(int pid, const StoppedProcess::CodeRoom& room, std::vector<Child> children) {
  auto memory = WritableMemory::open(pid);
  if (!memory.ok()) return;
  const std::unique_ptr<Tracer> tracer = Tracer::make_here();
  auto frozen = freeze_outside(*tracer, pid, room);
  if (!frozen.ok()) return;
  add_untold(pid, &children);
  const std::optional<int> awake = frozen->find_awake();
  if (!awake) return;
  const int tid = *awake;
  constexpr usize kCallsAtOnce = 4;  // for which there is room
  std::vector<RemoteCall> calls;
  for (usize i = 0; i < children.size(); ++i) {
    calls.push_back({.number = SYS_wait4,
                     .args = {static_cast<u64>(children[i].seen_by_parent), 0, __WALL | WNOHANG, 0},
                     .arg_count = 4});
    if (calls.size() < kCallsAtOnce && i + 1 < children.size()) continue;
    auto done = inject_calls(tid, memory.value(), room, calls);
    if (!done.ok()) return;
    for (int signal : done->signals) frozen->deliver(tid, signal);
    calls.clear();
  }
}

void close_range(u32 first, u32 last) {
  if (first > last || ::syscall(SYS_close_range, first, last, 0) == 0) return;
  // A kernel before 5.9.
  constexpr u32 kMost = 1 << 16;
  for (u32 fd = first; fd <= std::min(last, kMost); ++fd) ::close(static_cast<int>(fd));
}

// A fork has all that its parent has open: watches, which would stay in the debug registers for as
// long as the copy of their descriptor lives, and the ends of other people's pipes. None but `kept`
// stay; where there was standard input and output there is nothing now.
void close_all_but(std::array<int, 2> kept) {
  constexpr u32 kFirst = STDERR_FILENO + 1;
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    const bool is_kept = std::ranges::find(kept, fd) != kept.end();
    if (!is_kept && (nothing < 0 || ::dup2(nothing, fd) < 0)) ::close(fd);
  }
  std::ranges::sort(kept);
  u32 from = kFirst;
  for (int fd : kept) {
    if (fd < static_cast<int>(from)) continue;
    close_range(from, static_cast<u32>(fd) - 1);
    from = static_cast<u32>(fd) + 1;
  }
  close_range(from, ~u32{0});
}

[[noreturn]] void run_collector(int pid, int process, int socket,
                                const StoppedProcess::CodeRoom& room) {
  // Whoever interrupts us from a terminal means all of the group.
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  close_all_but({process, socket});
  std::vector<Child> children;
  Child child;
  while (::read(socket, &child, sizeof child) == sizeof child) children.push_back(child);
  // By its descriptor, since its number may be another's by now.
  bool is_there = ::syscall(SYS_pidfd_send_signal, process, 0, nullptr, 0) == 0;
  if (is_there) {
    wait_until_dead(children);
    collect(pid, room, children);
  }
  ::_exit(0);
}

}  // namespace

Result<ChildCollector> ChildCollector::start(int pid, const StoppedProcess::CodeRoom& room) {
  Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process.valid() && errno == ESRCH)
    return Error(fmt::format("there is no process {}", pid), ErrorKind::kBadInput);
  int ends[2];
  bool is_ready =
      process.valid() && ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0;
  if (!is_ready)
    return Error(fmt::format("pidfd, socketpair: {}", std::strerror(errno)), ErrorKind::kSystem);
  Fd theirs(ends[0]), ours(ends[1]);
  pid_t collector = ::fork();
  if (collector < 0)
    return Error(fmt::format("fork: {}", std::strerror(errno)), ErrorKind::kSystem);
  if (collector == 0) {
    ours.reset();
    run_collector(pid, process.get(), theirs.get(), room);
  }
  return ChildCollector(collector, std::move(ours));
}

ChildCollector::ChildCollector(ChildCollector&& other) noexcept
    : collector_(std::exchange(other.collector_, 0)), socket_(std::move(other.socket_)) {}

ChildCollector::~ChildCollector() {
  if (collector_ == 0) return;
  socket_.reset();
  while (::waitpid(collector_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ChildCollector::add(int child, int seen_by_parent) {
  const Child one{child, seen_by_parent};
  // With the collector gone the parent keeps its dead child; nobody needs to end for that.
  (void)::send(socket_.get(), &one, sizeof one, MSG_NOSIGNAL);
}

}  // namespace geist::process

// What works on this machine. Every line is the result of trying, not of reading a setting: a
// container may forbid what the settings allow. Settings are read only to say why something failed
// and which command helps.
//
//   ok    ptrace          starting and changing a child works
//   FAIL  hardware watch  perf_event_open: Permission denied
//         lost            no finding can become confirmed
//         do              sudo sysctl kernel.perf_event_paranoid=2
//
// Each check is one function that returns a Check; cmd_doctor prints them in order.
#include "cli/cmd_doctor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <vector>

#include "base/fd.h"
#include "base/text.h"
#include "cli/exit_code.h"
#include "cli/print.h"
#include "read/go/layout.h"
#include "report/report.h"
#include "sites/cache.h"

namespace geist::cli {
namespace {

struct Check {
  std::string name;
  std::string found;    // what works, when it does
  std::string problem;  // what was seen instead; empty when it works
  std::string lost;     // what geist cannot do then
  std::string help;     // and the command that helps
  bool works() const { return problem.empty(); }
};

std::string last_error(const char* call) {
  return fmt::format("{}: {}", call, std::strerror(errno));
}

// First line of a small file of /proc or /sys.
std::optional<std::string> find_setting(const char* path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

Check check_machine() {
  utsname name{};
  if (uname(&name) != 0) return {"machine", "", last_error("uname"), "", ""};
  std::string found = fmt::format("{} {} {}", name.sysname, name.release, name.machine);
  bool is_known =
      std::string_view(name.sysname) == "Linux" && std::string_view(name.machine) == "x86_64";
  return {"machine", found, is_known ? "" : found, "geist runs on linux on x86-64 only", ""};
}

// A child that stops itself for its parent, as `geist run` starts a program. `probe` is called on
// the stopped child.
template <typename Probe>
std::string with_traced_child(Probe&& probe) {
  pid_t child = fork();
  if (child < 0) return last_error("fork");
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(errno);
    raise(SIGSTOP);
    _exit(0);
  }
  std::string problem;
  int status = 0;
  if (waitpid(child, &status, 0) != child) {
    problem = last_error("waitpid");
  } else if (WIFEXITED(status)) {
    return fmt::format("ptrace(PTRACE_TRACEME): {}", std::strerror(WEXITSTATUS(status)));
  } else {
    problem = probe(child);
  }
  kill(child, SIGKILL);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return problem;
}

std::string ptrace_help() {
  if (find_setting("/proc/sys/kernel/yama/ptrace_scope").value_or("0") == "3") {
    return "kernel.yama.ptrace_scope is 3, which lasts until the next boot: set it to 1 in "
           "/etc/sysctl.d and reboot";
  }
  return "in a container: docker run --cap-add=SYS_PTRACE --security-opt seccomp=unconfined ...";
}

long g_probe_word = 0x6765697374;  // read and written in the child, which is a copy of this process

Check check_ptrace() {
  std::string problem = with_traced_child([](pid_t child) -> std::string {
    errno = 0;
    long word = ptrace(PTRACE_PEEKDATA, child, &g_probe_word, nullptr);
    if (errno != 0) return last_error("ptrace(PTRACE_PEEKDATA)");
    if (ptrace(PTRACE_POKEDATA, child, &g_probe_word, word + 1) != 0) {
      return last_error("ptrace(PTRACE_POKEDATA)");
    }
    return "";
  });
  return {"ptrace", "starting and changing a child works", problem,
          "geist run cannot watch any program", ptrace_help()};
}

Check check_memory() {
  std::string problem = with_traced_child([](pid_t child) -> std::string {
    long word = 0;
    iovec local{&word, sizeof word};
    iovec remote{&g_probe_word, sizeof g_probe_word};
    if (process_vm_readv(child, &local, 1, &remote, 1, 0) != sizeof word) {
      return last_error("process_vm_readv");
    }
    return word == g_probe_word ? "" : "process_vm_readv: read another value than was there";
  });
  return {"memory", "reading another process works", problem,
          "geist cannot look at the heap of a program: no victims are found", ptrace_help()};
}

// Sets a watch on a word of this process, touches the word, and looks whether it was counted.
std::string try_watch(bool include_kernel) {
  static volatile u64 word = 0;
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_BREAKPOINT;
  attributes.size = sizeof attributes;
  attributes.bp_type = HW_BREAKPOINT_RW;
  attributes.bp_addr = reinterpret_cast<u64>(&word);
  attributes.bp_len = HW_BREAKPOINT_LEN_8;
  attributes.sample_period = 1;
  attributes.exclude_kernel = include_kernel ? 0 : 1;
  attributes.exclude_hv = 1;
  Fd watch(
      static_cast<int>(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC)));
  if (!watch.valid()) return last_error("perf_event_open");
  word = word + 1;
  u64 count = 0;
  if (::read(watch.get(), &count, sizeof count) != sizeof count)
    return last_error("reading a perf event");
  return count != 0
             ? ""
             : "the processor's debug registers count nothing (a virtual machine without them?)";
}

std::string watch_help() {
  std::string paranoid = find_setting("/proc/sys/kernel/perf_event_paranoid").value_or("");
  std::string now =
      paranoid.empty() ? "" : fmt::format(" (kernel.perf_event_paranoid is {})", paranoid);
  return fmt::format(
      "sudo sysctl kernel.perf_event_paranoid=2{}; in a container also --cap-add=PERFMON", now);
}

Check check_watch() {
  return {"hardware watch", "a watch on a word counts its reads and writes", try_watch(false),
          "reads of a damaged element are not seen: no finding becomes confirmed", watch_help()};
}

Check check_kernel_watch() {
  return {"kernel watch", "reads by the kernel are seen too", try_watch(true),
          "reads by the kernel, as in write(2), are not seen; everything else is",
          "sudo sysctl kernel.perf_event_paranoid=1, or run geist with CAP_PERFMON"};
}

std::string try_memfd() {
  Fd file(static_cast<int>(syscall(SYS_memfd_create, "geist-doctor", MFD_CLOEXEC)));
  if (!file.valid()) return last_error("memfd_create");
  if (ftruncate(file.get(), 4096) != 0) return last_error("sizing a memfd");
  void* map = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (map == MAP_FAILED) return last_error("mapping a memfd");
  munmap(map, 4096);
  return "";
}

Check check_memfd() {
  return {"shared memory", "memfd_create and mapping it works", try_memfd(),
          "geist run cannot watch any program",
          "allow memfd_create in the seccomp profile of the container"};
}

// First line that `go version` prints, or nothing when there is no go.
std::optional<std::string> find_go_version() {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen("go version 2>/dev/null", "r"),
                                                       &pclose);
  char line[256] = {};
  if (!pipe || std::fgets(line, sizeof line, pipe.get()) == nullptr) return std::nullopt;
  line[std::strcspn(line, "\n")] = '\0';
  return std::string(line);
}

Check check_go() {
  std::optional<std::string> version = find_go_version();
  return {"go command", version.value_or(""), version ? "" : "no go in PATH",
          "geist run ./cmd/server cannot build a package; binaries still work",
          "put go in PATH (https://go.dev/dl/)"};
}

Check check_cache() {
  std::string folder = sites::SiteCache::default_folder();
  return {"cache", folder, sites::SiteCache::find_problem(folder).value_or(""),
          "each run searches its binary anew: large ones start some tenths of a second later",
          "set XDG_CACHE_HOME or HOME to a folder that can be written"};
}

std::string show_check(const Check& check, bool color) {
  constexpr const char* kGreen = "\x1b[32m";
  constexpr const char* kRed = "\x1b[1;31m";
  std::string mark = check.works() ? "ok  " : "FAIL";
  if (color) mark = fmt::format("{}{}\x1b[0m", check.works() ? kGreen : kRed, mark);
  std::string out = fmt::format("{}  {:<16}{}\n", mark, check.name,
                                printable(check.works() ? check.found : check.problem));
  if (!check.works()) {
    out += fmt::format("      {:<16}{}\n", "lost", check.lost);
    if (!check.help.empty()) out += fmt::format("      {:<16}{}\n", "do", printable(check.help));
  }
  return out;
}

}  // namespace

int cmd_doctor(bool color) {
  std::vector<Check> checks = {check_machine(),      check_ptrace(), check_memory(), check_watch(),
                               check_kernel_watch(), check_memfd(),  check_cache(),  check_go()};
  bool all_work = true;
  std::string out;
  for (const Check& check : checks) {
    all_work = all_work && check.works();
    out += show_check(check, color);
  }
  out += fmt::format("      {:<16}{} {}; binaries of {}\n", "geist", GEIST_VERSION,
                     "for linux on x86-64", read::supported_releases());
  if (!print_out(printable_lines(out, color))) return to_int(ExitCode::kBadInput);
  return to_int(all_work ? ExitCode::kOk : ExitCode::kFound);
}

}  // namespace geist::cli

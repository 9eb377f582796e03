// ptrace by the book: the process is stopped whenever anything here runs; see tracee.h.
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "target/tracee.h"

namespace geist::target {
namespace {

Error system_error(const std::string& what) {
  return Error(what + ": " + std::strerror(errno), ErrorKind::kSystem);
}

}  // namespace

Result<Tracee> Tracee::adopt(int pid) {
  Tracee tracee(pid);
  tracee.mem_ = Fd(::open(fmt::format("/proc/{}/mem", pid).c_str(), O_RDWR | O_CLOEXEC));
  if (!tracee.mem_.valid()) return system_error("cannot open the memory of the started process");
  return tracee;
}

Result<user_regs_struct> Tracee::registers() const {
  user_regs_struct regs{};
  if (ptrace(PTRACE_GETREGS, pid_, 0, &regs) != 0) return system_error("ptrace: cannot read registers");
  return regs;
}

Status Tracee::set_registers(const user_regs_struct& regs) const {
  if (ptrace(PTRACE_SETREGS, pid_, 0, &regs) != 0) return system_error("ptrace: cannot write registers");
  return Done{};
}

Status Tracee::read(TargetAddr addr, std::span<u8> out) const {
  ssize_t got = ::pread(mem_.get(), out.data(), out.size(), static_cast<off_t>(addr.value));
  if (got != static_cast<ssize_t>(out.size())) return system_error(fmt::format("cannot read memory at {:#x}", addr.value));
  return Done{};
}

Status Tracee::write(TargetAddr addr, ByteView bytes) const {
  ssize_t put = ::pwrite(mem_.get(), bytes.data(), bytes.size(), static_cast<off_t>(addr.value));
  if (put != static_cast<ssize_t>(bytes.size())) {
    return system_error(fmt::format("cannot write memory at {:#x}", addr.value));
  }
  return Done{};
}

Result<std::vector<MapEntry>> Tracee::maps() const {
  std::ifstream in(fmt::format("/proc/{}/maps", pid_));
  if (!in) return system_error("cannot read /proc/PID/maps");
  std::vector<MapEntry> entries;
  std::string line;
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    std::string range, permissions, offset, device, inode, path;
    fields >> range >> permissions >> offset >> device >> inode;
    std::getline(fields >> std::ws, path);
    usize dash = range.find('-');
    if (dash == std::string::npos) return Error("/proc/PID/maps: a line without a range: " + line);
    entries.push_back({std::stoull(range.substr(0, dash), nullptr, 16), std::stoull(range.substr(dash + 1), nullptr, 16),
                       permissions, path});
  }
  return entries;
}

Result<u64> Tracee::auxv(u64 type) const {
  std::ifstream in(fmt::format("/proc/{}/auxv", pid_), std::ios::binary);
  u64 entry[2];
  while (in.read(reinterpret_cast<char*>(entry), sizeof entry)) {
    if (entry[0] == type) return entry[1];
  }
  return Error(fmt::format("the auxiliary vector of the process has no entry of type {}", type), ErrorKind::kSystem);
}

Status Tracee::wait_for_trap() {
  for (;;) {
    int status = 0;
    if (::waitpid(pid_, &status, 0) < 0) {
      if (errno == EINTR) continue;
      return system_error("waitpid");
    }
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      ended_ = status;
      return Error("the process ended before its first instruction of Go code", ErrorKind::kSystem);
    }
    if (!WIFSTOPPED(status)) continue;
    if (WSTOPSIG(status) == SIGTRAP) return Done{};
    if (ptrace(PTRACE_CONT, pid_, 0, WSTOPSIG(status)) != 0) return system_error("ptrace: cannot continue");
  }
}

Status Tracee::run_to(TargetAddr addr) {
  u8 original = 0;
  const u8 breakpoint = 0xcc;
  GEIST_TRY_STATUS(read(addr, {&original, 1}));
  GEIST_TRY_STATUS(write(addr, {&breakpoint, 1}));
  if (ptrace(PTRACE_CONT, pid_, 0, 0) != 0) return system_error("ptrace: cannot continue");
  GEIST_TRY_STATUS(wait_for_trap());
  GEIST_TRY_STATUS(write(addr, {&original, 1}));
  GEIST_TRY(regs, registers());
  if (regs.rip != addr.value + 1) return Error("the process stopped somewhere else than at its entry", ErrorKind::kSystem);
  regs.rip = addr.value;
  return set_registers(regs);
}

Result<i64> Tracee::syscall(long number, std::array<u64, 6> args) {
  GEIST_TRY(saved, registers());
  const std::array<u8, 3> code{0x0f, 0x05, 0xcc};  // SYSCALL; INT3
  std::array<u8, 3> original{};
  TargetAddr at(saved.rip);
  GEIST_TRY_STATUS(read(at, original));
  GEIST_TRY_STATUS(write(at, code));
  user_regs_struct regs = saved;
  regs.rax = static_cast<u64>(number);
  regs.orig_rax = ~0ull;  // not inside a system call: nothing to restart
  regs.rdi = args[0];
  regs.rsi = args[1];
  regs.rdx = args[2];
  regs.r10 = args[3];
  regs.r8 = args[4];
  regs.r9 = args[5];
  GEIST_TRY_STATUS(set_registers(regs));
  if (ptrace(PTRACE_CONT, pid_, 0, 0) != 0) return system_error("ptrace: cannot continue");
  GEIST_TRY_STATUS(wait_for_trap());
  GEIST_TRY(after, registers());
  GEIST_TRY_STATUS(write(at, original));
  GEIST_TRY_STATUS(set_registers(saved));
  if (after.rip != at.value + code.size()) {
    return Error("a system call made for the process did not come back", ErrorKind::kSystem);
  }
  return static_cast<i64>(after.rax);
}

Status Tracee::detach() {
  mem_.reset();
  if (ptrace(PTRACE_DETACH, pid_, 0, 0) != 0) return system_error("ptrace: cannot detach");
  return Done{};
}

void Tracee::kill() {
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace geist::target

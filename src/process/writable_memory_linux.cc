// See writable_memory.h. Source: proc(5), /proc/PID/mem.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "process/writable_memory.h"

namespace geist::process {
namespace {

Error memory_error(const char* what, TargetAddr addr, ssize_t done) {
  const char* why = done < 0 ? std::strerror(errno) : "only a part of it is there";
  return Error(fmt::format("cannot {} memory at {:#x}: {}", what, addr.value, why),
               ErrorKind::kSystem);
}

}  // namespace

Result<WritableMemory> WritableMemory::open(int pid) {
  Fd fd(::open(fmt::format("/proc/{}/mem", pid).c_str(), O_RDWR | O_CLOEXEC));
  if (fd.valid()) return WritableMemory(std::move(fd));
  ErrorKind kind =
      errno == EACCES || errno == EPERM ? ErrorKind::kNoPermission : ErrorKind::kSystem;
  Error error(fmt::format("cannot open /proc/{}/mem: {}", pid, std::strerror(errno)), kind);
  if (::access("/proc/self/mem", F_OK) == 0) return error;
  return std::move(error).with_hint("/proc is not mounted here: mount -t proc proc /proc");
}

Status WritableMemory::read(TargetAddr addr, std::span<u8> out) const {
  ssize_t got = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(addr.value));
  if (got == static_cast<ssize_t>(out.size())) return Done{};
  return memory_error("read", addr, got);
}

Status WritableMemory::write(TargetAddr addr, ByteView bytes) const {
  ssize_t put = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(addr.value));
  if (put == static_cast<ssize_t>(bytes.size())) return Done{};
  return memory_error("write", addr, put);
}

}  // namespace geist::process

// Mappings and what guards them. The kernel raises SIGBUS in the thread that touches a page after
// the end of its file; the handler finds the mapping among those guarded, puts a page of zeros
// there, and the thread goes on. Source: mmap(2), sigaction(2) SIGBUS with si_addr.
#include "base/mapped_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/fd.h"
#include "base/system_error.h"

namespace geist {
namespace {

// A mapping whose missing pages are replaced. The signal's handler walks all of them, so they lie
// in a fixed place, and a field is written by single stores: begin last, and first taken back.
struct Guard {
  std::atomic<bool> is_taken = false;
  std::atomic<u64> begin = 0, size = 0;
  std::atomic<bool> was_cut = false;
};
constexpr usize kGuards = 1024;  // mapped at once; one more is an error
std::array<Guard, kGuards> guards;

// Only calls that signal-safety(7) allows, and mmap, which is a plain system call.
void on_bus_error(int signal, siginfo_t* info, void*) {
  const int error = errno;
  const u64 page = static_cast<u64>(::sysconf(_SC_PAGESIZE));
  const u64 at = reinterpret_cast<u64>(info->si_addr);
  for (Guard& guard : guards) {
    const u64 begin = guard.begin.load(std::memory_order_acquire);
    if (begin == 0 || at < begin || at - begin >= guard.size.load(std::memory_order_relaxed))
      continue;
    void* where = reinterpret_cast<void*>(at / page * page);
    void* zeros = ::mmap(where, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (zeros == MAP_FAILED) break;
    guard.was_cut.store(true, std::memory_order_relaxed);
    errno = error;
    return;
  }
  // Somebody else's: it comes again when this returns, and does what it would have done without us.
  ::signal(signal, SIG_DFL);
  ::raise(signal);
  errno = error;
}

void install_handler() {
  static const bool installed = [] {
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigemptyset(&action.sa_mask);
    return ::sigaction(SIGBUS, &action, nullptr) == 0;
  }();
  (void)installed;
}

// The index of its guard; -1 when there is no room.
i32 guard_mapping(void* data, usize size) {
  install_handler();
  const u64 page = static_cast<u64>(::sysconf(_SC_PAGESIZE));
  for (usize i = 0; i < kGuards; ++i) {
    bool taken = false;
    if (!guards[i].is_taken.compare_exchange_strong(taken, true)) continue;
    guards[i].was_cut = false;
    guards[i].size = (size + page - 1) / page * page;
    guards[i].begin.store(reinterpret_cast<u64>(data), std::memory_order_release);
    return static_cast<i32>(i);
  }
  return -1;
}

void release_guard(i32 index) {
  Guard& guard = guards[static_cast<usize>(index)];
  guard.begin = 0;
  guard.is_taken = false;
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == ENOENT || errno == ENOTDIR)
      return Error(path + ": no such file or directory", ErrorKind::kNotFound);
    if (errno == EACCES) return Error(path + ": permission denied", ErrorKind::kNotRunnable);
    return system_error(path);
  }
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return system_error(path);
  if (S_ISDIR(st.st_mode)) return Error(path + ": is a directory", ErrorKind::kNotRunnable);
  if (!S_ISREG(st.st_mode)) return Error(path + ": not a regular file");
  usize size = static_cast<usize>(st.st_size);
  if (size == 0) return MappedFile(nullptr, 0, -1);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED)
    return Error(path + ": cannot map: " + std::strerror(errno), ErrorKind::kSystem);
  const i32 guard = guard_mapping(data, size);
  if (guard < 0) {
    ::munmap(data, size);
    return Error(path + ": too many files are mapped at once", ErrorKind::kSystem);
  }
  return MappedFile(static_cast<const u8*>(data), size, guard);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      guard_(std::exchange(other.guard_, -1)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(guard_, other.guard_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ == nullptr) return;
  release_guard(guard_);
  ::munmap(const_cast<u8*>(data_), size_);
}

bool MappedFile::is_whole() const {
  return guard_ < 0 || !guards[static_cast<usize>(guard_)].was_cut;
}

}  // namespace geist

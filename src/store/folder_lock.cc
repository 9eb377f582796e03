#include "store/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "base/system_error.h"

namespace geist::store {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestWait(5000);
constexpr milliseconds kLongestSleep(20);

}  // namespace

FolderLock::Held::~Held() {
  if (fd_ >= 0) (void)::flock(fd_, LOCK_UN);
}

Result<FolderLock> FolderLock::open(const std::string& path) {
  FolderLock lock;
  lock.path_ = path;
  lock.fd_ = Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock.fd_.valid()) return system_error(path);
  return lock;
}

// Asks again and again: a wait of the kernel's has no end when the holder was stopped.
Result<FolderLock::Held> FolderLock::wait_for(int how) const {
  const auto end = std::chrono::steady_clock::now() + kLongestWait;
  for (milliseconds sleep(1);; sleep = std::min(sleep * 2, kLongestSleep)) {
    if (::flock(fd_.get(), how | LOCK_NB) == 0) return Held(fd_.get());
    if (errno != EWOULDBLOCK && errno != EINTR) return system_error(path_);
    if (std::chrono::steady_clock::now() >= end)
      return Error("another geist keeps it locked", ErrorKind::kSystem).in(path_);
    std::this_thread::sleep_for(sleep);
  }
}

Result<FolderLock::Held> FolderLock::share() const {
  return wait_for(LOCK_SH);
}

Result<FolderLock::Held> FolderLock::take() const {
  return wait_for(LOCK_EX);
}

std::optional<FolderLock::Held> FolderLock::try_take() const {
  if (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) return std::nullopt;
  return Held(fd_.get());
}

}  // namespace geist::store

// The lock of a folder's store: many may write at the same time, one may put the file in order.
//
// SQLite up to 3.51.2 can lose commits or damage a file in WAL mode when one connection commits
// while another copies the WAL into the file (sqlite.org/wal.html#walresetbug). So whoever writes
// holds the lock shared, and whoever copies, makes the tables or moves a damaged file aside holds
// it alone. It is flock(2) on a file that is never removed: the kernel releases it when its holder
// dies, whatever of.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/fd.h"
#include "base/result.h"

namespace geist::store {

class FolderLock {
 public:
  FolderLock() = default;
  // Makes the file when it is missing.
  static Result<FolderLock> open(const std::string& path);

  // The lock, as long as this lives.
  class Held {
   public:
    explicit Held(int fd) : fd_(fd) {}
    Held(Held&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Held& operator=(Held&&) = delete;
    ~Held();

   private:
    int fd_;
  };
  // Wait for others, five seconds at most; then they fail. A Store holds it once at a time.
  Result<Held> share() const;
  Result<Held> take() const;
  // Does not wait. Nothing: somebody else has it.
  std::optional<Held> try_take() const;

 private:
  Result<Held> wait_for(int how) const;

  Fd fd_;
  std::string path_;
};

}  // namespace geist::store

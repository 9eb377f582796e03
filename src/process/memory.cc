#include "process/memory.h"

#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace geist::process {

bool ProcessMemory::read(TargetAddr addr, std::span<u8> out) const {
  return read_some(addr, out) == out.size();
}

usize ProcessMemory::read_some(TargetAddr addr, std::span<u8> out) const {
  usize done = 0;
  while (done < out.size()) {
    iovec local{out.data() + done, out.size() - done};
    iovec remote{reinterpret_cast<void*>(addr.value + done), out.size() - done};
    ssize_t got = ::process_vm_readv(pid_, &local, 1, &remote, 1, 0);
    if (got < 0 && errno == EPERM && opened_.valid()) {
      got = ::pread(opened_.get(), local.iov_base, local.iov_len,
                    static_cast<off_t>(addr.value + done));
    }
    if (got <= 0) break;
    done += static_cast<usize>(got);
  }
  return done;
}

}  // namespace geist::process

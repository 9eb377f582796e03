#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/fd.h"

namespace geist {

Result<MappedFile> MappedFile::open(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == ENOENT || errno == ENOTDIR)
      return Error(path + ": no such file or directory", ErrorKind::kNotFound);
    if (errno == EACCES) return Error(path + ": permission denied", ErrorKind::kNotRunnable);
    return Error(path + ": " + std::strerror(errno), ErrorKind::kSystem);
  }
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0)
    return Error(path + ": " + std::strerror(errno), ErrorKind::kSystem);
  if (S_ISDIR(st.st_mode)) return Error(path + ": is a directory", ErrorKind::kNotRunnable);
  if (!S_ISREG(st.st_mode)) return Error(path + ": not a regular file");
  usize size = static_cast<usize>(st.st_size);
  if (size == 0) return MappedFile(nullptr, 0);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED)
    return Error(path + ": cannot map: " + std::strerror(errno), ErrorKind::kSystem);
  return MappedFile(static_cast<const u8*>(data), size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<u8*>(data_), size_);
}

}  // namespace geist

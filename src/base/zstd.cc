// libzstd in streaming form, both ways. Level 1 with a worker thread: a heap is written while a
// process waits for its copy to go, and what is gained by a higher level is small, as most of a
// heap is pointers and zeros.
#include "base/zstd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>
#include <vector>

#include "base/system_error.h"

namespace geist {
namespace {

constexpr int kLevel = 1;
constexpr int kWorkers = 2;  // one compresses while another is filled; without them (a library
                             // built so) the setting is refused, and all is done in this thread
constexpr usize kFirstCapacity = usize{16} << 20;

Error file_error(const std::string& path) {
  return system_error(path);
}

}  // namespace

struct ZstdWriter::Stream {
  std::unique_ptr<ZSTD_CCtx, usize (*)(ZSTD_CCtx*)> context{ZSTD_createCCtx(), ZSTD_freeCCtx};
  std::vector<u8> out = std::vector<u8>(ZSTD_CStreamOutSize());
};

ZstdWriter::ZstdWriter(std::string path, std::unique_ptr<Stream> stream)
    : path_(std::move(path)), stream_(std::move(stream)) {}

Result<ZstdWriter> ZstdWriter::create(const std::string& path) {
  ZstdWriter writer(path, std::make_unique<Stream>());
  ZSTD_CCtx* context = writer.stream_->context.get();
  GEIST_CHECK(context != nullptr);
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, kWorkers);
  // A heap holds whatever the process knows: nobody else is to read it.
  writer.file_ =
      Fd(::open((path + ".part").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!writer.file_.valid()) return file_error(path + ".part");
  return writer;
}

ZstdWriter::ZstdWriter(ZstdWriter&&) noexcept = default;

ZstdWriter::~ZstdWriter() {
  if (file_.valid()) ::unlink((path_ + ".part").c_str());
}

Status ZstdWriter::write(ByteView bytes, int mode) {
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  for (;;) {
    ZSTD_outBuffer out{stream_->out.data(), stream_->out.size(), 0};
    usize left = ZSTD_compressStream2(stream_->context.get(), &out, &in,
                                      static_cast<ZSTD_EndDirective>(mode));
    if (ZSTD_isError(left))
      return Error(path_ + ": zstd: " + ZSTD_getErrorName(left), ErrorKind::kSystem);
    for (usize done = 0; done < out.pos;) {
      ssize_t got = ::write(file_.get(), stream_->out.data() + done, out.pos - done);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return file_error(path_ + ".part");
      done += static_cast<usize>(got);
    }
    bool is_done = mode == ZSTD_e_end ? left == 0 : in.pos == in.size;
    if (is_done) return Done{};
  }
}

void ZstdWriter::promise(u64 total_bytes) {
  ZSTD_CCtx_setPledgedSrcSize(stream_->context.get(), total_bytes);
}

Status ZstdWriter::append(ByteView bytes) {
  return bytes.empty() ? Status(Done{}) : write(bytes, ZSTD_e_continue);
}

Status ZstdWriter::finish() {
  GEIST_TRY_STATUS(write({}, ZSTD_e_end));
  if (::rename((path_ + ".part").c_str(), path_.c_str()) != 0) return file_error(path_);
  file_ = Fd();
  return Done{};
}

LoadedBytes::LoadedBytes(LoadedBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

LoadedBytes& LoadedBytes::operator=(LoadedBytes&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
  return *this;
}

LoadedBytes::~LoadedBytes() {
  if (data_ != nullptr) ::munmap(data_, capacity_);
}

// Pages are taken when they are written to, so room costs nothing.
std::span<u8> LoadedBytes::reserve(usize most) {
  if (capacity_ - size_ < most) {
    usize wanted = std::max({kFirstCapacity, capacity_ * 2, size_ + most});
    void* grown = data_ == nullptr ? ::mmap(nullptr, wanted, PROT_READ | PROT_WRITE,
                                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                                   : ::mremap(data_, capacity_, wanted, MREMAP_MAYMOVE);
    if (grown == MAP_FAILED) return {};
    data_ = static_cast<u8*>(grown);
    capacity_ = wanted;
  }
  return {data_ + size_, capacity_ - size_};
}

u64 available_memory() {
  std::ifstream in("/proc/meminfo");
  std::string key;
  u64 kib = 0;
  while (in >> key >> kib) {
    if (key == "MemAvailable:") return kib * 1024;
    in.ignore(256, '\n');
  }
  return ~u64{0};
}

bool is_zstd(ByteView bytes) {
  return find_int<u32>(bytes, 0) == ZSTD_MAGICNUMBER;
}

Result<LoadedBytes> read_zstd(ByteView bytes, const std::string& name, u64 most) {
  std::unique_ptr<ZSTD_DCtx, usize (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  GEIST_CHECK(context != nullptr);
  LoadedBytes loaded;
  const u64 limit = std::min(most, available_memory());
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  for (usize left = 1; left != 0 || in.pos < in.size;) {
    std::span<u8> room = loaded.reserve(ZSTD_DStreamOutSize());
    if (room.empty() || loaded.bytes().size() >= limit) {
      return Error(
          name + ": does not fit into the memory that is free, or is larger than it may be",
          ErrorKind::kSystem);
    }
    ZSTD_outBuffer out{room.data(), std::min(room.size(), ZSTD_DStreamOutSize()), 0};
    usize before = in.pos;
    left = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(left)) {
      return Error(name + ": damaged: zstd says: " + ZSTD_getErrorName(left));
    }
    loaded.take(out.pos);
    bool stands_still = out.pos == 0 && in.pos == before;
    if (left != 0 && in.pos == in.size && (stands_still || out.pos < out.size)) {
      return Error(name + ": truncated: the compressed data ends early");
    }
  }
  return loaded;
}

}  // namespace geist

// gzip by libdeflate, which wants room for all that comes out: the last four bytes say how much that
// is, or lie. zstd by base/zstd.h, which grows as it goes.
#include <libdeflate.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/check.h"
#include "profile/profile.h"

namespace geist::profile {
namespace {

constexpr usize kLeastRoom = usize{1} << 16;
// RFC 1951: a match of 258 bytes costs two bits at least.
constexpr u64 kMostRatio = 1032;

bool is_gzip(ByteView bytes) {
  return bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

Error too_large(const std::string& name) {
  return Error(name + ": is larger than " + std::to_string(kMostUnpacked >> 30) +
                   " GiB unpacked, or than the memory that is free",
               ErrorKind::kSystem);
}

// How much room to begin with. The size at the end of the file is that of its last member, modulo 2^32.
u64 first_guess(ByteView bytes) {
  u64 promised = find_int<u32>(bytes, bytes.size() - 4).value_or(0);
  return std::clamp<u64>(promised, kLeastRoom, bytes.size() * kMostRatio + kLeastRoom);
}

Result<LoadedBytes> unpack_gzip(ByteView bytes, const std::string& name) {
  std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> unpacker(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  GEIST_CHECK(unpacker != nullptr);
  LoadedBytes out;
  const u64 limit = std::min(kMostUnpacked, available_memory());
  u64 room_wanted = first_guess(bytes);
  while (!bytes.empty()) {  // members: Go writes one, `cat a.gz b.gz` makes two
    const u64 used = out.bytes().size();
    if (used + room_wanted > limit) room_wanted = limit - used;
    std::span<u8> room = out.reserve(room_wanted);
    if (room.empty()) return too_large(name);
    room = room.first(std::min<u64>(room.size(), limit - used));
    usize taken = 0, made = 0;
    libdeflate_result result = libdeflate_gzip_decompress_ex(
        unpacker.get(), bytes.data(), bytes.size(), room.data(), room.size(), &taken, &made);
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
      if (used + room.size() >= limit) return too_large(name);
      room_wanted = room.size() * 2;
      continue;
    }
    if (result != LIBDEFLATE_SUCCESS)
      return Error(name + ": truncated or damaged: it begins as gzip and does not end as such");
    out.take(made);
    bytes = bytes.subspan(taken);
  }
  return out;
}

}  // namespace

bool is_packed(ByteView bytes) {
  return is_gzip(bytes) || is_zstd(bytes);
}

Result<LoadedBytes> unpack(ByteView bytes, const std::string& name) {
  if (is_gzip(bytes)) return unpack_gzip(bytes, name);
  if (is_zstd(bytes)) return read_zstd(bytes, name, kMostUnpacked);
  return to_loaded({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, name);
}

Result<LoadedBytes> to_loaded(std::string_view bytes, const std::string& name) {
  LoadedBytes out;
  if (bytes.size() > kMostUnpacked) return too_large(name);
  if (bytes.empty()) return out;
  std::span<u8> room = out.reserve(bytes.size());
  if (room.empty()) return too_large(name);
  std::memcpy(room.data(), bytes.data(), bytes.size());
  out.take(bytes.size());
  return out;
}

}  // namespace geist::profile

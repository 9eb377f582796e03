// Files of the cache: named by a hash of the program, sealed with a checksum, written whole,
// evicted by age. See the header for what is in them and what may be relied on.
//
// The checksum finds damage, not malice: a file of somebody else is not even opened for its content
// (is_ours_alone), and what a forged one could make of the program is bounded by read_site_table()
// and by the patch plan, which holds each branch against the code.
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "base/fd.h"
#include "base/own_build.h"
#include "sites/cache.h"
#include "sites/table_bytes.h"

namespace geist::sites {
namespace {

constexpr u64 kMagic = 0x3173657469737467;  // "gtsites1"
constexpr std::string_view kPrefix = "sites-";
constexpr u64 kMaxFileBytes = kMaxCacheBytes / 2;
constexpr usize kKeyBytes = 16, kBuildIdBytes = 20, kHashBytes = 16;
constexpr usize kHeaderBytes = 8 + kBuildIdBytes + kKeyBytes + 8;
using Key = std::array<u8, kKeyBytes>;

std::array<u8, kHashBytes> canonical(XXH128_hash_t hash) {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, hash);
  std::array<u8, kHashBytes> out;
  std::memcpy(out.data(), bytes.digest, sizeof bytes.digest);
  return out;
}

// Everything the search looks at lies in a loaded segment.
Key key_of(const read::GoBinary& binary) {
  XXH3_state_t* state = XXH3_createState();
  GEIST_CHECK(state != nullptr);
  XXH3_128bits_reset(state);
  const u64 minor = static_cast<u64>(binary.layout().minor);
  XXH3_128bits_update(state, &minor, sizeof minor);
  for (const read::Segment& segment : binary.image().segments()) {
    if (segment.type != PT_LOAD) continue;
    const u64 place[] = {segment.vaddr.value, segment.file_size, segment.flags};
    XXH3_128bits_update(state, place, sizeof place);
    std::optional<ByteView> bytes =
        find_part(binary.image().file_bytes(), segment.offset, segment.file_size);
    if (bytes) XXH3_128bits_update(state, bytes->data(), bytes->size());
  }
  Key key = canonical(XXH3_128bits_digest(state));
  XXH3_freeState(state);
  return key;
}

std::array<u8, kBuildIdBytes> padded_build_id() {
  std::array<u8, kBuildIdBytes> out{};
  ByteView id = own_build_id();
  std::copy_n(id.begin(), std::min(id.size(), out.size()), out.begin());
  return out;
}

template <typename Bytes>
void append(std::vector<u8>& to, const Bytes& bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void append_u64(std::vector<u8>& to, u64 value) {
  for (int shift = 0; shift < 64; shift += 8) to.push_back(static_cast<u8>(value >> shift));
}

std::vector<u8> header_of(const Key& key, u64 payload_bytes) {
  std::vector<u8> out;
  append_u64(out, kMagic);
  append(out, padded_build_id());
  append(out, key);
  append_u64(out, payload_bytes);
  return out;
}

std::vector<u8> seal(const Key& key, const std::vector<u8>& payload) {
  std::vector<u8> out = header_of(key, payload.size());
  append(out, payload);
  append(out, canonical(XXH3_128bits(out.data(), out.size())));
  return out;
}

// The payload, or nothing when a single byte is not as seal() wrote it.
std::optional<ByteView> unseal(ByteView file, const Key& key) {
  if (file.size() < kHeaderBytes + kHashBytes) return std::nullopt;
  u64 payload_bytes = file.size() - kHeaderBytes - kHashBytes;
  std::vector<u8> header = header_of(key, payload_bytes);
  ByteView sealed = file.first(kHeaderBytes + payload_bytes);
  bool is_ours = std::equal(header.begin(), header.end(), file.begin());
  if (!is_ours || !std::ranges::equal(canonical(XXH3_128bits(sealed.data(), sealed.size())),
                                      file.last(kHashBytes))) {
    return std::nullopt;
  }
  return sealed.subspan(kHeaderBytes);
}

bool is_ours_alone(const struct stat& st) {
  return S_ISREG(st.st_mode) && st.st_uid == ::geteuid() && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// The file as it is now, copied: one that somebody shortens while it is mapped would end us.
std::optional<std::vector<u8>> find_file(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat st {};
  if (!fd.valid() || ::fstat(fd.get(), &st) != 0 || !is_ours_alone(st)) return std::nullopt;
  if (st.st_size <= 0 || static_cast<u64>(st.st_size) > kMaxFileBytes) return std::nullopt;
  std::vector<u8> bytes(static_cast<usize>(st.st_size));
  usize have = 0;
  while (have < bytes.size()) {
    ssize_t got = ::read(fd.get(), bytes.data() + have, bytes.size() - have);
    if (got <= 0) return std::nullopt;
    have += static_cast<usize>(got);
  }
  ::futimens(fd.get(), nullptr);  // used just now; when that fails it is only removed earlier
  return bytes;
}

bool make_folder(const std::string& path) {
  for (usize slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    if (::mkdir(path.substr(0, slash).c_str(), 0700) != 0 && errno != EEXIST) return false;
    if (slash == std::string::npos) return true;
  }
}

bool write_file(const std::string& path, const std::vector<u8>& bytes) {
  std::string temporary = fmt::format("{}.{}", path, ::getpid());
  Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return false;
  ssize_t put = ::write(fd.get(), bytes.data(), bytes.size());
  bool is_whole =
      put == static_cast<ssize_t>(bytes.size()) && ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!is_whole) ::unlink(temporary.c_str());
  return is_whole;
}

void evict(const std::string& folder) {
  DIR* dir = ::opendir(folder.c_str());
  if (dir == nullptr) return;
  std::vector<CacheFile> files;
  while (const dirent* entry = ::readdir(dir)) {
    struct stat st {};
    std::string name = entry->d_name;
    if (!name.starts_with(kPrefix) ||
        ::fstatat(::dirfd(dir), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    if (!S_ISREG(st.st_mode)) continue;
    files.push_back({name, static_cast<u64>(st.st_size),
                     i64{st.st_mtim.tv_sec} * 1000000000 + st.st_mtim.tv_nsec});
  }
  for (const std::string& name : choose_evicted(std::move(files), kMaxCacheBytes))
    ::unlinkat(::dirfd(dir), name.c_str(), 0);
  ::closedir(dir);
}

}  // namespace

std::vector<std::string> choose_evicted(std::vector<CacheFile> files, u64 limit) {
  std::ranges::sort(files, std::greater<>(), &CacheFile::used_ns);
  std::vector<std::string> evicted;
  u64 sum = 0;
  for (const CacheFile& file : files) {
    sum += file.size_bytes;
    if (sum > limit) evicted.push_back(file.name);
  }
  return evicted;
}

std::string SiteCache::default_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && cache[0] == '/') return std::string(cache) + "/geist";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return std::string(home) + "/.cache/geist";
  return {};
}

std::optional<std::string> SiteCache::find_problem(const std::string& folder) {
  if (folder.empty()) return "neither XDG_CACHE_HOME nor HOME names a folder";
  if (!make_folder(folder) || ::access(folder.c_str(), W_OK | X_OK) != 0)
    return folder + ": " + std::strerror(errno);
  return std::nullopt;
}

SiteTable SiteCache::find_or_search(const read::GoBinary& binary, unsigned threads) {
  if (folder_.empty() || own_build_id().empty()) return find_append_sites(binary, threads);
  Key key = key_of(binary);
  name_ = std::string(kPrefix);
  for (u8 byte : key) name_ += fmt::format("{:02x}", byte);
  std::optional<std::vector<u8>> file = find_file(folder_ + "/" + name_);
  std::optional<ByteView> payload = file ? unseal(*file, key) : std::nullopt;
  std::optional<SiteTable> kept = payload ? read_site_table(binary, *payload) : std::nullopt;
  if (kept) {
    was_hit_ = true;
    return std::move(*kept);
  }
  SiteTable found = find_append_sites(binary, threads);
  unsaved_ = seal(key, emit_site_table(binary, found));
  return found;
}

void SiteCache::save() {
  if (unsaved_.empty() || unsaved_.size() > kMaxFileBytes) return;
  if (make_folder(folder_) && write_file(folder_ + "/" + name_, unsaved_)) evict(folder_);
  unsaved_.clear();
}

}  // namespace geist::sites

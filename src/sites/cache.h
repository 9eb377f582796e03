// The sites of programs seen before, one file each in the user's cache folder, so that the next run
// need not search.
//
//   FOLDER/sites-KEY    magic │ build id of geist │ KEY │ size │ site_table_bytes.h │ checksum
//                                                                              of all before it
//
// KEY is a hash of every byte of the program that is loaded, and of the release it is read as: the
// same key means the same code and tables, whatever the file's name, time or build id say. A file
// that is not ours alone, is damaged, or was written by another build of geist counts as absent.
// Files appear whole (rename) and are removed, those that were not used for longest first, when all
// together exceed a limit. Whatever fails here costs time, never a run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sites/append_sites.h"

namespace geist::sites {

class SiteCache {
 public:
  // An empty folder: no cache.
  explicit SiteCache(std::string folder) : folder_(std::move(folder)) {}

  // The kept table of this program, else the result of find_append_sites, which save() then keeps.
  SiteTable find_or_search(const read::GoBinary& binary, unsigned threads);
  // Writes what the search has found, if there is anything new. Apart from finding, so that no
  // program waits for it.
  void save();

  // Did the last find_or_search find a kept table?
  bool was_hit() const { return was_hit_; }

  // $XDG_CACHE_HOME/geist, else ~/.cache/geist; empty when neither is known.
  static std::string default_folder();
  // Makes the folder when it is missing, and tries to write; the reason when that does not work.
  static std::optional<std::string> find_problem(const std::string& folder);

 private:
  std::string folder_, name_;
  std::vector<u8> unsaved_;
  bool was_hit_ = false;
};

// The largest sum of sizes of a cache folder.
inline constexpr u64 kMaxCacheBytes = u64{64} << 20;

// The names of the files to remove, so that no more than `limit` bytes remain: oldest first.
struct CacheFile {
  std::string name;
  u64 size_bytes = 0;
  i64 used_ns = 0;  // when it was written or read last
};
std::vector<std::string> choose_evicted(std::vector<CacheFile> files, u64 limit);

}  // namespace geist::sites

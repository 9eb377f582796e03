#include "run/find_sites.h"

#include <thread>

#include "sites/plain_appends.h"

namespace geist::run {
namespace {

void ask_source(sites::SiteTable& table, const read::GoBinary& binary) {
  if (table.plain.empty()) return;
  source::SourceCache sources(
      {.go_release = binary.build_info().release.text, .binary_path = binary.image().path()});
  sites::keep_told_appends(table, binary, sources);
}

}  // namespace

sites::SiteTable find_sites(sites::SiteCache& cache, const read::GoBinary& binary) {
  sites::SiteTable table = cache.find_or_search(binary, std::thread::hardware_concurrency());
  ask_source(table, binary);
  return table;
}

sites::SiteTable find_sites(const read::GoBinary& binary) {
  sites::SiteTable table = sites::find_append_sites(binary, std::thread::hardware_concurrency());
  ask_source(table, binary);
  return table;
}

}  // namespace geist::run

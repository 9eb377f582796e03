// The append sites of a program, as every command that watches it takes them.
#pragma once

#include "sites/cache.h"

namespace geist::run {

// What the code shows (the kept table, where there is one), without the stores that the source says
// are no appends or cannot be asked about (sites/plain_appends.h).
sites::SiteTable find_sites(sites::SiteCache& cache, const read::GoBinary& binary);
// The same for a program that nothing is kept of.
sites::SiteTable find_sites(const read::GoBinary& binary);

}  // namespace geist::run

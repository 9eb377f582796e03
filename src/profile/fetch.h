// Profiles of a running server, http://host:port/debug/pprof/heap.
//
// libcurl is loaded when it is needed and not before: it brings twenty libraries, and every start of geist
// would wait for them.
#pragma once

#include <string>

#include "base/result.h"
#include "base/zstd.h"

namespace geist::profile {

// Whether a word names a server: http:// or https://, or host:port/… where no such file is.
bool is_url(const std::string& word);
// As pprof completes it: a scheme, and the CPU profile where there is no path.
std::string complete_url(const std::string& word);

// What the server answers, as it came. `timeout_s` is for all of it. Fails: no libcurl, no answer in
// time, an answer other than 200, too much.
Result<LoadedBytes> fetch_url(const std::string& url, u64 timeout_s);

}  // namespace geist::profile

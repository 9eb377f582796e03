// Which process of this machine serves a port: the way from the address of a profile to its process.
#pragma once

#include <string>

#include "base/ints.h"
#include "base/result.h"

namespace geist::run {

// Of "http://127.0.0.1:6060/debug/pprof/": the process that listens on port 6060, as an id. Fails
// when the host is not this machine by name, when nobody listens there, or when it cannot be seen
// who does.
Result<std::string> find_listener(const std::string& url);

}  // namespace geist::run

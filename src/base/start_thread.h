// std::thread for a system that may have no more of them (ulimit -u, a container's pids limit):
// what the library throws then is an empty result here.
#pragma once

#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace geist {

template <typename Body>
std::optional<std::thread> start_thread(Body&& body) {
  try {
    return std::thread(std::forward<Body>(body));
  } catch (const std::system_error&) {
    return std::nullopt;
  }
}

}  // namespace geist

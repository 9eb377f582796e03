// Work that falls into parts, done by several threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "base/ints.h"
#include "base/start_thread.h"

namespace geist {

// Calls part(0) to part(count - 1), each once and in no order, on up to `threads` threads, ours
// among them: where the system has no more, on fewer. Returns when all are done. A part throws
// nothing.
template <typename Part>
void for_each_part(usize count, unsigned threads, const Part& part) {
  std::atomic<usize> next{0};
  auto work = [&] {
    for (usize i = next.fetch_add(1); i < count; i = next.fetch_add(1)) part(i);
  };
  std::vector<std::thread> helpers;
  const usize wanted = std::min<usize>(threads, count);
  while (helpers.size() + 1 < wanted) {
    std::optional<std::thread> helper = start_thread(work);
    if (!helper) break;
    helpers.push_back(std::move(*helper));
  }
  work();
  for (std::thread& helper : helpers) helper.join();
}

}  // namespace geist

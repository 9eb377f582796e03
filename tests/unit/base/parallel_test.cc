#include "base/parallel.h"

#include <gtest/gtest.h>

namespace geist {
namespace {

TEST(ForEachPart, EachOnceOnAnyNumberOfThreads) {
  for (unsigned threads : {0u, 1u, 2u, 7u}) {
    for (usize count : {0u, 1u, 3u, 1000u}) {
      std::vector<std::atomic<int>> calls(count);
      for_each_part(count, threads, [&](usize part) { ++calls[part]; });
      for (const std::atomic<int>& times : calls) EXPECT_EQ(times, 1);
    }
  }
}

}  // namespace
}  // namespace geist

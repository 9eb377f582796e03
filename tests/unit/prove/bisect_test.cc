// The search asks few questions, and what it returns was itself asked for and right.
#include "prove/bisect.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace geist::prove {
namespace {

struct Search {
  explicit Search(std::set<usize> wanted) : needed(std::move(wanted)) {}

  std::set<usize> needed;
  usize questions = 0;
  std::vector<usize> last_right;

  std::vector<usize> run(usize count) {
    auto found = find_smallest_set(count, [&](const std::vector<usize>& chosen) -> Result<bool> {
      ++questions;
      std::set<usize> have(chosen.begin(), chosen.end());
      bool right = std::includes(have.begin(), have.end(), needed.begin(), needed.end());
      if (right) last_right = chosen;
      return right;
    });
    std::vector<usize> set = found.ok() ? found.value() : std::vector<usize>{};
    std::sort(set.begin(), set.end());
    return set;
  }
};

usize log2_up(usize n) {
  usize bits = 0;
  while ((usize{1} << bits) < n) ++bits;
  return bits;
}

TEST(Bisect, FindsOneCulpritAnywhere) {
  for (usize count : {1, 2, 3, 7, 64, 100}) {
    for (usize culprit = 0; culprit < count; ++culprit) {
      Search search({culprit});
      EXPECT_EQ(search.run(count), std::vector<usize>{culprit});
      EXPECT_LE(search.questions, log2_up(count) + 1);
      EXPECT_EQ(search.last_right.size(), count > 1 ? 1u : 0u);
    }
  }
}

TEST(Bisect, FindsSetsThatWorkOnlyTogether) {
  for (std::set<usize> needed : {std::set<usize>{0, 1}, {3, 40}, {0, 31, 63}, {62, 63}}) {
    Search search(needed);
    EXPECT_EQ(search.run(64), std::vector<usize>(needed.begin(), needed.end()));
    EXPECT_LE(search.questions, needed.size() * (log2_up(64) + 1));
  }
}

TEST(Bisect, AFailedRunIsNoAnswer) {
  auto found = find_smallest_set(
      8, [](const std::vector<usize>&) -> Result<bool> { return Error("no such file"); });
  EXPECT_FALSE(found.ok());
}

}  // namespace
}  // namespace geist::prove

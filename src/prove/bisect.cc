#include "prove/bisect.h"

namespace geist::prove {

Result<std::vector<usize>> find_smallest_set(
    usize count, const std::function<Result<bool>(const std::vector<usize>&)>& is_right) {
  std::vector<usize> needed;
  usize end = count;  // needed and everything in [0, end) together are right
  while (end > 0) {
    // The smallest prefix that still is: its last member is needed as well.
    usize low = 0;  // needed and [0, low) are not right
    while (end - low > 1) {
      usize middle = low + (end - low) / 2;
      std::vector<usize> tried = needed;
      for (usize i = 0; i < middle; ++i) tried.push_back(i);
      GEIST_TRY(right, is_right(tried));
      (right ? end : low) = middle;
    }
    --end;
    needed.push_back(end);
    if (end == 0) break;
    GEIST_TRY(enough, is_right(needed));
    if (enough) break;
  }
  return needed;
}

}  // namespace geist::prove

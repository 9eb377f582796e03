// The process that cleans up after a killed geist: it holds on to nothing that it was not given.
#include "process/child_collector.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "process/process_info.h"

namespace geist::process {
namespace {

// A descriptor that it had kept would keep a watch in the debug registers, or a pipe open that
// somebody waits to end.
TEST(ChildCollector, HoldsNoDescriptorOfOurs) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  Fd reader(ends[0]), writer(ends[1]);
  auto collector = ChildCollector::start(::getpid(), {});
  ASSERT_TRUE(collector.ok()) << collector.error().message();
  EXPECT_EQ(children_of(::getpid()).size(), 1u);
  writer.reset();
  pollfd end{reader.get(), POLLIN, 0};
  constexpr int kPatienceMs = 5000;
  EXPECT_EQ(::poll(&end, 1, kPatienceMs), 1);
  char byte = 0;
  EXPECT_EQ(::read(reader.get(), &byte, 1), 0);
}

}  // namespace
}  // namespace geist::process

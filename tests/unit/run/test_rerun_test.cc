#include "run/test_rerun.h"

#include <gtest/gtest.h>

namespace geist::run {
namespace {

using Words = std::vector<std::string>;

TEST(TestRerun, OneTestIsNamedExactly) {
  Words command{"/tmp/a.test", "-test.paniconexit0", "-test.timeout=10m0s", "-test.run=Sib",
                "-test.bench=."};
  EXPECT_EQ(make_rerun_command(command, "TestSiblings/two_of_(one)"),
            (Words{"/tmp/a.test", "-test.v=true", R"(-test.run=^TestSiblings$/^two_of_\(one\)$)",
                   "-test.paniconexit0", "-test.timeout=10m0s"}));
}

TEST(TestRerun, WithoutATestTheUsersChoiceHolds) {
  Words command{"/tmp/a.test", "-test.run=Sib", "-test.bench=."};
  EXPECT_EQ(make_rerun_command(command, ""),
            (Words{"/tmp/a.test", "-test.v=true", "-test.run=Sib", "-test.bench=."}));
}

// The user's profile is that of the user's run, and not of one of ours.
TEST(TestRerun, LeavesNoFilesBehind) {
  Words command{"/tmp/a.test",
                "-test.testlogfile=/tmp/b001/testlog.txt",
                "-test.coverprofile=/home/u/c.out",
                "-test.cpuprofile=cpu",
                "--test.trace=t",
                "-test.v=test2json",
                "-test.count=20",
                "-test.fuzz=FuzzX",
                "-test.short=true"};
  EXPECT_EQ(make_rerun_command(command, ""),
            (Words{"/tmp/a.test", "-test.v=true", "-test.short=true"}));
}

TEST(TestRerun, WordsBehindArgsAreTheTests) {
  Words command{"/tmp/a.test", "-test.v=true", "-level=deep", "-test.run=mine", "rest"};
  EXPECT_EQ(make_rerun_command(command, "TestA"),
            (Words{"/tmp/a.test", "-test.v=true", "-test.run=^TestA$", "-level=deep",
                   "-test.run=mine", "rest"}));
}

}  // namespace
}  // namespace geist::run

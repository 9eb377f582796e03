// What go is asked for, from what the user asked geist for.
#include "run/go_test_arguments.h"

#include <gtest/gtest.h>

namespace geist::run {
namespace {

using Words = std::vector<std::string>;

Words arguments(const Words& words, const std::string& goflags = "",
                const Words& exec = {"geist", "run"}) {
  Result<GoTestCommand> command = make_go_test_command(words, goflags, exec);
  return command.ok() ? command->arguments : Words{command.error().message()};
}

TEST(GoTestArguments, PutsGeistInFrontAndKeepsTheRest) {
  EXPECT_EQ(
      arguments({"-v", "./...", "-args", "-race"}),
      (Words{"test", "-exec=geist run", "-ldflags=-s=0 -w=0", "-v", "./...", "-args", "-race"}));
}

TEST(GoTestArguments, QuotesTheCommandAsGoReadsIt) {
  EXPECT_EQ(arguments({}, "", {"/a b/geist", "run"})[1], "-exec='/a b/geist' run");
  EXPECT_EQ(arguments({}, "", {"/it's/geist"})[1], "-exec=\"/it's/geist\"");
  EXPECT_FALSE(make_go_test_command({}, "", {"/it's \"x\"/geist"}).ok());
}

TEST(GoTestArguments, LinkerFlagsOfTheUserWin) {
  EXPECT_EQ(arguments({"-ldflags=-X main.a=b", "."}),
            (Words{"test", "-exec=geist run", "-ldflags=-s=0 -w=0 -X main.a=b", "."}));
  EXPECT_EQ(arguments({"--ldflags", "-s", "."}),
            (Words{"test", "-exec=geist run", "--ldflags", "-s=0 -w=0 -s", "."}));
  // A pattern is left alone, ours hold for the other packages.
  EXPECT_EQ(arguments({"-ldflags=main=-s"}),
            (Words{"test", "-exec=geist run", "-ldflags=-s=0 -w=0", "-ldflags=main=-s"}));
  // A flag on the command line would replace that of GOFLAGS.
  EXPECT_EQ(arguments({"."}, "-mod=mod -ldflags=-s"), (Words{"test", "-exec=geist run", "."}));
}

TEST(GoTestArguments, ChangeOfFolderStaysFirst) {
  EXPECT_EQ(arguments({"-C", "d", "-v"}),
            (Words{"test", "-C", "d", "-exec=geist run", "-ldflags=-s=0 -w=0", "-v"}));
  EXPECT_EQ(arguments({"-C=d", "-v"}),
            (Words{"test", "-C=d", "-exec=geist run", "-ldflags=-s=0 -w=0", "-v"}));
}

TEST(GoTestArguments, RefusesWhatCannotBeWatched) {
  for (const char* flag : {"-race", "--race", "-race=true", "-msan", "-asan"}) {
    EXPECT_FALSE(make_go_test_command({flag, "."}, "", {"geist"}).ok()) << flag;
    EXPECT_FALSE(make_go_test_command({"."}, flag, {"geist"}).ok()) << flag;
  }
  EXPECT_FALSE(make_go_test_command({"-exec", "x"}, "", {"geist"}).ok());
  EXPECT_TRUE(make_go_test_command({"-race=false"}, "", {"geist"}).ok());
}

TEST(GoTestArguments, BuildingOnlyRunsNothing) {
  Result<GoTestCommand> command = make_go_test_command({"-c", "."}, "", {"geist"});
  ASSERT_TRUE(command.ok());
  EXPECT_TRUE(command->runs_nothing);
  EXPECT_EQ(command->arguments, (Words{"test", "-ldflags=-s=0 -w=0", "-c", "."}));
}

}  // namespace
}  // namespace geist::run

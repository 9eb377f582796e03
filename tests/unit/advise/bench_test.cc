// What go test -bench prints, also when somebody else printed it.
#include "advise/bench.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace geist::advise {
namespace {

TEST(Bench, ReadsLines) {
  auto lines = read_bench_output(
      "goos: linux\n"
      "Benchmark0_clip-2   \t  250000\t        71.25 ns/op\t         3.000 room\t     128 B/op\t   "
      "    1 allocs/op\n"
      "Benchmark0_pool \t 1 \t 9 ns/op\nPASS\n");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].name, "Benchmark0_clip");
  EXPECT_EQ(lines[0].iterations, 250000u);
  EXPECT_DOUBLE_EQ(lines[0].values["ns/op"], 71.25);
  EXPECT_DOUBLE_EQ(lines[0].values["room"], 3);
  EXPECT_DOUBLE_EQ(lines[0].values["B/op"], 128);
  EXPECT_EQ(lines[1].name, "Benchmark0_pool");
}

TEST(Bench, PassesOverWhatIsNone) {
  for (const char* line :
       {"Benchmark", "BenchmarkX 1", "BenchmarkX 0 5 ns/op", "BenchmarkX -1 5 ns/op",
        "BenchmarkX 1 nan ns/op", "BenchmarkX 1 inf ns/op", "BenchmarkX 1 1e999 ns/op",
        "BenchmarkX 1 -3 ns/op", "BenchmarkX 1 5 B/op", "BenchmarkX 1 5 ns/op 7",
        "BenchmarkX 99999999999999999999 5 ns/op", "Xenchmark 1 5 ns/op",
        "BenchmarkX 1 0x5 ns/op"}) {
    EXPECT_TRUE(read_bench_output(line).empty()) << line;
  }
  std::string many;
  for (int i = 0; i < 20000; ++i) many += "BenchmarkX 1 5 ns/op\n";
  EXPECT_EQ(read_bench_output(many).size(), 10000u);
}

TEST(Bench, TakesTheMedian) {
  std::vector<std::vector<BenchLine>> rounds;
  for (double ns : {30.0, 10.0, 900.0})
    rounds.push_back({{"BenchmarkX", 1, {{"ns/op", ns}, {"B/op", 64}, {"room", 2}}}});
  Measured one = take_medians(rounds).at("BenchmarkX");
  EXPECT_DOUBLE_EQ(one.ns, 30);
  EXPECT_DOUBLE_EQ(one.low, 10);
  EXPECT_DOUBLE_EQ(one.high, 900);
  EXPECT_DOUBLE_EQ(one.bytes, 64);
  EXPECT_DOUBLE_EQ(one.others.at("room"), 2);
  EXPECT_EQ(one.rounds, 3u);
}

TEST(Bench, WrapsText) {
  const std::string a(60, 'a');
  const std::string b(60, 'b');
  EXPECT_EQ(wrap_text(fmt::format("{} {} c", a, b), 2), fmt::format("  {}\n  {} c\n", a, b));
  EXPECT_EQ(first_line("# pkg\n./x.go:1: bad\x1b[31m\n"), "./x.go:1: bad\\x1b[31m");
}

}  // namespace
}  // namespace geist::advise

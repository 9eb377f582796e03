// Mixes as they are typed and counted, and what follows from figures.
#include "advise/maps.h"

#include <gtest/gtest.h>

namespace geist::advise {
namespace {

TEST(Maps, ReadsMixes) {
  Mix mix = read_mix("95/5/0").value();
  EXPECT_EQ(mix.reads, 95u);
  EXPECT_EQ(mix.updates, 5u);
  EXPECT_EQ(mix.text(), "95/5/0");
  EXPECT_EQ(read_mix("90/5/3/2")->text(), "90/5/3/2/0");
  EXPECT_EQ(read_mix("9/0/1/1/1")->total(), 12u);
}

TEST(Maps, RefusesWhatIsNoMix) {
  for (const char* text :
       {"", "95", "95/5", "95/5/", "/5/0", "95/5/-1", "a/b/c", "1/2/3/4/5/6", "95/5/0 ",
        "9999999/1/1", "99999999999999999999/1/1", "1.5/1/1", "0x5/1/1"})
    EXPECT_FALSE(read_mix(text).ok()) << text;
  EXPECT_EQ(read_mix("0/0/0").error().message(), "--mix: nothing is done in it");
  EXPECT_NE(read_mix("1/1/1/2").error().message().find("more deletes than inserts"),
            std::string::npos);
  EXPECT_EQ(read_mix("\x1b[31m/1/1").error().message().find('\x1b'), std::string::npos);
}

// Counters of a program are of any size; what happened at all is in the mix.
TEST(Maps, ScalesCounts) {
  Mix mix = scale_mix({.reads = ~u64{0} - 10, .updates = 7, .inserts = 2, .deletes = 9});
  EXPECT_LE(mix.reads, 1000000u);
  EXPECT_GE(mix.reads, 900000u);
  EXPECT_EQ(mix.updates, 1u);
  EXPECT_EQ(mix.deletes, 1u) << "no more than there are inserts";
  EXPECT_EQ(scale_mix({.reads = 3, .updates = 1}).text(), "3/1/0");
  EXPECT_EQ(scale_mix({}).total(), 0u);
}

Measured figure(double ns) {
  Measured one;
  one.ns = one.low = one.high = ns;
  return one;
}

TEST(Maps, TakesTheSimplestOfTheFast) {
  EXPECT_EQ(choose_map({figure(50), figure(49), figure(80), figure(45), figure(48)}),
            MapKind::kMutex);
  EXPECT_EQ(choose_map({figure(500), figure(49), figure(80), figure(45), figure(48)}),
            MapKind::kRwMutex);
  EXPECT_EQ(choose_map({figure(500), figure(490), figure(10), figure(45), figure(48)}),
            MapKind::kSyncMap);
  EXPECT_EQ(choose_map({figure(500), figure(490), figure(100), figure(46), figure(45)}),
            MapKind::kShards);
  MapAdvice advice{
      "go1.26.8", {}, {figure(500), figure(490), figure(10), figure(45), figure(48)}, 1, 1};
  EXPECT_EQ(
      emit_map_sentence(advice),
      "Take sync.Map: 10 ns an operation; map with a Mutex takes 500 ns, 50.0 times as long.");
}

TEST(Maps, WritesOneBenchmarkForEachKind) {
  MapUse use{
      .mix = {90, 4, 3, 2, 1}, .goroutines = 3, .keys = 17, .has_string_keys = false, .source = ""};
  std::string source = emit_map_bench(use);
  for (const char* text :
       {"func Benchmark_mutex(", "func Benchmark_rw_shards(", "makeOps(90, 4, 3, 2, 1)",
        "make([]int, 17)", "g < 3", "func hash(k int) uint32",
        "m.l.RLock(); _, ok := m.m[k]; m.l.RUnlock()"})
    EXPECT_NE(source.find(text), std::string::npos) << text;
  for (const char* word : {"KEY", "STORE", "LOAD", "GOROUTINES", "FIELDS", "RANGE\n", "COUNT"})
    EXPECT_EQ(source.find(word), std::string::npos) << word;
  use.has_string_keys = true;
  EXPECT_NE(emit_map_bench(use).find("map[string]int"), std::string::npos);
}

}  // namespace
}  // namespace geist::advise

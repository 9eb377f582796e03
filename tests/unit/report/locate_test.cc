// The table of appends: what comes first, and why.
#include "report/locate.h"

#include <gtest/gtest.h>

namespace geist::report {
namespace {

findings::Report watched_report() {
  findings::Report report;
  report.target.binary = "shop";
  report.target.module = "example.com/shop";
  report.cost.wall_s = 2;
  findings::Section& section = report.sections["signals"];
  section.columns = {"in_place", "grows", "bytes_copied", "overwrites"};
  section.rows = {
      {"main.load", "/src/load.go", 7, {10, 5, 4096, 0}},
      {"example.com/shop/store.(*Cart).Add", "/src/store/cart.go", 12, {400, 0, 0, 0}},
      {"example.com/shop/store.scratch", "/src/store/scratch.go", 3, {50, 0, 0, 50}},
      {"example.com/shopping.Other", "/mod/other.go", 1, {9, 9, 9, 9}},
      {"strings.(*Builder).WriteString", "/go/src/strings/builder.go", 114, {1, 1, 1, 1}},
  };
  findings::Finding finding;
  finding.level = findings::Level::kConfirmed;
  finding.append_stack = {
      {"example.com/shop/store.(*Cart).Add", "/src/store/cart.go", 12, "", false}};
  finding.before = "\"pear\"";
  finding.after = "\"plum\"";
  finding.victim.name = "main.defaults";
  finding.victim.holder = findings::Holder::kGlobal;
  finding.old_len = 2, finding.cap = 4;
  finding.sharing = 3;
  finding.other_victims = {"main.other"};
  finding.reader_stack = {{"main.show", "/src/main.go", 30, "", false}};
  report.findings.push_back(finding);
  return report;
}

TEST(Locate, TheAppendWithTheStrongestFindingComesFirst) {
  const auto rows = locate(watched_report(), {});
  ASSERT_EQ(rows.size(), 3u);  // other modules and the library have no finding
  EXPECT_EQ(rows[0].function, "example.com/shop/store.(*Cart).Add");
  EXPECT_EQ(rows[0].level, findings::Level::kConfirmed);
  EXPECT_EQ(
      rows[0].reason,
      "len 2 of cap 4: overwrote \"pear\" with \"plum\" in global main.defaults, which main.show "
      "(main.go:30) read afterwards");
  EXPECT_EQ(rows[0].shared_by, 3u);
  EXPECT_EQ(rows[0].changed, 2u);
  EXPECT_EQ(rows[1].function, "example.com/shop/store.scratch") << "it overwrites";
  EXPECT_EQ(rows[2].function, "main.load");
  EXPECT_EQ(rows[2].bytes_copied, 4096u);
}

TEST(Locate, AFindingOutsideOfTheModuleIsShown) {
  findings::Report report = watched_report();
  report.findings[0].append_stack = {
      {"strings.(*Builder).WriteString", "/go/src/strings/builder.go", 114, "", false}};
  const auto rows = locate(report, {});
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].function, "strings.(*Builder).WriteString");
  EXPECT_EQ(rows[0].in_place, 1u);
}

TEST(Locate, ALineOfTheProfileJoinsTheAppendOfThatLine) {
  const auto rows = locate(watched_report(), {{"main.load", "/src/load.go", 7, 1000},
                                              {"main.load", "/src/load.go", 9, 5000},
                                              {"os.Open", "/go/src/os/file.go", 1, 9000}});
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].allocated, std::nullopt);
  EXPECT_EQ(rows[2].place.line, 7);
  EXPECT_EQ(rows[2].allocated, 1000);
  EXPECT_EQ(rows[3].place.line, 9);
  EXPECT_EQ(rows[3].allocated, 5000);
}

TEST(Locate, TheTableSaysRatesAndWhatIsLeftOut) {
  const findings::Report report = watched_report();
  const std::string text = emit_located_text(report, locate(report, {}), 2, {});
  EXPECT_EQ(text, R"(3 appends of shop in 2.0 s, the most suspicious first

  level      overwrites  shared  changed  in place/s   grows/s     copied  append
  confirmed           0       3        2         200       0.0        0 B  store.(*Cart).Add  /src/store/cart.go:12
             len 2 of cap 4: overwrote "pear" with "plum" in global main.defaults, which main.show (main.go:30) read afterwards
  -                  50       -        -        25.0       0.0        0 B  store.scratch  /src/store/scratch.go:3
             finds something in the room that it writes to; nobody was seen to use that
  and 1 more, with --json
)");
}

TEST(Locate, NothingWatchedIsAnEmptyTable) {
  const findings::Report report;
  EXPECT_TRUE(locate(report, {}).empty());
  EXPECT_NE(emit_located_json(report, {}).find("\"appends\": []"), std::string::npos);
}

}  // namespace
}  // namespace geist::report

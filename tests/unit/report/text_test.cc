// Golden texts of the report for people. The first one is the example of the documentation, line by
// line.
#include <gtest/gtest.h>

#include "base/text.h"
#include "example_report.h"
#include "report/report.h"

namespace geist::report {
namespace {

using findings::Level;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void expect_lines_fit(const std::string& text, usize width) {
  usize start = 0;
  while (start < text.size()) {
    usize end = text.find('\n', start);
    std::string line = text.substr(start, end - start);
    EXPECT_LE(display_width(line), width) << line;
    start = end + 1;
  }
}

TEST(Text, ShowsTheExampleOfTheDocumentation) {
  const char* expected =
      R"(==================
GHOST WRITE  confirmed                                                       #1  GB001  seen 1x
append in echo.(*Group).add (group.go:145) overwrote element 3 of a slice that is still in use

  before   main.main.func1.1 {n: "require-admin"}     after   main.main.func1.1 {n: "allow-anyone"}

  overwritten by goroutine 1
      echo.(*Group).add            group.go:145     middleware = append(g.middleware, middleware...)
      echo.(*Group).GET            group.go:41
      main.main                    main.go:28
  the victim: variable middleware of the closure echo.(*Echo).add.func1, len 4 cap 4
      made by  echo.(*Group).add   group.go:145     (the same append, earlier)
  read afterwards by goroutine 1
      echo.(*Echo).add.func1       echo.go:469      h = middleware[i](h)

  backing array 0xc0000b4000, 4 x 8 bytes
      g.middleware   [ 0 ][ 1 ][ 2 ]          len 3 cap 4
      victim         [ 0 ][ 1 ][ 2 ][*3*]     len 4 cap 4
      this append    [ 0 ][ 1 ][ 2 ][*3*]     len 4 cap 4

  fix      append(g.middleware[:len(g.middleware):len(g.middleware)], middleware...)
==================
geist: 1 ghost write (1 confirmed) · 637 of 642 append sites probed, 5 skipped (geist sites ./prog) · waited 4 ms of 1.02 s · +0.4% run time, geist 2.9% of a processor
)";
  EXPECT_EQ(emit_text(example_report(), {}), expected);
}

TEST(Text, OfALatentFindingSaysWhatWouldHappen) {
  findings::Report report;
  findings::Finding& finding = report.findings.emplace_back();
  finding.level = findings::Level::kLatent;
  finding.operand = "main.srv.groups[\"api\"]";
  finding.victim.name = "main.srv.routes[0].chain";
  finding.element_index = 3;
  std::string text = emit_text(report, {});
  EXPECT_TRUE(
      text.contains("an append to main.srv.groups[\"api\"] would overwrite element 3 of "
                    "main.srv.routes[0].chain\n"))
      << text;
  EXPECT_FALSE(text.contains("overwritten by")) << text;
}

TEST(Text, LeavesOutWhatIsNotKnown) {
  findings::Report report;
  findings::Finding finding;
  finding.id = 1;
  finding.level = Level::kLikely;
  finding.append_stack = {make_frame("main.f", "", 0)};
  finding.element_index = 2;
  finding.victim.len = 3;
  report.findings = {finding};
  const char* expected =
      R"(==================
GHOST WRITE  likely                                                          #1  GB001  seen 1x
append in main.f overwrote element 2 of a slice that is still in use

  overwritten
      main.f
  the victim: a slice in the heap, len 3
==================
geist: 1 ghost write (1 likely) · 0 of 0 append sites probed
)";
  EXPECT_EQ(emit_text(report, {}), expected);
}

TEST(Text, BelowConfirmedNoReadIsClaimed) {
  findings::Report report = example_report();
  report.findings[0].level = Level::kLikely;
  EXPECT_FALSE(contains(emit_text(report, {}), "read afterwards"));
  report.findings[0].level = Level::kProved;
  EXPECT_TRUE(contains(emit_text(report, {}), "read afterwards by goroutine 1"));
}

TEST(Text, SuspectSaysThatTheSliceWasInUse) {
  findings::Report report = example_report();
  report.findings[0].level = Level::kSuspect;
  EXPECT_TRUE(contains(emit_text(report, {}), "of a slice that was in use at that moment\n"));
}

TEST(Text, ValuesThatDoNotFitOneLineTakeTwo) {
  findings::Report report = example_report();
  report.findings[0].before = std::string(70, 'a');
  report.findings[0].after = std::string(120, 'b');
  std::string text = emit_text(report, {});
  EXPECT_TRUE(contains(
      text, "  before   " + std::string(70, 'a') + "\n  after    " + std::string(88, 'b') + "…\n"));
}

TEST(Text, LongValuesThatBeginAlikeAreShownWhereTheyDiffer) {
  findings::Report report = example_report();
  const std::string alike(200, 'a');
  report.findings[0].before = alike + ", n: 1}";
  report.findings[0].after = alike + ", n: 2}";
  std::string text = emit_text(report, {});
  EXPECT_TRUE(contains(text, "  before   …" + std::string(19, 'a') + ", n: 1}\n")) << text;
  EXPECT_TRUE(contains(text, "  after    …" + std::string(19, 'a') + ", n: 2}\n")) << text;
}

TEST(Text, ALengthThatIsNotKnownIsNotZero) {
  findings::Report report = example_report();
  report.findings[0].victim.len = report.findings[0].victim.cap = 0;
  EXPECT_TRUE(contains(emit_text(report, {}), "add.func1, length not known\n"));
}

TEST(Text, BytesStandInForValuesOfUnknownType) {
  findings::Report report = example_report();
  report.findings[0].before = "";
  report.findings[0].after = "";
  EXPECT_TRUE(contains(emit_text(report, {}),
                       "  before   0040c80000c00000     after   2040c80000c00000\n"));
}

TEST(Text, LinesFitTheWidthWithLongNamesAndPaths) {
  findings::Report report = example_report();
  report.target.command = {"./p"};
  report.cost = {};
  findings::Finding& finding = report.findings[0];
  finding.append_stack[0] = make_frame("example.com/a/b." + std::string(90, 'f'),
                                       "/x/" + std::string(80, 'd') + "/file.go", 12345,
                                       "x = append(x, " + std::string(100, 'y') + ")");
  finding.victim.name = std::string(150, 'v');
  finding.reader_stack[0].source = std::string(200, 's');
  std::string text = emit_text(report, {});
  text = text.substr(text.find("\n\n"));  // the sentence of the head names the function in full
  expect_lines_fit(text, 100);
  EXPECT_TRUE(contains(text, "/file.go:12345\n          x = append(x, yyy"));
  EXPECT_TRUE(contains(text, "…, len 4 cap 4\n"));
}

TEST(Text, LongStacksAreCut) {
  findings::Report report = example_report();
  auto& stack = report.findings[0].append_stack;
  stack.assign(40, make_frame("main.walk", "/home/u/prog/walk.go", 9));
  std::string text = emit_text(report, {});
  EXPECT_TRUE(contains(text, "      … 29 more\n"));
}

TEST(Text, ColourOnlyWhenAsked) {
  TextOptions options;
  EXPECT_FALSE(contains(emit_text(example_report(), options), "\x1b"));
  options.color = true;
  std::string text = emit_text(example_report(), options);
  EXPECT_TRUE(contains(text, "\x1b[1;31mGHOST WRITE\x1b[0m"));
  EXPECT_TRUE(contains(text, "[ 2 ]\x1b[1;31m[*3*]\x1b[0m     len 4 cap 4"));
}

TEST(Text, NeverSendsControlCharactersOfTheTargetToTheTerminal) {
  findings::Report report = example_report();
  report.findings[0].before = "\x1b]0;owned\x07";
  report.findings[0].victim.name = "a\nb\xff";
  report.findings[0].append_stack[0].source = "x\ty\r";
  std::string text = emit_text(report, {});
  EXPECT_FALSE(contains(text, "\x1b"));
  EXPECT_TRUE(contains(text, "\\x1b]0;owned\\x07"));
  EXPECT_TRUE(contains(text, "the victim: a\\x0ab\\xff, len 4"));
  EXPECT_TRUE(contains(text, "x y\\x0d\n"));
}

TEST(Text, DescribesVictimsByTheirHolder) {
  findings::Report report = example_report();
  findings::Victim& victim = report.findings[0].victim;
  auto expect_line = [&](const std::string& line) {
    EXPECT_TRUE(contains(emit_text(report, {}), "the victim: " + line + ", len 4")) << line;
  };
  victim.holder = findings::Holder::kGlobal;
  victim.name = "main.table";
  expect_line("global main.table");
  victim.holder = findings::Holder::kStack;
  victim.name = "parts";
  victim.function = "example.com/x/split.Split";
  expect_line("variable parts in split.Split");
  victim.name = "";
  victim.type = "[]int";
  expect_line("a []int on the stack of split.Split");
  victim.holder = findings::Holder::kRegister;
  expect_line("a []int in a register of split.Split");
  victim.holder = findings::Holder::kHeap;
  expect_line("a []int in the heap");
  victim.name = "kept in main.main";
  expect_line("variable kept in main.main");
}

TEST(Summary, CountsLevelsAndLosses) {
  findings::Report report = example_report();
  report.findings.push_back(report.findings[0]);
  report.findings[1].level = Level::kLikely;
  report.lost["ring_full"] = 3;
  report.lost["not_watched"] = 1;
  report.suppressed = 2;
  report.cost.parked_s = 0;
  EXPECT_EQ(emit_summary_line(report),
            "geist: 2 ghost writes (1 confirmed, 1 likely) · 637 of 642 append sites probed, 5 "
            "skipped (geist sites ./prog) · 2 suppressed · "
            "lost: 1 not watched, 3 ring full");
}

TEST(Summary, TellsWhatWentWrongFromWhatWasLeftOut) {
  findings::Report report;
  report.lost = {{"thinned_out", 12}, {"damaged_events", 2}, {"of_another_release", 1}};
  const std::string line = emit_summary_line(report);
  EXPECT_NE(line.find("wrong: 2 damaged events · lost: 1 of another release · left out: 12 thinned "
                      "out"),
            std::string::npos)
      << line;
}

TEST(Summary, SaysWhatWatchingCost) {
  findings::Report report;
  report.cost.wall_s = 10;
  report.cost.parked_s = 0.05;
  report.cost.slow_path_s = 0.03;
  report.cost.watch_s = 0.02;
  report.cost.monitor_cpu_s = 0.25;
  EXPECT_TRUE(emit_summary_line(report).ends_with(
      " · waited 50 ms of 10.00 s · +1.0% run time, geist 2.5% of a processor"));
  report.cost.program_cpu_s = 20;  // of several threads
  EXPECT_TRUE(emit_summary_line(report).ends_with("+0.5% run time, geist 2.5% of a processor"));
  report.cost.parked_s = 30;  // beside each other: says nothing
  EXPECT_EQ(emit_summary_line(report).find("run time"), std::string::npos);
  report.cost = {};
  report.cost.wall_s = 0.029;
  report.cost.parked_s = 0.025;
  EXPECT_EQ(emit_summary_line(report).find("run time"), std::string::npos) << "over at once";
}

TEST(Summary, SaysSoWhenNothingWasFound) {
  findings::Report report;
  report.sites.growslice_calls = 10;
  report.sites.probed = 10;
  EXPECT_EQ(emit_summary_line(report), "geist: no ghost writes · 10 of 10 append sites probed");
}

TEST(Text, NotesStandInFrontOfTheSummary) {
  findings::Report report;
  report.notes = {"no hardware watches: perf_event_open: permission denied"};
  report.unused_suppressions = {"site:main.x  # gone"};
  EXPECT_EQ(emit_text(report, {}),
            "geist: note: no hardware watches: perf_event_open: permission denied\n"
            "geist: note: suppression matched nothing: site:main.x  # gone\n"
            "geist: no ghost writes · 0 of 0 append sites probed\n");
}

TEST(Text, SectionsAreTablesOfTheFirstRows) {
  findings::Report report = example_report();
  report.findings.clear();
  findings::Section& section = report.sections["signals"];
  section.columns = {"in_place", "bytes_copied"};
  for (i32 i = 0; i < 12; ++i)
    section.rows.push_back({"example.com/p/q.f\x1b", "/home/u/prog/f.go", 1 + i, {7, 100}});
  section.note = "2 calls are not counted";
  std::string text = emit_text(report, {});
  EXPECT_TRUE(contains(text, R"(geist: signals: in place 84, bytes copied 1200
    in place  bytes copied
           7           100  q.f\x1b (f.go:1)
)")) << text;
  EXPECT_TRUE(contains(text,
                       "(f.go:10)\n  and 2 more places, in the JSON report\n"
                       "  2 calls are not counted\ngeist: no ghost writes"))
      << text;
}

TEST(Text, ARowOfAnObjectSaysWhichAndWhoseGoroutines) {
  findings::Report report = example_report();
  report.findings.clear();
  findings::Section& section = report.sections["mix"];
  section.columns = {"reads", "goroutines"};
  section.rows = {{"main.load",
                   "/home/u/prog/f.go",
                   3,
                   {40, 9},
                   "main.cache",
                   "map[string]int",
                   {{"main.serve", "/home/u/prog/f.go", 44, 8}, {"(main goroutine)", "", 0, 1}}},
                  {"main.tally", "/home/u/prog/f.go", 9, {7, 1}, "", "map[int]bool", {}}};
  EXPECT_TRUE(contains(emit_text(report, {}), R"(geist: mix: reads 47, goroutines 9
    reads  goroutines
       40           9  main.cache, a map[string]int, first used in main.load (f.go:3)
                       goroutines: 8 made in main.serve (f.go:44), 1 (main goroutine)
        7           1  map[int]bool, first used in main.tally (f.go:9)
)")) << emit_text(report, {});
}

}  // namespace
}  // namespace geist::report

// A finding between goroutines, with a stack for each: every format shows both.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "example_report.h"
#include "report/report.h"

namespace geist::report {
namespace {

using nlohmann::json;

findings::Report report_of_two() {
  findings::Report report = example_report();
  findings::Finding finding;
  finding.id = 1;
  finding.rule = "GB010";
  finding.finding_class = "concurrent_map";
  finding.level = findings::Level::kConfirmed;
  finding.fingerprint = "g2:00";
  finding.stacks = {
      {"writes",
       "18",
       {make_frame("main.store", "/home/u/prog/main.go", 11, "cache[k] = i")},
       {make_frame("main.main", "/home/u/prog/main.go", 18, "go func() {")},
       "1"},
      {"ranges over", "19", {make_frame("main.list", "/home/u/prog/main.go", 13)}, {}, ""}};
  finding.append_stack = finding.stacks[0].frames;
  finding.goroutine = "18";
  finding.ended_with = "fatal error: concurrent map iteration and map write";
  finding.victim.name = "main.cache";
  finding.victim.type = "map[string]int";
  finding.victim.address = "0xc000012345";
  report.findings = {finding};
  return report;
}

TEST(Stacks, TheTextHasBothSides) {
  const std::string text = emit_text(report_of_two(), {});
  EXPECT_NE(text.find("CONCURRENT MAP  confirmed"), std::string::npos) << text;
  EXPECT_NE(text.find("main.store (main.go:11) writes main.cache while main.list (main.go:13) "
                      "ranges over it"),
            std::string::npos)
      << text;
  for (const char* line :
       {"  writes: goroutine 18\n", "  ranges over: goroutine 19\n", "(by goroutine 1)",
        "  the map: main.cache, a map[string]int\n",
        "  the program ended with: fatal error: concurrent map iteration and map write\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  EXPECT_EQ(text.find("victim"), std::string::npos) << text;
}

TEST(Stacks, TheSiteIsTheFirstFrameThatIsNotGosOwn) {
  findings::Report report = report_of_two();
  auto& frames = report.findings[0].stacks[1].frames;
  frames.insert(frames.begin(), make_frame("reflect.mapIterStart", "/go/src/reflect/map.go", 184));
  const std::string sentence = emit_sentence(report.findings[0]);
  EXPECT_NE(sentence.find("while main.list (main.go:13) ranges over it"), std::string::npos)
      << sentence;
}

TEST(Stacks, JsonComesBackAsItWas) {
  const std::string text = emit_json(report_of_two());
  const json finding = json::parse(text)["findings"][0];
  ASSERT_EQ(finding["stacks"].size(), 2u);
  EXPECT_EQ(finding["stacks"][0]["role"], "writes");
  EXPECT_EQ(finding["stacks"][0]["made_at"][0]["line"], 18);
  EXPECT_EQ(finding["stacks"][1]["made_by_goroutine"], nullptr);
  EXPECT_EQ(finding["ended_with"], "fatal error: concurrent map iteration and map write");
  Result<findings::Report> back = read_json(text);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(emit_json(back.value()), text);
}

TEST(Stacks, SarifHasAStackAndAStepForEach) {
  const json result = json::parse(emit_sarif(report_of_two()))["runs"][0]["results"][0];
  EXPECT_EQ(result["ruleId"], "GB010");
  ASSERT_EQ(result["stacks"].size(), 3u);  // both, and where one was made
  EXPECT_EQ(result["codeFlows"][0]["threadFlows"][0]["locations"].size(), 3u);
}

TEST(Stacks, APageHasThem) {
  const std::string page = emit_html(report_of_two());
  EXPECT_NE(page.find("ranges over"), std::string::npos);
  EXPECT_FALSE(emit_pprof(report_of_two()).empty());
}

}  // namespace
}  // namespace geist::report

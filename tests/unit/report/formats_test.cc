// The formats made for other programs: places that hold on every machine, text that stays text.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "example_report.h"
#include "report/report.h"

namespace geist::report {
namespace {

using nlohmann::json;

json first_result(const findings::Report& report) {
  return json::parse(emit_sarif(report))["runs"][0]["results"][0];
}

TEST(Sarif, PathsAreRelativeToWhatMoves) {
  findings::Report report = example_report();
  auto place_of = [&](const std::string& file) {
    report.findings[0].append_stack[0].file = file;
    return first_result(report)["locations"][0]["physicalLocation"]["artifactLocation"];
  };
  EXPECT_EQ(place_of("/home/u/prog/a b/x.go"),
            (json{{"uri", "a%20b/x.go"}, {"uriBaseId", "SRCROOT"}}));
  EXPECT_EQ(place_of("example.com/prog/x.go"), (json{{"uri", "x.go"}, {"uriBaseId", "SRCROOT"}}));
  EXPECT_EQ(place_of("/usr/local/go/src/fmt/print.go"),
            (json{{"uri", "src/fmt/print.go"}, {"uriBaseId", "GOROOT"}}));
  EXPECT_EQ(place_of("/elsewhere/x.go"), (json{{"uri", "file:///elsewhere/x.go"}}));
}

TEST(Sarif, LevelsFollowTheFinding) {
  findings::Report report = example_report();
  auto level_of = [&](findings::Level level) {
    report.findings[0].level = level;
    return first_result(report)["level"].get<std::string>();
  };
  EXPECT_EQ(level_of(findings::Level::kProved), "error");
  EXPECT_EQ(level_of(findings::Level::kConfirmed), "error");
  EXPECT_EQ(level_of(findings::Level::kLikely), "warning");
  EXPECT_EQ(level_of(findings::Level::kSuspect), "note");
}

TEST(Sarif, MessagesHaveNoLinksAndNoPlaceholders) {
  findings::Report report = example_report();
  report.findings[0].before = "[x](http://y) {0}";
  std::string text = first_result(report)["message"]["text"];
  EXPECT_NE(text.find("\\[x\\](http://y) {{0}}"), std::string::npos) << text;
}

TEST(Sarif, WithoutAFixThereAreNoFixes) {
  findings::Report report = example_report();
  EXPECT_FALSE(first_result(report).contains("fixes"));
  report.findings[0].fix_diff = "--- a/x.go\n+++ b/x.go\n@@ -145 +145 @@\n-a\n+b\n";
  EXPECT_EQ(
      first_result(
          report)["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"],
      "b\n");
}

TEST(Html, TheReportCannotEndItsElement) {
  findings::Report report = example_report();
  report.findings[0].before = "</script><!--<script>\xff";
  report.target.binary = "<b>&\"";
  std::string page = emit_html(report);
  std::string begin = "<script type=\"application/json\" id=\"report\">";
  usize at = page.find(begin);
  ASSERT_NE(at, std::string::npos);
  std::string data = page.substr(at + begin.size());
  data = data.substr(0, data.find("</script>"));
  EXPECT_EQ(data.find('<'), std::string::npos);
  EXPECT_EQ(json::parse(data)["findings"][0]["element"]["before"],
            "</script><!--<script>\xef\xbf\xbd");
  EXPECT_NE(page.find("<title>geist: 1 ghost write in &lt;b&gt;&amp;&quot;</title>"),
            std::string::npos);
}

TEST(Html, NamesNothingElsewhere) {
  std::string page = emit_html(example_report());
  for (const char* word : {"src=", "href=", "@import", "url(", "https:"})
    EXPECT_EQ(page.find(word), std::string::npos) << word;
}

TEST(Pprof, IsGzip) {
  std::string bytes = emit_pprof(example_report());
  EXPECT_EQ(bytes.substr(0, 2), "\x1f\x8b");
  EXPECT_FALSE(emit_pprof({}).empty());
}

TEST(Formats, AreFoundByName) {
  EXPECT_EQ(find_format("sarif"), Format::kSarif);
  EXPECT_FALSE(find_format("xml").has_value());
}

}  // namespace
}  // namespace geist::report

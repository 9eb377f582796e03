// geist-report/1: the keys are a promise, a report comes back as it was, and damaged ones are
// refused by name.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "example_report.h"
#include "report/report.h"

namespace geist::report {
namespace {

using nlohmann::json;

void expect_keys(const json& object, const std::string& where,
                 std::initializer_list<const char*> keys) {
  ASSERT_TRUE(object.is_object()) << where;
  for (const char* key : keys) EXPECT_TRUE(object.contains(key)) << where << "." << key;
}

// Every key the schema names, in a full report and in one about which nothing is known.
void expect_schema(const findings::Report& report) {
  json doc = json::parse(emit_json(report));
  EXPECT_EQ(doc["schema"], "geist-report/1");
  expect_keys(doc, "",
              {"schema", "geist", "target", "exit", "sites", "events", "findings", "lost",
               "lost_severity", "cost"});
  expect_keys(doc["target"], "target", {"command", "binary", "go", "module", "build_id"});
  expect_keys(doc["exit"], "exit", {"code", "signal"});
  expect_keys(doc["sites"], "sites",
              {"growslice_calls", "always_grows", "probed", "skipped", "without_grow_path"});
  expect_keys(doc["events"], "events", {"overwriting", "contexts", "recorded", "judged"});
  expect_keys(doc["lost"], "lost", {"ring_full", "not_watched"});
  EXPECT_EQ(doc["lost_severity"], nlohmann::json::object());
  expect_keys(doc["cost"], "cost",
              {"wall_s", "parked_s", "slow_path_s", "watch_s", "gates_s", "checks_s",
               "monitor_cpu_s", "program_cpu_s"});
  for (const json& finding : doc["findings"]) {
    expect_keys(finding, "finding",
                {"id", "rule", "class", "level", "count", "fingerprint", "aliases", "site_code",
                 "site", "stack", "array", "append", "element", "victim", "reads", "fix", "proof"});
    expect_keys(finding["site"], "site",
                {"function", "file", "line", "pc", "inlined_into", "source"});
    expect_keys(finding["array"], "array", {"address", "element_size", "capacity", "type"});
    expect_keys(finding["append"], "append", {"old_len", "added", "cap"});
    expect_keys(finding["element"], "element",
                {"index", "before", "after", "before_hex", "after_hex"});
    expect_keys(finding["victim"], "victim",
                {"holder", "name", "type", "len", "cap", "function", "file", "line"});
    for (const json& frame : finding["stack"])
      expect_keys(frame, "stack", {"function", "file", "line"});
    for (const json& frame : finding["reads"])
      expect_keys(frame, "reads", {"function", "file", "line"});
  }
}

TEST(Json, HasEveryKeyOfTheSchema) {
  expect_schema(example_report());
  findings::Report bare;
  bare.findings.emplace_back();
  expect_schema(bare);
}

TEST(Json, FunctionsAreWrittenAsPeopleWriteThem) {
  findings::Report report;
  report.findings.emplace_back().append_stack.emplace_back().function =
      "gopkg.in/yaml%2ev3.(*Node[go.shape.[]a%2eb/c.T]).Decode";
  json doc = json::parse(emit_json(report));
  EXPECT_EQ(doc["findings"][0]["site"]["function"],
            "gopkg.in/yaml.v3.(*Node[go.shape.[]a.b/c.T]).Decode");
  EXPECT_EQ(doc["findings"][0]["stack"][0]["function"], doc["findings"][0]["site"]["function"]);
}

TEST(Json, HoldsTheValuesOfTheReport) {
  json doc = json::parse(emit_json(example_report()));
  EXPECT_EQ(doc["target"]["command"], json::array({"./prog"}));
  EXPECT_EQ(doc["exit"]["code"], 0);
  EXPECT_TRUE(doc["exit"]["signal"].is_null());
  EXPECT_EQ(doc["sites"]["skipped"]["element_type_unknown"], 3);
  const json& finding = doc["findings"][0];
  EXPECT_EQ(finding["level"], "confirmed");
  EXPECT_EQ(finding["class"], "ghost_write");
  EXPECT_EQ(finding["site"]["function"], "github.com/labstack/echo.(*Group).add");
  EXPECT_EQ(finding["site"]["line"], 145);
  EXPECT_EQ(finding["site"]["pc"], "0x569964");
  EXPECT_EQ(finding["array"]["type"], "echo.MiddlewareFunc");
  EXPECT_EQ(finding["append"]["old_len"], 3);
  EXPECT_EQ(finding["element"]["index"], 3);
  EXPECT_EQ(finding["victim"]["holder"], "heap");
  EXPECT_TRUE(finding["victim"]["function"].is_null());
  EXPECT_EQ(finding["reads"][0]["line"], 469);
  EXPECT_TRUE(finding["proof"].is_null());
}

TEST(Json, ComesBackAsItWas) {
  findings::Report report = example_report();
  report.exit_signal = "SIGSEGV";
  report.exit_code = 2;
  report.notes = {"one"};
  report.suppressed = 4;
  report.unused_suppressions = {"site:x  # y"};
  std::string first = emit_json(report);
  Result<findings::Report> back = read_json(first);
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(emit_json(back.value()), first);
  EXPECT_EQ(emit_text(back.value(), {}), emit_text(report, {}));
}

TEST(Json, UnknownFieldsOfLaterReleasesArePassedOver) {
  json doc = json::parse(emit_json(example_report()));
  doc["later"] = {{"x", 1}};
  doc["findings"][0]["later"] = "y";
  doc["findings"][0].erase("drawing");
  Result<findings::Report> back = read_json(doc.dump());
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_TRUE(back->findings[0].drawing.empty());
}

TEST(Json, BytesThatAreNotTextDoNotBreakIt) {
  findings::Report report = example_report();
  report.findings[0].before = "\xff\xfe";
  json doc = json::parse(emit_json(report));
  EXPECT_EQ(doc["findings"][0]["element"]["before"], "\xEF\xBF\xBD\xEF\xBF\xBD");
}

void expect_refused(const std::string& text, const std::string& message) {
  Result<findings::Report> result = read_json(text);
  ASSERT_FALSE(result.ok()) << text;
  EXPECT_NE(result.error().message().find(message), std::string::npos) << result.error().message();
}

TEST(Json, DamagedReportsAreRefusedByName) {
  expect_refused("", "not a JSON file");
  expect_refused("{\"schema\": \"geist-report/1\"", "not a JSON file");
  expect_refused("[]", "expected the schema geist-report/1");
  expect_refused("{\"schema\": \"geist-report/9\"}", "found \"geist-report/9\"");
  expect_refused("{\"schema\": 5}", "expected the schema");
  json doc = json::parse(emit_json(example_report()));
  auto with = [&](const json::json_pointer& at, const json& value) {
    json changed = doc;
    changed[at] = value;
    return changed.dump();
  };
  using Pointer = json::json_pointer;
  expect_refused(with(Pointer("/findings"), 3), "findings: expected a list");
  expect_refused(with(Pointer("/findings/0"), "x"), "findings[0]: expected an object");
  expect_refused(with(Pointer("/findings/0/level"), "maybe"), "level: expected");
  expect_refused(with(Pointer("/findings/0/count"), -1),
                 "findings[0].count: expected a whole number");
  expect_refused(with(Pointer("/findings/0/stack/1/line"), 1e30), "findings[0].stack[1].line");
  expect_refused(with(Pointer("/findings/0/victim/holder"), "moon"),
                 "victim.holder: expected heap");
  expect_refused(with(Pointer("/sites/skipped/element_type_unknown"), "x"),
                 "sites.skipped.element_type_unknown");
  expect_refused(with(Pointer("/exit/code"), 1ull << 40), "exit.code");
  expect_refused(with(Pointer("/notes"), json::array({1})), "notes[0]: expected a string");
}

TEST(Json, EveryPrefixOfAReportIsRefusedWithoutHarm) {
  std::string text = emit_json(example_report());
  for (usize size = 0; size + 2 < text.size(); size += 7)
    EXPECT_FALSE(read_json(text.substr(0, size)).ok());
}

TEST(Json, SectionsOfObjectsComeBackWithTheirGoroutines) {
  findings::Report report;
  report.sections["mix"] = {{"reads", "goroutines"},
                            {{"main.load",
                              "/p/f.go",
                              3,
                              {5, 9},
                              "main.cache",
                              "map[string]int",
                              {{"main.serve", "/p/f.go", 44, 8}, {"(main goroutine)", "", 0, 1}}},
                             {"main.g", "/p/g.go", 8, {2, 7}, "", "map[int]bool", {}}},
                            ""};
  const std::string text = emit_json(report);
  const json section = json::parse(text)["mix"];
  EXPECT_EQ(section["rows"][0]["name"], "main.cache");
  EXPECT_EQ(section["rows"][0]["goroutines_from"][0]["goroutines"], 8);
  EXPECT_TRUE(section["rows"][1]["name"].is_null());
  EXPECT_EQ(section["totals"]["reads"], 7);
  EXPECT_EQ(section["totals"]["goroutines"], 9) << "one may use both";
  const Result<findings::Report> again = read_json(text);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(emit_json(again.value()), text);
}

TEST(Json, SectionsOfDetectorsComeBack) {
  findings::Report report;
  EXPECT_TRUE(json::parse(emit_json(report))["signals"].is_null());
  report.sections["signals"] = {{"in_place", "grows"},
                                {{"main.f", "/p/f.go", 3, {5, 1}}, {"main.g", "", 0, {2, 7}}},
                                "some are not counted"};
  std::string text = emit_json(report);
  json section = json::parse(text)["signals"];
  EXPECT_EQ(section["rows"][0]["in_place"], 5);
  EXPECT_EQ(section["totals"]["grows"], 8);
  Result<findings::Report> again = read_json(text);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(emit_json(again.value()), text);
  std::string damaged = text;
  damaged.replace(damaged.find("\"grows\": 1"), 10, "\"grows\": -1");
  EXPECT_FALSE(read_json(damaged).ok());
}

}  // namespace
}  // namespace geist::report

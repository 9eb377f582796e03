// Reports of small profiles; tests/e2e/cases_pprof.py compares those of real ones with go tool pprof.
#include "profile/text.h"

#include <gtest/gtest.h>

#include "example_profile.h"
#include "profile/measure.h"
#include "profile/merge.h"

namespace geist::profile {
namespace {

std::string top(const Profile& profile, const ReportOptions& options = {}) {
  std::vector<std::string> notes;
  Result<std::string> text = emit_top(profile, options, &notes);
  std::string out = text.ok() ? text.value() : text.error().message();
  for (const std::string& note : notes) out += "note: " + note + "\n";
  return out;
}

Profile must_read(const std::string& bytes) {
  Result<Profile> profile = read_text(bytes);
  EXPECT_TRUE(profile.ok()) << (profile.ok() ? "" : profile.error().message());
  return profile.ok() ? std::move(profile).value() : Profile();
}

// work has leaf inlined, main calls it.
ExampleProfile call_tree() {
  ExampleProfile example;
  example.add_function(1, "main.main").add_function(2, "main.work").add_function(3, "main.leaf");
  example.add_location(4, {3, 2});
  example.add_sample({{4, 1}, {1, 60}});
  example.add_sample({{3, 1}, {1, 30}});
  example.add_sample({{2, 2, 1}, {1, 10}});  // recursion counts once
  return example;
}

TEST(Top, CountsFlatAndCum) {
  EXPECT_EQ(top(must_read(call_tree().bytes())),
            "Type: space\n"
            "Showing nodes accounting for 100B, 100% of 100B total\n"
            "      flat  flat%   sum%        cum   cum%\n"
            "       90B 90.00% 90.00%        90B 90.00%  main.leaf (partial-inline)\n"
            "       10B 10.00%   100%        70B 70.00%  main.work\n"
            "         0     0%   100%       100B   100%  main.main\n");
}

TEST(Top, SortsByCumAndCuts) {
  EXPECT_EQ(top(must_read(call_tree().bytes()), {.by_cum = true, .most_nodes = 1}),
            "Type: space\n"
            "Showing nodes accounting for 0, 0% of 100B total\n"
            "Showing top 1 nodes out of 3\n"
            "      flat  flat%   sum%        cum   cum%\n"
            "         0     0%     0%       100B   100%  main.main\n");
}

TEST(Top, Filters) {
  Profile profile = must_read(call_tree().bytes());
  ReportOptions options;
  options.filters.ignore = "leaf";
  EXPECT_NE(top(profile, options).find("10B, 10.00% of 100B total"), std::string::npos);
  options.filters.ignore = "";
  options.filters.hide = "main\\.work";
  EXPECT_EQ(top(profile, options).find("  main.work\n"), std::string::npos);
  options.filters.hide = "nothing";
  EXPECT_NE(top(profile, options).find("note: --hide matches no"), std::string::npos);
  options.filters.hide = "(";
  EXPECT_NE(top(profile, options).find("--hide: \"(\" is no regular expression"),
            std::string::npos);
}

TEST(Top, DropsFramesBelowTheUser) {
  ExampleProfile example;
  example.add_function(1, "main.main").add_function(2, "runtime.mallocgc");
  example.add_sample({{2, 1}, {1, 5}}).add_sample({{2}, {1, 7}}).drop_frames("runtime\\..*");
  std::string text = top(must_read(example.bytes()));
  EXPECT_NE(text.find(" 5B 41.67%   100%         5B 41.67%  main.main\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find(" 7B 58.33% 58.33%         7B 58.33%  runtime.mallocgc\n"), std::string::npos)
      << "alone it stays\n"
      << text;
}

TEST(Top, FiltersByLabel) {
  ExampleProfile example;
  example.add_function(1, "main.a").add_function(2, "main.b");
  example.add_sample({{1}, {1, 10}, example.text_label("route", "/cart")});
  example.add_sample({{2}, {1, 20}, example.number_label("request", 4096, "")});
  Profile profile = must_read(example.bytes());
  auto shown = [&](const char* tag) {
    ReportOptions options;
    options.filters.tag_focus = tag;
    std::string text = top(profile, options);
    return std::string(text.find("main.a\n") != text.npos ? "a" : "") +
           (text.find("main.b\n") != text.npos ? "b" : "");
  };
  EXPECT_EQ(shown("route"), "a");
  EXPECT_EQ(shown("route=^/c"), "a");
  EXPECT_EQ(shown("route=nothing,cart"), "a") << "one of them is enough";
  EXPECT_EQ(shown("route,nothing"), "") << "without a key, each must match";
  EXPECT_EQ(shown("4kb"), "b");
  EXPECT_EQ(shown("request=1kb:8kb"), "b");
  EXPECT_EQ(shown("5kb:"), "");
  EXPECT_EQ(shown(":4kb"), "b");
}

TEST(Top, MakesNamesPrintable) {
  ExampleProfile example;
  example.add_function(1, "evil\x1b[2Jname").add_sample({{1}, {1, 1}});
  EXPECT_EQ(top(must_read(example.bytes())).find('\x1b'), std::string::npos);
}

TEST(Top, DamagedSampleIsAnError) {
  ExampleProfile example;
  example.add_function(1, "main.a").add_sample({{1}, {1, 1}}).add_sample({{7}, {1, 1}});
  EXPECT_EQ(top(must_read(example.bytes())),
            "a sample is damaged, or names a location that is not there");
}

TEST(Tree, HasCallersAboveAndCalleesBelow) {
  std::vector<std::string> notes;
  Result<std::string> text = emit_peek(must_read(call_tree().bytes()), {}, "work", &notes);
  ASSERT_TRUE(text.ok());
  EXPECT_NE(
      text->find(
          "                                               70B   100% |   main.main\n"
          "       10B 10.00% 10.00%        70B 70.00%                | main.work\n"
          "                                               60B 85.71% |   main.leaf (inline)\n"),
      std::string::npos)
      << text.value();
  EXPECT_FALSE(emit_peek(must_read(call_tree().bytes()), {}, "nothing", &notes).ok());
}

TEST(Merge, TakesTheBaseOff) {
  ExampleProfile before, after;
  // Ids differ between the two; names do not.
  before.add_function(7, "main.grow").add_function(9, "main.same");
  before.add_sample({{7}, {1, 100}}).add_sample({{9}, {2, 50}});
  after.add_function(1, "main.same").add_function(2, "main.grow");
  // Lines differ with the ids in this helper, so locations are told apart: only equal ones merge.
  after.add_sample({{2}, {3, 300}}).add_sample({{1}, {2, 50}});
  Result<Profile> left = subtract(must_read(after.bytes()), must_read(before.bytes()), false);
  ASSERT_TRUE(left.ok()) << left.error().message();
  std::string text = top(left.value());
  EXPECT_NE(text.find("200B"), std::string::npos) << text;
  Result<Profile> nothing = subtract(must_read(after.bytes()), must_read(after.bytes()), false);
  ASSERT_TRUE(nothing.ok());
  EXPECT_EQ(nothing->sample_count(), 0u);
}

TEST(Merge, SharesOfADiffAreOfTheBase) {
  ExampleProfile before, after;
  before.add_function(1, "main.a").add_sample({{1}, {1, 100}});
  after.add_function(1, "main.a").add_sample({{1}, {1, 150}});
  Result<Profile> diff = subtract(must_read(after.bytes()), must_read(before.bytes()), true);
  ASSERT_TRUE(diff.ok());
  EXPECT_NE(top(diff.value(), {.is_diff = true}).find("50B, 50.00% of 100B total"),
            std::string::npos);
}

TEST(Measure, WritesValuesAsPprofDoes) {
  EXPECT_EQ(scaled_label(1536, "bytes", "auto"), "1.50kB");
  EXPECT_EQ(scaled_label(-1048576, "bytes", "MB"), "-1MB");
  EXPECT_EQ(scaled_label(0, "bytes", "MB"), "0");
  EXPECT_EQ(scaled_label(90'000'000'000, "nanoseconds", "auto"), "90s");
  EXPECT_EQ(scaled_label(7'200'000'000'000, "nanoseconds", "auto"), "2hrs");
  EXPECT_EQ(scaled_label(12, "count", "minimum"), "12");
  EXPECT_EQ(scaled_label(12, "widgets", "widgets"), "12widgets");
  EXPECT_EQ(scaled_label(12, "\x1b[2J", "\x1b[2J"), "12\\x1b[2J");
  EXPECT_EQ(percentage(1, 3), "33.33%");
  EXPECT_EQ(percentage(1, 3000), "0.033%");
  EXPECT_EQ(percentage(1, 1), "  100%");
  EXPECT_EQ(percentage(0, 0), "    0%");
  EXPECT_EQ(percentage(-1, 4), "25.00%");
}

}  // namespace
}  // namespace geist::profile

// The parser the flag table makes, and the table itself: what is promised in it must be parseable
// and documented.
#include "cli/flags.h"

#include <gtest/gtest.h>

#include <set>

#include "cli/options.h"

namespace geist::cli {
namespace {

using Words = std::vector<std::string>;

ParsedFlags must_parse(std::string_view verb, const Words& words,
                       std::string_view environment = "") {
  Result<ParsedFlags> parsed = parse_flags(*find_verb(verb), words, environment);
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().message());
  return parsed.ok() ? std::move(parsed).value() : ParsedFlags();
}

Error must_fail(std::string_view verb, const Words& words, std::string_view environment = "") {
  Result<ParsedFlags> parsed = parse_flags(*find_verb(verb), words, environment);
  EXPECT_FALSE(parsed.ok());
  return parsed.ok() ? Error("") : parsed.take_error();
}

TEST(Flags, StopAtTheProgram) {
  ParsedFlags parsed = must_parse("run", {"--level=suspect", "./prog", "--level=x", "-q", "--"});
  EXPECT_EQ(parsed.value("level"), "suspect");
  EXPECT_FALSE(parsed.has("quiet"));
  EXPECT_EQ(parsed.operands, (Words{"./prog", "--level=x", "-q", "--"}));
}

TEST(Flags, DoubleDashStartsTheProgram) {
  ParsedFlags parsed = must_parse("run", {"-q", "--", "--odd-name", "--"});
  EXPECT_TRUE(parsed.has("quiet"));
  EXPECT_EQ(parsed.operands, (Words{"--odd-name", "--"}));
}

TEST(Flags, TakeValuesInEveryForm) {
  EXPECT_EQ(must_parse("run", {"--level", "suspect", "p"}).value("level"), "suspect");
  EXPECT_EQ(must_parse("run", {"-level=suspect", "p"}).value("level"), "suspect");
  EXPECT_EQ(must_parse("run", {"-level", "suspect", "p"}).value("level"), "suspect");
  EXPECT_EQ(must_parse("run", {"-b", "x.json", "p"}).value("baseline"), "x.json");
  EXPECT_EQ(must_parse("run", {"p"}).value("level"), "likely");
}

TEST(Flags, ValuesMayLookLikeAnything) {
  EXPECT_EQ(must_parse("run", {"--log=--odd", "p"}).value("log"), "--odd");
  EXPECT_EQ(must_parse("run", {"--log=[a,b]", "p"}).value("log"), "[a,b]");
  EXPECT_EQ(must_parse("run", {"--log", "{}", "p"}).value("log"), "{}");
  EXPECT_EQ(must_parse("run", {"--strip-path-prefix", "a=b,c [x]", "p"}).value("strip-path-prefix"),
            "a=b,c [x]");
}

TEST(Flags, LastOneCountsAndListsCollect) {
  ParsedFlags parsed = must_parse(
      "run", {"--level=suspect", "-r", "json:a", "--level=confirmed", "--report=text:b", "p"});
  EXPECT_EQ(parsed.value("level"), "confirmed");
  EXPECT_EQ(parsed.list("report"), (Words{"json:a", "text:b"}));
}

TEST(Flags, FlagsMayFollowTheOperandOfOtherVerbs) {
  ParsedFlags parsed = must_parse("sites", {"./prog", "--json"});
  EXPECT_TRUE(parsed.has("json"));
  EXPECT_EQ(parsed.operands, Words{"./prog"});
}

TEST(Flags, UnknownOneNamesTheNearest) {
  Error error = must_fail("run", {"--levle=suspect", "p"});
  EXPECT_EQ(error.message(), "unknown flag --levle");
  EXPECT_EQ(error.hint(), "Did you mean --level?");
  EXPECT_EQ(must_fail("run", {"--supress=x", "p"}).hint(), "Did you mean --suppressions?");
  EXPECT_EQ(must_fail("sites", {"--skiped", "p"}).hint(), "Did you mean --skipped?");
  EXPECT_EQ(must_fail("run", {"--xyzzy", "p"}).hint(), "");
}

TEST(Flags, WrongUseIsRefused) {
  EXPECT_EQ(must_fail("run", {"--level=maybe", "p"}).message(),
            "--level: expected latent, suspect, likely or confirmed, found \"maybe\"");
  EXPECT_EQ(must_fail("run", {"--level=likly", "p"}).hint(), "Did you mean --level=likely?");
  EXPECT_EQ(must_fail("run", {"--exitcode=256", "p"}).message(),
            "--exitcode: expected a number from 0 to 255, found \"256\"");
  EXPECT_EQ(must_fail("run", {"--exitcode=1x", "p"}).message(),
            "--exitcode: expected a number from 0 to 255, found \"1x\"");
  EXPECT_EQ(must_fail("run", {"--level"}).message(), "--level needs a value: --level=LEVEL");
  EXPECT_EQ(must_fail("run", {"--log=", "p"}).message(), "--log: the value is empty");
  EXPECT_EQ(must_fail("run", {"--quiet=1", "p"}).message(), "--quiet takes no value");
  EXPECT_NE(must_fail("run", {"-q"}).message().find("missing"), std::string::npos);
  EXPECT_NE(must_fail("sites", {"a", "b"}).message().find("unexpected \"b\""), std::string::npos);
  EXPECT_NE(must_fail("doctor", {"a"}).message().find("unexpected \"a\""), std::string::npos);
}

TEST(Environment, SetsDefaultsThatFlagsOverride) {
  ParsedFlags parsed =
      must_parse("run", {"--exitcode=5", "p"}, " level=suspect\texitcode=7  report=json:x ");
  EXPECT_EQ(parsed.value("level"), "suspect");
  EXPECT_EQ(parsed.value("exitcode"), "5");
  EXPECT_EQ(parsed.list("report"), Words{"json:x"});
}

TEST(Environment, ConcernsOnlyRun) {
  EXPECT_FALSE(must_parse("report", {"f"}, "level=nonsense").has("level"));
}

TEST(Environment, WrongWordsAreRefused) {
  EXPECT_EQ(must_fail("run", {"p"}, "fail_on=x").hint(), "Did you mean fail-on=?");
  EXPECT_EQ(must_fail("run", {"p"}, "level").message(), "GEIST: level: expected level=value");
  EXPECT_EQ(must_fail("run", {"p"}, "exitcode=-1").message(),
            "GEIST: exitcode: expected a number from 0 to 255, found \"-1\"");
  EXPECT_NE(must_fail("run", {"p"}, "zzzzzz=1").hint().find("Known keys: level"),
            std::string::npos);
}

TEST(RunOptions, HoldWhatWasAsked) {
  ParsedFlags parsed =
      must_parse("run", {"--level=confirmed", "--fail-on=confirmed",
                         "--report=json:a.json,text:b.txt", "--no-watch", "--budget=10%",
                         "--history=50", "--assume-go=1.26", "--color=always", "./p", "x"});
  Result<RunOptions> options = make_run_options(parsed);
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->command, (Words{"./p", "x"}));
  EXPECT_EQ(options->output.level, findings::Level::kConfirmed);
  EXPECT_EQ(options->output.fail_on, findings::Level::kConfirmed);
  EXPECT_EQ(options->output.exit_code, 66);
  ASSERT_EQ(options->output.files.size(), 2u);
  EXPECT_EQ(options->output.files[0].format, report::Format::kJson);
  EXPECT_EQ(options->output.files[1].path, "b.txt");
  EXPECT_TRUE(options->no_watch);
  EXPECT_FALSE(options->follow);
  EXPECT_EQ(options->budget_percent, 10u);
  EXPECT_EQ(options->history, 50u);
  EXPECT_EQ(options->assume_go_minor, 26);
  EXPECT_EQ(options->output.color, ColorMode::kAlways);
}

TEST(RunOptions, FailingOnAWeakerLevelShowsIt) {
  Result<RunOptions> options = make_run_options(must_parse("run", {"--fail-on=suspect", "p"}));
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->output.level, findings::Level::kSuspect);
}

TEST(RunOptions, ReleasesAndReportsAreChecked) {
  for (const char* wrong : {"26", "1.", "2.1", "go", "1.x", "1.26x", "1.99999999999"}) {
    EXPECT_FALSE(
        make_run_options(must_parse("run", {std::string("--assume-go=") + wrong, "p"})).ok())
        << wrong;
  }
  EXPECT_EQ(make_run_options(must_parse("run", {"--assume-go=go1.22.3", "p"}))->assume_go_minor,
            22);
  for (const char* wrong : {"json", "json:", "pdf:x", "json:a,", ":x", "a.json"}) {
    EXPECT_FALSE(make_run_options(must_parse("run", {std::string("--report=") + wrong, "p"})).ok())
        << wrong;
  }
}

TEST(Table, IsSound) {
  std::set<std::string> verbs;
  for (const Verb& verb : all_verbs()) {
    EXPECT_TRUE(verbs.insert(std::string(verb.name)).second) << verb.name;
    EXPECT_FALSE(verb.summary.empty());
    EXPECT_FALSE(verb.description.empty());
    std::set<std::string> names = {"help"};
    std::set<char> letters = {'h'};
    for (const Flag& flag : flags_of(verb.name)) {
      EXPECT_TRUE(names.insert(std::string(flag.name)).second) << flag.name;
      if (flag.short_name != 0) {
        EXPECT_TRUE(letters.insert(flag.short_name).second) << flag.name;
      }
      EXPECT_FALSE(flag.help.empty()) << flag.name;
      EXPECT_EQ(flag.takes_value(), !flag.value.empty()) << flag.name;
      if (flag.kind == FlagKind::kNumber || flag.kind == FlagKind::kPercent) {
        EXPECT_NE(flag.choices.find(".."), std::string_view::npos) << flag.name;
      }
    }
  }
}

TEST(Nearest, IsASlipNotAnotherWord) {
  EXPECT_EQ(find_nearest("quite", {"quiet", "level"}), "quiet");
  EXPECT_EQ(find_nearest("assume", {"assume-go"}), "assume-go");
  EXPECT_EQ(find_nearest("banana", {"quiet", "level"}), std::nullopt);
  EXPECT_EQ(find_nearest("", {"quiet"}), std::nullopt);
}

}  // namespace
}  // namespace geist::cli

// Help, manual and completion show everything the table has.
#include "cli/help.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <memory>

namespace geist::cli {
namespace {

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(Help, NamesEveryVerbAndFlag) {
  std::string overview = emit_overview();
  std::string manual = emit_overview_manual();
  for (const Verb& verb : all_verbs()) {
    EXPECT_EQ(contains(overview, "\n  " + std::string(verb.name) + " "), !verb.hidden) << verb.name;
    EXPECT_EQ(contains(manual, "geist-" + std::string(verb.name) + ".1.md"), !verb.hidden)
        << verb.name;
    for (const Flag& flag : flags_of(verb.name)) {
      EXPECT_TRUE(contains(emit_verb_help(verb), "--" + std::string(flag.name))) << flag.name;
      EXPECT_TRUE(contains(emit_verb_manual(verb), "--" + std::string(flag.name))) << flag.name;
    }
  }
}

TEST(Help, FitsATerminal) {
  for (const Verb& verb : all_verbs()) {
    std::string text = emit_verb_help(verb);
    for (usize start = 0; start < text.size();) {
      usize end = text.find('\n', start);
      EXPECT_LE(end - start, 80u) << text.substr(start, end - start);
      start = end + 1;
    }
  }
}

// Feeds a script to `shell -n`, which parses without running. Absent shells are passed over by the
// caller.
bool parses_in(const std::string& shell, const std::string& script) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(
      popen((shell + " -n /dev/stdin 2>/dev/null").c_str(), "w"), nullptr);
  std::fwrite(script.data(), 1, script.size(), pipe.get());
  return pclose(pipe.release()) == 0;
}

bool has_shell(const std::string& shell) {
  return std::system(("command -v " + shell + " >/dev/null 2>&1").c_str()) == 0;
}

TEST(Completion, IsAScriptOfItsShell) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    Result<std::string> script = emit_completion(shell);
    ASSERT_TRUE(script.ok());
    for (const Verb& verb : all_verbs()) {
      if (!verb.hidden) {
        EXPECT_TRUE(contains(script.value(), verb.name)) << shell << " " << verb.name;
      }
      for (const Flag& flag : flags_of(verb.name))
        EXPECT_TRUE(contains(script.value(), flag.name)) << shell << " " << flag.name;
    }
    if (has_shell(shell)) {
      EXPECT_TRUE(parses_in(shell, script.value())) << shell;
    }
  }
  EXPECT_FALSE(emit_completion("csh").ok());
}

}  // namespace
}  // namespace geist::cli

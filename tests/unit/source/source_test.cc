// Source text: where files are found, what is shown of untrusted ones, and which append calls get
// which cure.
#include "source/source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace geist::source {
namespace {

namespace fs = std::filesystem;

std::string fix(const std::string& text, i32 line = 1) {
  return derive_append_fix(SourceText(text), line).value_or("nothing");
}

std::string operand(const std::string& text, i32 line = 1) {
  std::optional<AppendCall> call = find_append_operand(SourceText(text), line);
  return call ? call->operand : "nothing";
}

TEST(AppendFix, CutsTheCapacityOfSimpleOperands) {
  EXPECT_EQ(fix("x = append(x, 1)"), "append(x[:len(x):len(x)], 1)");
  EXPECT_EQ(fix("middleware := append(g.middleware, middleware...)"),
            "append(g.middleware[:len(g.middleware):len(g.middleware)], middleware...)");
  EXPECT_EQ(fix("t := append(m[\"k\"].list, a, b)"),
            "append(m[\"k\"].list[:len(m[\"k\"].list):len(m[\"k\"].list)], a, b)");
  EXPECT_EQ(fix("t := append(rows[i+1], v)"),
            "append(rows[i+1][:len(rows[i+1]):len(rows[i+1])], v)");
  EXPECT_EQ(fix("t := append(rows[len(rows)-1], v)"),
            "append(rows[len(rows)-1][:len(rows[len(rows)-1]):len(rows[len(rows)-1])], v)");
  EXPECT_EQ(fix("*p = append(*p, v)"), "append((*p)[:len(*p):len(*p)], v)");
  EXPECT_EQ(fix("(*p).x = append((*p).x, v)"), "append((*p).x[:len((*p).x):len((*p).x)], v)");
  EXPECT_EQ(fix("größe = append(größe, v)"), "append(größe[:len(größe):len(größe)], v)");
}

TEST(AppendFix, CutsTheCapacityOfSliceExpressionsWhereTheyEnd) {
  EXPECT_EQ(fix("t := append(s[:i], v)"), "append(s[:i:i], v)");
  EXPECT_EQ(fix("t := append(s[:0], v)"), "append(s[:0:0], v)");
  EXPECT_EQ(fix("t := append(s[a:b], v)"), "append(s[a:b:b], v)");
  EXPECT_EQ(fix("t := append(s[a : b+1], v)"), "append(s[a:b+1:b+1], v)");
  EXPECT_EQ(fix("t := append(s[a:], v)"), "append(s[a:len(s):len(s)], v)");
  EXPECT_EQ(fix("t := append(array[:], v)"), "append(array[:len(array):len(array)], v)");
  EXPECT_EQ(fix("t := append(s[a:b:c], v)"), "append(s[a:b:b], v)");
  EXPECT_EQ(fix("s = append(s[:i], s[i+1:]...)"), "append(s[:i:i], s[i+1:]...)");
  EXPECT_EQ(fix("t := append((*p)[:n], v)"), "append((*p)[:n:n], v)");
}

TEST(AppendFix, SaysNothingWhereTheOperandHasEffectsOrIsNotUnderstood) {
  EXPECT_EQ(fix("t := append(f(), v)"), "nothing");
  EXPECT_EQ(fix("t := append(s[:f()], v)"), "nothing");
  EXPECT_EQ(fix("t := append(f()[:i], v)"), "nothing");
  EXPECT_EQ(fix("t := append(rows[next()], v)"), "nothing");
  EXPECT_EQ(fix("t := append(<-ch, v)"), "nothing");
  EXPECT_EQ(fix("t := append(x.([]int), v)"), "nothing");
  EXPECT_EQ(fix("t := append([]byte(s), v)"), "nothing");
  EXPECT_EQ(fix("t := append(rows[<-ch], v)"), "nothing");
  EXPECT_EQ(fix("$$ = append($1, $3)"), "nothing");
  EXPECT_EQ(fix("t := append(*p[:i], v)"), "nothing");
  EXPECT_EQ(fix("t := append(f(func() { g() }), v)"), "nothing");
  EXPECT_EQ(fix("t := append(x)"), "nothing");
  EXPECT_EQ(fix("t := append()"), "nothing");
}

TEST(AppendFix, KnowsWhatIsNoCall) {
  EXPECT_EQ(fix("x.append(y, 1)"), "nothing");
  EXPECT_EQ(fix("func append(y, z)"), "nothing");
  EXPECT_EQ(fix("// x = append(x, 1)"), "nothing");
  EXPECT_EQ(fix("/* x = append(x, 1) */"), "nothing");
  EXPECT_EQ(fix("s := \"append(x, 1)\""), "nothing");
  EXPECT_EQ(fix("s := `\nx = append(x, 1)\n`", 2), "nothing");
  EXPECT_EQ(fix("r := '\"'; x = append(x, '\\'')"), "append(x[:len(x):len(x)], '\\'')");
  EXPECT_EQ(fix("appended(x, 1)"), "nothing");
  EXPECT_EQ(fix("x = append(x, 1"), "nothing");
  EXPECT_EQ(fix("x = append(x], 1)"), "nothing");
}

TEST(AppendFix, TakesCallsOverSeveralLinesTogether) {
  std::string text =
      "package p\n"
      "func f() {\n"
      "\tx = append(\n"
      "\t\tx, // the old ones\n"
      "\t\tT{\n"
      "\t\t\tA: 1,\n"
      "\t\t},\n"
      "\t)\n"
      "}\n";
  EXPECT_EQ(fix(text, 3), "append(x[:len(x):len(x)], T{A: 1})");
  EXPECT_EQ(fix(text, 6), "append(x[:len(x):len(x)], T{A: 1})");
  EXPECT_EQ(fix(text, 2), "nothing");
  EXPECT_EQ(fix(text, 9), "nothing");
  EXPECT_EQ(fix("x = append(x, a +\n\tb)"), "append(x[:len(x):len(x)], a + b)");
  // The lines of a function's body cannot be joined.
  EXPECT_EQ(fix("x = append(x, func() {\n\ta()\n\tb()\n})"), "nothing");
  EXPECT_EQ(fix("x = append(x, func() { a(); b() })"),
            "append(x[:len(x):len(x)], func() { a(); b() })");
}

TEST(AppendFix, OfTwoCallsOnALineTheOneThatMayOverwriteCounts) {
  EXPECT_EQ(fix("a, b = append(a, 1), append(b, 2)"), "nothing");
  EXPECT_EQ(fix("x = append(append(x, a...), b...)"), "nothing");
  EXPECT_EQ(fix("x = append(x[:i], append([]T{v}, x[i:]...)...)"),
            "append(x[:i:i], append([]T{v}, x[i:]...)...)");
  EXPECT_EQ(fix("return append([]T(nil), append(x, v)...)"), "append(x[:len(x):len(x)], v)");
  EXPECT_EQ(fix("if ok { x = append(x, v) } else { x = append(x, v) }"),
            "append(x[:len(x):len(x)], v)");
  EXPECT_EQ(fix("a, b = append(make([]T, 0, 4), v), append(y, v)"), "append(y[:len(y):len(y)], v)");
  EXPECT_EQ(fix("t := append(s[a:b:b], v)"), "nothing");
  EXPECT_EQ(fix("t := append(nil, v...)"), "nothing");
  // The line is about its own call, not about one that goes across it.
  EXPECT_EQ(fix("x = append(x,\n append([]T{}, y...)...)", 2), "nothing");
}

TEST(AppendOperand, IsGivenWhereNoFixIs) {
  EXPECT_EQ(operand("t := append(f(a, b), v)"), "f(a, b)");
  EXPECT_EQ(operand("t := append(g.list, v)"), "g.list");
  EXPECT_EQ(operand("t := append(m[T{1, 2}], v)"), "m[T{1, 2}]");
  std::optional<AppendCall> call = find_append_operand(SourceText("t := append( x , v ... )"), 1);
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->operand, "x");
  EXPECT_EQ(call->rest, "v ...");
  EXPECT_EQ(call->call, "append(x, v ...)");
}

TEST(AppendFix, EndsOnTextThatIsMadeToTakeLong) {
  std::string nested;
  for (int i = 0; i < 100000; i++) nested += "append(";
  EXPECT_EQ(fix(nested), "nothing");
  EXPECT_EQ(fix("x = append(" + std::string(100000, '(') + "x" + std::string(100000, ')') + ", v)"),
            "nothing");
  EXPECT_EQ(fix("x = append(" + std::string(2000, '*') + "x, v)"), "nothing");
  EXPECT_EQ(fix("x = append(x, \"" + std::string(5000, 'a') + "\")"), "nothing");
  std::string all_bytes = "x = append(x, ";
  for (int i = 0; i < 256; i++) all_bytes += static_cast<char>(i);
  EXPECT_EQ(fix(all_bytes), "nothing");
}

TEST(AppendFix, ShowsNoControlCharacters) {
  EXPECT_EQ(fix("x = append(x, `\x1b[31m`)"), "nothing");
  EXPECT_EQ(fix("x = append(x, \"\xe2\x80\xae\")"), "nothing");
}

TEST(SourceText, LinesAreTrimmedAndPrintable) {
  SourceText text(
      "package p\r\n\n\t x := 1 \t\nred \x1b[31m\x7f \xe2\x80\xae"
      "a\tb\nlast");
  EXPECT_EQ(text.line_count(), 5);
  EXPECT_EQ(text.find_line(1), "package p");
  EXPECT_EQ(text.find_line(2), "");
  EXPECT_EQ(text.find_line(3), "x := 1");
  EXPECT_EQ(text.find_line(4), "red ?[31m? ?a b");
  EXPECT_EQ(text.find_line(5), "last");
  EXPECT_EQ(text.find_line(0), std::nullopt);
  EXPECT_EQ(text.find_line(-1), std::nullopt);
  EXPECT_EQ(text.find_line(6), std::nullopt);
  EXPECT_EQ(text.line_of(0), 1);
  EXPECT_EQ(text.line_of(11), 2);
  EXPECT_EQ(SourceText("").find_line(1), "");
  EXPECT_EQ(SourceText("a\n").line_count(), 1);
}

TEST(SourceText, LongLinesAreCutBetweenCharacters) {
  std::string line;
  for (int i = 0; i < 300; i++) line += "ü";
  std::string cut = SourceText("x" + line).find_line(1).value_or("");
  EXPECT_EQ(cut.size(), 399U + 3);
  EXPECT_TRUE(cut.ends_with("ü..."));
}

class SourceCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "geist-source-test-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    set("HOME", folder_ + "/home");
    set("GOMODCACHE", folder_ + "/cache");
    set("GOPATH", "");
    set("GOROOT", folder_ + "/go");
    set("PATH", "");
    write("go/VERSION", "go1.26.8\ntime 2026\n");
    write("go/src/runtime/slice.go", "package runtime // 1.26.8\n");
  }
  void TearDown() override {
    for (const auto& [name, value] : before_) {
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
    }
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  void set(const std::string& name, const std::string& value) {
    const char* old = std::getenv(name.c_str());
    before_.emplace_back(name, old == nullptr ? std::nullopt : std::optional<std::string>(old));
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  std::string write(const std::string& name, const std::string& text) {
    fs::path path = fs::path(folder_) / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }
  std::string find(const std::string& compiled, SourceCache::Options options = {}) {
    std::string path = SourceCache(options).find_path(compiled).value_or("nothing");
    return path.starts_with(folder_) ? path.substr(folder_.size() + 1) : path;
  }

  std::string folder_;
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

TEST_F(SourceCacheTest, FindsFilesWhereTheyWereBuilt) {
  std::string path = write("prog/main.go", "package main\n\tx := 1\n");
  EXPECT_EQ(find(path), "prog/main.go");
  SourceCache cache;
  EXPECT_EQ(cache.line_text(path, 2), "x := 1");
  EXPECT_EQ(cache.line_text(path, 3), "");
  EXPECT_EQ(cache.line_text(folder_ + "/prog/other.go", 1), "");
  EXPECT_EQ(cache.find_file(path), cache.find_file(path));
}

TEST_F(SourceCacheTest, FindsModulesByEscapedPath) {
  write("cache/github.com/!burnt!sushi/toml@v1.4.0-!r!c1/Sub/decode.go", "package toml\n");
  write("cache/github.com/x/y@v1.0.0/z.go", "package y\n");
  EXPECT_EQ(find("github.com/BurntSushi/toml@v1.4.0-RC1/Sub/decode.go"),
            "cache/github.com/!burnt!sushi/toml@v1.4.0-!r!c1/Sub/decode.go");
  EXPECT_EQ(find("/home/ci/go/pkg/mod/github.com/x/y@v1.0.0/z.go"),
            "cache/github.com/x/y@v1.0.0/z.go");
  EXPECT_EQ(find("github.com/x/y@v1.0.1/z.go"), "nothing");
  set("GOMODCACHE", "");
  write("home/go/pkg/mod/github.com/x/y@v1.0.0/z.go", "package y\n");
  EXPECT_EQ(find("github.com/x/y@v1.0.0/z.go"), "home/go/pkg/mod/github.com/x/y@v1.0.0/z.go");
  set("GOPATH", folder_ + "/gopath:/other");
  write("gopath/pkg/mod/github.com/x/y@v1.0.0/z.go", "package y\n");
  EXPECT_EQ(find("github.com/x/y@v1.0.0/z.go"), "gopath/pkg/mod/github.com/x/y@v1.0.0/z.go");
}

TEST_F(SourceCacheTest, AModuleWithoutAFileBeginsAtItsVersion) {
  const std::string old =
      write("cache/github.com/x/old@v1.0.0+incompatible/sub/z.go", "package z\n");
  const std::string lone = write("scripts/tool.go", "package main\n");
  SourceCache cache;
  const auto module = cache.find_module(old);
  ASSERT_TRUE(module.has_value());
  EXPECT_EQ(module->root, folder_ + "/cache/github.com/x/old@v1.0.0+incompatible");
  EXPECT_EQ(module->language, 16);
  EXPECT_EQ(cache.find_module(lone)->root, folder_ + "/scripts");
  EXPECT_FALSE(cache.find_module(lone)->has_file);
  EXPECT_TRUE(cache.is_own(lone));
  EXPECT_FALSE(cache.is_own(old));
  EXPECT_FALSE(cache.is_own("runtime/slice.go"));
}

TEST_F(SourceCacheTest, TheStandardLibraryMustBeOfTheRelease) {
  EXPECT_EQ(find("runtime/slice.go"), "go/src/runtime/slice.go");
  EXPECT_EQ(find("runtime/slice.go", {.go_release = "go1.26.8"}), "go/src/runtime/slice.go");
  EXPECT_EQ(find("runtime/slice.go", {.go_release = "go1.21.13"}), "nothing");
  EXPECT_EQ(find("/opt/hostedtoolcache/go/1.26.8/x64/src/runtime/slice.go"),
            "go/src/runtime/slice.go");
  EXPECT_EQ(find("/home/me/src/runtime/slice.go"), "nothing");
  std::string installed = folder_ + "/go/src/runtime/slice.go";
  EXPECT_EQ(find(installed, {.go_release = "go1.26.8"}), "go/src/runtime/slice.go");
  EXPECT_EQ(find(installed, {.go_release = "go1.21.13"}), "nothing");
  std::string toolchain = "cache/golang.org/toolchain@v0.0.1-go1.21.13.linux-amd64";
  write(toolchain + "/VERSION", "go1.21.13\n");
  write(toolchain + "/src/runtime/slice.go", "package runtime // 1.21.13\n");
  EXPECT_EQ(find(installed, {.go_release = "go1.21.13"}), toolchain + "/src/runtime/slice.go");
}

TEST_F(SourceCacheTest, FindsTheMainModuleFromTheFolder) {
  write("tree/go.mod", "// about\nmodule example.com/prog // x\n\ngo 1.21\n");
  write("tree/sub/deep/a.go", "package deep\n");
  fs::create_directories(folder_ + "/tree/cmd/tool");
  SourceCache::Options options{.folder = folder_ + "/tree/cmd/tool"};
  EXPECT_EQ(find("example.com/prog/sub/deep/a.go", options), "tree/sub/deep/a.go");
  EXPECT_EQ(find("example.com/program/sub/deep/a.go", options), "nothing");
  write("tree/cmd/tool/main.go", "package main\n");
  EXPECT_TRUE(find("./main.go", options).ends_with("tree/cmd/tool/./main.go"));
  EXPECT_EQ(find("./none.go", options), "nothing");
}

TEST_F(SourceCacheTest, NeverLeavesTheFoldersItLooksIn) {
  write("secret", "s3cret\n");
  EXPECT_EQ(find("../secret", {.folder = folder_ + "/go"}), "nothing");
  EXPECT_EQ(find("x@v1/../../../secret"), "nothing");
  EXPECT_EQ(find("/home/ci/go/pkg/mod/../../secret"), "nothing");
  EXPECT_EQ(find("/x/go/src/../../secret"), "nothing");
  EXPECT_EQ(find(""), "nothing");
  EXPECT_EQ(find(std::string("a\0b", 3)), "nothing");
}

TEST_F(SourceCacheTest, OnlyReadsRegularFilesOfSensibleSize) {
  std::string fifo = folder_ + "/fifo.go";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::string large = write("large.go", "x");
  ASSERT_EQ(::truncate(large.c_str(), off_t{1} << 33), 0);
  SourceCache cache;
  EXPECT_EQ(cache.find_file(fifo), nullptr);
  EXPECT_EQ(cache.find_file("/dev/zero"), nullptr);
  EXPECT_EQ(cache.find_file(folder_), nullptr);
  EXPECT_EQ(cache.find_file(large), nullptr);
  std::string empty = write("empty.go", "");
  ASSERT_NE(cache.find_file(empty), nullptr);
  EXPECT_EQ(cache.line_text(empty, 1), "");
}

TEST_F(SourceCacheTest, FilesChangedSinceTheBuildAreNotUsed) {
  std::string source = write("prog/main.go", "package main\n");
  std::string module = write("cache/github.com/x/y@v1.0.0/z.go", "package y\n");
  std::string binary = write("prog/prog", "binary");
  fs::file_time_type built = fs::last_write_time(binary);
  fs::last_write_time(source, built - std::chrono::hours(1));
  EXPECT_NE(SourceCache({.binary_path = binary}).find_file(source), nullptr);
  fs::last_write_time(source, built + std::chrono::hours(1));
  fs::last_write_time(module, built + std::chrono::hours(1));
  SourceCache cache({.binary_path = binary});
  EXPECT_EQ(cache.find_file(source), nullptr);
  EXPECT_NE(cache.find_file(module), nullptr);
  EXPECT_NE(SourceCache().find_file(source), nullptr);
}

TEST(AppendLines, AreThoseWhereACallBeginsThatMayOverwrite) {
  const SourceText text(
      "a = append(a, 1)\n"
      "b = append([]int{1}, 2)     // nothing there to overwrite\n"
      "// c = append(c, 3)\n"
      "d = append(\n"
      "  d,\n"
      "  4)\n"
      "e, f = append(e, 5), append(f, 6)\n"
      "g.append(g, 7)\n"
      "h := \"append(h, 8)\"\n"
      "i = append(i)\n");
  EXPECT_EQ(find_append_lines(text), (std::vector<i32>{1, 4, 7}));
  EXPECT_TRUE(find_append_lines(SourceText("append(")).empty());
}

}  // namespace
}  // namespace geist::source

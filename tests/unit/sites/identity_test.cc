// Which append is which, in every kind of build of one source: the identities of a program whose
// functions are inlined, generic, closures, methods, initialisers, are the same set whatever built
// it.
#include "sites/identity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "../read/go_fixture.h"

namespace geist::sites {
namespace {

TEST(WithoutClosures, LeavesOutWhatTheCompilerNumbers) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"main.f", "main.f"},
      {"main.f.func1", "main.f"},
      {"main.f.func1.2", "main.f"},
      {"main.f.func1.2.gowrap3", "main.f"},
      {"main.f.deferwrap1", "main.f"},
      {"main.f-range1", "main.f"},
      {"main.f.func1-range2", "main.f"},
      {"main.(*T).M", "main.(*T).M"},
      {"main.(*T).M-fm", "main.(*T).M"},
      {"main.(*T).func1", "main.(*T).func1"},
      {"main.func1", "main.func1"},
      {"main.glob..func1", "main.init"},
      {"main.init.func2", "main.init"},
      {"main.init.0", "main.init"},
      {"main.init.0.func1", "main.init"},
      {"main.main.F.func3", "main.main.F"},
      {"main.(*set[go.shape.int]).with.func1", "main.(*set[...]).with"},
      {"a.com/b.G[go.shape.[]a.com/c.T_0].func1", "a.com/b.G[...]"},
      {"gopkg.in/yaml%2ev3.(*Decoder).Decode.func1", "gopkg.in/yaml%2ev3.(*Decoder).Decode"},
      {"", "."},
      {"main", "main."},
      {"main.", "main."},
      {"main..", "main.."},
      {"main.f.func1.", "main.f.func1."},
      {"main.]).f.func1", "main.]).f"},
  };
  for (const auto& [function, expected] : cases)
    EXPECT_EQ(without_closures(function), expected) << function;
}

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/geist-identity-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  Folder(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::path at = path_ / name;
    std::filesystem::create_directories(at.parent_path());
    std::ofstream(at) << text;
    return at;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

constexpr const char* kLibrary = R"(package lib

type T struct{ a []int }

func New(a []int) *T { return &T{a} }

func Closure(a []int) func(int) []int {
	return func(x int) []int { return append(a[:1], x) }
}

func (t *T) Pointer() func(int) []int {
	return func(x int) []int { return append(t.a[:1], x) }
}

func (t T) Value() func(int) []int {
	return func(x int) []int {
		inner := func() []int { return append(t.a[:1], x) }
		return append(inner(), x)
	}
}

func Generic[E any](a []E) func(E) []E {
	return func(x E) []E { return append(a[:1], x) }
}

func AfterAFirst(a []int, x int) []int {
	first := []string{}
	if x > 3 {
		first = append(first, "more")
	}
	return append(a[:1], len(first))
}

func Small(a []int, x int) []int {
	return append(a[:1], x)
}
)";
constexpr const char* kMain = R"(package main

import (
	"fmt"
	"slices"

	"example.com/fpx/lib"
)

var table = func(a []int, x int) []int { return append(a[:1], x) }

var sink []func(int) []int

func maker(a []int) func(int) []int {
	return func(x int) []int { return append(a[:1], x) }
}

func init() { a := make([]int, 3, 3+len(sink)); a = append(a, len(sink)); fmt.Println(table(a, 1)) }

//go:noinline
func three(a []int, x int) ([]int, []int, []int) {
	b := append(a[:1], x)
	c := lib.Small(a, x)
	d := append(a[:2],
		x)
	return b, c, d
}

func main() {
	a := make([]int, 3, 8)
	t := lib.New(a)
	sink = append(sink, maker(a), lib.Closure(a), t.Pointer(), t.Value(), lib.Generic(a))
	for _, s := range sink {
		fmt.Println(s(3))
	}
	fmt.Println(lib.Generic([]string{"a"})("b"))
	fmt.Println(three(a, 1))
	fmt.Println(lib.AfterAFirst(a, 4+len(sink)))
	fmt.Println(slices.Delete(a, 0, 1))
	defer func() { func() { a = append(a[:1], 5) }() }()
}
)";

// "function ordinal" of every append of the program's own packages.
std::set<std::string> identities_of(const read::GoBinary& binary) {
  const SiteTable table = find_append_sites(binary, 1);
  AppendIdentities identities(binary, table);
  std::set<std::string> found;
  for (const AppendSite& site : table.sites) {
    const AppendIdentity identity = identities.of(site);
    if (is_gos_own(binary, identity.function)) continue;
    const std::string function =
        with_import_path(binary, identity.function).value_or(identity.function);
    found.insert(function + " " + std::to_string(identity.ordinal));
  }
  return found;
}

class IdentityTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_.write("go.mod", "module example.com/fpx\n\ngo 1.21\n");
    folder_.write("lib/lib.go", kLibrary);
    folder_.write("cmd/tool/tool.go", kMain);
  }
  // Null when this toolchain is not here.
  std::unique_ptr<read::GoBinary> build(const std::string& release,
                                        const std::vector<std::string>& flags,
                                        const std::string& package = "./cmd/tool") {
    const std::string path = folder_.path() / "program";
    std::vector<std::string> argv = {"go", "-C", folder_.path(), "build", "-o", path};
    argv.insert(argv.end(), flags.begin(), flags.end());
    argv.push_back(package);
    std::vector<std::string> env = {"CGO_ENABLED=0", "GOWORK=off", "GOFLAGS="};
    if (!release.empty()) env.push_back("GOTOOLCHAIN=go" + release);
    if (!read::run_command(argv, env).ok) return nullptr;
    Result<std::unique_ptr<read::GoBinary>> binary = read::GoBinary::open(path);
    EXPECT_TRUE(binary.ok());
    return binary.ok() ? std::move(binary).value() : nullptr;
  }
  Folder folder_;
};

const std::set<std::string> kExpected = {
    "example.com/fpx/lib.(*T).Pointer 0",
    "example.com/fpx/lib.AfterAFirst 0",
    "example.com/fpx/lib.Closure 0",
    "example.com/fpx/lib.Generic[...] 0",
    "example.com/fpx/lib.Small 0",
    "example.com/fpx/lib.T.Value 0",
    "example.com/fpx/lib.T.Value 1",
    "example.com/fpx/cmd/tool.init(tool.go) 0",
    "example.com/fpx/cmd/tool.init(tool.go) 1",
    "example.com/fpx/cmd/tool.main 0",
    "example.com/fpx/cmd/tool.main 1",
    "example.com/fpx/cmd/tool.maker 0",
    "example.com/fpx/cmd/tool.three 0",
    "example.com/fpx/cmd/tool.three 1",
};

TEST_F(IdentityTest, IsTheSameInEveryKindOfBuild) {
  const std::vector<std::vector<std::string>> kinds = {
      {}, {"-ldflags=-s -w"}, {"-ldflags=-w"}, {"-trimpath"}, {"-gcflags=example.com/fpx/...=-l"}};
  for (const std::vector<std::string>& flags : kinds) {
    std::unique_ptr<read::GoBinary> binary = build("", flags);
    ASSERT_NE(binary, nullptr);
    EXPECT_EQ(identities_of(*binary), kExpected) << testing::PrintToString(flags);
  }
}

// cmd/compile names closures in another way since go1.27, and package variables' since go1.22.
TEST_F(IdentityTest, IsTheSameOfEveryRelease) {
  int built = 0;
  for (const char* release :
       {"1.21.13", "1.22.12", "1.23.12", "1.24.13", "1.25.9", "1.26.8", "1.27.3"}) {
    std::unique_ptr<read::GoBinary> binary = build(release, {});
    if (!binary) continue;
    ++built;
    EXPECT_EQ(identities_of(*binary), kExpected) << release;
  }
  if (built == 0) GTEST_SKIP() << "no other release of Go here";
}

// go build FILE.go does not tell the package's import path.
TEST_F(IdentityTest, ABuildOfFilesHasNoImportPath) {
  std::unique_ptr<read::GoBinary> binary = build("", {}, "cmd/tool/tool.go");
  ASSERT_NE(binary, nullptr);
  const std::set<std::string> found = identities_of(*binary);
  EXPECT_TRUE(found.contains("main.three 1"));
  EXPECT_TRUE(found.contains("example.com/fpx/lib.Closure 0"));
  EXPECT_EQ(found.size(), kExpected.size());
}

// A module's path needs no dot, and still is nobody's standard library.
TEST_F(IdentityTest, AModuleWithoutADotIsNotGosOwn) {
  folder_.write("go.mod", "module shop\n\ngo 1.21\n");
  folder_.write("lib/lib.go", kLibrary);
  std::string text = kMain;
  text.replace(text.find("example.com/fpx"), std::string("example.com/fpx").size(), "shop");
  folder_.write("cmd/tool/tool.go", text);
  std::unique_ptr<read::GoBinary> binary = build("", {});
  ASSERT_NE(binary, nullptr);
  EXPECT_FALSE(is_gos_own(*binary, "shop/lib.Small"));
  EXPECT_FALSE(is_gos_own(*binary, "main.main"));
  EXPECT_TRUE(is_gos_own(*binary, "slices.Delete[...]"));
  EXPECT_TRUE(is_gos_own(*binary, "encoding/json.(*Decoder).Decode"));
  EXPECT_TRUE(is_gos_own(*binary, "golang.org/x/exp/slices.Delete[...]"));
  EXPECT_FALSE(is_gos_own(*binary, "golang.org/x/net/html.Parse"));
  EXPECT_EQ(identities_of(*binary).size(), kExpected.size());
}

// "function ordinal" → hash, of the physical function named so.
std::map<std::string, std::string> codes_in(const read::GoBinary& binary,
                                            std::string_view function) {
  const SiteTable table = find_append_sites(binary, 1);
  AppendIdentities identities(binary, table);
  program::CodeCache codes(binary);
  std::map<std::string, std::string> found;
  for (const AppendSite& site : table.sites) {
    if (binary.pclntab().function(site.function).name != function) continue;
    const AppendIdentity identity = identities.of(site);
    found[identity.function + " " + std::to_string(identity.ordinal)] = hash_site_code(codes, site);
  }
  return found;
}

TEST_F(IdentityTest, CodeIsTheSameUntilItChanges) {
  std::unique_ptr<read::GoBinary> binary = build("", {});
  ASSERT_NE(binary, nullptr);
  const auto before = codes_in(*binary, "main.three");
  ASSERT_EQ(before.size(), 3u);  // two of its own and one inlined
  std::set<std::string> different;
  for (const auto& [identity, hash] : before) different.insert(hash);
  EXPECT_EQ(different.size(), 3u);
  // Stripped, and with other functions around it, which moves code and data.
  std::unique_ptr<read::GoBinary> stripped = build("", {"-ldflags=-s -w"});
  ASSERT_NE(stripped, nullptr);
  EXPECT_EQ(codes_in(*stripped, "main.three"), before);
  std::string text = kMain;
  text.insert(text.find("//go:noinline"),
              "var filler [512]int\n\n//go:noinline\nfunc count(a ...any) (n int) {\n\tfor range a "
              "{\n\t\tn += filler[n]\n\t}\n\tfmt.Println(n, \"a text of its own\")\n\treturn "
              "n\n}\n\n");
  text.replace(text.find("a := make([]int, 3, 8)\n\tt :="), 0, "count(1, 2, 3)\n\t");
  folder_.write("cmd/tool/tool.go", text);
  std::unique_ptr<read::GoBinary> moved = build("", {});
  ASSERT_NE(moved, nullptr);
  EXPECT_EQ(codes_in(*moved, "main.three"), before);
  text.replace(text.find("append(a[:2],"), 13, "append(a[:3],");
  folder_.write("cmd/tool/tool.go", text);
  std::unique_ptr<read::GoBinary> changed = build("", {});
  ASSERT_NE(changed, nullptr);
  for (const auto& [identity, hash] : codes_in(*changed, "main.three"))
    EXPECT_NE(hash, before.at(identity)) << identity;
}

}  // namespace
}  // namespace geist::sites

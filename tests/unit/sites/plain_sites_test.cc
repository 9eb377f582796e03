// Appends that were compiled without a grow path: which stores are found, by their source lines, and
// what they are said to append to.
#include "sites/plain_sites.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>

#include "../read/go_fixture.h"

namespace geist::sites {
namespace {

constexpr const char* kProgram = R"(package main

import "fmt"

type pair struct {
	name string
	n    int
}

var kept [][]int
var pairs []*[]pair

//go:noinline
func ints() {
	base := make([]int, 2, 8)
	base[1] = 5
	kept = append(kept, append(base, 10))
	kept = append(kept, append(base, 20, 21))
}

//go:noinline
func structs(s string) {
	base := make([]pair, 0, 4)
	one := append(base, pair{s, 1})
	pairs = append(pairs, &one)
	two := append(base, pair{s + s, 2})
	pairs = append(pairs, &two)
}

//go:noinline
func within(n int) []int {
	s := make([]int, 4, 8)
	for i := range s {
		s[i] = n
	}
	s[3] = 7
	return s
}

//go:noinline
func full() []int {
	s := make([]int, 4)
	s[2] = 3
	return s
}

func main() {
	ints()
	structs("a")
	fmt.Println(kept, len(pairs), within(3), full())
}
)";

// Line → (old length, elements, capacity).
using Found = std::map<i32, std::array<i64, 3>>;

TEST(PlainSites, AreTheStoresBehindTheMadeLength) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("geist-plain-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "main.go") << kProgram;
  const std::string path = folder / "program";
  const bool built =
      read::run_command({"go", "build", "-o", path, folder / "main.go"}, {"CGO_ENABLED=0"}).ok;
  auto binary = built ? read::GoBinary::open(path)
                      : Result<std::unique_ptr<read::GoBinary>>(Error("not built"));
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(binary.ok()) << "is there no Go?";
  const SiteTable table = find_append_sites(*binary.value(), 1);
  Found found;
  for (const AppendSite& site : table.plain) {
    const read::Pclntab& functions = binary.value()->pclntab();
    const read::SourceFrame at =
        functions.source_frames(functions.function(site.function), site.call).front();
    EXPECT_TRUE(site.is_plain);
    EXPECT_EQ(site.heal_refusal, HealRefusal::kNoGrowPath);
    EXPECT_LE(site.displaced.begin, site.branch);
    EXPECT_LT(site.branch, site.displaced.end);
    EXPECT_EQ(site.old_ptr.kind, program::ValueLocation::Kind::kRegister);
    found[at.line] = {site.new_len.addend - site.num.addend, site.num.addend, site.cap.addend};
  }
  const Found expected = {{17, {2, 1, 8}}, {18, {2, 2, 8}}, {24, {0, 1, 4}}, {26, {0, 1, 4}}};
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace geist::sites

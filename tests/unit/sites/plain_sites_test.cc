// Appends that were compiled without a grow path: which stores are found, by their source lines, and
// what they are said to append to.
#include "sites/plain_sites.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <map>
#include <set>

#include "../read/built_program.h"
#include "sites/plain_appends.h"

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

//go:noinline
func assigned() []int {
	s := make([]int, 2, 8)
	s = append(s, 30, 31)
	kept = append(kept, s)
	s[2] = 4
	return s
}

func main() {
	assigned()
	ints()
	structs("a")
	fmt.Println(kept, len(pairs), within(3), full())
}
)";

// Line → (old length, elements, capacity).
using Found = std::map<i32, std::array<i64, 3>>;

std::set<i32> lines_of(const read::GoBinary& binary, const SiteTable& table) {
  std::set<i32> lines;
  for (const AppendSite& site : table.plain) {
    const read::Pclntab& functions = binary.pclntab();
    lines.insert(
        functions.source_frames(functions.function(site.function), site.call).front().line);
  }
  return lines;
}

TEST(PlainSites, AreTheStoresBehindTheMadeLength) {
  const read::BuiltProgram program(kProgram);
  ASSERT_TRUE(program.binary()) << "is there no Go?";
  const SiteTable table = find_append_sites(*program.binary(), 1);
  Found found;
  for (const AppendSite& site : table.plain) {
    const read::Pclntab& functions = program.binary()->pclntab();
    const read::SourceFrame at =
        functions.source_frames(functions.function(site.function), site.call).front();
    EXPECT_TRUE(site.is_plain);
    EXPECT_EQ(site.heal_refusal, HealRefusal::kNoGrowPath);
    EXPECT_LE(site.displaced.begin, site.branch);
    EXPECT_LT(site.branch, site.displaced.end);
    EXPECT_EQ(site.old_ptr.kind, program::ValueLocation::Kind::kRegister);
    found[at.line] = {site.new_len.addend - site.num.addend, site.num.addend, site.cap.addend};
  }
  const Found expected = {{17, {2, 1, 8}}, {18, {2, 2, 8}}, {24, {0, 1, 4}}, {26, {0, 1, 4}},
                          {50, {2, 2, 8}}, {52, {2, 1, 8}}};
  EXPECT_EQ(found, expected);
}

TEST(PlainSites, OnlyTheSourceTellsAnAppendFromAnAssignment) {
  const read::BuiltProgram program(kProgram);
  ASSERT_TRUE(program.binary()) << "is there no Go?";
  SiteTable table = find_append_sites(*program.binary(), 1);
  ASSERT_TRUE(lines_of(*program.binary(), table).contains(52)) << "s[2] = 4";
  source::SourceCache sources;
  keep_told_appends(table, *program.binary(), sources);
  EXPECT_EQ(lines_of(*program.binary(), table), (std::set<i32>{17, 18, 24, 26, 50}));
  EXPECT_EQ(table.untold, 0u);
}

TEST(PlainSites, WhatTheSourceCannotBeAskedAboutIsNoSite) {
  const read::BuiltProgram program(kProgram);
  ASSERT_TRUE(program.binary()) << "is there no Go?";
  SiteTable table = find_append_sites(*program.binary(), 1);
  const usize all = table.plain.size();
  std::filesystem::remove(program.folder() / "main.go");
  source::SourceCache sources;
  keep_told_appends(table, *program.binary(), sources);
  EXPECT_TRUE(table.plain.empty());
  EXPECT_EQ(table.untold, all);
}

}  // namespace
}  // namespace geist::sites

// The readers against programs of every supported release, plain, stripped, position independent
// and linked by the system's linker. Oldest, newest and default release always; all of them with
// GEIST_TEST_ALL=1 in the environment. The layout rows are held against the DWARF of the plain
// programs. A release that cannot be had is skipped.
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <map>

#include "base/fd.h"
#include "go_fixture.h"

namespace geist::read {
namespace {

struct Variant {
  const char* name;
  const char* mode;     // -buildmode
  const char* ldflags;  // on top of what the fixture needs
  bool cgo;
};

constexpr Variant kVariants[] = {
    {"plain", "exe", "", false},
    {"stripped", "exe", "-s -w", false},
    {"pie", "pie", "", false},
    {"stripped_pie", "pie", "-s -w", false},
    {"external", "exe", "-linkmode=external", true},
    {"external_pie", "pie", "-linkmode=external", true},
};

// The newest patch releases that the offsets were read from; empty is the default toolchain.
constexpr const char* kReleases[] = {"go1.21.13", "go1.22.12", "go1.23.12", "go1.24.13",
                                     "go1.25.9",  "go1.26.8",  "go1.27.3",  ""};

std::vector<const char*> releases_to_test() {
  const char* all = std::getenv("GEIST_TEST_ALL");
  if (all != nullptr && std::strcmp(all, "1") == 0)
    return {std::begin(kReleases), std::end(kReleases)};
  return {"go1.21.13", "go1.27.3", ""};
}

// -checklinkname came with the check, in 1.23.
bool checks_linknames(const std::string& release) {
  return !release.starts_with("go1.21") && !release.starts_with("go1.22");
}

class GoMatrix : public testing::TestWithParam<std::tuple<const char*, Variant>> {
 protected:
  // The program of this release and variant; skips the test when its toolchain cannot be had.
  void SetUp() override {
    auto [release, variant] = GetParam();
    GoBuild build;
    build.toolchain = release;
    build.cgo = variant.cgo;
    std::string ldflags = variant.ldflags;
    if (checks_linknames(release)) ldflags += " -checklinkname=0";
    build.flags = {std::string("-buildmode=") + variant.mode, "-ldflags=" + ldflags};
    const GoFixture& fixture = build_fixture(build);
    if (fixture.path.empty() &&
        !run_command({"go", "version"}, {"GOTOOLCHAIN=" + build.toolchain}).ok) {
      GTEST_SKIP() << release << " cannot be had: " << fixture.error;
    }
    ASSERT_NE(fixture.path, "") << fixture.error;
    path_ = fixture.path;
  }
  std::string path_;
};

TEST_P(GoMatrix, AgreesWithTheRuntime) {
  Result<std::unique_ptr<GoBinary>> opened = GoBinary::open(path_);
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  const GoBinary& binary = *opened.value();
  std::string release = std::get<0>(GetParam());
  if (!release.empty()) {
    EXPECT_EQ(binary.build_info().release.text, release);
  }
  EXPECT_EQ(binary.layout().minor, binary.build_info().release.minor);
  EXPECT_EQ(binary.image().is_pie(), std::string_view(std::get<1>(GetParam()).mode) == "pie");
  ASSERT_TRUE(binary.pclntab().find_function_named("runtime.growslice"));

  Output printed = run_command({path_});
  ASSERT_TRUE(printed.ok) << printed.text.substr(0, 1000);
  u64 places = 0;
  u64 types = 0;
  EXPECT_EQ(compare_code(binary, printed.text, places), "");
  EXPECT_EQ(compare_types(binary, printed.text, types), "");
  EXPECT_GT(places, 50'000u);
  EXPECT_GT(types, 20u);
  RecordProperty("places", static_cast<int>(places));
}

std::string test_name(std::string release) {
  if (release.empty()) release = "default";
  for (char& c : release) c = c == '.' ? '_' : c;
  return release;
}

std::string matrix_name(const testing::TestParamInfo<std::tuple<const char*, Variant>>& test) {
  return test_name(std::get<0>(test.param)) + "_" + std::get<1>(test.param).name;
}

INSTANTIATE_TEST_SUITE_P(, GoMatrix,
                         testing::Combine(testing::ValuesIn(releases_to_test()),
                                          testing::ValuesIn(kVariants)),
                         matrix_name);

// Offsets of all fields of the structs of package runtime: "g.goid" → 152, and sizes: "g" → 440.
std::map<std::string, u64> read_struct_offsets(const std::string& path) {
  std::map<std::string, u64> offsets;
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  Dwarf* dwarf = dwarf_begin(fd.get(), DWARF_C_READ);
  if (dwarf == nullptr) return offsets;
  auto number = [](Dwarf_Die* die, unsigned name) {
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    if (dwarf_attr(die, name, &attribute) == nullptr) return u64{0};
    dwarf_formudata(&attribute, &value);
    return u64{value};
  };
  Dwarf_CU* unit = nullptr;
  Dwarf_Die unit_die;
  while (dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &unit_die, nullptr) == 0) {
    Dwarf_Die die;
    if (dwarf_child(&unit_die, &die) != 0) continue;
    do {
      const char* name = dwarf_diename(&die);
      if (dwarf_tag(&die) != DW_TAG_structure_type || name == nullptr) continue;
      std::string type = name;
      if (!type.starts_with("runtime.")) continue;
      type.erase(0, std::strlen("runtime."));
      offsets[type] = number(&die, DW_AT_byte_size);
      Dwarf_Die field;
      if (dwarf_child(&die, &field) != 0) continue;
      do {
        const char* field_name = dwarf_diename(&field);
        if (field_name != nullptr)
          offsets[type + "." + field_name] = number(&field, DW_AT_data_member_location);
      } while (dwarf_siblingof(&field, &field) == 0);
    } while (dwarf_siblingof(&die, &die) == 0);
  }
  dwarf_end(dwarf);
  return offsets;
}

struct Row {
  const char* name;  // in package runtime
  u32 Layout::*field;
};

constexpr Row kRows[] = {
    {"moduledata.etypes", &Layout::moduledata_etypes},
    {"moduledata.rodata", &Layout::moduledata_rodata},
    {"moduledata.gofunc", &Layout::moduledata_gofunc},
    {"moduledata.next", &Layout::moduledata_next},
    {"moduledata.textsectmap", &Layout::moduledata_textsectmap},
    {"moduledata", &Layout::moduledata_size},
    {"mheap.allspans", &Layout::mheap_allspans},
    {"mheap.sweepgen", &Layout::mheap_sweepgen},
    {"mheap.arenas", &Layout::mheap_arenas},
    {"heapArena.spans", &Layout::heap_arena_spans},
    {"mspan.startAddr", &Layout::mspan_start_addr},
    {"mspan.npages", &Layout::mspan_npages},
    {"mspan.freeindex", &Layout::mspan_freeindex},
    {"mspan.nelems", &Layout::mspan_nelems},
    {"mspan.allocBits", &Layout::mspan_alloc_bits},
    {"mspan.gcmarkBits", &Layout::mspan_gcmark_bits},
    {"mspan.sweepgen", &Layout::mspan_sweepgen},
    {"mspan.divMul", &Layout::mspan_div_mul},
    {"mspan.allocCount", &Layout::mspan_alloc_count},
    {"mspan.spanclass", &Layout::mspan_spanclass},
    {"mspan.state", &Layout::mspan_state},
    {"mspan.elemsize", &Layout::mspan_elemsize},
    {"mspan.limit", &Layout::mspan_limit},
    {"mspan.largeType", &Layout::mspan_large_type},
    {"mspan", &Layout::mspan_size},
    {"g.m", &Layout::g_m},
    {"g.sched.sp", &Layout::g_sched_sp},
    {"g.sched.pc", &Layout::g_sched_pc},
    {"g.sched.bp", &Layout::g_sched_bp},
    {"g.syscallsp", &Layout::g_syscallsp},
    {"g.syscallpc", &Layout::g_syscallpc},
    {"g.atomicstatus", &Layout::g_atomicstatus},
    {"g.goid", &Layout::g_goid},
    {"g.parentGoid", &Layout::g_parent_goid},
    {"g.gopc", &Layout::g_go_pc},
    {"m.procid", &Layout::m_procid},
    {"m.curg", &Layout::m_curg},
    {"m.id", &Layout::m_id},
    {"m.p", &Layout::m_p},
    {"m.alllink", &Layout::m_alllink},
    {"m.locks", &Layout::m_locks},
    {"p.status", &Layout::p_status},
    {"p.schedtick", &Layout::p_schedtick},
    {"p.m", &Layout::p_m},
};

class GoLayout : public testing::TestWithParam<const char*> {};

// Rows are cheap to check, so this always runs for all releases.
TEST_P(GoLayout, AgreesWithDwarf) {
  std::string release = GetParam();
  GoBuild build;
  build.toolchain = release;
  build.flags = {"-buildmode=exe",
                 checks_linknames(release) ? "-ldflags= -checklinkname=0" : "-ldflags="};
  const GoFixture& fixture = build_fixture(build);
  if (fixture.path.empty() && !run_command({"go", "version"}, {"GOTOOLCHAIN=" + release}).ok) {
    GTEST_SKIP() << release << " cannot be had: " << fixture.error;
  }
  ASSERT_NE(fixture.path, "") << fixture.error;
  Result<std::unique_ptr<GoBinary>> opened = GoBinary::open(fixture.path);
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  const Layout& layout = opened.value()->layout();
  std::map<std::string, u64> dwarf = read_struct_offsets(fixture.path);
  for (const char* part : {"sp", "pc", "bp"}) {
    dwarf[std::string("g.sched.") + part] = dwarf["g.sched"] + dwarf[std::string("gobuf.") + part];
  }
  for (const Row& row : kRows) {
    auto it = dwarf.find(row.name);
    EXPECT_EQ(layout.*row.field, it == dwarf.end() ? kAbsent : it->second) << row.name;
  }
  EXPECT_EQ(dwarf["moduledata.types"], 296u);
  EXPECT_EQ(layout.pcheader_has_text_start, dwarf.contains("pcHeader.textStart"));
  EXPECT_EQ(layout.mspan_wide_counts, dwarf["mspan.nelems"] - dwarf["mspan.freeindex"] == 8);
  EXPECT_EQ(layout.has_malloc_headers, !dwarf.contains("heapArena.bitmap"));
}

std::string layout_name(const testing::TestParamInfo<const char*>& test) {
  return test_name(test.param);
}

INSTANTIATE_TEST_SUITE_P(, GoLayout, testing::ValuesIn(kReleases), layout_name);

TEST(GoLayouts, CoverTheRangeTheyName) {
  EXPECT_EQ(supported_releases(), "Go 1.21 to 1.27");
  for (int minor = kOldestMinor; minor <= kNewestMinor; ++minor) {
    ASSERT_TRUE(find_layout(minor));
    EXPECT_EQ(find_layout(minor)->minor, minor);
  }
  // runtime/runtime2.go of 1.24.5 and 1.24.6
  EXPECT_EQ(find_layout(24, 5)->m_alllink, 328u);
  EXPECT_EQ(find_layout(24, 6)->m_alllink, find_layout(24)->m_alllink);
  EXPECT_EQ(find_layout(23, 11)->m_alllink, 328u);
  EXPECT_EQ(find_layout(23, 12)->m_alllink, find_layout(23)->m_alllink);
  EXPECT_FALSE(find_layout(kOldestMinor - 1, 0));
  EXPECT_FALSE(find_layout(kOldestMinor - 1));
  EXPECT_FALSE(find_layout(kNewestMinor + 1));
}

}  // namespace
}  // namespace geist::read

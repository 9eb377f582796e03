// Any bytes as a kept table of append sites of a real program: refused, or in range; and the plan
// made from it writes only whole instructions of that program's code. The program is the first of
// $GEIST_FUZZ_PROGRAMS.
//
//   input:  edits of a sound table:  u16 offset, u8 byte
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "probe/patch_plan.h"
#include "sites/table_bytes.h"

namespace {

using namespace geist;

std::unique_ptr<read::GoBinary> binary;
std::vector<u8> sound;
TargetAddr region;

void check_plan(sites::SiteTable table) {
  const read::ModuleData& module = binary->module();
  probe::PatchPlan plan = probe::plan_patches(*binary, table, LoadBias{0}, region, {});
  for (const probe::ProbedSite& site : plan.sites) {
    const probe::CodePatch& patch = site.patch;
    GEIST_CHECK(patch.original.size() == patch.replacement.size() && patch.original.size() >= 5);
    GEIST_CHECK(patch.addr.value >= module.text.value &&
                patch.addr.value + patch.original.size() <= module.etext.value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* folder = std::getenv("GEIST_FUZZ_PROGRAMS");
  std::vector<std::string> paths;
  if (folder != nullptr) {
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  if (paths.empty()) {
    std::fprintf(stderr,
                 "fuzz_site_table: GEIST_FUZZ_PROGRAMS names no folder of Go programs; start it "
                 "with tests/fuzz/run\n");
    std::exit(1);
  }
  binary = std::move(read::GoBinary::open(paths.front())).value();
  region = TargetAddr((binary->module().text.value + (u64{1} << 30)) & ~u64{4095});
  // A few sites keep an execution short; which does not matter to the reader.
  sites::SiteTable table = sites::find_append_sites(*binary, 1);
  table.sites.resize(std::min<usize>(table.sites.size(), 8));
  sound = sites::emit_site_table(*binary, table);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const u8* data, usize size) {
  std::vector<u8> bytes = sound;
  ByteReader input(ByteView(data, size));
  for (int edits = 0; edits < 8 && input.remaining() >= 3; ++edits) {
    u16 at = input.read_u16();
    bytes[at % bytes.size()] = input.read_u8();
  }
  std::optional<sites::SiteTable> table = sites::read_site_table(*binary, bytes);
  if (table) check_plan(std::move(*table));
  return 0;
}

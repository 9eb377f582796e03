// Stable text forms of the facts that tests compare. One line a thing, no addresses that depend on
// the build machine unless the noun is about addresses.
#include "cli/cmd_dump.h"

#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/print.h"
#include "probe/patch_plan.h"
#include "profile/profile.h"
#include "sites/append_sites.h"
#include "sites/identity.h"
#include "sites/names.h"
#include "x86/insn.h"

namespace geist::cli {
namespace {

std::string dump_functions(const read::GoBinary& binary) {
  std::string out;
  for (u32 i = 0; i < binary.pclntab().function_count(); ++i) {
    out += fmt::format("{}\n", printable(binary.pclntab().function(read::FuncIndex{i}).name));
  }
  return out;
}

std::string dump_build(const read::GoBinary& binary) {
  const read::BuildInfo& info = binary.build_info();
  std::string out =
      fmt::format("release {}\npackage {}\nmodule {} {}\n", printable(info.release.text),
                  printable(info.main_package), printable(info.main_module.path),
                  printable(info.main_module.version));
  for (const auto& [key, value] : info.settings)
    out += fmt::format("setting {}={}\n", printable(key), printable(value));
  return out;
}

// Every patch with the code it replaces and its trampoline, disassembled: what geist would write
// into the program.
std::string dump_plan(const read::GoBinary& binary) {
  const sites::SiteTable table = sites::find_append_sites(binary, 1);
  probe::PatchPlan plan = probe::plan_anywhere(binary, table, {});
  std::string out;
  for (const probe::ProbedSite& site : plan.sites) {
    read::Function function = binary.pclntab().function(site.site.function);
    out += fmt::format("site {} call {:#x} patch {:#x}+{}\n", printable(function.name),
                       site.site.call.value, site.patch.addr.value, site.patch.original.size());
    u64 offset = site.trampoline - plan.region;
    for (u64 done = 0; done < site.trampoline_size;) {
      ByteView bytes =
          ByteView(plan.region_bytes).subspan(offset + done, site.trampoline_size - done);
      ImageAddr at(site.trampoline.value + done);
      std::optional<x86::Insn> insn = x86::decode(bytes, at);
      out += fmt::format("  {:#x} {}\n", at.value, x86::format(bytes, at));
      done += insn ? insn->length : 1;
    }
  }
  return out;
}

// Every append of the source that may stay in place, as fingerprints name it, with its place; what
// the tests compare over builds. The hash of the code is of one build alone, and last.
std::string dump_identities(const read::GoBinary& binary) {
  const sites::SiteTable table = sites::find_append_sites(binary, 1);
  sites::AppendIdentities identities(binary, table);
  program::CodeCache codes(binary);
  std::string out;
  for (const sites::AppendSite& site : table.sites) {
    if (site.bucket == sites::SiteBucket::kAlwaysGrows) continue;
    const sites::AppendIdentity identity = identities.of(site);
    const sites::SiteName name = sites::name_of(binary, site);
    out += fmt::format("{} {} {}:{} {}\n", identity.function, identity.ordinal, name.file,
                       name.line, sites::hash_site_code(codes, site));
  }
  return out;
}

// All of a profile read and nothing made of it: what tests/bench/pprof measures.
Result<std::string> dump_profile(const std::string& path) {
  GEIST_TRY(from, profile::Profile::open(path));
  u64 frames = 0;
  std::vector<u64> sums(from.sample_types.size());
  for (const profile::SampleBlock& block : from.blocks) {
    profile::SampleReader reader(from, block);
    while (reader.next()) {
      frames += reader.locations().size();
      for (usize i = 0; i < sums.size(); ++i) sums[i] += static_cast<u64>(reader.values()[i]);
    }
    if (reader.failed()) return Error(path + ": a sample is damaged");
  }
  std::string out = fmt::format("bytes {}\nsamples {}\nframes {}\nlocations {}\nfunctions {}\n",
                                from.bytes().size(), from.sample_count(), frames,
                                from.locations.size(), from.functions.size());
  for (usize i = 0; i < sums.size(); ++i)
    out += fmt::format("sum {} {}\n", from.sample_types[i].type, static_cast<i64>(sums[i]));
  return out;
}

}  // namespace

int cmd_dump(const std::vector<std::string>& operands) {
  if (operands.size() != 2)
    return fail_usage(
        Error("dump takes a noun (functions, build, plan, identities) and a binary, or profile"),
        "dump");
  if (operands[0] == "profile") {
    Result<std::string> text = dump_profile(operands[1]);
    if (!text.ok()) return fail(text.error());
    return print_out(printable_lines(text.value())) ? 0 : to_int(ExitCode::kBadInput);
  }
  auto binary = read::GoBinary::open(operands[1]);
  if (!binary.ok()) return fail(binary.error());
  const std::string& noun = operands[0];
  if (noun == "functions")
    return print_out(printable_lines(dump_functions(*binary.value())))
               ? 0
               : to_int(ExitCode::kBadInput);
  if (noun == "build")
    return print_out(printable_lines(dump_build(*binary.value()))) ? 0
                                                                   : to_int(ExitCode::kBadInput);
  if (noun == "plan")
    return print_out(printable_lines(dump_plan(*binary.value()))) ? 0 : to_int(ExitCode::kBadInput);
  if (noun == "identities")
    return print_out(printable_lines(dump_identities(*binary.value())))
               ? 0
               : to_int(ExitCode::kBadInput);
  return fail_usage(Error("dump knows functions, build, plan, identities and profile, not " + noun),
                    "dump");
}

}  // namespace geist::cli

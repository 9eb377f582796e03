#include "judge/other_results.h"

#include <algorithm>
#include <set>

#include "program/origins.h"

namespace geist::judge {
namespace {

// The growslice calls, by instruction, whose result the value may be.
std::set<u32> growth_of(Context& context, const program::FunctionCode& code, u32 insn,
                        const program::Location& at) {
  std::set<u32> calls;
  const program::Callees callees = program::callees_of(context.binary);
  for (const program::Origin& origin : program::find_origins(code, insn, at, callees)) {
    if (!origin.is_shifted && program::is_growslice_result(context.binary, code, origin))
      calls.insert(origin.insn);
  }
  return calls;
}

}  // namespace

bool is_result_of_another_append(Context& context, const Append& append,
                                 const program::ValueLocation& at) {
  const sites::AppendSite& site = append.site->site;
  const std::optional<program::Location> pointer = program::location_of(at);
  const std::optional<program::Location> operand = program::location_of(site.old_ptr);
  const program::FunctionCode* code =
      context.codes.find(context.binary.pclntab().function(site.function));
  if (!pointer || !operand || code == nullptr || *pointer == *operand) return false;
  const u32 branch = code->first_insn_from(site.branch);
  if (branch >= code->briefs().size()) return false;
  const std::set<u32> own = growth_of(context, *code, branch, *operand);
  const std::set<u32> others = growth_of(context, *code, branch, *pointer);
  return std::any_of(others.begin(), others.end(), [&](u32 call) { return !own.contains(call); });
}

}  // namespace geist::judge

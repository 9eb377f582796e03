// Any bytes as the output of a lab program, and any claims on what it said: read, or counted by why not; names and
// texts that come out of it print, and a program never says what is geist's own to say.
#include <algorithm>
#include <string>

#include "base/check.h"
#include "lab/case.h"
#include "lab/claim.h"
#include "lab/facts.h"

using namespace geist;

namespace {

bool prints(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<u8>(c) < 0x20 || c == 0x7f; });
}

void check_facts(const lab::Facts& facts) {
  for (const auto& [name, fact] : facts.all()) {
    const std::string base = name.substr(0, name.find('['));
    GEIST_CHECK(base.find('.') == base.npos && base[0] >= 'a' && base[0] <= 'z');
    GEIST_CHECK(prints(name) && prints(fact.text));
    for (const std::string& index : facts.indices(base))
      GEIST_CHECK(!index.empty() && prints(index));
    (void)facts.find_reason(name);
  }
  for (const auto& [help, count] : facts.rejected()) GEIST_CHECK(!help.empty() && count != 0);
}

}  // namespace

// input: a case file up to the first 0, then the output of its program
extern "C" int LLVMFuzzerTestOneInput(const u8* data, usize size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const usize end = std::min(input.find('\0'), input.size());
  lab::Facts facts;
  facts.read(input.substr(std::min(end + 1, input.size())));
  check_facts(facts);
  Result<lab::Case> read = lab::read_case("input", std::string(input.substr(0, end)));
  if (!read.ok()) {
    GEIST_CHECK(!read.error().message().empty());
    return 0;
  }
  for (const lab::Claim& claim : read->claims) {
    const lab::Decision decision = lab::decide(claim, facts);
    GEIST_CHECK(!decision.words.empty());
    // Of an undecided one the reason.
    GEIST_CHECK(decision.verdict != lab::Verdict::kUndecided || !decision.figure.empty());
  }
  return 0;
}

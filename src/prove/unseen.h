// Unseen: overwriting appends that change what the program does when they are healed, found without
// a finding and without being told what is right.
//
//   all overwriting appends healed ─▶ a difference ─▶ asked again ─▶ halved to the smallest set
//        ▲                                                                 │
//        └───────────────────── without that set ◀─────────────────────────┘
//
// That a program changes does not say that it was wrong: an honest one may rely on append writing
// in place. What tells the two apart is
//
//   kFixed     what failed before (a test, the exit status) passes with the set healed
//   kBroken    what passed before fails: the program relies on the sharing
//   kCapacity  the same change comes by itself when append gives no room (tight64), and with the
//   set
//              healed it stays when append gives much (roomy): what the program does depends on a
//              capacity that the language leaves open, by what the set overwrites, so one of both
//              outcomes is wrong, whichever. Programs that ask for capacities depend on them healed
//              or not, and those that ask how much was allocated are left out
//   kUnknown   none of these: both outcomes are shown, neither is called right
#pragma once

#include <set>

#include "prove/experiment.h"

namespace geist::prove {

enum class Standing : u8 { kFixed, kBroken, kCapacity, kUnknown };

struct UnseenSet {
  std::vector<NamedAppend> appends;
  std::vector<findings::Bisection::Site> sites;  // the same, with how often each was healed
  abi::SiteMode mode = abi::kHeal;               // kHealAlways: what they overwrite may be zeros
  findings::Proof proof;
  Standing standing = Standing::kUnknown;
  std::string reason;  // one sentence, of kBroken and kUnknown
};

struct UnseenAnswer {
  std::vector<UnseenSet> sets;
  std::vector<std::string> notes;  // one sentence each: what could not be healed or not be told
};

// After experiment.learn(). `left_out`: calls of appends that are not to be healed.
Result<UnseenAnswer> find_unseen(Experiment& experiment, const read::GoBinary& binary,
                                 const sites::SiteTable& table,
                                 const std::set<ImageAddr>& left_out);

// The chosen appends for a report.
std::vector<findings::Bisection::Site> describe_sites(const std::vector<NamedAppend>& appends,
                                                      const ChangedOutcome& run);

}  // namespace geist::prove

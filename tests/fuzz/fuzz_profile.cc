// Any bytes as a profile, packed or not, as profile.proto or as text: read or refused with a reason; every
// report of what was read ends, with text or a reason, and nothing that does not print comes out of it.
#include <algorithm>
#include <string>

#include "base/check.h"
#include "profile/merge.h"
#include "profile/sites.h"
#include "profile/text.h"

using namespace geist;

namespace {

void check_text(const Result<std::string>& text) {
  if (!text.ok()) {
    GEIST_CHECK(!text.error().message().empty());
    return;
  }
  GEIST_CHECK(std::ranges::none_of(text.value(), [](char c) {
    return (static_cast<u8>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
  }));
}

void ask(const profile::Profile& from, const profile::ReportOptions& options, unsigned report) {
  std::vector<std::string> notes;
  if (report == 1) return check_text(profile::emit_tree(from, options, &notes));
  if (report == 2) return check_text(profile::emit_peek(from, options, "a", &notes));
  if (report == 3) return check_text(profile::emit_list(from, options, "a", &notes));
  if (report != 4) return check_text(profile::emit_top(from, options, &notes));
  Result<profile::Sites> sites = profile::find_sites(from, options, &notes);
  if (sites.ok()) check_text(profile::emit_sites(sites.value(), 0));
}

}  // namespace

// input: u8 report, u8 flags, then the profile
extern "C" int LLVMFuzzerTestOneInput(const u8* data, usize size) {
  if (size < 2) return 0;
  Result<profile::Profile> from = profile::Profile::read({data + 2, size - 2}, "input");
  if (!from.ok()) {
    GEIST_CHECK(!from.error().message().empty());
    return 0;
  }
  const u8 flags = data[1];
  profile::ReportOptions options;
  options.by_cum = (flags & 1) != 0;
  if ((flags & 2) != 0) options.filters.focus = "main|a";
  if ((flags & 4) != 0) options.filters.hide = "b|c";
  if ((flags & 8) != 0) options.filters.tag_focus = (flags & 1) != 0 ? "1:4096" : "a";
  if ((flags & 16) != 0) options.filters.show_from = "main|a";
  if ((flags & 32) != 0) options.most_nodes = 3;
  if (data[0] % 8 < 6) {
    ask(from.value(), options, data[0] % 8);
    return 0;
  }
  // A profile less itself.
  const bool marks_base = data[0] % 8 == 7;
  Result<profile::Profile> left = profile::subtract(from.value(), from.value(), marks_base);
  if (!left.ok()) return 0;
  if (!marks_base) GEIST_CHECK(left->sample_count() == 0);
  options.is_diff = marks_base;
  ask(left.value(), options, 0);
  return 0;
}

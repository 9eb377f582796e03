// Any text as a saved report, a baseline or a file of suppressions: read or refused with a reason;
// and what was read is written and read again without a difference.
#include <string>

#include "base/check.h"
#include "report/filter.h"
#include "report/report.h"

using namespace geist;

extern "C" int LLVMFuzzerTestOneInput(const u8* data, usize size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  Result<findings::Report> report = report::read_json(text);
  if (report.ok()) {
    std::string once = report::emit_json(report.value());
    Result<findings::Report> again = report::read_json(once);
    GEIST_CHECK(again.ok());
    GEIST_CHECK(report::emit_json(again.value()) == once);
  } else {
    GEIST_CHECK(!report.error().message().empty());
  }
  Result<std::vector<report::Suppression>> rules = report::read_suppressions(text);
  if (!rules.ok()) GEIST_CHECK(!rules.error().message().empty());
  return 0;
}

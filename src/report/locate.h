// The signal table: what each append of the main module did while it was watched, the most suspicious
// first, with the reason in a sentence. Made from a Report that has the section `signals`, and from
// the lines of an allocation profile where one could be had.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "findings/finding.h"
#include "report/report.h"

namespace geist::report {

// A line of an allocation profile: what it allocated since the process began.
struct AllocatedLine {
  std::string function, file;
  i64 line = 0;
  i64 bytes = 0;
};

struct LocatedAppend {
  findings::PlaceInSource place;
  std::string function;
  u64 in_place = 0, grows = 0, bytes_copied = 0;
  u64 overwrites = 0;  // found something in the room that it wrote to
  u64 shared_by =
      0;  // of a finding: live slices that had what was overwritten; the most, 0: none known
  u64 changed =
      0;  // of them, and of later ones: those that were seen with the new value, each name once
  std::optional<i64> allocated;  // bytes; nothing without a profile, or when the line has none
  u64 findings = 0;              // of this append, from kSuspect on
  std::optional<findings::Level> level;  // of the strongest
  std::string reason;                    // one sentence
};

// By suspicion: the level of its finding, then overwrites, then bytes copied. Appends outside of the
// main module are among them only with a finding.
std::vector<LocatedAppend> locate(const findings::Report& report,
                                  const std::vector<AllocatedLine>& allocated);

// `most` rows, what is above is counted.
std::string emit_located_text(const findings::Report& report,
                              const std::vector<LocatedAppend>& rows, usize most,
                              const TextOptions& options);
// geist-locate/1 (docs/locate.md).
std::string emit_located_json(const findings::Report& report,
                              const std::vector<LocatedAppend>& rows);

}  // namespace geist::report

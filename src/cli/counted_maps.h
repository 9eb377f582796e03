// What a program does with its maps, as `geist run --mix` counts it: of a report, of a process that is
// watched for a while, or of a program that is run to its end.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "findings/finding.h"

namespace geist::cli {

struct MapSource {
  std::vector<std::string> words;  // a report, a process or a program, which may have arguments
  double for_s = 10;               // of a process
};

struct CountedMaps {
  std::optional<findings::Report> report;  // nothing: the session has said why not
  int exit_code = 0;                       // then this is its exit status
};
// A number is a process id; "last", a JSON file: a report; a program, or what it is built of: run, with
// its standard output on ours for errors; any other word the name of a process. Fails with what is
// wrong with the words or the report.
Result<CountedMaps> count_maps(const MapSource& source);

}  // namespace geist::cli

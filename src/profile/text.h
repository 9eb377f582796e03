// Reports as `go tool pprof` prints them: -top, -tree, -peek, -list. Names come from the profile and are
// made printable. Source: github.com/google/pprof, internal/report.
#pragma once

#include <string>

#include "profile/graph.h"
#include "profile/shape.h"

namespace geist::profile {

struct ReportOptions {
  std::string sample_type = {};  // empty: the profile's own
  Filters filters = {};
  bool by_cum = false;
  i64 most_nodes = -1;   // -1: as the report has it, 0: all
  bool is_diff = false;  // the profile was merged with the base of --diff_base
  unsigned threads = 1;
};

// Each gives the text, or fails: no such sample type, an expression that is none, nothing that it matches,
// a damaged sample. `notes` gets sentences about filters that matched nothing.
Result<std::string> emit_top(const Profile& profile, const ReportOptions& options,
                             std::vector<std::string>* notes);
Result<std::string> emit_tree(const Profile& profile, const ReportOptions& options,
                              std::vector<std::string>* notes);
// The callers and callees of what `expression` matches.
Result<std::string> emit_peek(const Profile& profile, const ReportOptions& options,
                              const std::string& expression, std::vector<std::string>* notes);
// The source of what it matches, with the values of each line.
Result<std::string> emit_list(const Profile& profile, const ReportOptions& options,
                              const std::string& expression, std::vector<std::string>* notes);

}  // namespace geist::profile

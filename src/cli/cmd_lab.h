// geist lab [NAME]: the classic cases, each claim of them measured on this machine.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/flags.h"

namespace geist::cli {

struct LabOptions {
  std::string name;  // of a case; empty: the list, or all
  bool all = false;
  bool json = false;
  bool markdown = false;
  bool color = false;
  std::string html;                   // a file; empty: no page
  std::string cases;                  // a folder; empty: the ones in this executable
  std::vector<std::string> releases;  // "1.21.13"; empty: the go command as it is
};

// Fails on flags that say nothing together, and on what is no release.
Result<LabOptions> make_lab_options(const ParsedFlags& parsed);

int cmd_lab(const LabOptions& options);

}  // namespace geist::cli

// geist sites: what the command line asked for, checked.
#pragma once

#include <optional>
#include <string>

namespace geist::cli {

struct SitesOptions {
  std::string binary;
  bool only_skipped = false;
  bool json = false;
  std::optional<int> assume_go_minor;
};

int cmd_sites(const SitesOptions& options);

}  // namespace geist::cli

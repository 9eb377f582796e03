// geist advise slices|maps|escape: what a repair, a map or an allocation costs, measured here.
#pragma once

#include <optional>
#include <string>

#include "base/ints.h"
#include "base/result.h"
#include "cli/counted_maps.h"
#include "cli/flags.h"

namespace geist::cli {

struct AdviseOptions {
  std::string what;    // slices, maps, escape
  std::string target;  // a report, or a package; of maps see `maps`
  MapSource maps;      // without words when there is nothing to count
  std::string map;     // maps: which one; empty: the one that is used most
  bool json = false;
  u64 rounds = 15;
  std::optional<int> finding;      // slices: this one only
  std::string profile;             // escape: a file; empty: none
  std::optional<std::string> mix;  // maps: as it was typed
  std::optional<u64> goroutines;   // maps
  std::optional<u64> keys;
  std::optional<bool> has_string_keys;
};

// Fails on an unknown word, and when the target is missing.
Result<AdviseOptions> make_advise_options(const ParsedFlags& parsed);

int cmd_advise(const AdviseOptions& options);

}  // namespace geist::cli

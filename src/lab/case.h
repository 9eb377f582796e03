// A case of the lab: a folder with Go files and a file `case` that says what it shows, what is to be
// run and what is claimed.
//
//   title: goroutines append to chunks of one array
//   place: 1                   in the list; those without one come last
//   page:                      until the next line that is not indented
//       text and a drawing
//   geist: --level=latent      more flags of the run under geist; may be left out
//   looks: 20                  how often it is run plain, with -race and under geist; 3 without it
//   run: measure               the program again, with these words; its facts count
//   run-race: work             the same, built with -race;  run-geist: work   under geist run.
//                              A program finds plain, race or geist in GEIST_LAB_WAY
//   timeout: 60                seconds that a run may take; 30 without it
//   claim: 3.7% of the orders come out wrong
//   says: the article
//   if: wrong_percent >= 3.2   or   each: wrong[*] > 0   with   depends: the capacity
//   figure: {wrong_percent}% of {orders} orders
//
// The cases of lab/cases are a part of the executable; others are read from a folder, and trusted no
// more than any input.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "lab/claim.h"

namespace geist::lab {

struct CaseFile {
  std::string name;  // "main.go"
  std::string text;
};

enum class Way { kPlain, kRace, kGeist };

struct Run {
  Way way = Way::kPlain;
  std::vector<std::string> words;
};

struct Case {
  std::string name;  // of its folder
  std::string title;
  u64 place = 1000;
  std::string page;  // lines
  std::vector<std::string> geist_flags;
  std::vector<Run> runs;
  u64 timeout_s = 30;
  u64 looks = 3;
  std::vector<Claim> claims;
  std::vector<CaseFile> files;  // what is built
};

// Fails with the line that is wrong.
Result<Case> read_case(const std::string& name, const std::string& text);

// Those of the executable, in their places.
Result<std::vector<Case>> embedded_cases();
// Those of a folder: each folder in it that has a file `case`. Fails when there is none, and on the
// first that is wrong.
Result<std::vector<Case>> read_cases(const std::string& folder);

}  // namespace geist::lab

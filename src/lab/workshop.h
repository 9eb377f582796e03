// The workshop: a temporary folder in which cases are built by one Go release and run.
//
//   cases ──▶ TMP/go.mod, TMP/cases/NAME/*.go ──▶ go build, go build -race
//         ──▶ each: plain, go vet, -race, geist run, and the runs of its own ──▶ facts ──▶ claims
//
// Nothing is left of it when the object goes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lab/case.h"
#include "run/child.h"
#include "run/temporary_folder.h"

namespace geist::lab {

// One way to look at the program of a case.
struct Sight {
  std::string way;    // "plain run", "go vet", "-race", "geist"
  bool ran = false;   // false: it cannot be asked here
  bool sees = false;  // it said that something is wrong
  std::string words;  // what it said, or why it could not be asked
  u64 wall_ms = 0;    // of the fastest run
};

struct CaseResult {
  std::string name, title;
  std::string broken;  // why nothing could be run; empty: it was
  std::vector<Sight> sights;
  Facts facts;
  std::vector<Decision> decisions;  // of the claims, in their order
  std::vector<std::string> notes;   // what went wrong without ending it
  u64 wall_ms = 0;
};

class Workshop {
 public:
  // `toolchain` is a value of GOTOOLCHAIN ("go1.21.13"); empty: as the user has it. Fails when
  // there is no go command, none of this release, or one that is too old.
  static Result<Workshop> open(const std::string& toolchain, const run::ChildSignals& signals);

  // Builds the cases. One that does not build is told by run(). Fails when the folder cannot be
  // written, or when somebody asks geist to end.
  Status build(const std::vector<const Case*>& cases);
  // Runs a case that was built. Fails only when somebody asks geist to end.
  Result<CaseResult> run(const Case& lab_case);

  const std::string& go() const { return go_; }  // "go1.26.8"
  int minor() const { return minor_; }

 private:
  explicit Workshop(const run::ChildSignals& signals) : signals_(&signals) {}
  Result<run::ChildResult> run_go(std::vector<std::string> words, u64 timeout_s) const;
  Result<run::ChildResult> run_here(std::vector<std::string> argv, u64 timeout_s,
                                    const char* way = "") const;
  Status build_each(const std::vector<const Case*>& cases);
  Status build_with_race(const std::vector<const Case*>& cases);
  Result<Sight> look_plain(const Case& lab_case, Facts& facts) const;
  Result<Sight> look_vet(const Case& lab_case, Facts& facts) const;
  Result<Sight> look_race(const Case& lab_case, Facts& facts) const;
  Result<Sight> look_geist(const Case& lab_case, Facts& facts) const;
  Result<run::ChildResult> run_under_geist(const Case& lab_case, const std::string& json) const;
  Status measure(const Case& lab_case, CaseResult& result) const;
  std::vector<std::string> argv_of(const Case& lab_case, const Run& run) const;
  std::string binary_of(const Case& lab_case, const char* folder) const;

  const run::ChildSignals* signals_;
  run::TemporaryFolder folder_;
  std::vector<std::string> environment_;
  std::string geist_;  // our own executable
  std::string go_;
  int minor_ = 0;
  std::map<std::string, std::string> broken_;        // case → what go said
  std::map<std::string, std::string> without_race_;  // likewise
};

}  // namespace geist::lab

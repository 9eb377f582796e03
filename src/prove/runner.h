// Runner: runs one command again and again, plain or healed, and keeps what came out. Output goes
// to memory files, so the program never waits for us and children that outlive it do no harm; its
// input is the same each time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "probe/patch_plan.h"
#include "process/launch.h"
#include "prove/outcome.h"

namespace geist::prove {

struct Command {
  std::string path;
  std::vector<std::string> argv;
  std::string folder;                                   // to run in; empty: ours
  std::optional<std::vector<std::string>> environment;  // nothing: ours
  bool has_our_input = true;                            // false: it has none
  std::vector<std::string> watched_files;
  u64 timeout_ms = 60000;
  sigset_t signal_mask{};
};

// What a run has otherwise than a plain one.
struct Changes {
  std::map<ImageAddr, abi::SiteMode> modes;  // of healed appends, by call
  std::vector<probe::PointProbe> points;     // growth (probe/growth.h), counters
};

struct ChangedOutcome {
  Outcome outcome;
  std::map<ImageAddr, u64> healed;  // by call, sites that were healed at least once
  std::vector<u64> passes;          // of Changes::points that count, as often as they were passed
};

class Runner {
 public:
  // What the standard input of every run is: nothing for a terminal, else what is there to be read,
  // up to its end; it is read here, once. Fails when it cannot be kept.
  static Result<Runner> create(const read::GoBinary& binary, const sites::SiteTable& table,
                               Command command);

  Result<Outcome> run_plain();
  // Started by geist with no site touched: what a difference to a plain run must not come from.
  Result<Outcome> run_control();
  // Fails also when a point could not be set: half a condition tells nothing.
  Result<ChangedOutcome> run_changed(const Changes& changes);
  Result<ChangedOutcome> run_healed(const std::map<ImageAddr, abi::SiteMode>& modes) {
    return run_changed({modes, {}});
  }
  // Another program in the place of the command, with the same input and time.
  Result<Outcome> run_other(const std::string& path, const std::vector<std::string>& argv);
  u64 runs() const { return runs_; }
  // Our own standard input from here on, for a run that is not ours to start. Fails as create()
  // does.
  Status give_input();

 private:
  Runner(const read::GoBinary& binary, const sites::SiteTable& table, Command command)
      : binary_(&binary), table_(&table), command_(std::move(command)) {}
  struct Captured {
    Fd in, out, err;
  };
  Result<Fd> open_input() const;
  Result<Captured> open_files() const;
  process::LaunchRequest make_request(const Captured& files) const;
  Result<Outcome> finish(int pid, const Captured& files) const;

  const read::GoBinary* binary_;
  const sites::SiteTable* table_;
  Command command_;
  Fd input_;  // invalid: nothing
  i64 input_start_ = 0;
  u64 runs_ = 0;
};

}  // namespace geist::prove

// Keeps a run in the store while it goes on, in a thread of its own: a slow or full disk must not
// make the program wait.
//
//   the loop of cmd_run ── offer(findings) ─▶ committed ─▶ one line on stderr: "geist: confirmed:
//   append in …, kept as run 7"
//                       ── finish(report) ──▶ committed ─▶ only then the report is printed
//
// What was said on the screen is therefore in the store, whatever ends geist afterwards. Nothing
// that goes wrong here ends the run: it becomes a note of the report.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "judge/finding.h"
#include "program/source.h"
#include "store/store.h"

namespace geist::cli {

class RunRecorder {
 public:
  struct Options {
    judge::Level level = judge::Level::kLikely;  // weaker findings are not kept
    store::Limits limits;
    std::optional<program::SourceCache::Options>
        sources;  // nothing: findings come with their source lines
    // Is this one worth a line while the program runs? Called in the recorder's thread. Empty: none
    // is.
    std::function<bool(const judge::Finding&)> is_announced;
  };

  // `start` has all but findings and outcome. Returns at once.
  RunRecorder(judge::Report start, Options options);
  ~RunRecorder();
  RunRecorder(const RunRecorder&) = delete;
  RunRecorder& operator=(const RunRecorder&) = delete;

  // All findings so far; only what is new or stronger is written.
  void offer(std::vector<judge::Finding> findings);
  // Keeps the whole report and waits until that is done. What went wrong in the whole run becomes
  // notes of the report.
  void finish(judge::Report& report);

 private:
  void run();
  void open();
  void keep(std::vector<judge::Finding> findings);
  void announce_due();
  void keep_whole(const judge::Report& report);
  void give_up(const std::string& what);
  double age_s() const;

  judge::Report start_;
  Options options_;
  double began_s_;

  // Of the thread alone.
  std::optional<store::Store> store_;
  std::optional<program::SourceCache> sources_;
  i64 run_id_ = 0;
  std::map<std::string, judge::Level> known_;  // key → level as kept
  std::map<std::string, std::string>
      unsaid_;  // key → line, committed but the run is still too young to say so
  std::vector<std::string> notes_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::vector<judge::Finding>> offered_;  // guarded by mutex_, as are the next two
  const judge::Report* whole_ = nullptr;
  bool is_over_ = false;
  std::thread thread_;
};

// For a report that is there already, and will only become stronger: keeps it as it is now, until
// finish().
std::unique_ptr<RunRecorder> keep_early(const judge::Report& found, judge::Level level,
                                        u32 kept_runs);

}  // namespace geist::cli

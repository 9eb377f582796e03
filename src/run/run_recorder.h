// Keeps a run in the store while it goes on, in a thread of its own: a slow or full disk must not
// make the program wait.
//
//   the loop of cmd_run ── offer(findings) ─▶ committed ─▶ one line on stderr:
//                                                "geist: confirmed: append in …, kept as run 7"
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

#include "findings/finding.h"
#include "source/source.h"
#include "store/store.h"

namespace geist::run {

class RunRecorder {
 public:
  struct Options {
    findings::Level level = findings::Level::kLikely;  // weaker findings are not kept
    store::Limits limits;
    std::optional<source::SourceCache::Options>
        sources;  // nothing: findings come with their source lines
    // Takes a line, with its end, of each finding that is worth one while the program runs. Empty:
    // none is. Both are called in the recorder's thread.
    std::function<void(std::string_view)> announce;
    std::function<bool(const findings::Finding&)> is_announced;
  };

  // `start` has all but findings and outcome. Returns at once.
  RunRecorder(findings::Report start, Options options);
  ~RunRecorder();
  RunRecorder(const RunRecorder&) = delete;
  RunRecorder& operator=(const RunRecorder&) = delete;

  // All findings so far; only what is new or stronger is written.
  void offer(std::vector<findings::Finding> findings);
  // Keeps the whole report and waits until that is done. What went wrong in the whole run becomes
  // notes of the report.
  void finish(findings::Report& report);

 private:
  void run();
  void open();
  void keep(std::vector<findings::Finding> findings);
  void announce_due();
  void keep_whole(const findings::Report& report);
  void give_up(const std::string& what);
  double age_s() const;

  findings::Report start_;
  Options options_;
  double began_s_;

  // Of the thread alone.
  std::optional<store::Store> store_;
  std::optional<source::SourceCache> sources_;
  i64 run_id_ = 0;
  std::map<std::string, findings::Level> known_;  // key → level as kept
  std::map<std::string, std::string>
      unsaid_;  // key → line, committed but the run is still too young to say so
  std::vector<std::string> notes_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::vector<findings::Finding>> offered_;  // guarded by mutex_, as are the next two
  const findings::Report* whole_ = nullptr;
  bool is_over_ = false;
  std::thread thread_;
};

// For a report that is there already, and will only become stronger: keeps it as it is now, until
// finish().
std::unique_ptr<RunRecorder> keep_early(const findings::Report& found, findings::Level level,
                                        u32 kept_runs);

}  // namespace geist::run

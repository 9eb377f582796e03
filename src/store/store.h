// The runs of this user, in one SQLite file: what was found stays found, whatever ends geist, the
// report file or the terminal.
//
//   begin_run ─▶ put_finding (as it is found, committed before anyone is told)
//             ─▶ finish_run (the whole report)
//   killed in between: the run is there, without an end
//
// Documents are text that the caller made and will read again (geist-report/1); the store never
// looks inside. Several geists may write at the same time: each transaction is short, and one that
// finds the file locked waits for it. The file is kept in WAL mode, which is copied into the file
// only while nobody writes (folder_lock.h). A commit survives the death of geist by any signal. One
// that somebody may have been told of, a finding or a report with findings, is on the disk before
// put_finding or finish_run return; of the rest, a loss of power may take the last ones, but the
// file holds together (sqlite.org/wal.html).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "store/folder_lock.h"

struct sqlite3;

namespace geist::store {

struct RunStart {
  i64 began_unix = 0;
  std::string command;   // on one line
  std::string document;  // a report without findings
};

struct FindingRecord {
  std::string key;  // the same for the same finding of a run: a later, stronger one takes the place
                    // of an earlier one
  std::string document;
};

struct RunSummary {
  i64 id = 0;
  i64 began_unix = 0;
  std::optional<i64> ended_unix;  // nothing: it still runs, or geist was killed
  std::string command;
  u64 findings = 0;
  std::string strongest;  // level of the strongest one; empty without findings
};

struct StoredRun {
  RunSummary summary;
  std::string document;               // the report; of a run without an end, the one of its start
  std::vector<std::string> findings;  // documents of its findings; empty when the report has them
};

// Old runs go when there are more than these.
struct Limits {
  u32 runs = 200;
  u64 bytes = u64{256} << 20;  // of documents
};

class Store {
 public:
  // Opens the file in `folder`, and makes both when they are not there. A file that is damaged or
  // no database is moved aside, which note() then tells; one of a later geist is an error.
  static Result<Store> open(const std::string& folder);
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  // Each is one transaction: done, or nothing of it.
  Result<i64> begin_run(const RunStart& start);
  Status put_finding(i64 run, const FindingRecord& finding);
  Status finish_run(i64 run, i64 ended_unix, const std::string& document, u64 findings,
                    const std::string& strongest);
  // The run that was begun last is never removed.
  Status prune(const Limits& limits);

  Result<std::vector<RunSummary>> list_runs(u32 most) const;  // newest first
  // Fails when there is no such run, naming the range there is.
  Result<StoredRun> read_run(i64 id) const;
  Result<i64> last_run() const;

  const std::string& note() const { return note_; }
  std::string path() const { return path_; }

 private:
  Store() = default;
  enum class Lasts { kUnlessPowerIsLost, kAlways };
  template <typename Write>
  Status write(Lasts lasts, Write&& body);
  Status open_file();
  Result<bool> is_ready();
  Status prepare();
  Status make_tables();
  void move_aside();
  void shorten_wal();

  struct Close {
    void operator()(sqlite3* db) const;
  };
  FolderLock lock_;
  std::unique_ptr<sqlite3, Close> db_;
  std::unique_ptr<int> wal_pages_ = std::make_unique<int>(0);  // after the last commit
  std::string path_;
  std::string note_;
};

// Where runs are kept: $XDG_STATE_HOME/geist, else ~/.local/state/geist (XDG base directory
// specification). Fails without a home.
Result<std::string> state_folder();

}  // namespace geist::store

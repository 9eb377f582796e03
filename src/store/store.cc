// The tables, and each verb on them as one transaction; store.h has the picture.
#include "store/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/system_error.h"
#include "store/statement.h"

namespace geist::store {
namespace {

constexpr int kSchemaVersion = 1;
constexpr int kWaitForLockMs = 5000;
constexpr int kLongWalPages = 256;  // 1 MiB: some ten runs with findings
constexpr const char* kTables = R"(
  CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, began INTEGER NOT NULL, ended INTEGER, command TEXT NOT NULL,
    findings INTEGER NOT NULL DEFAULT 0, strongest TEXT NOT NULL DEFAULT '', document TEXT NOT NULL);
  CREATE TABLE findings (
    run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, key TEXT NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (run, key));
)";

// Everything between is done at its commit(), or not at all.
class Transaction {
 public:
  explicit Transaction(sqlite3* db) : db_(db) {}
  ~Transaction() {
    if (is_open_) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  // IMMEDIATE: waits for another writer here, and cannot fail for one later.
  Status begin() {
    GEIST_TRY_STATUS(Statement(db_, "BEGIN IMMEDIATE").run());
    is_open_ = true;
    return Done{};
  }
  Status commit() {
    GEIST_TRY_STATUS(Statement(db_, "COMMIT").run());
    is_open_ = false;
    return Done{};
  }

 private:
  sqlite3* db_;
  bool is_open_ = false;
};

// Like mkdir -p, readable by the user alone. What is made is there after a loss of power, too.
Status make_folder(const std::string& folder) {
  for (usize at = folder.find('/', 1);; at = folder.find('/', at + 1)) {
    std::string part = folder.substr(0, at);
    if (::mkdir(part.c_str(), 0700) == 0) {
      const Fd above(::open((part + "/..").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (above.valid()) (void)::fsync(above.get());
    } else if (errno != EEXIST) {
      return system_error(part);
    }
    if (at == std::string::npos) break;
  }
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    errno = ENOTDIR;
    return system_error(folder);
  }
  return Done{};
}

bool is_damage(int code) {
  return (code & 0xff) == SQLITE_NOTADB || (code & 0xff) == SQLITE_CORRUPT;
}

}  // namespace

Error sqlite_error(sqlite3* db, int code) {
  // In plain words for what happens to people; SQLite's own for the rest.
  const char* words = nullptr;
  switch (code & 0xff) {
    case SQLITE_FULL:
      words = "the disk is full";
      break;
    case SQLITE_BUSY:
      words = "another geist keeps it locked";
      break;
    case SQLITE_READONLY:
      words = "it may not be written";
      break;
    default:
      words = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  }
  return Error(words, ErrorKind::kSystem);
}

Result<std::string> state_folder() {
  const char* state = std::getenv("XDG_STATE_HOME");
  // "All paths set in these environment variables must be absolute … should consider the path
  // invalid and ignore it."
  if (state != nullptr && state[0] == '/') return std::string(state) + "/geist";
  const char* home = std::getenv("HOME");
  if (home == nullptr || home[0] != '/') {
    passwd* user = ::getpwuid(::getuid());
    home = user == nullptr ? nullptr : user->pw_dir;
  }
  if (home == nullptr || home[0] != '/')
    return Error("neither XDG_STATE_HOME nor HOME names a folder", ErrorKind::kSystem);
  return std::string(home) + "/.local/state/geist";
}

void Store::Close::operator()(sqlite3* db) const {
  sqlite3_close(db);
}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Result<Store> Store::open(const std::string& folder) {
  GEIST_TRY_STATUS(make_folder(folder));
  Store store;
  store.path_ = folder + "/runs.db";
  GEIST_TRY(lock, FolderLock::open(folder + "/lock"));
  store.lock_ = std::move(lock);
  {
    GEIST_TRY(held, store.lock_.share());
    Status opened = store.open_file();
    if (opened.ok()) {
      Result<bool> ready = store.is_ready();
      if (ready.ok() && ready.value()) return store;
    }
  }
  // Making the tables, and moving a damaged file aside, is for one geist at a time; another one may
  // have done it meanwhile.
  GEIST_TRY(held, store.lock_.take());
  Status status = store.prepare();
  if (!status.ok() && store.db_ != nullptr && is_damage(sqlite3_errcode(store.db_.get()))) {
    store.move_aside();
    status = store.prepare();
  }
  if (!status.ok()) return status.take_error().in(store.path_);
  return store;
}

void Store::move_aside() {
  db_.reset();
  std::string aside = path_ + ".damaged";
  for (const char* suffix : {"", "-wal", "-shm"})
    (void)std::rename((path_ + suffix).c_str(), (aside + suffix).c_str());
  note_ = fmt::format("{} was damaged; it is now {}, and runs are kept in a new one", path_, aside);
}

Status Store::open_file() {
  sqlite3* raw = nullptr;
  int code =
      sqlite3_open_v2(path_.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  db_.reset(raw);
  if (code != SQLITE_OK) return sqlite_error(raw, code);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, kWaitForLockMs);
  // The file is the user's, but may have been written by anybody: no functions or triggers of its
  // own.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // The WAL is copied by shorten_wal() alone. This hook takes the place of SQLite's own, which
  // would do it after a commit.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_wal_hook(
      raw,
      [](void* pages, sqlite3*, const char*, int count) {
        *static_cast<int*>(pages) = count;
        return SQLITE_OK;
      },
      wal_pages_.get());
  return Statement(raw, "PRAGMA foreign_keys = ON").run();
}

// Has it the tables of this release, and is it in WAL mode?
Result<bool> Store::is_ready() {
  Statement mode(db_.get(), "PRAGMA journal_mode");
  GEIST_TRY(has_mode, mode.step());
  if (!has_mode || mode.text(0) != "wal") return false;
  Statement version(db_.get(), "PRAGMA user_version");
  GEIST_TRY(has_version, version.step());
  if (!has_version || version.number(0) != kSchemaVersion) return false;
  GEIST_TRY_STATUS(version.run());
  GEIST_TRY_STATUS(Statement(db_.get(), "SELECT count(*) FROM runs").run());
  return true;
}

Status Store::prepare() {
  GEIST_TRY_STATUS(open_file());
  GEIST_TRY_STATUS(Statement(db_.get(), "PRAGMA journal_mode = WAL").run());
  return make_tables();
}

// Everything in `body` is done when this returns, or nothing of it.
template <typename Write>
Status Store::write(Lasts lasts, Write&& body) {
  {
    GEIST_TRY(held, lock_.share());
    GEIST_TRY_STATUS(Statement(db_.get(), lasts == Lasts::kAlways ? "PRAGMA synchronous = FULL"
                                                                  : "PRAGMA synchronous = NORMAL")
                         .run());
    Transaction transaction(db_.get());
    GEIST_TRY_STATUS(transaction.begin());
    GEIST_TRY_STATUS(body());
    GEIST_TRY_STATUS(transaction.commit());
  }
  if (*wal_pages_ > kLongWalPages) shorten_wal();
  return Done{};
}

// While nobody else writes; somebody who does will come here, too. What cannot be copied now stays
// in the WAL, so a failure costs nothing.
void Store::shorten_wal() {
  std::optional<FolderLock::Held> held = lock_.try_take();
  if (!held) return;
  (void)sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

Status Store::make_tables() {
  Statement version(db_.get(), "PRAGMA user_version");
  GEIST_TRY(has_row, version.step());
  i64 found = has_row ? version.number(0) : 0;
  if (found > kSchemaVersion) {
    return Error(fmt::format("written by a later geist (schema {}, this one knows {})", found,
                             kSchemaVersion));
  }
  if (found == kSchemaVersion) return Statement(db_.get(), "SELECT count(*) FROM runs").run();
  GEIST_TRY_STATUS(version.run());
  Transaction transaction(db_.get());
  GEIST_TRY_STATUS(transaction.begin());
  int code = sqlite3_exec(db_.get(), kTables, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return sqlite_error(db_.get(), code);
  GEIST_TRY_STATUS(
      Statement(db_.get(), fmt::format("PRAGMA user_version = {}", kSchemaVersion)).run());
  return transaction.commit();
}

Result<i64> Store::begin_run(const RunStart& start) {
  GEIST_TRY_STATUS(write(Lasts::kUnlessPowerIsLost, [&] {
    Statement insert(db_.get(), "INSERT INTO runs (began, command, document) VALUES (?, ?, ?)");
    return insert.bind(start.began_unix).bind(start.command).bind(start.document).run();
  }));
  return static_cast<i64>(sqlite3_last_insert_rowid(db_.get()));
}

Status Store::put_finding(i64 run, const FindingRecord& finding) {
  return write(Lasts::kAlways, [&] {
    Statement put(db_.get(),
                  "INSERT INTO findings (run, key, document) VALUES (?, ?, ?) "
                  "ON CONFLICT (run, key) DO UPDATE SET document = excluded.document");
    return put.bind(run).bind(finding.key).bind(finding.document).run();
  });
}

Status Store::finish_run(i64 run, i64 ended_unix, const std::string& document, u64 findings,
                         const std::string& strongest) {
  return write(findings == 0 ? Lasts::kUnlessPowerIsLost : Lasts::kAlways, [&]() -> Status {
    Statement end(
        db_.get(),
        "UPDATE runs SET ended = ?, document = ?, findings = ?, strongest = ? WHERE id = ?");
    GEIST_TRY_STATUS(end.bind(ended_unix)
                         .bind(document)
                         .bind(static_cast<i64>(findings))
                         .bind(strongest)
                         .bind(run)
                         .run());
    return Statement(db_.get(), "DELETE FROM findings WHERE run = ?").bind(run).run();
  });
}

Status Store::prune(const Limits& limits) {
  return write(Lasts::kUnlessPowerIsLost, [&]() -> Status {
    Statement by_number(
        db_.get(),
        "DELETE FROM runs WHERE id <= (SELECT id FROM runs ORDER BY id DESC LIMIT 1 OFFSET ?)");
    GEIST_TRY_STATUS(by_number.bind(std::max<i64>(limits.runs, 1)).run());
    Statement by_size(
        db_.get(),
        "DELETE FROM runs WHERE id < (SELECT max(id) FROM runs) AND id IN (SELECT id FROM ("
        "SELECT id, sum(length(document)) OVER (ORDER BY id DESC) AS bytes FROM runs) WHERE bytes "
        "> ?)");
    return by_size.bind(static_cast<i64>(limits.bytes)).run();
  });
}

namespace {

constexpr std::string_view kSummaryColumns =
    "id, began, ended, command, CASE WHEN ended IS NULL THEN (SELECT count(*) FROM findings WHERE "
    "run = id) ELSE findings END, "
    "strongest";

RunSummary read_summary(const Statement& row) {
  RunSummary run;
  run.id = row.number(0);
  run.began_unix = row.number(1);
  if (!row.is_null(2)) run.ended_unix = row.number(2);
  run.command = row.text(3);
  run.findings = static_cast<u64>(std::max<i64>(row.number(4), 0));
  run.strongest = row.text(5);
  return run;
}

}  // namespace

Result<std::vector<RunSummary>> Store::list_runs(u32 most) const {
  Statement select(db_.get(),
                   fmt::format("SELECT {} FROM runs ORDER BY id DESC LIMIT ?", kSummaryColumns));
  select.bind(i64{most});
  std::vector<RunSummary> runs;
  while (true) {
    GEIST_TRY(has_row, select.step());
    if (!has_row) return runs;
    runs.push_back(read_summary(select));
  }
}

Result<i64> Store::last_run() const {
  Statement select(db_.get(), "SELECT max(id) FROM runs");
  GEIST_TRY(has_row, select.step());
  if (!has_row || select.is_null(0))
    return Error("no run is kept yet")
        .with_hint("geist run keeps each run, unless --no-store is given.");
  return select.number(0);
}

Result<StoredRun> Store::read_run(i64 id) const {
  Statement select(db_.get(),
                   fmt::format("SELECT {}, document FROM runs WHERE id = ?", kSummaryColumns));
  GEIST_TRY(has_row, select.bind(id).step());
  if (!has_row) {
    GEIST_TRY(last, last_run());
    return Error(fmt::format("no run {} is kept; the last one is {}", id, last))
        .with_hint("geist report --list shows them.");
  }
  StoredRun run;
  run.summary = read_summary(select);
  run.document = select.text(6);
  Statement findings(db_.get(), "SELECT document FROM findings WHERE run = ? ORDER BY rowid");
  findings.bind(id);
  while (true) {
    GEIST_TRY(has_finding, findings.step());
    if (!has_finding) return run;
    run.findings.push_back(findings.text(0));
  }
}

}  // namespace geist::store

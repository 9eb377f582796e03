// What was acknowledged stays: whoever is killed, whoever writes beside it, and when power is lost.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "recording_vfs.h"
#include "store/store.h"

namespace geist::store {
namespace {

class CrashTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/geist-store-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    root_ = name;
    folder_ = root_ + "/state/geist";
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::string integrity() const {
    sqlite3* db = nullptr;
    std::string answer = "cannot be opened";
    if (sqlite3_open((folder_ + "/runs.db").c_str(), &db) == SQLITE_OK) {
      sqlite3_exec(
          db, "PRAGMA integrity_check",
          [](void* out, int, char** columns, char**) {
            *static_cast<std::string*>(out) = columns[0];
            return 0;
          },
          &answer, nullptr);
    }
    sqlite3_close(db);
    return answer;
  }
  std::string root_, folder_;
};

// One line a finding that put_finding has answered for.
struct Told {
  i64 run = 0;
  i64 number = 0;
};

// Writes until it is killed, runs of twenty findings each. Told goes through a pipe, which holds
// what a dead writer has written.
[[noreturn]] void write_forever(const std::string& folder, int to) {
  const std::string document(3000, 'd');  // a page and more
  for (;;) {
    Result<Store> store = Store::open(folder);
    if (!store.ok()) ::_exit(1);
    Result<i64> run = store->begin_run({1, "command", document});
    if (!run.ok()) ::_exit(2);
    for (i64 i = 0; i < 20; ++i) {
      if (!store->put_finding(run.value(), {std::to_string(i), document}).ok()) ::_exit(3);
      const Told told{run.value(), i};
      if (::write(to, &told, sizeof told) != sizeof told) ::_exit(4);
    }
    if (!store->prune({1000000, u64{1} << 40}).ok()) ::_exit(5);
  }
}

class Writers {
 public:
  Writers(std::string folder, usize count) : folder_(std::move(folder)) {
    EXPECT_EQ(::pipe(pipe_.data()), 0);
    for (usize i = 0; i < count; ++i) pids_.push_back(start());
  }
  ~Writers() {
    for (pid_t pid : pids_) end(pid);
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }
  pid_t start() const {
    const pid_t pid = ::fork();
    if (pid == 0) write_forever(folder_, pipe_[1]);
    return pid;
  }
  // Its exit code, when it ended before it was killed.
  static std::optional<int> end(pid_t pid) {
    ::kill(pid, SIGKILL);
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? std::optional(WEXITSTATUS(status)) : std::nullopt;
  }
  std::optional<int> kill_and_replace(usize which) {
    const std::optional<int> code = end(pids_[which]);
    pids_[which] = start();
    return code;
  }
  // What was told, until nothing came for this long.
  void read_for(int timeout_ms, std::map<i64, std::set<i64>>& told) const {
    pollfd ready{pipe_[0], POLLIN, 0};
    Told one;
    while (::poll(&ready, 1, timeout_ms) == 1) {
      if (::read(pipe_[0], &one, sizeof one) != sizeof one) return;
      told[one.run].insert(one.number);
      timeout_ms = 0;
    }
  }

 private:
  std::string folder_;
  std::array<int, 2> pipe_{};
  std::vector<pid_t> pids_;
};

TEST_F(CrashTest, EightWriteAndAreKilledAndNothingToldIsLost) {
  constexpr usize kWriters = 8;
  constexpr int kKills = 100;
  std::map<i64, std::set<i64>> told;
  {
    Writers writers(folder_, kWriters);
    std::mt19937 chance(7);
    for (int i = 0; i < kKills; ++i) {
      writers.read_for(static_cast<int>(chance() % 20), told);
      const std::optional<int> code = writers.kill_and_replace(chance() % kWriters);
      EXPECT_FALSE(code) << "kill " << i << ": a writer had ended itself with " << *code;
    }
    for (int i = 0; i < 60 && told.size() < 3; ++i) writers.read_for(1000, told);
  }
  Result<Store> store = Store::open(folder_);
  ASSERT_TRUE(store.ok());
  EXPECT_EQ(store->note(), "");
  u64 findings = 0;
  for (const auto& [run, numbers] : told) {
    Result<StoredRun> kept = store->read_run(run);
    ASSERT_TRUE(kept.ok()) << "run " << run;
    EXPECT_GE(kept->findings.size(), numbers.size()) << "run " << run;
    findings += numbers.size();
  }
  EXPECT_GT(findings, 0u);
  RecordProperty("findings", std::to_string(findings));
  EXPECT_EQ(integrity(), "ok");
}

// Nobody copies the WAL while somebody writes, so it grows; but not without end.
TEST_F(CrashTest, TheWalIsShortenedByWhoeverWritesLast) {
  {
    Result<Store> store = Store::open(folder_);
    ASSERT_TRUE(store.ok());
    const std::string document(20000, 'd');
    for (int i = 0; i < 300; ++i) ASSERT_TRUE(store->begin_run({1, "command", document}).ok());
  }
  EXPECT_LT(std::filesystem::file_size(folder_ + "/runs.db-wal"), 2u << 20);
  EXPECT_GT(std::filesystem::file_size(folder_ + "/runs.db"), 300u * 20000u - (2u << 20));
}

// After the last test, as it stays installed.
TEST_F(CrashTest, WhatMustLastIsOnTheDiskWhenItIsAcknowledged) {
  const RecordingVfs& disk = RecordingVfs::install();
  Result<Store> store = Store::open(folder_);
  ASSERT_TRUE(store.ok());
  Result<i64> run = store->begin_run({1, "command", "{}"});
  ASSERT_TRUE(run.ok());
  EXPECT_FALSE(disk.unsynced().empty());  // a run without findings costs nobody a wait
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(store->put_finding(run.value(), {std::to_string(i), std::string(40000, 'd')}).ok());
    EXPECT_TRUE(disk.unsynced().empty()) << i << ": " << *disk.unsynced().begin();
  }
  ASSERT_TRUE(store->finish_run(run.value(), 2, "{}", 40, "likely").ok());
  EXPECT_TRUE(disk.unsynced().empty());
}

}  // namespace
}  // namespace geist::store

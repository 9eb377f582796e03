// What is kept, by whom, and what becomes of a file that is damaged, locked, full or from another
// time.
#include "store/store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace geist::store {
namespace {

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/geist-store-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    root_ = name;
    folder_ = root_ + "/state/geist";
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  Store must_open() {
    Result<Store> store = Store::open(folder_);
    EXPECT_TRUE(store.ok()) << (store.ok() ? "" : store.error().message());
    return std::move(store).value();
  }
  static i64 must_begin(Store& store, const std::string& command,
                        const std::string& document = "{}") {
    Result<i64> run = store.begin_run({1000, command, document});
    EXPECT_TRUE(run.ok());
    return run.value();
  }
  std::string file() const { return folder_ + "/runs.db"; }
  // As long as all is in the WAL, damage of the file is none.
  void copy_wal_into_file() const {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(file().c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", nullptr, nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(db);
  }

  std::string root_;
  std::string folder_;
};

TEST_F(StoreTest, KeepsARunFromItsBeginningToItsEnd) {
  Store store = must_open();
  i64 run = must_begin(store, "./prog", "start");
  ASSERT_TRUE(store.put_finding(run, {"a", "first"}).ok());
  ASSERT_TRUE(store.put_finding(run, {"b", "second"}).ok());
  ASSERT_TRUE(store.put_finding(run, {"a", "first, stronger"}).ok());
  Result<StoredRun> open = store.read_run(run);
  ASSERT_TRUE(open.ok());
  EXPECT_FALSE(open->summary.ended_unix.has_value());
  EXPECT_EQ(open->summary.findings, 2u);
  EXPECT_EQ(open->document, "start");
  EXPECT_EQ(open->findings, (std::vector<std::string>{"first, stronger", "second"}));
  ASSERT_TRUE(store.finish_run(run, 1005, "whole", 2, "confirmed").ok());
  Result<StoredRun> ended = store.read_run(run);
  ASSERT_TRUE(ended.ok());
  EXPECT_EQ(ended->summary.ended_unix, 1005);
  EXPECT_EQ(ended->summary.strongest, "confirmed");
  EXPECT_EQ(ended->document, "whole");
  EXPECT_TRUE(ended->findings.empty());
}

TEST_F(StoreTest, ListsTheNewestFirst) {
  Store store = must_open();
  EXPECT_FALSE(store.last_run().ok());
  i64 first = must_begin(store, "one");
  i64 second = must_begin(store, "two");
  Result<std::vector<RunSummary>> runs = store.list_runs(10);
  ASSERT_TRUE(runs.ok());
  ASSERT_EQ(runs->size(), 2u);
  EXPECT_EQ(runs.value()[0].id, second);
  EXPECT_EQ(runs.value()[1].command, "one");
  EXPECT_EQ(store.last_run().value(), second);
  EXPECT_EQ(store.list_runs(1)->size(), 1u);
  Result<StoredRun> none = store.read_run(second + 5);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().message(), "no run 7 is kept; the last one is 2");
  EXPECT_LT(first, second);
}

TEST_F(StoreTest, TextOfAnyKindComesBackAsItWas) {
  Store store = must_open();
  std::string odd("a'\"; DROP TABLE runs; \xff\n", 24);
  i64 run = must_begin(store, odd, odd);
  EXPECT_EQ(store.read_run(run)->document, odd);
  EXPECT_EQ(store.read_run(run)->summary.command, odd);
}

TEST_F(StoreTest, OldRunsGoByNumberAndBySize) {
  Store store = must_open();
  for (int i = 0; i < 10; ++i) must_begin(store, std::to_string(i), std::string(100, 'x'));
  ASSERT_TRUE(store.prune({6, 1 << 20}).ok());
  EXPECT_EQ(store.list_runs(100)->size(), 6u);
  ASSERT_TRUE(store.prune({100, 350}).ok());
  EXPECT_EQ(store.list_runs(100)->size(), 3u);
  ASSERT_TRUE(store.prune({100, 1}).ok());
  Result<std::vector<RunSummary>> left = store.list_runs(100);
  ASSERT_EQ(left->size(), 1u);
  EXPECT_EQ(left.value()[0].command, "9");
}

TEST_F(StoreTest, FindingsGoWithTheirRun) {
  Store store = must_open();
  i64 run = must_begin(store, "old");
  ASSERT_TRUE(store.put_finding(run, {"a", "x"}).ok());
  must_begin(store, "new");
  ASSERT_TRUE(store.prune({1, 1 << 20}).ok());
  EXPECT_FALSE(store.read_run(run).ok());
  EXPECT_FALSE(store.put_finding(run, {"b", "y"}).ok());  // the key of a run that is gone
}

TEST_F(StoreTest, ADamagedFileIsMovedAside) {
  { must_begin(*std::make_unique<Store>(must_open()), "x"); }
  copy_wal_into_file();
  std::ofstream(file(), std::ios::binary | std::ios::trunc) << std::string(8192, '\x55');
  Store store = must_open();
  EXPECT_NE(store.note().find("was damaged"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(file() + ".damaged"));
  EXPECT_EQ(must_begin(store, "y"), 1);
  EXPECT_TRUE(must_open().note().empty());
}

// Every kind of damage ends in a Result or a moved file, never in a crash.
TEST_F(StoreTest, DamageAnywhereIsSurvived) {
  {
    Store store = must_open();
    for (int i = 0; i < 20; ++i) {
      i64 run = must_begin(store, "prog", std::string(3000, 'd'));
      ASSERT_TRUE(store.put_finding(run, {"k", std::string(2000, 'f')}).ok());
    }
  }
  copy_wal_into_file();
  std::ifstream in(file(), std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  ASSERT_GT(bytes.size(), 4096u);
  for (usize at = 0; at < bytes.size(); at += bytes.size() / 40) {
    std::string damaged = bytes;
    for (usize i = at; i < std::min(at + 64, damaged.size()); ++i)
      damaged[i] = static_cast<char>(i * 37);
    std::filesystem::remove(file() + "-wal");
    std::filesystem::remove(file() + "-shm");
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << damaged;
    Result<Store> store = Store::open(folder_);
    if (!store.ok()) continue;
    (void)store->list_runs(100);
    for (i64 run = 1; run <= 20; ++run) (void)store->read_run(run);
    (void)store->begin_run({1, "x", "y"});
    (void)store->prune({5, 1000});
  }
}

TEST_F(StoreTest, AFileOfALaterGeistIsLeftAlone) {
  { must_open(); }
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(file().c_str(), &db), SQLITE_OK);
  sqlite3_exec(db, "PRAGMA user_version = 9", nullptr, nullptr, nullptr);
  sqlite3_close(db);
  Result<Store> store = Store::open(folder_);
  ASSERT_FALSE(store.ok());
  EXPECT_NE(store.error().message().find("written by a later geist (schema 9"), std::string::npos);
}

TEST_F(StoreTest, AFolderThatCannotBeIsNamed) {
  std::ofstream(root_ + "/state") << "a file";
  Result<Store> store = Store::open(folder_);
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().message(), root_ + "/state/geist: Not a directory");
}

// In a process of its own: the limit on the size of files stands for a disk that is full.
TEST_F(StoreTest, AFullDiskIsAnErrorAndLosesNothing) {
  i64 run = 0;
  {
    Store store = must_open();
    run = must_begin(store, "x", "kept");
  }
  pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{64 * 1024, 64 * 1024};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    Result<Store> store = Store::open(folder_);
    if (!store.ok()) ::_exit(2);
    bool failed = false;
    for (int i = 0; i < 20; ++i)
      failed =
          !store->put_finding(run, {std::to_string(i), std::string(20000, 'x')}).ok() || failed;
    ::_exit(failed ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(must_open().read_run(run)->document, "kept");
}

TEST_F(StoreTest, ManyWriteAtTheSameTime) {
  constexpr int kWriters = 6, kFindings = 25;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([this, w] {
      Store store = must_open();
      i64 run = must_begin(store, std::to_string(w));
      for (int i = 0; i < kFindings; ++i)
        EXPECT_TRUE(store.put_finding(run, {std::to_string(i), "x"}).ok());
      EXPECT_TRUE(store.prune({100, 1 << 20}).ok());
    });
  }
  for (std::thread& writer : writers) writer.join();
  Store store = must_open();
  Result<std::vector<RunSummary>> runs = store.list_runs(100);
  ASSERT_EQ(runs->size(), static_cast<usize>(kWriters));
  for (const RunSummary& run : runs.value()) EXPECT_EQ(run.findings, static_cast<u64>(kFindings));
}

}  // namespace
}  // namespace geist::store

// A copy is of one moment, however it was made, and leaves nothing behind.
//
// The process that is copied writes numbers, each to the next page of a fixed order, and then into
// a counter; some pages it gives back instead. So the counter tells what every page must hold.
#include "process/process_copy.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "process/process_info.h"

// Where ProcessCopy makes its calls from.
asm(".text\n.globl geist_test_room\ngeist_test_room: .fill 384, 1, 0xcc\n");
extern "C" const geist::u8 geist_test_room[];

namespace geist::process {
namespace {

constexpr u64 kPage = 4096, kPages = 16384;
constexpr u64 kStride = 4801;  // odd: every page has its turn
constexpr CopyLimits kSmallParts{.part_bytes = u64{8} << 20, .max_parts = 64};

const StoppedProcess::CodeRoom kRoom{TargetAddr(reinterpret_cast<u64>(geist_test_room)),
                                     ByteView(geist_test_room, 384)};

u64 page_of(u64 number) {
  return number * kStride % kPages;
}
bool is_given_back(u64 number) {
  return number % 16 == 7;
}

class Writer {
 public:
  explicit Writer(useconds_t between) {
    u64 size = (kPages + 1) * kPage;
    void* memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    GEIST_CHECK(memory != MAP_FAILED);
    bytes_ = static_cast<u8*>(memory);
    for (u64 number = 1; number <= kPages; ++number) write(number);
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (u64 number = kPages + 1;; ++number) {
      write(number);
      if (between != 0) ::usleep(between);
    }
  }
  ~Writer() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::munmap(bytes_, (kPages + 1) * kPage);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  int pid() const { return pid_; }
  Result<ProcessCopy> copy(const CopyLimits& limits) const {
    return ProcessCopy::make(pid_, kRoom, limits);
  }
  TargetAddr at(u64 page) const { return TargetAddr(reinterpret_cast<u64>(bytes_)) + page * kPage; }

 private:
  void write(u64 number) {
    u8* page = bytes_ + page_of(number) * kPage;
    if (is_given_back(number)) {
      ::madvise(page, kPage, MADV_DONTNEED);
    } else {
      *reinterpret_cast<volatile u64*>(page) = number;
    }
    *reinterpret_cast<volatile u64*>(bytes_ + kPages * kPage) = number;
  }
  u8* bytes_ = nullptr;
  int pid_ = 0;
};

void expect_one_moment(const Writer& writer, const ProcessCopy& copy) {
  u64 counter = copy.memory().find<u64>(writer.at(kPages)).value_or(0);
  ASSERT_GE(counter, kPages);
  auto expected = [](u64 number) { return is_given_back(number) ? 0 : number; };
  for (u64 number = counter - kPages + 1; number <= counter; ++number) {
    std::optional<u64> found = copy.memory().find<u64>(writer.at(page_of(number)));
    ASSERT_TRUE(found);
    // The oldest one may have been written anew, with the counter still to follow.
    bool is_next = number == counter - kPages + 1 && *found == expected(number + kPages);
    if (!is_next) {
      ASSERT_EQ(*found, expected(number)) << "page " << page_of(number) << " at " << counter;
    }
  }
}

usize count_descriptors(int pid) {
  auto fds = std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<usize>(std::distance(begin(fds), end(fds)));
}

std::string children_of(int pid) {
  std::string id = std::to_string(pid);
  std::ifstream in("/proc/" + id + "/task/" + id + "/children");
  std::string children;
  std::getline(in, children);
  return children;
}

void expect_untouched(const Writer& writer) {
  EXPECT_EQ(children_of(writer.pid()), "");
  for (const MapUsage& usage : read_map_usage(writer.pid())) {
    if (!usage.entry.holds(writer.at(0).value, kPages * kPage)) continue;
    for (const char* flag : {"dc", "uw", "um"}) EXPECT_FALSE(usage.has_flag(flag)) << flag;
    return;
  }
  FAIL() << "the mapping is not one any more";
}

TEST(ProcessCopy, WholeIsOfOneMoment) {
  Writer writer(0);
  auto copy = writer.copy({.part_bytes = u64{1} << 40});
  ASSERT_TRUE(copy.ok()) << copy.error().message();
  EXPECT_EQ(copy->pauses().count, 1);
  EXPECT_TRUE(copy->parts().empty());
  expect_one_moment(writer, copy.value());
}

TEST(ProcessCopy, PartsAreOfOneMoment) {
  Writer writer(100);
  usize descriptors = count_descriptors(writer.pid());
  int in_parts = 0;
  // On a busy machine it may write too much for parts while we wait for a processor.
  constexpr int kWanted = 3, kTries = 30;
  for (int i = 0; i < kTries && in_parts < kWanted; ++i) {
    auto copy = writer.copy(kSmallParts);
    ASSERT_TRUE(copy.ok()) << copy.error().message();
    expect_one_moment(writer, copy.value());
    if (copy->parts().empty()) continue;
    ++in_parts;
    EXPECT_GE(copy->parts().size(), 4u);
  }
  expect_untouched(writer);
  EXPECT_EQ(count_descriptors(writer.pid()), descriptors);
  if (in_parts == 0) GTEST_SKIP() << "no copy in parts: it takes Linux 6.7 and userfaultfd";
}

TEST(ProcessCopy, WhoWritesMuchIsCopiedWhole) {
  Writer writer(0);
  for (int i = 0; i < 5; ++i) {
    auto copy = writer.copy(kSmallParts);
    ASSERT_TRUE(copy.ok()) << copy.error().message();
    expect_one_moment(writer, copy.value());
  }
  expect_untouched(writer);
}

TEST(ProcessCopy, OfNobody) {
  auto copy = ProcessCopy::make(0x7ffffff0, kRoom, kSmallParts);
  ASSERT_FALSE(copy.ok());
}

}  // namespace
}  // namespace geist::process

// Between fork and exec nothing is allocated: another thread of geist may have held the allocator's
// lock at that moment.
#include "process/launch.h"

#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>

namespace {

constexpr int kAllocated = 99;
std::atomic<int> only_process = 0;  // not 0: who else allocates ends with kAllocated

void* allocate(std::size_t size) {
  if (const int only = only_process; only != 0 && ::getpid() != only) ::_exit(kAllocated);
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate(size);
}
void* operator new[](std::size_t size) {
  return allocate(size);
}
// The standard library's sorting asks so for its buffer, and gives it back to the operator below.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace geist::process {
namespace {

int exit_code_of(const std::function<Result<int>(const LaunchRequest&)>& start) {
  LaunchRequest request;
  request.path = "/bin/sh";
  request.command = {"sh", "-c", "exit $WANTED", "and", "some", "more", "words"};
  request.environment = {"WANTED=7", "A=1", "B=2", "C=3"};
  only_process = ::getpid();
  Result<int> pid = start(request);
  only_process = 0;
  EXPECT_TRUE(pid.ok());
  if (!pid.ok()) return -1;
  // One that was started stopped is at its exec, and that stop was waited for.
  ptrace(PTRACE_DETACH, pid.value(), 0, 0);
  int status = 0;
  EXPECT_EQ(::waitpid(pid.value(), &status, 0), pid.value());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Launch, NothingIsAllocatedBetweenForkAndExec) {
  EXPECT_EQ(exit_code_of(start_plain), 7);
}

TEST(Launch, NothingIsAllocatedBeforeAnExecThatIsTraced) {
  EXPECT_EQ(exit_code_of(start_stopped), 7);
}

}  // namespace
}  // namespace geist::process

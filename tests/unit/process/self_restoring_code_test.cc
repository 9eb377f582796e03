// Code that makes system calls for us and leads back by itself: what it does is checked by running
// it, in a child that is put onto it with one change of registers and then left alone, as when
// geist is killed.
#include "process/self_restoring_code.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

namespace geist::process {
namespace {

user_regs_struct interrupted(i64 result) {
  user_regs_struct regs{};
  regs.rip = 0x401002;
  regs.orig_rax = SYS_read;
  regs.rax = static_cast<u64>(result);
  return regs;
}

TEST(ResumedRegisters, MakesAnInterruptedCallAgain) {
  for (i64 restart : {-512, -513, -514}) {
    user_regs_struct out = resumed_registers(interrupted(restart));
    EXPECT_EQ(out.rax, static_cast<u64>(SYS_read));
    EXPECT_EQ(out.rip, 0x401000u);
    EXPECT_EQ(out.orig_rax, ~u64{0});
  }
}

TEST(ResumedRegisters, GoesOnWithTheTimeThatIsLeft) {
  user_regs_struct out = resumed_registers(interrupted(-516));
  EXPECT_EQ(out.rax, static_cast<u64>(SYS_restart_syscall));
  EXPECT_EQ(out.rip, 0x401000u);
}

TEST(ResumedRegisters, LeavesResultsAlone) {
  EXPECT_EQ(resumed_registers(interrupted(-4)).rip, 0x401002u);
  EXPECT_EQ(resumed_registers(interrupted(17)).rax, 17u);
  user_regs_struct running = interrupted(-512);  // in user code RAX may hold anything
  running.orig_rax = ~u64{0};
  EXPECT_EQ(resumed_registers(running).rip, 0x401002u);
}

// The child counts in every register it has; whatever the code lost of them shows in its exit
// status.
[[noreturn]] void count_in_registers(volatile int* go) {
  u64 good = 1;
  asm volatile(
      "push %%rbp\n"
      "mov $0x1111111111111111, %%rbx\n mov $0x22222222, %%rcx\n mov $0x3333333333333333, %%rdx\n"
      "mov $-5, %%rsi\n mov $0x6666666666666666, %%r8\n mov $7, %%r9\n mov $0x8888888888888888, "
      "%%r10\n"
      "mov $0x9999999999999999, %%r11\n mov $10, %%r12\n mov $0xbbbbbbbbbbbbbbbb, %%r13\n mov $12, "
      "%%r14\n"
      "mov $0xdddddddddddddddd, %%r15\n mov $14, %%rbp\n"
      "1: cmpl $0, (%%rdi)\n je 1b\n"
      "mov $0x1111111111111111, %%rax\n cmp %%rax, %%rbx\n jne 2f\n"
      "cmp $0x22222222, %%rcx\n jne 2f\n"
      "mov $0x3333333333333333, %%rax\n cmp %%rax, %%rdx\n jne 2f\n"
      "cmp $-5, %%rsi\n jne 2f\n"
      "mov $0x6666666666666666, %%rax\n cmp %%rax, %%r8\n jne 2f\n"
      "cmp $7, %%r9\n jne 2f\n"
      "mov $0x8888888888888888, %%rax\n cmp %%rax, %%r10\n jne 2f\n"
      "mov $0x9999999999999999, %%rax\n cmp %%rax, %%r11\n jne 2f\n"
      "cmp $10, %%r12\n jne 2f\n"
      "mov $0xbbbbbbbbbbbbbbbb, %%rax\n cmp %%rax, %%r13\n jne 2f\n"
      "cmp $12, %%r14\n jne 2f\n"
      "mov $0xdddddddddddddddd, %%rax\n cmp %%rax, %%r15\n jne 2f\n"
      "cmp $14, %%rbp\n jne 2f\n"
      "xor %%eax, %%eax\n jmp 3f\n"
      "2: mov $1, %%eax\n"
      "3: pop %%rbp\n"
      : "=&a"(good)
      : "D"(go)
      : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory",
        "cc");
  ::_exit(static_cast<int>(good));
}

TEST(SelfRestoringCode, MakesItsCallsAndLeadsBackWithoutATracer) {
  constexpr usize kBytes = 4096;
  void* page = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* shared = static_cast<volatile int*>(
      ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  pid_t child = ::fork();
  if (child == 0) count_in_registers(shared);
  ASSERT_EQ(ptrace(PTRACE_SEIZE, child, 0, 0), 0) << strerror(errno);
  ::usleep(20000);
  ASSERT_EQ(ptrace(PTRACE_INTERRUPT, child, 0, 0), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  user_regs_struct regs{};
  ASSERT_EQ(ptrace(PTRACE_GETREGS, child, 0, &regs), 0);

  // dup() the pipe's end, write a word through the copy, close it; a child that ends by itself.
  auto* ended = reinterpret_cast<volatile int*>(static_cast<u8*>(page) + 3072);
  *ended = -1;
  const RemoteCall calls[] = {
      {SYS_dup, {static_cast<u64>(ends[1])}},
      {SYS_write, {0, reinterpret_cast<u64>(page) + 2048, 5}, {}, 0},
      {SYS_close, {}, {}, 0},
      {SYS_access, {0, 0}, "/"},
      {SYS_clone, {SIGCHLD}, {}, -1, 5},
      {SYS_wait4, {~u64{0}, reinterpret_cast<u64>(page) + 3072, 0, 0}, {}, -1, 4},
  };
  user_regs_struct then = resumed_registers(regs);
  SelfRestoringCode code = emit_self_restoring_code(reinterpret_cast<u64>(page), calls, then);
  ASSERT_LT(code.bytes.size(), 2048u);
  ASSERT_EQ(code.behind_call.size(), 6u);
  std::memcpy(page, code.bytes.data(), code.bytes.size());
  std::memcpy(static_cast<u8*>(page) + 2048, "hello", 5);
  then.rip = reinterpret_cast<u64>(page);
  ASSERT_EQ(ptrace(PTRACE_SETREGS, child, 0, &then), 0);
  ASSERT_EQ(ptrace(PTRACE_DETACH, child, 0, 0), 0);

  char word[6] = {};
  EXPECT_EQ(::read(ends[0], word, 5), 5);
  EXPECT_STREQ(word, "hello");
  for (int i = 0; i < 1000 && *ended == -1; ++i) ::usleep(10000);
  EXPECT_EQ(*ended, kUntracedChildStatus << 8) << "the child went on as the program";
  *shared = 1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
      << "a register was not what it had been: " << status;
}

}  // namespace
}  // namespace geist::process

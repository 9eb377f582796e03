// The rules that only the linked blob can show: nothing from outside, no constructors, no writable
// data, no vector or segment registers, no system call but futex, no way out but a jump. Each rule
// is also given code that breaks it. GCC 12 warns about its own std::regex when sanitizers are on.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "base/ints.h"

namespace geist::runtime {
namespace {

struct Output {
  int status = -1;
  std::string text;
};

Output run(const std::string& command) {
  Output out;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 4096> buffer{};
  while (std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe))
    out.text.append(buffer.data(), got);
  out.status = ::pclose(pipe);
  return out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// The first instruction that breaks a rule, as objdump writes it.
std::optional<std::string> find_forbidden(const std::string& disassembly) {
  static const std::regex vector("%[xyz]?mm[0-9]|%st|%k[0-7]");
  static const std::regex segment("%[fg]s:");
  static const std::regex ways_out(
      "\\t(int|into|sysenter|iretq?|hlt|fxsave|fxrstor|xsave[a-z0-9]*|xrstor[a-z0-9]*|emms|in|ins["
      "bwl]|out|outs[bwl])( |$)");
  for (const std::string& line : lines_of(disassembly)) {
    if (std::regex_search(line, vector) || std::regex_search(line, segment) ||
        std::regex_search(line, ways_out))
      return line;
  }
  return std::nullopt;
}

// The first line of source that makes a system call in another way than syscall4(kSysFutex, ...).
// The compiler keeps the number in any register, so the machine code does not tell.
std::optional<std::string> find_other_system_call(const std::string& source) {
  static const std::regex call("syscall4\\((?!kSysFutex,|long number,)|kSysFutex *=(?! 202;)");
  static const std::regex instruction("\\b(syscall|sysenter)\\b|int *0x80");
  for (const std::string& line : lines_of(source)) {
    bool is_the_one = line.find("asm volatile(\"syscall\"") != std::string::npos;
    std::string code = line.substr(0, line.find("//"));
    if (std::regex_search(code, call) || (!is_the_one && std::regex_search(code, instruction)))
      return line;
  }
  return std::nullopt;
}

// Of object files: the linked blob has constants between its code.
std::string disassemble(const std::string& files) {
  Output out = run(std::string(GEIST_OBJDUMP) + " -d --no-show-raw-insn " + files);
  EXPECT_EQ(out.status, 0) << out.text;
  return out.text;
}

// An object file of this C source.
class Object {
 public:
  explicit Object(const std::string& source, const std::string& flags = "-O2") {
    std::string pattern = "/tmp/geist-blob-test-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    std::ofstream(folder_ + "/a.c") << source;
    Output made =
        run(std::string(GEIST_CC) + " " + flags + " -c -o " + path() + " " + folder_ + "/a.c");
    EXPECT_EQ(made.status, 0) << made.text;
  }
  ~Object() { run("rm -rf " + folder_); }
  std::string path() const { return folder_ + "/a.o"; }

 private:
  std::string folder_;
};

int check_blob(const std::string& file) {
  return run(std::string("cmake -DNM=") + GEIST_NM + " -DFILE=" + file + " -P " + GEIST_CHECK_BLOB)
      .status;
}

TEST(Blob, KeepsTheRules) {
  std::string code = disassemble(GEIST_RUNTIME_OBJECTS);
  EXPECT_NE(code.find("syscall"), std::string::npos);  // else it was not looked at
  EXPECT_EQ(find_forbidden(code), std::nullopt);
  EXPECT_EQ(check_blob(GEIST_RUNTIME_ELF), 0);
  Output sections = run(std::string(GEIST_OBJDUMP) + " -h " + GEIST_RUNTIME_ELF);
  EXPECT_EQ(sections.text.find(".init_array"), std::string::npos);
  EXPECT_EQ(sections.text.find(".ctors"), std::string::npos);
  EXPECT_EQ(sections.text.find(".data"), std::string::npos);
  EXPECT_EQ(sections.text.find(".bss"), std::string::npos);
}

TEST(Blob, VectorRegistersWouldBeSeen) {
  Object object("double f(double a, double b) { return a * b; }");
  EXPECT_NE(find_forbidden(disassemble(object.path())), std::nullopt);
}

TEST(Blob, ThreadLocalsWouldBeSeen) {
  Object object("static __thread int x; int f(void) { return x++; }");
  EXPECT_NE(find_forbidden(disassemble(object.path())), std::nullopt);
}

TEST(Blob, FutexIsTheOnlySystemCall) {
  u64 calls = 0;
  for (const auto& file : std::filesystem::directory_iterator(GEIST_SOURCE_DIR "/src/runtime")) {
    std::string extension = file.path().extension();
    if (extension != ".cc" && extension != ".h" && extension != ".S") continue;
    std::ifstream in(file.path());
    std::string source{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    EXPECT_EQ(find_other_system_call(source), std::nullopt) << file.path();
    calls += source.find("syscall4(kSysFutex,") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(calls, 1u);  // sys.h; else it was not looked at
}

TEST(Blob, OtherSystemCallsWouldBeSeen) {
  EXPECT_NE(find_other_system_call("  syscall4(kSysExit, 0, 0, 0, 0);"), std::nullopt);
  EXPECT_NE(find_other_system_call("        syscall"), std::nullopt);
  EXPECT_NE(find_other_system_call("inline constexpr long kSysFutex = 60;"), std::nullopt);
}

TEST(Blob, UndefinedSymbolsWouldBeSeen) {
  Object object("void g(void); void f(void) { g(); }");
  EXPECT_NE(check_blob(object.path()), 0);
}

TEST(Blob, WritableDataWouldBeSeen) {
  Object object("int counter = 1; int f(void) { return counter++; }");
  EXPECT_NE(check_blob(object.path()), 0);
}

}  // namespace
}  // namespace geist::runtime

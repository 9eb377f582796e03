// A Go program of testdata/ that was built, started and has said where its objects are.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "base/address.h"
#include "process/memory.h"
#include "read/go/go_binary.h"

namespace geist::heap {

struct GoBuild {
  std::string toolchain;  // "go1.24.13", or empty: the go command's own
  std::string flags;      // "-buildmode=pie"
  std::string name() const { return (toolchain.empty() ? "default" : toolchain) + " " + flags; }
};

inline void PrintTo(const GoBuild& build, std::ostream* out) {
  *out << build.name();
}

// The default release, or with GEIST_TEST_ALL=1 all supported ones.
std::vector<std::string> test_toolchains();
// The path of testdata/`source` built so; empty when it does not build (the output is on stderr).
// Built once a test run.
std::string build_go(const std::string& source, const GoBuild& build);

struct Place {
  TargetAddr addr;
  u64 size = 0;
};

class LiveProgram {
 public:
  // Builds, starts, and reads "at NAME ADDRESS SIZE" lines up to "ready". Fails the test and gives
  // null otherwise.
  static std::unique_ptr<LiveProgram> start(const std::string& source, const GoBuild& build);
  ~LiveProgram();

  // Sends a line and waits for the answer "done".
  bool tell(const std::string& line);
  // False, with the reason, when this process may not read the other's memory.
  bool is_readable(std::string* why) const;

  int pid() const { return pid_; }
  const process::ProcessMemory& memory() const { return *memory_; }
  const read::GoBinary& binary() const { return *binary_; }
  LoadBias bias() const { return bias_; }
  bool knows(const std::string& name) const { return places_.contains(name); }
  Place at(const std::string& name) const { return places_.at(name); }

 private:
  LiveProgram() = default;
  pid_t pid_ = -1;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
  std::unique_ptr<process::ProcessMemory> memory_;
  std::unique_ptr<read::GoBinary> binary_;
  LoadBias bias_;
  std::map<std::string, Place> places_;
};

}  // namespace geist::heap

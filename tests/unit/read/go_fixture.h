// Go programs for the tests of the readers: built once a process, with any release and flags, in a
// folder that goes away at the end; and small ELF files put together by hand.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "read/go/go_binary.h"

namespace geist::read {

struct GoBuild {
  std::string toolchain = {};           // "go1.21.13"; empty: the default of this machine
  std::vector<std::string> flags = {};  // of go build
  bool cgo = false;
  std::string experiment = {};  // GOEXPERIMENT

  std::string describe() const;  // "go1.21.13 -buildmode=pie"
};

struct GoFixture {
  std::string path;   // of the program; empty when it could not be built
  std::string error;  // what go build said
};

// Builds tests/unit/read/fixture; the second call with the same build gives the same file.
const GoFixture& build_fixture(const GoBuild& build);
// The fixture built by the default toolchain without flags. Fails the test when there is no Go.
const std::string& default_fixture();

// What a command prints, and whether it ended with 0. No shell is involved.
struct Output {
  bool ok = false;
  std::string text;
};
Output run_command(const std::vector<std::string>& argv, const std::vector<std::string>& env = {});

std::vector<u8> read_file(const std::string& path);

// An ELF64 program for x86-64 of one writable segment at 0x10000 that holds `content` from its
// first byte on, and no sections. The content begins at file offset 120.
std::vector<u8> make_elf(ByteView content);
inline constexpr u64 kMadeElfAddr = 0x10000;
inline constexpr u64 kMadeElfOffset = 120;

// The first place where the binary's tables, as the readers see them, differ from what the runtime
// printed (fixture/main.go says how); empty when there is none. `checked` counts the places
// compared.
std::string compare_code(const GoBinary& binary, const std::string& printed, u64& checked);
std::string compare_types(const GoBinary& binary, const std::string& printed, u64& checked);

}  // namespace geist::read

// geist advise escape: what the compiler moves to the heap (go build -gcflags=-m=2), joined by line with
// the bytes of a heap profile.
//
//   "./f.go:12:2: moved to heap: x", "./f.go:14:11: make([]int, n) escapes to heap" ──▶ Escape
//   Profile ──▶ bytes by file and line ──▶ EscapeRow, the most bytes first
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "profile/profile.h"
#include "run/child_signals.h"

namespace geist::advise {

struct Escape {
  std::string file;  // as the compiler names it, relative to the folder it was asked in
  i32 line = 0, column = 0;
  std::string what;       // "x", "make([]int, n)"
  bool is_moved = false;  // a variable; else a value that is made at that line
  std::string why;        // the first step of the way out, "parameter p leaks"; empty: not told
};
struct EscapeList {
  std::vector<Escape> rows;  // in the order of the compiler, each once
  u64 beyond = 0;            // more than kMostEscapes: counted only
  u64 odd_lines = 0;         // that tell of the heap, and whose place is none
};
constexpr usize kMostEscapes = 100000;
EscapeList read_escapes(std::string_view text);
// Of a build that failed: the first line that is no talk about escapes and inlining; printable.
std::string first_error(std::string_view text);

// A package as go list names it.
struct Package {
  std::string path, folder;
};
std::vector<Package> read_packages(std::string_view text);

struct EscapeRow {
  std::string file;  // absolute where that is known
  i32 line = 0;
  i64 bytes = 0;
  std::vector<Escape> escapes;  // of that line
};
struct EscapeAdvice {
  std::string go, package;
  std::string folder;  // absolute: paths are shown relative to it
  std::vector<Package> packages;
  std::string profile;  // its name; empty: none
  std::string unit;     // "alloc_space"
  std::vector<EscapeRow>
      rows;             // the most bytes first; without a profile in the order of files and lines
  i64 total = 0;        // of the profile
  i64 in_packages = 0;  // at lines of these packages, with a note of the compiler or not
  EscapeList list;      // its counts
};

// Asks the compiler. Fails when there is no go, and when the package does not build.
Result<EscapeAdvice> list_escapes(const std::string& package, const run::ChildSignals& signals);
// The same, joined with a profile of allocations. Fails when it is none.
Status join_profile(const profile::Profile& profile, EscapeAdvice& advice);

// Bytes by file and line to the rows they belong to; a file is one by its path, or, in a program built
// with -trimpath, by the import path of its package.
void join_bytes(const std::map<std::pair<std::string, i32>, i64>& bytes,
                const std::vector<Package>& packages, EscapeAdvice& advice);

std::string emit_escape_sentence(const EscapeAdvice& advice);
std::string emit_escape_text(const EscapeAdvice& advice);
std::string emit_escape_json(const EscapeAdvice& advice);

}  // namespace geist::advise

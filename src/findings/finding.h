// Finding: one ghost bug as the judge saw it, with every claim it can back. Report: all findings of
// one run plus what was probed, seen, lost and paid. Both are plain data, in the shape of the JSON
// schema geist-report/1 (docs/report.md); a field that is not known is empty or absent, never
// guessed.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ints.h"

namespace geist::findings {

// From weak to strong. Each has one definition (DESIGN.md, "Levels"); a finding carries the
// strongest it has earned.
enum class Level : u8 { kLatent, kSuspect, kLikely, kConfirmed, kProved };

std::string_view level_name(Level level);  // "likely"
std::optional<Level> find_level(std::string_view name);

// One line of a call stack. Inlined calls are frames of their own, innermost first.
struct Frame {
  std::string function;  // Go symbol name as in pclntab: "github.com/labstack/echo.(*Group).add"
  std::string file;      // as compiled
  i32 line = 0;
  std::string source;  // the text of that line, trimmed; empty when the source is not here
  bool inlined = false;
};

enum class Holder : u8 { kHeap, kGlobal, kStack, kRegister };
std::string_view holder_name(Holder holder);  // "heap"

// A slice header as drawn: where in the array it begins and how far it reaches, in elements of the
// array.
struct DrawnView {
  std::string label;  // "g.middleware", "victim", "this append"
  i64 first = 0;      // index of its first element in the array
  u64 len = 0;
  u64 cap = 0;  // 0 when not known
};

struct Victim {
  Holder holder = Holder::kHeap;
  std::string name;  // "middleware in echo.(*Echo).add.func1", "main.table", "x.items"; empty when
                     // not known
  std::string type;  // "[]echo.MiddlewareFunc"; empty when not known
  u64 len = 0;
  u64 cap = 0;           // 0 when not known
  std::string address;   // of the header, hex; empty for registers
  std::string function;  // the frame that holds it (stack holders)
  std::string file;
  i32 line = 0;
  std::vector<Frame> made_by;  // the call whose result the header is, innermost
                               // first; empty when the code does not tell
  std::string made_by_note;    // "the same append, earlier"
  // False where an experiment found the append and nobody looked for victims.
  bool is_known() const { return len != 0 || !address.empty() || !name.empty() || !type.empty(); }
};

// What a program did otherwise when one append was healed, or under a condition, in each of its
// runs.
struct Proof {
  std::string condition;  // "roomy", "tight64" (probe/condition.h); empty: appends were healed
  std::string what;       // "stdout", "stderr", "exit", "file out.txt", "test TestAdd"
  i64 line = 0;           // of the first difference; 0 where there are no lines
  std::string plain;      // that line, or the status; without and with healing
  std::string healed;
  std::vector<std::string> diff;  // the lines around it: "  same", "- plain", "+ healed"
  u64 plain_runs = 0;
  u64 healed_runs = 0;
  u64 healed_count = 0;  // how often the append was healed in the first healed run
  // Under the condition and with the append healed: runs that did what plain ones do.
  u64 restored_runs = 0;
};

// Where a debugger stops right before an append writes, and where its values are there, in the words
// of program/location_text.h. All empty when not known.
struct StopPoint {
  std::string pc;       // hex, as linked
  std::string array;    // address of the operand's array
  std::string new_len;  // elements, with the added ones
  std::string cap;
  std::string added;
  // Where the victim's pointer and length are; empty when they cannot be found again. "rsp" is that
  // of the frame so many frames (inlined calls are none) above the append's.
  u64 victim_frame = 0;
  std::string victim_array, victim_len;
};

// One side of a finding that has several: what a goroutine did, or was about to do.
struct Stack {
  std::string role;               // "writes", "reads"
  std::string goroutine;          // "7"
  std::vector<Frame> frames;      // innermost first
  std::vector<Frame> made_at;     // the go statement that made the goroutine; empty: not known
  std::string made_by_goroutine;  // who ran that; empty: not known
};

struct Finding {
  int id = 0;  // 1, 2, ... in the order of the report
  std::string rule = "GB001";
  std::string finding_class = "ghost_write";
  Level level = Level::kSuspect;
  u64 count = 1;            // how often it was seen
  std::string fingerprint;  // see fingerprint.h
  // What else this bug was or may be called: its fingerprint in reports of earlier releases, and,
  // in package main, the one of a build that does not know the package's import path.
  std::vector<std::string> aliases;
  std::string site_code;  // sites::hash_site_code; empty when not known
  std::string goroutine;  // "1"
  std::string pc;         // of the append, hex, as linked

  std::vector<Frame> append_stack;  // [0] is the site; empty only below kSuspect: no append yet
  std::string inlined_into;         // physical function of the site when it was inlined, else empty
  std::string element_type;         // "echo.MiddlewareFunc"
  u64 element_size = 0;
  std::string array_address;            // hex
  u64 array_capacity = 0;               // elements
  u64 old_len = 0, added = 0, cap = 0;  // of the append's operand
  u64 sharing = 0;      // live slices that had what the append was about to overwrite; 0: not known
  std::string operand;  // as it is written: "g.middleware"; of a latent finding the path to it

  StopPoint stop;

  u64 element_index = 0;              // of the changed element, counted in the victim
  std::string before, after;          // in the element's type
  std::string before_hex, after_hex;  // the same bytes

  Victim victim;
  std::vector<std::string> other_victims;  // names of more of the same append, each once
  std::vector<Frame> reader_stack;         // the read that confirmed it; empty below kConfirmed
  std::string reader_goroutine;
  std::vector<Stack> stacks;       // of a finding between goroutines; append_stack is that of [0]
  std::string ended_with;          // what the program died of, of this; empty: it did not
  std::vector<DrawnView> drawing;  // first the operand, then the victim, then the append's result

  std::string binary;  // of several programs, the one it was in; else empty
  i64 pid = 0;         // its process; 0 when there was only one
  std::vector<std::string>
      tests;  // the Go tests it happened in: "example.com/shop.TestOrders/two_chunks"

  std::string fix;  // "append(g.middleware[:len(g.middleware):len(g.middleware)], middleware...)";
                    // empty when not known
  std::string fix_diff;  // the same as a unified diff of the file, when the source is here; empty
                         // when not known
  // The file that both change, as compiled: the append's own, or, where that belongs to the standard
  // library or a dependency, a caller's. Empty without a fix.
  std::string fix_file;
  bool fix_compiles = false;  // fix_diff was tried on a copy: the package compiles with it
  std::string
      fix_elsewhere;  // the other choice, in words: "in github.com/x/y (z.go:12): append(…)"
  std::string heal;   // the append's name for geist heal, "echo.(*Group).add:group.go:145"; empty
                      // when it cannot be healed
  std::optional<Proof> proof;  // since level kProved

  // It sleeps: it was seen under this condition only, "roomy". Empty: in a run as it is.
  std::string condition;
  std::string repeat;  // a command that shows it again; empty when the plain run does
};

// Which appends had to be healed to make the output right, found by halving; nothing is known of
// their victims.
struct Bisection {
  struct Site {
    Frame frame;
    std::string heal;  // its name for geist heal
    u64 healed = 0;    // how often, in the last run
  };
  std::vector<Site> sites;  // the smallest set that was found
  u64 candidates = 0;       // appends that overwrote something
  u64 runs = 0;             // of the program, all together
  Proof proof;
};

// Something that changed when appends were healed, or under a condition, and that is no finding.
struct OtherChange {
  // "relies_on_sharing", "undecided": of healed appends; "asks_for_capacity", "counts_allocations",
  // "counts_reuse", "varies", "not_in_plain_run": alarms that are none.
  std::string kind;
  std::string condition;               // as in Proof
  std::string reason;                  // one sentence
  std::string test;                    // the Go test it happened in; empty outside of tests
  std::vector<Bisection::Site> sites;  // the appends, as far as they were looked for
  Proof proof;
};

struct Target {
  std::vector<std::string> command;
  std::string binary;           // base name
  std::string go;               // "go1.26.8"
  std::string module;           // main module or main package
  std::string module_dir_hint;  // longest common directory of main-module files, to print paths
                                // relative to it
  std::string goroot;           // prefix of standard library files as compiled
  std::string build_id;
  bool position_independent = false;  // addresses as linked are none of a process
};

// One program of a run that had several.
struct ProgramRuns {
  std::string binary;  // base name
  std::string go;
  std::string build_id;
  u64 processes = 0;
};

struct PlaceInSource {
  std::string file;  // as compiled
  i32 line = 0;
  auto operator<=>(const PlaceInSource&) const = default;
};

struct SiteCounts {
  u64 growslice_calls = 0;
  u64 always_grows = 0;
  u64 probed = 0;
  std::map<std::string, u64> skipped;  // by reason; sums with the two above to growslice_calls
  std::set<PlaceInSource> without_grow_path;  // see sites/plain_appends.h
  u64 total_skipped() const {
    u64 sum = 0;
    for (const auto& [reason, count] : skipped) sum += count;
    return sum;
  }
};

struct EventCounts {
  u64 overwriting = 0;  // in-place appends whose destination was not all zero
  u64 contexts = 0;
  u64 recorded = 0;
  u64 judged = 0;
};

struct Cost {
  double wall_s = 0;
  double parked_s = 0;
  double slow_path_s = 0, watch_s = 0,
         gates_s = 0;   // in code of ours, in traps of watched words, at the program's end
  double checks_s = 0;  // of overwriting appends, before any of that
  double monitor_cpu_s = 0;
  double program_cpu_s = 0;  // user and system, the program and the children it waited for
  u64 stops = 0;             // how often attach has held all threads, and for how long
  double pause_p50_ms = 0, pause_p99_ms = 0;
  // All that the program's threads spent on being watched, as far as it is measured: not what the
  // few instructions of an append that overwrites nothing take.
  double added_s() const { return parked_s + slow_path_s + watch_s + gates_s + checks_s; }
};

// What a detector adds to the report that is no finding: numbers for places in the source, or for
// objects of the program.
struct Section {
  // A go statement whose goroutines had to do with it; or, in parentheses, none: "(main goroutine)".
  struct Maker {
    std::string function, file;
    i32 line = 0;
    u64 goroutines = 0;
    bool operator==(const Maker&) const = default;
  };
  struct Row {
    std::string function;  // Go symbol name as in pclntab
    std::string file;      // as compiled
    i32 line = 0;
    std::vector<u64> values;  // one for each column
    // Of an object, which was first used at that place; else empty. A name is not always known.
    std::string name = {}, type = {};
    std::vector<Maker> makers = {};
  };
  std::vector<std::string> columns;  // names of the values, as in JSON
  std::vector<Row> rows;             // what matters most first
  std::string note;                  // one sentence: what is not in the numbers
};

struct Report {
  std::string geist_version;
  Target target;
  std::vector<ProgramRuns>
      programs;            // of a run that followed children; empty when there was one process
  bool exit_known = true;  // false: it is no child of ours, or goes on running
  int exit_code = 0;
  std::optional<std::string> exit_signal;  // "SIGSEGV"
  SiteCounts sites;
  EventCounts events;
  std::vector<Finding> findings;    // at or above the asked level, strongest first
  std::map<std::string, u64> lost;  // named counters (findings/loss.inc); zero ones included
  std::optional<Bisection> bisection;
  // What was looked for, by the names of detectors.inc; empty: not known, or appends alone.
  std::vector<std::string> detectors;
  std::vector<std::string> conditions;  // the run was under these: "roomy:main.f:main.go:12"
  std::vector<OtherChange> other_changes;
  std::map<std::string, Section> sections;  // by the name of the detector (detectors.inc)
  std::vector<std::string> notes;  // one sentence each: what could not be done and what helps
  u64 suppressed = 0;
  std::vector<std::string> unused_suppressions;
  Cost cost;

  bool looked_at_appends() const {
    return detectors.empty() || std::ranges::find(detectors, "append") != detectors.end();
  }
};

}  // namespace geist::findings

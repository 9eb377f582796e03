// A Report as bytes, one file a format. Text is for people at 3 a.m., JSON (geist-report/1) is what
// every other format is made from. Nothing here reads ELF or a process; everything shown is in the
// Report.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "findings/finding.h"

namespace geist::report {

struct TextOptions {
  bool color = false;
  u32 width = 100;
  std::string strip_path_prefix;
  bool only_findings = false;  // no notes, no last line
  // Findings that are left out of the text, though not out of its last line; empty: none are.
  std::function<bool(const findings::Finding&)> is_left_out = {};
};

// The findings, each between lines of '=', the notes, and the one-line summary.
std::string emit_text(const findings::Report& report, const TextOptions& options);
// One line: "geist: 1 ghost write (1 confirmed) · 637 of 642 append sites probed, ... ". No
// newline.
std::string emit_summary_line(const findings::Report& report);
// "append in main.f (f.go:3) overwrote element 2 of a slice that is still in use": what the head of
// a finding says.
std::string emit_sentence(const findings::Finding& finding);
// "no ghost writes", "1 ghost write", "3 findings" when they are of several classes.
std::string count_in_words(const findings::Report& report);
// "variable middleware of the closure echo.(*Echo).add.func1", "a []int on the stack of main.f":
// printable.
std::string describe_victim(const findings::Victim& victim);
// "len 3"; 0 is nobody's: then only the pointer was found.
std::string describe_length(const findings::Victim& victim);
// "healed once, stdout line 3 changed in 5 of 5 runs and never in 6 plain ones".
std::string emit_proof_sentence(const findings::Proof& proof);
// What a finding that sleeps means for its reader; empty for one that does not.
std::string emit_sleeping_sentence(const findings::Finding& finding);
// geist-report/1, two-space indent, newline at the end. Bytes that are not UTF-8 become U+FFFD.
std::string emit_json(const findings::Report& report);
// The same without spaces and line breaks.
std::string emit_compact_json(const findings::Report& report);
// SARIF 2.1.0 for code scanning: a result a finding, with the way overwritten by → victim → read by
// as code flow, the stacks, the fix as replacements, and the fingerprint.
std::string emit_sarif(const findings::Report& report);
// A gzipped profile for `go tool pprof`: where appends overwrite, and how often that was seen.
std::string emit_pprof(const findings::Report& report);
// One page that needs nothing else: no server, no network, no other file.
std::string emit_html(const findings::Report& report);
// The fixes in the main module as one patch that `git apply` and `patch -p1` take, at the root of
// the module. What has none is named in `left_out`, a sentence each.
std::string emit_fixes(const findings::Report& report, std::vector<std::string>* left_out);
// Whose scripts are written (debugger.cc).
enum class Debugger : u8 { kGdb, kDlv };
// "gdb"; nothing for a name that is no debugger.
std::optional<Debugger> find_debugger(std::string_view name);
// A script that stops right before the append of each finding (dlv: of the first one) when it is
// about to overwrite an element as the report's victim had it, prints the headers and the values,
// and goes on. Fails when no finding says where its append's values are.
Result<std::string> emit_script(const findings::Report& report, Debugger debugger);
// The way back: emit_json(read_json(x)) == x for every x that emit_json made. Fails on text that is
// not JSON, on another schema, and on a field of the wrong kind, which it names. Fields it does not
// know are passed over: later releases only add some.
Result<findings::Report> read_json(std::string_view text);

enum class Format : u8 { kText, kJson, kSarif, kHtml, kPprof };
// "sarif"; nothing for a name that is no format.
std::optional<Format> find_format(std::string_view name);
// Any of them; only text looks at the options.
std::string emit(const findings::Report& report, Format format, const TextOptions& options);

// The path relative to the main module, to a dependency's module root or to GOROOT/src.
std::string short_file(const std::string& file, const findings::Target& target,
                       const TextOptions& options);
// The rest of `path` behind `directory`, or nothing when it does not lie inside.
std::optional<std::string> find_rest(const std::string& path, std::string directory);

// The rows of "backing array", without indent: the label, the cells of the array that matter, "len
// 3 cap 4". `changed` is the index of the changed element in the array; nothing marks none. Long
// arrays are cut with '…' so that a row stays within `width` columns.
std::vector<std::string> draw_array(const std::vector<findings::DrawnView>& views,
                                    std::optional<i64> changed, usize width);

}  // namespace geist::report

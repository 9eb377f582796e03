// geist locate: an allocation profile where one can be had, geist attach (or run) with its counters,
// and one table of both. Watching is theirs (cmd_attach.cc, cmd_run.cc), the table report/locate.h's.
#include "cli/cmd_locate.h"

#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "base/system_error.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/print.h"
#include "profile/fetch.h"
#include "profile/sites.h"
#include "report/locate.h"
#include "run/listener.h"

namespace geist::cli {
namespace {

using report::AllocatedLine;

// Where a server keeps it, unless the address says something else.
std::string heap_url(const std::string& word) {
  std::string url = word.find("://") == word.npos ? "http://" + word : word;
  const usize path = url.find('/', url.find("://") + 3);
  if (path == url.npos) return url + "/debug/pprof/heap";
  return path + 1 == url.size() ? url + "debug/pprof/heap" : url;
}

Result<std::vector<AllocatedLine>> allocated_lines(const std::string& url, u64 timeout_s) {
  GEIST_TRY(answer, profile::fetch_url(url, timeout_s));
  GEIST_TRY(heap, profile::Profile::read(answer.bytes(), url));
  std::vector<std::string> notes;
  GEIST_TRY(sites, profile::find_sites(heap, {}, &notes));
  std::vector<AllocatedLine> lines;
  for (const profile::Site& site : sites.rows)
    lines.push_back({site.function, site.file, site.line, site.value});
  return lines;
}

Result<Done> write_json(const std::string& text, const std::string& path) {
  if (path == "-") {
    if (print_data(text)) return Done{};
    return Error("stdout: cannot be written", ErrorKind::kSystem);
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "we"),
                                                             std::fclose);
  if (file == nullptr) return system_error(path);
  if (std::fwrite(text.data(), 1, text.size(), file.get()) != text.size() ||
      std::fflush(file.get()) != 0)
    return system_error(path);
  return Done{};
}

// The table goes where the report of the same session would: a program has stdout for itself.
void tell(const LocateOptions& options, const std::vector<AllocatedLine>& allocated,
          const findings::Report& report) {
  const std::vector<report::LocatedAppend> rows = report::locate(report, allocated);
  report::TextOptions text;
  const Printable table =
      printable_lines(report::emit_located_text(report, rows, options.most_rows, text));
  const bool has_stdout = !options.run && options.json_path != "-";
  if (!has_stdout)
    print_err(table);
  else if (!print_out(table))
    say("geist: stdout: cannot be written\n");
  for (const std::string& note : report.notes) say(fmt::format("geist: note: {}\n", note));
  if (options.json_path.empty()) return;
  const Status written = write_json(report::emit_located_json(report, rows), options.json_path);
  if (!written.ok()) say(fmt::format("geist: {}\n", written.error().message()));
}

// What another machine's program allocates is all that is known of it.
int locate_far(const LocateOptions& options, const std::vector<AllocatedLine>& allocated,
               const Error& why) {
  findings::Report report;
  report.geist_version = GEIST_VERSION;
  report.target.binary = options.url;
  report.notes.push_back(
      fmt::format("only what each line allocates: {}", why.message()));
  tell(options, allocated, report);
  return to_int(ExitCode::kOk);
}

}  // namespace

Result<LocateOptions> make_locate_options(const ParsedFlags& parsed) {
  LocateOptions options;
  options.most_rows = static_cast<usize>(parsed.number("rows"));
  options.timeout_s = static_cast<u64>(parsed.number("timeout"));
  options.json_path = parsed.value("json");
  const std::string& first = parsed.operands.front();
  const bool is_url = profile::is_url(first);
  GEIST_TRY(assumed, parse_assumed_go(parsed));
  OutputOptions output;
  output.level = findings::Level::kSuspect;
  if (!is_url && first.find('/') != first.npos) {
    if (parsed.has("for")) return Error("--for is for a process: a program runs to its end");
    options.run.emplace();
    options.run->command = parsed.operands;
    options.run->output = output;
    options.run->detectors = {"signals"};
    options.run->assume_go_minor = assumed;
    return options;
  }
  if (parsed.operands.size() > 1)
    return Error(fmt::format("unexpected \"{}\"", parsed.operands[1]))
        .with_hint("A program is a path with a slash, ./prog; a word without one is a process.");
  if (is_url) options.url = heap_url(first);
  options.attach.process = first;
  options.attach.for_s = parse_duration(parsed.value("for"));
  if (!options.attach.for_s) {
    return Error(fmt::format("--for: expected a duration like 30s or 1m30s, found \"{}\"",
                             parsed.value("for")));
  }
  output.exit_code = to_int(ExitCode::kFound);
  options.attach.output = output;
  options.attach.detectors = {"signals"};
  options.attach.assume_go_minor = assumed;
  return options;
}

int cmd_locate(const LocateOptions& asked) {
  LocateOptions options = asked;
  std::vector<AllocatedLine> allocated;
  const auto tell_people = [&](const findings::Report& report) {
    // Once more, with what was allocated meanwhile; the server may have ended.
    if (!options.url.empty()) {
      if (auto lines = allocated_lines(options.url, options.timeout_s); lines.ok())
        allocated = std::move(lines).value();
    }
    tell(options, allocated, report);
  };
  if (options.run) {
    options.run->output.tell_people = tell_people;
    return cmd_run(*options.run);
  }
  if (!options.url.empty()) {
    // First of all: a page that is none ends this before anything is touched.
    auto lines = allocated_lines(options.url, options.timeout_s);
    if (!lines.ok()) return fail(lines.take_error().in(options.url));
    allocated = std::move(lines).value();
    Result<std::string> process = run::find_listener(options.url);
    if (!process.ok()) return locate_far(options, allocated, process.error());
    options.attach.process = process.value();
  }
  options.attach.output.tell_people = tell_people;
  return cmd_attach(options.attach);
}

}  // namespace geist::cli

// geist locate: an allocation profile where one can be had, geist attach (or run) with its counters,
// and one table of both. Watching is theirs (cmd_attach.cc, cmd_run.cc), the table report/locate.h's.
#include "cli/cmd_locate.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "base/fd.h"
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

// Where --json goes: opened before anything is watched. What was there stays until the table is, and
// of nothing no file is made.
class TableFile {
 public:
  static Result<TableFile> open(const std::string& path) {
    TableFile table;
    table.path_ = path;
    if (path.empty() || path == "-") return table;
    table.file_ = Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    table.is_new_ = table.file_.valid();
    if (!table.is_new_ && errno == EEXIST)
      table.file_ = Fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!table.file_.valid()) return system_error(path);
    return table;
  }
  TableFile(TableFile&& other) noexcept
      : path_(std::move(other.path_)),
        file_(std::move(other.file_)),
        is_new_(std::exchange(other.is_new_, false)) {}
  TableFile& operator=(TableFile&&) = delete;
  ~TableFile() {
    if (is_new_) ::unlink(path_.c_str());
  }

  Status write(std::string_view text) {
    if (path_.empty()) return Done{};
    if (path_ == "-") {
      if (print_data(text)) return Done{};
      return Error("stdout: cannot be written", ErrorKind::kSystem);
    }
    is_new_ = false;
    (void)::ftruncate(file_.get(), 0);  // not of a pipe
    while (!text.empty()) {
      const ssize_t written = ::write(file_.get(), text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return system_error(path_);
      text.remove_prefix(static_cast<usize>(written));
    }
    return Done{};
  }

 private:
  TableFile() = default;
  std::string path_;
  Fd file_;
  bool is_new_ = false;
};

// The table goes where the report of the same session would: a program has stdout for itself.
void tell(const LocateOptions& options, const std::vector<AllocatedLine>& allocated,
          const findings::Report& report, TableFile& file) {
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
  const Status written = file.write(report::emit_located_json(report, rows));
  if (!written.ok()) say(fmt::format("geist: {}\n", written.error().message()));
}

// What another machine's program allocates is all that is known of it.
int locate_far(const LocateOptions& options, const std::vector<AllocatedLine>& allocated,
               const Error& why, TableFile& file) {
  findings::Report report;
  report.geist_version = GEIST_VERSION;
  report.target.binary = options.url;
  report.notes.push_back(fmt::format("only what each line allocates: {}", why.message()));
  tell(options, allocated, report, file);
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
  Result<TableFile> file = TableFile::open(options.json_path);
  if (!file.ok()) return fail(file.error());
  std::vector<AllocatedLine> allocated;
  const auto tell_people = [&](const findings::Report& report) {
    // Once more, with what was allocated meanwhile; the server may have ended.
    if (!options.url.empty()) {
      if (auto lines = allocated_lines(options.url, options.timeout_s); lines.ok())
        allocated = std::move(lines).value();
    }
    tell(options, allocated, report, file.value());
  };
  if (options.run) {
    options.run->output.tell_people = tell_people;
    return cmd_run(*options.run);
  }
  if (!options.url.empty()) {
    // First of all: a page that is none ends this before anything is touched.
    auto lines = allocated_lines(options.url, options.timeout_s);
    if (!lines.ok()) return fail(lines.error());
    allocated = std::move(lines).value();
    Result<std::string> process = run::find_listener(options.url);
    if (!process.ok()) return locate_far(options, allocated, process.error(), file.value());
    options.attach.process = process.value();
  }
  options.attach.output.tell_people = tell_people;
  return cmd_attach(options.attach);
}

}  // namespace geist::cli

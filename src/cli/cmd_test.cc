// geist test: the table of contents. go test builds and runs as ever, with `geist run` around each
// test binary; those leave their reports in a folder, and what is said to the user is one report
// made of all.
//
//   geist test ──▶ go test -exec 'geist run --test --report=json:DIR/%p.json …' ──▶ DIR/123.json,
//   DIR/124.json ──▶ one report
#include "cli/cmd_test.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "cli/child_signals.h"
#include "cli/exit_code.h"
#include "cli/go_build.h"
#include "cli/go_test_arguments.h"
#include "cli/print.h"
#include "report/merge.h"

namespace geist::cli {
namespace {

namespace fs = std::filesystem;

Result<std::string> own_path() {
  std::error_code error;
  fs::path path = fs::read_symlink("/proc/self/exe", error);
  if (error) return Error(fmt::format("/proc/self/exe: {}", error.message()), ErrorKind::kSystem);
  return path.string();
}

// The command in front of each test binary. Verdicts stay those of the tests: go test must see
// their own exit status.
Result<std::vector<std::string>> exec_words(const TestOptions& options, const std::string& folder) {
  GEIST_TRY(self, own_path());
  std::vector<std::string> words = {self,
                                    "run",
                                    "--test",
                                    "--exitcode=0",
                                    "--log=/dev/null",
                                    fmt::format("--report=json:{}/%p.json", folder)};
  words.insert(words.end(), options.run_flags.begin(), options.run_flags.end());
  words.push_back("--");
  return words;
}

struct Collected {
  std::vector<judge::Report> reports;
  u64 without_report = 0;  // test binaries whose geist ended before it could write
};

Collected collect(const std::string& folder) {
  std::error_code ignored;
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  Collected collected;
  for (const fs::path& file : files) {
    Result<judge::Report> report = read_report_file(file.string());
    if (report.ok())
      collected.reports.push_back(std::move(report).value());
    else
      ++collected.without_report;
  }
  return collected;
}

// The folder with go.mod, here or above: paths in the report are relative to it. Empty when there
// is none.
std::string module_folder() {
  std::error_code error;
  for (fs::path folder = fs::current_path(error); !error; folder = folder.parent_path()) {
    if (fs::exists(folder / "go.mod", error)) return folder.string();
    if (folder == folder.parent_path()) break;
  }
  return "";
}

judge::Report make_report(Collected collected, const TestOptions& options, const ExitStatus& exit) {
  judge::Report report;
  report.geist_version = GEIST_VERSION;
  for (judge::Report& part : collected.reports) {
    const judge::Target& target = part.target;
    if (report.target.go.empty()) {  // paths are printed relative to the first program's folders
      report.target.go = target.go;
      report.target.goroot = target.goroot;
      report.target.module_dir_hint = target.module_dir_hint;
    }
    if (!target.binary.empty()) part.programs = {{target.binary, target.go, target.build_id, 1}};
    report::merge_into(&report, std::move(part));
  }
  if (std::string folder = module_folder(); !folder.empty()) report.target.module_dir_hint = folder;
  report.target.command = {"go", "test"};
  report.target.command.insert(report.target.command.end(), options.words.begin(), options.words.end());
  report.exit_code = exit.code;
  if (collected.without_report != 0) {
    report.notes.push_back(fmt::format("{} test binar{} ended without a report: killed, or never started",
                                       collected.without_report, collected.without_report == 1 ? "y" : "ies"));
  }
  return report;
}

}  // namespace

int cmd_test(const TestOptions& options) {
  // What go test will be asked, and where the reports of the test binaries go. Both fail before
  // anything is built.
  Result<TemporaryFolder> folder = TemporaryFolder::make();
  if (!folder.ok()) return fail(folder.error());
  Result<std::vector<std::string>> exec = exec_words(options, folder->path());
  if (!exec.ok()) return fail(exec.error());
  const char* goflags = std::getenv("GOFLAGS");
  Result<GoTestCommand> command =
      make_go_test_command(options.words, goflags == nullptr ? "" : goflags, exec.value());
  if (!command.ok()) return fail_usage(command.error(), "test");
  Result<ReportOutput> output = ReportOutput::open(options.output);
  if (!output.ok()) return fail(output.error());

  // go test, with our stdin, stdout and stderr. What GEIST says is for this process, which has read
  // it.
  ::unsetenv("GEIST");
  Result<ChildSignals> signals = ChildSignals::block();
  if (!signals.ok()) return fail(signals.error());
  Result<int> go = start_go(command->arguments, signals->child_mask());
  if (!go.ok()) return fail(go.error());
  signals->child_started();
  ExitStatus exit = wait_for_exit(go.value(), signals.value());

  // Tell.
  if (command->runs_nothing) {
    if (exit.code == 0)
      print_err("geist: only built (-c); to watch it: geist run --test -- ./PACKAGE.test\n");
    return exit.code;
  }
  Collected collected = collect(folder->path());
  if (collected.reports.empty() && collected.without_report == 0) {
    if (!options.output.quiet) print_err("geist: no test binary was run\n");
    return exit.code;
  }
  Result<int> status = output->finish(make_report(std::move(collected), options, exit));
  return status.ok() ? status.value() : fail(status.error());
}

}  // namespace geist::cli

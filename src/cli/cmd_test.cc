// geist test: the table of contents. go test builds and runs as ever, with `geist run` around each
// test binary; those leave their reports in a folder, and what is said to the user is one report
// made of all. With --prove they leave the binaries that something was found in, too: go test
// removes its own.
//
//   geist test ──▶ go test -exec 'geist run --test --report=json:DIR/%p.json --keep=DIR …'
//              ──▶ DIR/123.json, DIR/123/shop.test, DIR/124.json ──▶ proofs ──▶ one report
#include "cli/cmd_test.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "cli/exit_code.h"
#include "cli/print.h"
#include "report/merge.h"
#include "run/child_signals.h"
#include "run/go_build.h"
#include "run/go_test_arguments.h"
#include "run/kept_program.h"
#include "run/prove_tests.h"
#include "run/run_recorder.h"
#include "run/shake_tests.h"

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
                                    "--no-store",
                                    "--log=/dev/null",
                                    fmt::format("--report=json:{}/%p.json", folder)};
  words.insert(words.end(), options.run_flags.begin(), options.run_flags.end());
  if (options.proves || options.shakes) words.push_back("--keep=" + folder);
  if (options.shakes || options.proves) words.push_back("--keep-always");
  words.push_back("--");
  return words;
}

// What one test binary left.
struct Part {
  findings::Report report;
  std::string kept;  // the folder with the binary; not there when it had no findings
};

struct Collected {
  std::vector<Part> parts;
  u64 without_report = 0;  // test binaries whose geist ended before it could write
};

Collected collect(const std::string& folder) {
  std::error_code ignored;
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  Collected collected;
  for (const fs::path& file : files) {
    Result<findings::Report> report = read_report_file(file.string());
    if (report.ok())
      collected.parts.push_back(
          {std::move(report).value(), (file.parent_path() / file.stem()).string()});
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

void prove_parts(std::vector<Part>& parts, bool is_quiet) {
  u64 findings = 0;
  for (const Part& part : parts) findings += part.report.findings.size();
  if (findings != 0 && !is_quiet && ::isatty(STDERR_FILENO) == 1)
    print_err(
        printable_lines(fmt::format("geist: running the tests of {} finding{} again, healed\n",
                                    findings, findings == 1 ? "" : "s")));
  for (Part& part : parts) {
    if (part.report.findings.empty() && part.report.exit_code == 0) continue;
    Result<run::KeptProgram> program = run::read_kept_program(part.kept);
    if (program.ok())
      run::prove_test_findings(program.value(), part.report);
    else
      part.report.notes.push_back("not proved: " + program.error().message());
  }
}

void shake_parts(std::vector<Part>& parts, const TestOptions& options) {
  const bool is_told = !options.output.quiet && ::isatty(STDERR_FILENO) == 1;
  run::TestShaking shaking;
  shaking.conditions = {probe::read_condition("roomy").value(),
                        probe::read_condition("tight64").value()};
  shaking.run_flags = options.run_flags;
  shaking.deadline = std::chrono::steady_clock::now() +
                     std::chrono::milliseconds(static_cast<i64>(options.shake_s * 1000));
  usize done = 0;
  for (Part& part : parts) {
    if (is_told)
      print_err(printable_lines(fmt::format("geist: shaking {} ({} of {})\n",
                                            part.report.target.binary, ++done, parts.size())));
    Result<run::KeptProgram> program = run::read_kept_program(part.kept);
    if (program.ok())
      run::shake_test_binary(program.value(), shaking, part.report);
    else
      part.report.notes.push_back("not shaken: " + program.error().message());
  }
}

findings::Report make_report(const Collected& collected, const TestOptions& options,
                             const run::ExitStatus& exit) {
  findings::Report report;
  report.geist_version = GEIST_VERSION;
  for (const Part& one : collected.parts) {
    findings::Report part = one.report;
    const findings::Target& target = part.target;
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
  report.target.command.insert(report.target.command.end(), options.words.begin(),
                               options.words.end());
  report.exit_code = exit.code;
  if (collected.without_report != 0) {
    report.notes.push_back(
        fmt::format("{} test binar{} ended without a report: killed, or never started",
                    collected.without_report, collected.without_report == 1 ? "y" : "ies"));
  }
  return report;
}

}  // namespace

int cmd_test(const TestOptions& options) {
  // What go test will be asked, and where the reports of the test binaries go. Both fail before
  // anything is built.
  Result<run::TemporaryFolder> folder = run::TemporaryFolder::make();
  if (!folder.ok()) return fail(folder.error());
  Result<std::vector<std::string>> exec = exec_words(options, folder->path());
  if (!exec.ok()) return fail(exec.error());
  const char* goflags = std::getenv("GOFLAGS");
  Result<run::GoTestCommand> command =
      run::make_go_test_command(options.words, goflags == nullptr ? "" : goflags, exec.value());
  if (!command.ok()) return fail_usage(command.error(), "test");
  Result<ReportOutput> output = ReportOutput::open(options.output);
  if (!output.ok()) return fail(output.error());

  // go test, with our stdin, stdout and stderr. What GEIST says is for this process, which has read
  // it.
  ::unsetenv("GEIST");
  Result<run::ChildSignals> signals = run::ChildSignals::block();
  if (!signals.ok()) return fail(signals.error());
  Result<int> go = run::start_go(command->arguments, signals->child_mask());
  if (!go.ok()) return fail(go.error());
  signals->child_started();
  run::ExitStatus exit = run::wait_for_exit(go.value(), signals.value());

  // Collect.
  if (command->runs_nothing) {
    if (exit.code == 0)
      print_err("geist: only built (-c); to watch it: geist run --test -- ./PACKAGE.test\n");
    return exit.code;
  }
  Collected collected = collect(folder->path());
  if (collected.parts.empty() && collected.without_report == 0) {
    if (!options.output.quiet) print_err("geist: no test binary was run\n");
    return exit.code;
  }
  findings::Report report = make_report(collected, options, exit);
  std::unique_ptr<run::RunRecorder> recorder;
  if (options.keeps_run)
    recorder = run::keep_early(report, options.output.level, options.kept_runs);

  // Prove. The tests are over: from here on a signal may end us, what was found is kept.
  if (options.proves || options.shakes) {
    signals->restore();
    if (options.proves) prove_parts(collected.parts, options.output.quiet);
    if (options.shakes) shake_parts(collected.parts, options);
    report = make_report(collected, options, exit);
  }

  // Tell.
  if (recorder) recorder->finish(report);
  Result<int> status = output->finish(std::move(report));
  return status.ok() ? status.value() : fail(status.error());
}

}  // namespace geist::cli

// A report, a process or a program by one word, and the session that counts: as geist attach and geist
// run, but for what they would print. They end in this process, so what they leave of it is put back.
#include "cli/counted_maps.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fstream>

#include <fmt/format.h>

#include "base/fd.h"
#include "cli/cmd_attach.h"
#include "cli/cmd_run.h"
#include "cli/saved_reports.h"

namespace geist::cli {
namespace {

enum class Kind { kReport, kProcess, kProgram };

bool begins_as_elf(const std::string& path) {
  char magic[4] = {};
  std::ifstream(path, std::ios::binary).read(magic, sizeof magic);
  return std::string_view(magic, sizeof magic) ==
         "\x7f"
         "ELF";
}

Kind kind_of(const std::string& word) {
  const bool is_number =
      !word.empty() && std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
  if (is_number) return Kind::kProcess;
  struct stat info {};
  const bool exists = ::stat(word.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) return Kind::kProgram;
  if (exists && (word.ends_with(".go") || begins_as_elf(word))) return Kind::kProgram;
  if (exists || word == "last" || word.ends_with(".json")) return Kind::kReport;
  return word.find('/') == word.npos ? Kind::kProcess : Kind::kProgram;
}

// What a session leaves of this process is put back: whoever asked goes on, and a Ctrl-C that was
// meant for the program has been obeyed.
class OwnState {
 public:
  OwnState() : stdout_(::dup(STDOUT_FILENO)) { ::sigprocmask(SIG_BLOCK, nullptr, &mask_); }
  OwnState(const OwnState&) = delete;
  OwnState& operator=(const OwnState&) = delete;
  ~OwnState() {
    if (stdout_.valid()) ::dup2(stdout_.get(), STDOUT_FILENO);
    sigset_t ends;
    sigemptyset(&ends);
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
      if (sigismember(&mask_, signal) == 0) sigaddset(&ends, signal);
    }
    const timespec now{};
    ::sigprocmask(SIG_BLOCK, &ends, nullptr);
    while (::sigtimedwait(&ends, nullptr, &now) > 0) {
    }
    ::sigprocmask(SIG_SETMASK, &mask_, nullptr);
  }
  // A program that is run writes to ours for errors: what is printed afterwards stands alone.
  void lend_stdout() const {
    std::fflush(stdout);
    if (stdout_.valid()) ::dup2(STDERR_FILENO, STDOUT_FILENO);
  }

 private:
  Fd stdout_;
  sigset_t mask_{};
};

// Of a session that tells once, at its end.
template <typename Options, typename Session>
CountedMaps take_report(Options options, Session session) {
  CountedMaps counted;
  options.detectors = {"mix"};
  options.output.tell_people = [&](const findings::Report& report) { counted.report = report; };
  counted.exit_code = session(options);
  return counted;
}

}  // namespace

Result<CountedMaps> count_maps(const MapSource& source) {
  const std::string& word = source.words.front();
  const Kind kind = kind_of(word);
  if (kind != Kind::kProgram && source.words.size() > 1)
    return Error(fmt::format("unexpected \"{}\": only a program has arguments", source.words[1]));
  const OwnState own;
  if (kind == Kind::kProcess) {
    AttachOptions options;
    options.process = word;
    options.for_s = source.for_s;
    return take_report(options, cmd_attach);
  }
  if (kind == Kind::kProgram) {
    RunOptions options;
    options.command = source.words;
    const bool is_bare = word.find('/') == word.npos;
    if (is_bare) options.command[0] = "./" + word;
    options.keeps_run = options.watches_appends = options.ends_as_program = false;
    own.lend_stdout();
    return take_report(options, cmd_run);
  }
  Result<findings::Report> report = read_saved_report(word);
  if (report.ok()) return CountedMaps{std::move(report).value()};
  return std::move(report.take_error())
      .with_hint(
          "maps takes a JSON report, a process, a program, or only --mix=READS/UPDATES/INSERTS.");
}

}  // namespace geist::cli

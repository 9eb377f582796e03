#include "cli/unwatched.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/exit_code.h"
#include "cli/print.h"

namespace geist::cli {

int give_up(const RunOptions& options, const Error& error, const run::ChildSignals* blocked) {
  bool has_program =
      error.kind() != ErrorKind::kNotFound && error.kind() != ErrorKind::kNotRunnable;
  if (!options.is_test || !has_program) return fail(error);
  findings::Report report;
  report.geist_version = GEIST_VERSION;
  report.target.command = options.command;
  report.notes.push_back(fmt::format("not watched: {}", error.message()));
  Result<ReportOutput> output = ReportOutput::open(options.output);
  if (!output.ok()) return fail(output.error());
  Result<int> status = output->finish(std::move(report));
  if (!status.ok()) return fail(status.error());
  print_err(printable_lines(fmt::format("geist: not watched: {}\n", printable(error.message()))));
  if (blocked != nullptr) blocked->restore();
  std::vector<char*> argv;
  for (const std::string& word : options.command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  return fail(Error(fmt::format("{}: {}", options.command[0], std::strerror(errno)),
                    ErrorKind::kNotRunnable));
}

}  // namespace geist::cli

// geist shake: the program by itself, then under conditions that it must not notice.
#include "cli/cmd_shake.h"

#include <signal.h>

#include <cstdlib>

#include "cli/exit_code.h"
#include "prove/experiment.h"
#include "run/find_sites.h"
#include "run/program_path.h"
#include "run/refuse_sanitized.h"
#include "run/run_recorder.h"
#include "run/shaking.h"

namespace geist::cli {
namespace {

Result<findings::Report> shake(const ShakeOptions& options, const run::Program& program,
                               const read::GoBinary& binary, const sites::SiteTable& sites) {
  prove::Command command;
  command.path = program.path;
  command.argv = options.command;
  command.watched_files = options.watched_files;
  command.timeout_ms = options.timeout_ms;
  ::sigprocmask(SIG_BLOCK, nullptr, &command.signal_mask);
  GEIST_TRY(runner, prove::Runner::create(binary, sites, std::move(command)));
  prove::Experiment experiment(runner, options.confirm_runs);
  run::ShakeRequest request;
  request.command = options.command;
  request.program = program.path;
  request.run_flags = options.run_flags;
  request.conditions = options.conditions;
  return run::shake_program(experiment, binary, sites, request);
}

}  // namespace

int cmd_shake(const ShakeOptions& options) {
  // The program, its append sites, and the files the report goes to.
  Result<run::Program> program = run::resolve_program(options.command[0]);
  if (!program.ok()) return fail(program.error());
  auto binary = read::GoBinary::open(program->path, {options.assume_go_minor});
  if (!binary.ok()) return fail(binary.error());
  if (Status status = run::refuse_sanitized(*binary.value()); !status.ok())
    return fail(status.error());
  Result<ReportOutput> output = ReportOutput::open(options.output);
  if (!output.ok()) return fail(output.error());
  sites::SiteCache cache(options.no_cache ? "" : sites::SiteCache::default_folder());
  const sites::SiteTable sites = run::find_sites(cache, *binary.value());
  cache.save();

  ::unsetenv("GEIST");  // has been obeyed; the watching runs get flags
  Result<findings::Report> report = shake(options, program.value(), *binary.value(), sites);
  if (!report.ok()) return fail(report.error());
  if (options.keeps_run) {
    auto recorder = run::keep_early(report.value(), options.output.level, options.kept_runs);
    if (recorder) recorder->finish(report.value());
  }
  report->exit_code = 0;  // geist's own status: the program's runs are experiments
  Result<int> status = output->finish(std::move(report).value());
  return status.ok() ? status.value() : fail(status.error());
}

}  // namespace geist::cli

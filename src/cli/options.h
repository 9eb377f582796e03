// From what was typed to the structs the verbs take. Everything that can be wrong with a value is
// found here, before any work begins.
#pragma once

#include "cli/cmd_attach.h"
#include "cli/cmd_heal.h"
#include "cli/cmd_prove.h"
#include "cli/cmd_report.h"
#include "cli/cmd_run.h"
#include "cli/cmd_shake.h"
#include "cli/cmd_sites.h"
#include "cli/cmd_test.h"
#include "cli/flags.h"

namespace geist::cli {

Result<RunOptions> make_run_options(const ParsedFlags& parsed);
Result<HealOptions> make_heal_options(const ParsedFlags& parsed);
Result<ProveOptions> make_prove_options(const ParsedFlags& parsed);
// geist run --no-judge is geist heal, geist run --prove is geist prove with a run of the user in
// front.
Result<HealOptions> make_heal_options_of_run(const ParsedFlags& parsed);
Result<ProveOptions> make_prove_options_of_run(const ParsedFlags& parsed);
Result<AttachOptions> make_attach_options(const ParsedFlags& parsed);
Result<TestOptions> make_test_options(const ParsedFlags& parsed);
Result<ShakeOptions> make_shake_options(const ParsedFlags& parsed);
Result<SitesOptions> make_sites_options(const ParsedFlags& parsed);
Result<ReportOptions> make_report_options(const ParsedFlags& parsed);
ColorMode color_mode(const ParsedFlags& parsed);

// 21 from "1.21" or "go1.21.3"; nothing when the flag was not given. Whether that release is
// supported is read/'s to say.
Result<std::optional<int>> parse_assumed_go(const ParsedFlags& parsed);

}  // namespace geist::cli

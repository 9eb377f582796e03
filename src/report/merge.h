// Several reports as one: of the processes of one command, or of runs of one command.
#pragma once

#include "findings/finding.h"

namespace geist::report {

// Adds `part` to `whole`. A finding that is there already (same fingerprint, same kind of
// victim) is counted on and keeps the stronger evidence and all tests; counters are added; what is
// known of the append sites of a program is taken once, however many processes ran it. Target, exit
// status and wall time stay those of `whole`. The findings are in the order of a report afterwards:
// strongest first.
void merge_into(findings::Report* whole, findings::Report part);

}  // namespace geist::report

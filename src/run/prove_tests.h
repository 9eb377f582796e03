// Proofs for the findings of a test binary: the very test a finding was made in is run again, by
// itself, with that append healed.
#pragma once

#include "findings/finding.h"
#include "run/kept_program.h"

namespace geist::run {

// `report` is what `program` was found to do. Findings that are proved get their level and proof,
// of the others a note says why not; nothing fails.
void prove_test_findings(const KeptProgram& program, findings::Report& report);

}  // namespace geist::run

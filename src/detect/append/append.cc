// Appends that overwrite: every plan probes them (probe/), each event becomes a case.
#include "detect/detector.h"
#include "judge/append_case.h"

namespace geist::detect::append {

const Hooks kHooks{.clerk = judge::append_clerk};

}  // namespace geist::detect::append

// Appends that overwrite: every plan probes them (probe/), each event becomes a case.
#include "detect/append/append_case.h"
#include "detect/detector.h"

namespace geist::detect::append {

const Hooks kHooks{.clerk = append_clerk};

}  // namespace geist::detect::append

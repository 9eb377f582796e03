// Appends that overwrite: every plan probes them (probe/), and the judge makes the findings.
#include "detect/detector.h"

namespace geist::detect::append {

const Hooks kHooks{};

}  // namespace geist::detect::append

// shake: what the program does under another capacity, as `geist shake` finds it out of many runs
// (prove/shake.h). In a single run there is nothing to ask or to tell.
#include "detect/detector.h"

namespace geist::detect::shake {

const Hooks kHooks{};

}  // namespace geist::detect::shake

// What the system says when a call of it fails.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>

#include "base/result.h"

namespace geist {

// "WHAT: No such file or directory", of the last call that failed unless another error is given.
inline Error system_error(const std::string& what, int error = errno) {
  return Error(what + ": " + std::strerror(error), ErrorKind::kSystem);
}

}  // namespace geist

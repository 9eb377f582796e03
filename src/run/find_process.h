// From what was typed behind `geist attach` to a running process: a process id, or a name that
// exactly one process has.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace geist::run {

struct FoundProcess {
  int pid = 0;
  int thread = 0;    // a thread of it that lives, by which /proc shows the rest: a main thread may
                     // leave the others
  std::string name;  // base name of its program
  std::string executable;  // path of the program as its own mount namespace names it; may have been
                           // deleted since
  std::vector<std::string> command;
  // The program itself, also when it was deleted or lies in a container: a link that the kernel
  // keeps.
  std::string program_link() const;
};

// Fails with who else has that name, or with what the process is instead: gone, a kernel thread,
// hidden from this user.
Result<FoundProcess> find_process(const std::string& pid_or_name);

}  // namespace geist::run

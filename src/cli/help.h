// Everything that is written from the flag table: help for the terminal, manual pages, completion
// scripts.
#pragma once

#include <string>

#include "cli/flags.h"

namespace geist::cli {

std::string emit_overview();
std::string emit_verb_help(const Verb& verb);
// Markdown, the content of docs/geist.1.md and docs/geist-<verb>.1.md.
std::string emit_overview_manual();
std::string emit_verb_manual(const Verb& verb);
// shell: bash, zsh or fish. Fails on another one.
Result<std::string> emit_completion(std::string_view shell);

}  // namespace geist::cli

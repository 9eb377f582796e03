// The rows of classes.inc.
#pragma once

#include <span>
#include <string_view>

#include "findings/finding.h"

namespace geist::findings {

struct ClassWords {
  std::string_view finding_class, rule;
  std::string_view rule_name;                    // in SARIF
  std::string_view one, many;                    // "ghost write", "ghost writes"
  std::string_view happened, would_happen;       // sentences, the second of a latent finding
  std::string_view victim, former_victim;        // in them; the second of a suspect
  std::string_view writer, reader;               // titles of stacks
  std::string_view not_read;                     // where there is no reader's
  std::string_view way, way_writer, way_reader;  // from the one to the other
  std::string_view in_short, in_full, help;      // of the rule; help is Markdown
};

std::span<const ClassWords> all_classes();
// Of a finding; plain words for a class that this release does not know.
const ClassWords& words_of(const Finding& finding);
// For all findings of a report together: those of the class that they share, of the first one when
// there are none.
const ClassWords& words_of(const Report& report);

}  // namespace geist::findings

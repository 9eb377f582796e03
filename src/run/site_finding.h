// A finding for an append that runs have told of, without an event: where it is and what it is
// called, nothing of what it overwrote.
#pragma once

#include "findings/finding.h"
#include "program/code_cache.h"
#include "prove/unseen.h"
#include "sites/identity.h"
#include "source/source.h"

namespace geist::run {

// Belongs to one thread; binary and table must outlive it.
class SiteFindings {
 public:
  SiteFindings(const read::GoBinary& binary, const sites::SiteTable& table)
      : binary_(binary), table_(table), identities_(binary, table), codes_(binary) {}

  // Of rule and class, with fingerprint; source and fix are the caller's to add. `call` is one of
  // the table's.
  findings::Finding make(ImageAddr call, std::string_view rule, std::string_view finding_class);
  // The same for a call of Put, of sync.Pool: the `ordinal`th of its function, from 0.
  findings::Finding make_of_put(ImageAddr call, usize ordinal, std::string_view rule,
                                std::string_view finding_class);
  // Gives a finding that was made for this append the name of a bug of another rule.
  void rename(ImageAddr call, std::string_view rule, std::string_view finding_class,
              findings::Finding& finding);

 private:
  const sites::AppendSite* find(ImageAddr call) const;
  std::string place_of(const sites::AppendSite& site);
  findings::Finding at(const read::Function& function, ImageAddr call) const;
  void give_name(const std::string& place, std::string_view rule, std::string_view finding_class,
                 findings::Finding& finding) const;

  const read::GoBinary& binary_;
  const sites::SiteTable& table_;
  sites::AppendIdentities identities_;
  program::CodeCache codes_;
};

// What was found without a finding goes into the report: as findings where one outcome is wrong for
// sure, among other_changes where that is not known. `test`: the Go test it was found in; empty
// outside of tests.
void add_unseen(const prove::UnseenAnswer& answer, SiteFindings& make, source::SourceCache& sources,
                const std::string& test, findings::Report& report);
// The text of the lines.
void add_lines(std::vector<findings::Bisection::Site>& sites, source::SourceCache& sources);

}  // namespace geist::run

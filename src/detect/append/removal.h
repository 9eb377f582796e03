// Removals without a grow path (sites/removal_sites.h): their events say where bytes are copied to,
// and are put into the words of an append here. Their victim is a variable that the source tells of;
// the code has one pointer for it and for the append's result, so it is seen by the lines that use it
// (docs/decisions/0021).
#pragma once

#include <map>
#include <optional>

#include "detect/append/chunks.h"
#include "judge/append.h"
#include "judge/route.h"

namespace geist::detect::append {

class Removals {
 public:
  explicit Removals(judge::Context& context) : context_(context) {}
  // The site of an event. Of a removal a site that has the type of its elements, and then `event`
  // says the same as an append's would; null when what it says does not hold together.
  const probe::ProbedSite* site_of(abi::Event& event);

 private:
  bool put_into_words(const sites::AppendSite& site, abi::Event& event) const;

  judge::Context& context_;
  std::map<u32, probe::ProbedSite> sites_;
};

// Of a part that will be written: one byte that changes, which is known here, as what is copied stands
// there already. A watched byte on the stack costs a trap in each sample, so there it is all that is
// watched. Nothing where nothing changes.
std::optional<Chunk> find_changing(judge::Context& context, const judge::Append& append,
                                   const Chunk& part);

// The variable that has the slice as it was.
judge::View make_kept_view(const judge::Append& append);
// Does the function with the append, or whoever it calls there, stand on a line that uses it? What is
// printed beside the result (fmt) is read as well.
judge::RouteAnswer find_kept_route(judge::Context& context, const judge::Append& append,
                                   const judge::Access& access);

}  // namespace geist::detect::append

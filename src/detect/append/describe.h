// Overwrite → Finding: stacks with inlined frames, values in their type, the victim's name, the
// array drawn, the fix. Called while the process is alive: names and values are read from it.
#pragma once

#include "detect/append/overwrite.h"
#include "findings/finding.h"

namespace geist::detect::append {

using judge::Context;

// Who made the access, without helpers of the runtime, innermost first.
std::vector<findings::Frame> access_stack(Context& context, const Access& access);

class Describer {
 public:
  explicit Describer(Context& context) : context_(context) {}
  // `after` are the destination's bytes now, as many as the event kept of the old ones.
  findings::Finding describe(const Overwrite& c, const Candidate& candidate, findings::Level level,
                             ByteView after) const;

 private:
  std::vector<findings::Frame> append_stack(const Append& append) const;
  void describe_values(const Overwrite& c, const Candidate& candidate, ByteView after,
                       findings::Finding& f) const;
  void describe_maker(const Overwrite& c, const View& view, findings::Victim& v) const;
  void describe_place(const Overwrite& c, const View& view, findings::StopPoint& stop) const;
  void name_victim(const Overwrite& c, const View& view, findings::Victim& v) const;
  void place_victim(const View& view, findings::Victim& v) const;
  void describe_victim(const Overwrite& c, const Candidate& candidate, findings::Finding& f) const;
  void name_by_path(const View& view, findings::Victim& v) const;
  void name_by_value(const Overwrite& c, const View& view, findings::Victim& v) const;
  // The append, or the call into Go's own code that it came by.
  std::string place_of(const Overwrite& c) const;
  void name_bug(const Overwrite& c, findings::Finding& f) const;
  void draw(const Overwrite& c, const Candidate& candidate, findings::Finding& f) const;

  Context& context_;
};

}  // namespace geist::detect::append

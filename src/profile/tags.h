// --tagfocus and --tagignore: which samples have a label. The meaning is that of pprof's
// internal/driver/driver_focus.go:
//
//   REGEX,REGEX    each matches some "key:text" of the sample
//   key=REGEX,...  one of them matches a text of that key
//   4kb:1mb        some number of the sample lies in there; also 4kb, 4kb: and :1mb, and key=4kb:1mb
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "profile/profile.h"

namespace geist::profile {

class TagFilter {
 public:
  // `flag` is for messages. Fails on an expression that is none.
  static Result<TagFilter> make(const Profile& profile, const std::string& flag,
                                const std::string& text);
  TagFilter(TagFilter&&) noexcept;
  ~TagFilter();
  bool matches(const std::vector<Label>& labels) const;

 private:
  struct Parts;
  explicit TagFilter(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace geist::profile

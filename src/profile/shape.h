// What of a profile is looked at: which samples, and which frames of them.
//
//   tables ─▶ drop_frames of the profile ─▶ focus, ignore, hide, show ─▶ places: frames of each location
//   sample ─▶ without pruned leaves ─▶ with a focused frame, without an ignored one ─▶ visible places
//
// Expressions are matched against names once for each function and not once for each sample. The meaning
// is pprof's: profile/prune.go, profile/filter.go, internal/driver/driver_focus.go. Expressions are RE2,
// which is the syntax of Go's package regexp and linear in time, whatever a profile's drop_frames holds.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "profile/profile.h"

namespace geist::profile {

struct Filters {
  std::string focus, ignore, hide, show, show_from;
  std::string tag_focus, tag_ignore;
  std::string_view drop = {};  // in the place of the profile's own drop_frames; empty: that
};

class Shape {
 public:
  // Fails on an expression that is none, with its name.
  static Result<Shape> make(const Profile& profile, const Filters& filters);
  Shape(Shape&&) noexcept;
  ~Shape();

  // The lines of a location that are left, as indices into Profile::lines, the innermost first.
  std::span<const u32> lines_of(u32 location) const {
    const Place& place = places_[location];
    return {lines_.data() + place.first, place.count};
  }
  // The name of a function as it is shown: without what C++ has behind names.
  std::string_view name_of(u32 function) const;

  // The frames without those that the profile itself wants dropped.
  std::span<const u32> prune(std::span<const u32> locations) const {
    return prunes_ ? without_pruned(locations) : locations;
  }
  enum class Choice { kShown, kLeftOut, kDamaged };
  // The locations that are shown, of those that prune() left; `buffer` holds them when some are
  // hidden. kDamaged: its labels are.
  Choice select(std::span<const u32> pruned, ByteView sample, std::vector<u32>* buffer,
                std::span<const u32>* shown) const {
    *shown = pruned;
    return filters_ ? select_filtered(pruned, sample, buffer, shown) : Choice::kShown;
  }
  // "focus", "ignore" … that matched nothing at all, as far as tables tell.
  std::vector<std::string> unmatched() const;

 private:
  struct Place {
    u32 first = 0;
    u32 count = 0;
    u8 flags = 0;
  };
  struct Expressions;
  explicit Shape(const Profile& profile);

  void show_names();
  void prune_tables(std::string_view drop, std::string_view keep);
  void filter_tables();
  void filter_location(u32 location);
  void keep_lines(Place& place, const std::function<bool(u32)>& keeps);
  void show_from(u32 location);
  std::span<const u32> without_pruned(std::span<const u32> locations) const;
  Choice select_filtered(std::span<const u32> pruned, ByteView sample, std::vector<u32>* buffer,
                         std::span<const u32>* shown) const;

  const Profile& profile_;
  std::unique_ptr<Expressions> expressions_;
  std::vector<Place> places_;  // by location
  std::vector<u32> lines_;
  std::deque<std::string> made_names_;   // of functions that are shown otherwise
  std::vector<std::string_view> names_;  // by function
  bool prunes_ = false, filters_ = false, by_name_ = false, hides_ = false;
};

}  // namespace geist::profile

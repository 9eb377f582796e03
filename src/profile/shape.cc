// What pprof does to a profile before it adds anything up, in its order: names (symbolizer.go), frames that the
// profile drops (prune.go), then the filters of the command line (filter.go). Each expression is asked once
// for each function and mapping; a sample then costs a look at the flags of its locations.
#include "profile/shape.h"

#include <algorithm>
#include <array>
#include <optional>

#include "profile/expression.h"
#include "profile/tags.h"

namespace geist::profile {
namespace {

enum Flag : u8 {
  kPruned = 1,       // this location and what it calls
  kPrunedBelow = 2,  // what it calls
  kFocused = 4,
  kIgnored = 8,
  kHidden = 16,     // none of its lines is shown
  kShownFrom = 32,  // --show_from: the outermost frame that is shown
};

// Takes nested start..end out of a name; as it is when they do not match.
std::string without_nested(std::string name, char start, char end) {
  int depth = 0;
  usize first = 0;
  for (usize at = 0; at < name.size(); ++at) {
    if (name[at] == start && ++depth == 1) first = at;
    if (name[at] != end) continue;
    if (--depth < 0) return name;
    if (depth > 0) continue;
    name.erase(first, at + 1 - first);
    at = first - 1;  // may wrap around to the place before 0
  }
  return name;
}

// pprof takes parameters and templates off what looks like a name of C++, and so off some of Go's:
// symbolizer.go, looksLikeDemangledCPlusPlus.
bool looks_like_cpp(std::string_view name) {
  if (name.find(".<") != name.npos || name.find("]).") != name.npos) return false;
  return name.find_first_of("<>[]") != name.npos || name.find("::") != name.npos;
}

// What drop_frames is matched against: the name up to its first "(", but for two of C++ (prune.go).
std::string_view simplify(std::string_view name) {
  if (name.starts_with('.')) name.remove_prefix(1);
  for (usize at = 0; at < name.size();) {
    bool is_reserved = false;
    for (std::string_view reserved : {"(anonymous namespace)", "operator()"}) {
      if (!name.substr(at).starts_with(reserved)) continue;
      at += reserved.size();
      is_reserved = true;
      break;
    }
    if (is_reserved) continue;
    if (name[at] == '(') return name.substr(0, at);
    ++at;
  }
  return name;
}

// An expression and what it said of each function and mapping so far.
class Matcher {
 public:
  Matcher(const Profile& profile, Expression expression)
      : expression_(std::move(expression)),
        functions_(profile.functions.size(), kUnknown),
        mappings_(profile.mappings.size(), kUnknown) {}

  bool matches_function(const Profile& profile, u32 function, std::string_view name) {
    u8& known = functions_[function];
    if (known == kUnknown) {
      std::string_view file = profile.text(profile.functions[function].file);
      known = expression_.matches(name) || expression_.matches(file) ? kYes : kNo;
    }
    return known == kYes;
  }
  bool matches_mapping(const Profile& profile, u32 mapping) {
    if (mapping == kNone) return false;
    u8& known = mappings_[mapping];
    if (known == kUnknown)
      known = expression_.matches(profile.text(profile.mappings[mapping].file)) ? kYes : kNo;
    return known == kYes;
  }
  bool was_found = false;

 private:
  enum : u8 { kUnknown, kYes, kNo };
  Expression expression_;
  std::vector<u8> functions_, mappings_;
};

}  // namespace

struct Shape::Expressions {
  std::optional<Matcher> focus, ignore, hide, show, show_from;
  std::optional<TagFilter> tag_focus, tag_ignore;
};

Shape::Shape(const Profile& profile)
    : profile_(profile), expressions_(std::make_unique<Expressions>()) {}
Shape::Shape(Shape&&) noexcept = default;
Shape::~Shape() = default;

Result<Shape> Shape::make(const Profile& profile, const Filters& filters) {
  Shape shape(profile);
  Expressions& all = *shape.expressions_;
  struct Wanted {
    const char* name;
    const std::string& text;
    std::optional<Matcher>* out;
  };
  for (const Wanted& wanted :
       {Wanted{"--focus", filters.focus, &all.focus},
        Wanted{"--ignore", filters.ignore, &all.ignore}, Wanted{"--hide", filters.hide, &all.hide},
        Wanted{"--show", filters.show, &all.show},
        Wanted{"--show_from", filters.show_from, &all.show_from}}) {
    if (wanted.text.empty()) continue;
    GEIST_TRY(expression, Expression::make(wanted.name, wanted.text));
    wanted.out->emplace(profile, std::move(expression));
  }
  if (!filters.tag_focus.empty()) {
    GEIST_TRY(filter, TagFilter::make(profile, "--tagfocus", filters.tag_focus));
    all.tag_focus.emplace(std::move(filter));
  }
  if (!filters.tag_ignore.empty()) {
    GEIST_TRY(filter, TagFilter::make(profile, "--tagignore", filters.tag_ignore));
    all.tag_ignore.emplace(std::move(filter));
  }
  shape.by_name_ = all.focus || all.ignore || all.hide || all.show;
  shape.filters_ = shape.by_name_ || all.show_from || all.tag_focus || all.tag_ignore;
  shape.lines_.resize(profile.lines.size());
  for (u32 i = 0; i < shape.lines_.size(); ++i) shape.lines_[i] = i;
  for (const Location& location : profile.locations)
    shape.places_.push_back({location.first_line, location.line_count, 0});
  shape.show_names();
  if (filters.drop.empty()) {
    shape.prune_tables(profile.drop_frames, profile.keep_frames);
  } else {
    shape.prune_tables(filters.drop, {});
  }
  if (shape.by_name_ || all.show_from) shape.filter_tables();
  return shape;
}

void Shape::show_names() {
  names_.reserve(profile_.functions.size());
  for (const Function& function : profile_.functions) {
    std::string_view name = profile_.text(function.name);
    std::string_view system_name = profile_.text(function.system_name);
    if (name.empty() || name == system_name) {
      name = system_name;
      if (looks_like_cpp(name)) {
        std::string shown = without_nested(std::string(name), '(', ')');
        made_names_.push_back(without_nested(std::move(shown), '<', '>'));
        name = made_names_.back();
      }
    }
    names_.push_back(name);
  }
}

std::string_view Shape::name_of(u32 function) const {
  return names_[function];
}

void Shape::prune_tables(std::string_view drop_text, std::string_view keep_text) {
  if (drop_text.empty()) return;
  auto wrapped = [](std::string_view text) { return "^(" + std::string(text) + ")$"; };
  // pprof goes on without pruning where the expression of a profile is none.
  Result<Expression> drop = Expression::make("drop_frames", wrapped(drop_text));
  if (!drop.ok()) return;
  std::optional<Expression> keep;
  if (!keep_text.empty()) {
    Result<Expression> made = Expression::make("keep_frames", wrapped(keep_text));
    if (!made.ok()) return;
    keep.emplace(std::move(made).value());
  }
  std::vector<bool> drops(profile_.functions.size());
  for (u32 i = 0; i < drops.size(); ++i) {
    std::string_view name = simplify(names_[i]);
    drops[i] = !names_[i].empty() && drop->matches(name) && !(keep && keep->matches(name));
  }
  for (Place& place : places_) {
    for (u32 i = place.count; i-- > 0;) {
      if (!drops[profile_.lines[lines_[place.first + i]].function]) continue;
      place.flags |= kPrunedBelow;
      prunes_ = true;
      if (i + 1 == place.count) {
        place.flags |= kPruned;
      } else {
        place.first += i + 1;
        place.count -= i + 1;
      }
      break;
    }
  }
}

// From the root: what is dropped below the first frame of the user.
std::span<const u32> Shape::without_pruned(std::span<const u32> locations) const {
  bool found_user = false;
  for (usize i = locations.size(); i-- > 0;) {
    const u8 flags = places_[locations[i]].flags & (kPruned | kPrunedBelow);
    if (flags == 0) {
      found_user = true;
    } else if (found_user) {
      return locations.subspan((flags & kPruned) != 0 ? i + 1 : i);
    }
  }
  return locations;
}

void Shape::filter_tables() {
  for (u32 location = 0; location < places_.size(); ++location) {
    if (by_name_) filter_location(location);
    if (expressions_->show_from) show_from(location);
  }
}

void Shape::keep_lines(Place& place, const std::function<bool(u32)>& keeps) {
  const u32 first = static_cast<u32>(lines_.size());
  for (u32 i = 0; i < place.count; ++i) {
    const u32 line = lines_[place.first + i];
    if (keeps(line)) lines_.push_back(line);
  }
  place.first = first;
  place.count = static_cast<u32>(lines_.size()) - first;
  if (place.count == 0) place.flags |= kHidden;
  hides_ = hides_ || place.count == 0;
}

void Shape::filter_location(u32 location) {
  Expressions& all = *expressions_;
  Place& place = places_[location];
  const u32 mapping = profile_.locations[location].mapping;
  auto line_matches = [&](Matcher& matcher, u32 line) {
    const u32 function = profile_.lines[line].function;
    return matcher.matches_function(profile_, function, names_[function]);
  };
  auto matches = [&](Matcher& matcher) {
    bool found = matcher.matches_mapping(profile_, mapping);
    for (u32 i = 0; i < place.count && !found; ++i)
      found = line_matches(matcher, lines_[place.first + i]);
    matcher.was_found = matcher.was_found || found;
    return found;
  };
  if (all.ignore && matches(*all.ignore)) {
    place.flags |= kIgnored;
  } else if (!all.focus || matches(*all.focus)) {
    place.flags |= kFocused;
  }
  if (all.hide && matches(*all.hide)) {
    bool whole = all.hide->matches_mapping(profile_, mapping);
    keep_lines(place, [&](u32 line) { return !whole && !line_matches(*all.hide, line); });
  }
  if (!all.show) return;
  bool whole = all.show->matches_mapping(profile_, mapping);
  keep_lines(place, [&](u32 line) { return whole || line_matches(*all.show, line); });
  all.show->was_found = all.show->was_found || place.count > 0;
}

void Shape::show_from(u32 location) {
  Matcher& from = *expressions_->show_from;
  Place& place = places_[location];
  bool found = from.matches_mapping(profile_, profile_.locations[location].mapping);
  for (u32 i = place.count; i-- > 0 && !found;) {
    const u32 function = profile_.lines[lines_[place.first + i]].function;
    if (!from.matches_function(profile_, function, names_[function])) continue;
    place.count = i + 1;
    found = true;
  }
  if (!found) return;
  from.was_found = true;
  place.flags |= kShownFrom;
}

Shape::Choice Shape::select_filtered(std::span<const u32> pruned, ByteView sample,
                                     std::vector<u32>* buffer, std::span<const u32>* shown) const {
  const Expressions& all = *expressions_;
  if (by_name_) {
    bool is_focused = false;
    for (u32 location : pruned) {
      const u8 flags = places_[location].flags;
      if ((flags & kIgnored) != 0) return Choice::kLeftOut;
      is_focused = is_focused || (flags & kFocused) != 0;
    }
    if (!is_focused) return Choice::kLeftOut;
    if (hides_) {
      buffer->clear();
      for (u32 location : pruned) {
        if ((places_[location].flags & kHidden) == 0) buffer->push_back(location);
      }
      if (buffer->empty()) return Choice::kLeftOut;
      *shown = *buffer;
    }
  }
  if (all.show_from) {
    usize count = shown->size();
    while (count > 0 && (places_[(*shown)[count - 1]].flags & kShownFrom) == 0) --count;
    if (count == 0) return Choice::kLeftOut;
    *shown = shown->first(count);
  }
  if (!all.tag_focus && !all.tag_ignore) return Choice::kShown;
  Result<std::vector<Label>> labels = read_labels(profile_, sample);
  if (!labels.ok()) return Choice::kDamaged;
  bool is_shown = (!all.tag_focus || all.tag_focus->matches(labels.value())) &&
                  (!all.tag_ignore || !all.tag_ignore->matches(labels.value()));
  return is_shown ? Choice::kShown : Choice::kLeftOut;
}

std::vector<std::string> Shape::unmatched() const {
  const Expressions& all = *expressions_;
  std::vector<std::string> names;
  auto add = [&](const char* name, const std::optional<Matcher>& matcher) {
    if (matcher && !matcher->was_found) names.emplace_back(name);
  };
  add("focus", all.focus);
  add("ignore", all.ignore);
  add("hide", all.hide);
  add("show", all.show);
  add("show_from", all.show_from);
  return names;
}

}  // namespace geist::profile

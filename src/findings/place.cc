#include "findings/place.h"

#include "base/ints.h"

namespace geist::findings {

PlacedName split_place(std::string_view text) {
  constexpr std::string_view kIn = " in ";
  bool in_key = false;
  for (usize i = 0; i < text.size(); ++i) {
    if (text[i] == '"') in_key = !in_key;
    if (!in_key && text.substr(i).starts_with(kIn))
      return {text.substr(0, i), text.substr(i + kIn.size())};
  }
  return {text, {}};
}

}  // namespace geist::findings

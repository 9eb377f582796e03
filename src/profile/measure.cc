// Units and their aliases as pprof has them: measurement.go, UnitTypes. A value is scaled through the base
// unit of its kind (bytes, nanoseconds, compute units); what is of no kind is a plain count.
#include "profile/measure.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <span>

#include "base/text.h"

namespace geist::profile {
namespace {

struct Unit {
  std::string_view name;
  double factor;
  std::array<std::string_view, 3> aliases;  // without a plural s
};

constexpr std::array kMemory = {
    Unit{"B", 1, {"b", "byte", ""}},
    Unit{"kB", 1024.0, {"kb", "kbyte", "kilobyte"}},
    Unit{"MB", 1048576.0, {"mb", "mbyte", "megabyte"}},
    Unit{"GB", 1073741824.0, {"gb", "gbyte", "gigabyte"}},
    Unit{"TB", 1099511627776.0, {"tb", "tbyte", "terabyte"}},
    Unit{"PB", 1125899906842624.0, {"pb", "pbyte", "petabyte"}},
};
constexpr std::array kTime = {
    Unit{"ns", 1, {"ns", "nanosecond", ""}},    Unit{"us", 1e3, {"μs", "us", "microsecond"}},
    Unit{"ms", 1e6, {"ms", "millisecond", ""}}, Unit{"s", 1e9, {"s", "sec", "second"}},
    Unit{"hrs", 3600e9, {"hour", "hr", ""}},
};
constexpr std::array kCompute = {
    Unit{"n*GCU", 1e-9, {"nanogcu", "", ""}},  Unit{"u*GCU", 1e-6, {"microgcu", "", ""}},
    Unit{"m*GCU", 1e-3, {"milligcu", "", ""}}, Unit{"GCU", 1, {"gcu", "", ""}},
    Unit{"k*GCU", 1e3, {"kilogcu", "", ""}},   Unit{"M*GCU", 1e6, {"megagcu", "", ""}},
    Unit{"G*GCU", 1e9, {"gigagcu", "", ""}},   Unit{"T*GCU", 1e12, {"teragcu", "", ""}},
    Unit{"P*GCU", 1e15, {"petagcu", "", ""}},
};

struct Kind {
  std::span<const Unit> units;
  std::string_view default_name;
  double default_factor;
};
constexpr std::array kKinds = {Kind{kMemory, "B", 1}, Kind{kTime, "s", 1e9},
                               Kind{kCompute, "GCU", 1}};

const Unit* find_unit(const Kind& kind, std::string_view text) {
  std::string name;
  for (char c : text) name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (name.size() > 2 && name.ends_with('s')) name.pop_back();
  for (const Unit& unit : kind.units) {
    for (std::string_view alias : unit.aliases) {
      if (!alias.empty() && alias == name) return &unit;
    }
  }
  return nullptr;
}

Scaled scale_to_fit(const Kind& kind, double value) {
  double factor = 0;
  std::string_view name;
  for (const Unit& unit : kind.units) {
    if (unit.factor < factor || value / unit.factor < 1.0) continue;
    factor = unit.factor;
    name = unit.name;
  }
  if (factor == 0) return {value / kind.default_factor, std::string(kind.default_name)};
  return {value / factor, std::string(name)};
}

std::optional<Scaled> convert(const Kind& kind, i64 value, std::string_view from,
                              std::string_view to) {
  const Unit* unit = find_unit(kind, from);
  if (unit == nullptr) return std::nullopt;
  const double base = static_cast<double>(value) * unit->factor;
  if (to == "minimum" || to == "auto") return scale_to_fit(kind, base);
  const Unit* wanted = find_unit(kind, to);
  if (wanted == nullptr) return Scaled{base / kind.default_factor, std::string(kind.default_name)};
  return Scaled{base / wanted->factor, std::string(wanted->name)};
}

}  // namespace

Scaled scale(i64 value, std::string_view from, std::string_view to) {
  if (value < 0 && value != INT64_MIN) {
    Scaled scaled = scale(-value, from, to);
    scaled.value = -scaled.value;
    return scaled;
  }
  for (const Kind& kind : kKinds) {
    if (std::optional<Scaled> scaled = convert(kind, value, from, to)) return *scaled;
  }
  for (std::string_view plain : {"count", "sample", "unit", "minimum", "auto"}) {
    if (to == plain) return {static_cast<double>(value), ""};
  }
  return {static_cast<double>(value), std::string(to)};
}

std::string scaled_label(i64 value, std::string_view from, std::string_view to) {
  Scaled scaled = scale(value, from, to);
  char text[400];  // a double has 309 digits at most
  std::snprintf(text, sizeof text, "%.2f", scaled.value);
  std::string label = text;
  if (label.ends_with(".00")) label.resize(label.size() - 3);
  if (label == "0" || label == "-0") return "0";
  return label + printable(scaled.unit);  // what is no unit we know comes from the profile
}

std::string percentage(i64 value, i64 total) {
  double ratio = 0;
  if (total != 0) ratio = std::fabs(static_cast<double>(value) / static_cast<double>(total)) * 100;
  if (ratio >= 99.95 && ratio <= 100.05) return "  100%";
  char text[400];
  std::snprintf(text, sizeof text, ratio >= 1.0 ? "%5.2f%%" : "%5.2g%%", ratio);
  return text;
}

bool are_compatible_units(std::string_view a, std::string_view b) {
  if (a == b) return true;
  for (const Kind& kind : kKinds) {
    if (find_unit(kind, a) != nullptr && find_unit(kind, b) != nullptr) return true;
  }
  return false;
}

i64 absolute(i64 value) {
  return value < 0 ? static_cast<i64>(~static_cast<u64>(value) + 1) : value;
}

i64 times(i64 value, double factor) {
  const double product = static_cast<double>(value) * factor;
  constexpr double kLimit = 9223372036854775807.0;  // 2^63 as a double
  if (!(product < kLimit)) return INT64_MAX;
  if (product < -kLimit) return INT64_MIN;
  return static_cast<i64>(product);
}

}  // namespace geist::profile

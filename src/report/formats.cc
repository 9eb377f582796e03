#include <array>
#include <utility>

#include "base/check.h"
#include "report/report.h"

namespace geist::report {

std::optional<Format> find_format(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Format>, 5> kFormats{{
      {"text", Format::kText},
      {"json", Format::kJson},
      {"sarif", Format::kSarif},
      {"html", Format::kHtml},
      {"pprof", Format::kPprof},
  }};
  for (const auto& [known, format] : kFormats) {
    if (known == name) return format;
  }
  return std::nullopt;
}

std::string emit(const findings::Report& report, Format format, const TextOptions& options) {
  switch (format) {
    case Format::kText:
      return emit_text(report, options);
    case Format::kJson:
      return emit_json(report);
    case Format::kSarif:
      return emit_sarif(report);
    case Format::kHtml:
      return emit_html(report);
    case Format::kPprof:
      return emit_pprof(report);
  }
  GEIST_CHECK(false);
}

}  // namespace geist::report

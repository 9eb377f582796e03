// The page: page/page.html with its style, its script and the report as JSON put in. It loads
// nothing, so it opens from a mail or a CI artifact with the network off; a Content-Security-Policy
// in it holds it to that.
//
// The report is data, never markup: it stands in a script element of type application/json, in
// which '<' is written as \u003c, so that no value can end the element; page.js puts it into the
// document as text only.
#include <fmt/format.h>

#include "base/check.h"
#include "base/text.h"
#include "report/report.h"

extern "C" {
extern const char geist_page_html_begin[];
extern const char geist_page_html_end[];
extern const char geist_page_style_begin[];
extern const char geist_page_style_end[];
extern const char geist_page_script_begin[];
extern const char geist_page_script_end[];
}

namespace geist::report {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<usize>(end - begin)};
}

// Outside of strings JSON has no '<', and in strings \u003c is the same character.
std::string escape_json_in_script(std::string_view json) {
  std::string out;
  out.reserve(json.size() + json.size() / 64);
  for (char c : json) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out;
}

std::string title_of(const findings::Report& report) {
  return "geist: " + count_in_words(report) +
         (report.target.binary.empty() ? "" : " in " + report.target.binary);
}

}  // namespace

std::string emit_html(const findings::Report& report) {
  std::string title = escape_html(printable(title_of(report)));
  std::string summary = emit_summary_line(report);
  summary = escape_html(summary.substr(summary.find(": ") + 2));  // the title says whose it is
  std::string json = escape_json_in_script(emit_compact_json(report));
  std::string out;
  std::string_view rest = between(geist_page_html_begin, geist_page_html_end);
  // @NAME@ stands once or more in the template; what is put in is not looked at again.
  while (true) {
    usize at = rest.find('@');
    out += rest.substr(0, at);
    if (at == std::string_view::npos) return out;
    usize end = rest.find('@', at + 1);
    std::string_view name = rest.substr(at + 1, end == std::string_view::npos ? end : end - at - 1);
    if (name == "TITLE")
      out += title;
    else if (name == "SUMMARY")
      out += summary;
    else if (name == "STYLE")
      out += between(geist_page_style_begin, geist_page_style_end);
    else if (name == "SCRIPT")
      out += between(geist_page_script_begin, geist_page_script_end);
    else if (name == "REPORT")
      out += json;
    else
      GEIST_CHECK(false);  // a name that the page does not have
    rest.remove_prefix(end + 1);
  }
}

}  // namespace geist::report

#include <nlohmann/json.hpp>

#include "lab/report.h"

namespace geist::lab {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kTrue:
      return "true";
    case Verdict::kFalse:
      return "false";
    case Verdict::kDepends:
      return "depends";
    case Verdict::kUndecided:
      break;
  }
  return "undecided";
}

Json json_of(const Case& one, const CaseResult& result) {
  Json out = {{"name", result.name}, {"title", result.title}};
  out["broken"] = result.broken.empty() ? Json(nullptr) : Json(result.broken);
  out["sees"] = Json::array();
  for (const Sight& sight : result.sights)
    out["sees"].push_back({{"way", sight.way},
                           {"ran", sight.ran},
                           {"sees", sight.sees},
                           {"words", sight.words},
                           {"wall_ms", sight.wall_ms}});
  out["claims"] = Json::array();
  for (usize i = 0; i < one.claims.size(); ++i) {
    const Decision& decision = result.decisions[i];
    out["claims"].push_back({{"claim", one.claims[i].text},
                             {"says", one.claims[i].source},
                             {"verdict", verdict_name(decision.verdict)},
                             {"words", decision.words},
                             {"figure", decision.figure}});
  }
  out["facts"] = Json::object();
  for (const auto& [name, fact] : result.facts.all())
    out["facts"][name] = fact.number ? Json(*fact.number) : Json(fact.text);
  out["notes"] = result.notes;
  out["wall_ms"] = result.wall_ms;
  return out;
}

}  // namespace

std::string emit_lab_json(const LabReport& report) {
  Json out = {{"schema", "geist-lab/1"},
              {"geist", GEIST_VERSION},
              {"processors", report.processors},
              {"load", report.load},
              {"runs", Json::array()}};
  for (const ReleaseRun& run : report.runs) {
    Json cases = Json::array();
    for (usize i = 0; i < report.cases.size(); ++i)
      cases.push_back(json_of(*report.cases[i], run.results[i]));
    out["runs"].push_back({{"go", run.go}, {"wall_ms", run.wall_ms}, {"cases", std::move(cases)}});
  }
  out["over_releases"] = Json::array();
  for (usize i = 0; i < report.cases.size(); ++i) {
    for (usize k = 0; k < report.cases[i]->claims.size(); ++k)
      out["over_releases"].push_back({{"case", report.cases[i]->name},
                                      {"claim", report.cases[i]->claims[k].text},
                                      {"words", verdict_over_releases(report, i, k)}});
  }
  return dump(out);
}

std::string emit_list_json(const std::vector<Case>& cases) {
  Json out = {{"schema", "geist-lab/1"}, {"geist", GEIST_VERSION}, {"cases", Json::array()}};
  for (const Case& one : cases) {
    Json claims = Json::array();
    for (const Claim& claim : one.claims)
      claims.push_back({{"claim", claim.text}, {"says", claim.source}});
    out["cases"].push_back(
        {{"name", one.name}, {"title", one.title}, {"claims", std::move(claims)}});
  }
  return dump(out);
}

}  // namespace geist::lab

// One function an answer; names and order of fields are a promise, numbers are bytes and counts.
#include "snap/json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace geist::snap {
namespace {

using Json = nlohmann::ordered_json;

std::string hex(TargetAddr addr) {
  return fmt::format("{:#x}", addr.value);
}

std::string dump(const char* question, Json rows) {
  Json root;
  root["schema"] = "geist-snap/1";
  root[question] = std::move(rows);
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// Stable names of PinRow::Kind.
const char* kind_name(PinRow::Kind kind) {
  switch (kind) {
    case PinRow::Kind::kPart:
      return "part";
    case PinRow::Kind::kSubstring:
      return "substring";
    case PinRow::Kind::kPopped:
      return "popped";
    case PinRow::Kind::kBehind:
      return "behind_length";
    case PinRow::Kind::kRing:
      return "ring";
    case PinRow::Kind::kSpare:
      return "spare";
  }
  return "";
}

Json json_of_view(const ViewRow& view) {
  Json json{{"path", view.path}, {"begin", view.begin}, {"len", view.len}};
  if (!view.is_string) json["cap"] = view.cap;
  json["copies"] = view.copies;
  json["latent"] = view.is_latent;
  if (view.is_latent) {
    json["overwrites"] = view.overwrites;
    json["overwrites_of"] = view.overwrites_of;
  }
  return json;
}

}  // namespace

std::string json_of_summary(const Snapshot& snapshot, const std::string& go, double pause_ms) {
  const heap::GraphStats& stats = snapshot.graph.stats();
  Json json;
  json["go"] = go;
  json["pause_ms"] = pause_ms;
  json["allocated"] = {{"objects", stats.allocated_objects}, {"bytes", stats.allocated_bytes}};
  json["runtime"] = nullptr;
  if (stats.runtime) {
    json["runtime"] = {{"objects", stats.runtime->objects}, {"bytes", stats.runtime->bytes}};
  }
  json["live"] = {{"objects", stats.reached_objects}, {"bytes", stats.reached_bytes}};
  json["typed_bytes"] = stats.typed_bytes;
  json["goroutines"] = snapshot.graph.goroutines().size();
  json["lost"] = {{"spans_damaged", stats.spans_damaged},
                  {"goroutines_damaged", stats.goroutines_damaged},
                  {"stacks_incomplete", stats.stacks_incomplete},
                  {"specials_damaged", stats.specials_damaged},
                  {"bytes_unreadable", stats.bytes_unreadable},
                  {"types_unreadable", stats.types_unreadable}};
  return dump("summary", std::move(json));
}

std::string json_of(const std::vector<TypeRow>& rows) {
  Json json = Json::array();
  for (const TypeRow& row : rows) {
    json.push_back({{"type", row.name},
                    {"objects", row.objects},
                    {"bytes", row.bytes},
                    {"retained", row.retained}});
  }
  return dump("types", std::move(json));
}

std::string json_of(const std::vector<TreeRow>& rows) {
  Json json = Json::array();
  for (const TreeRow& row : rows) {
    json.push_back({{"depth", row.depth},
                    {"type", row.name},
                    {"address", row.addr ? Json(hex(row.addr)) : Json(nullptr)},
                    {"path", row.path},
                    {"objects", row.objects},
                    {"chain", row.chain},
                    {"retained", row.retained}});
  }
  return dump("tree", std::move(json));
}

std::string json_of(const std::vector<PathRow>& rows) {
  Json json = Json::array();
  for (const PathRow& row : rows) {
    json.push_back({{"address", hex(row.addr)},
                    {"type", row.type},
                    {"path", row.path},
                    {"bytes", row.bytes},
                    {"retained", row.retained}});
  }
  return dump("paths", std::move(json));
}

std::string json_of(const SharingAnswer& answer) {
  Json json = Json::array();
  for (const SharingRow& row : answer.rows) {
    Json views = Json::array();
    for (const ViewRow& view : row.views) views.push_back(json_of_view(view));
    json.push_back({{"address", hex(row.addr)},
                    {"type", row.type},
                    {"element_size", row.elem_size},
                    {"length", row.length},
                    {"bytes", row.bytes},
                    {"level", row.is_latent ? Json("latent") : Json(nullptr)},
                    {"overlaps", row.overlaps},
                    {"views", std::move(views)}});
  }
  return dump("sharing", std::move(json));
}

std::string json_of(const std::vector<PinRow>& rows) {
  Json json = Json::array();
  for (const PinRow& row : rows) {
    json.push_back({{"kind", kind_name(row.kind)},
                    {"address", hex(row.addr)},
                    {"type", row.type},
                    {"path", row.path},
                    {"bytes", row.bytes},
                    {"covered", row.covered},
                    {"views", row.views},
                    {"stale_slots", row.stale_slots},
                    {"held", row.held},
                    {"held_type", row.held_type}});
  }
  return dump("pins", std::move(json));
}

std::string json_of(const std::vector<GoroutineRow>& rows) {
  Json json = Json::array();
  for (const GoroutineRow& row : rows) {
    json.push_back({{"count", row.goids.size()},
                    {"status", row.status},
                    {"function", row.function},
                    {"place", row.place},
                    {"goroutines", row.goids},
                    {"stack_bytes", row.stack_bytes},
                    {"retained", row.retained}});
  }
  return dump("goroutines", std::move(json));
}

std::string json_of(const RingAnswer& answer) {
  Json json = Json::array();
  for (const RingRow& row : answer.rows) {
    json.push_back({{"address", hex(row.addr)},
                    {"type", row.type},
                    {"path", row.path},
                    {"length", row.length},
                    {"problem", row.problem.empty() ? Json(nullptr) : Json(row.problem)}});
  }
  return dump("rings", std::move(json));
}

std::string json_of(const DiffAnswer& answer) {
  Json json;
  for (auto [name, rows] : {std::pair("types", &answer.types), std::pair("paths", &answer.paths)}) {
    json[name] = Json::array();
    for (const DiffRow& row : *rows) {
      json[name].push_back({{"name", row.name},
                            {"bytes_before", row.bytes_before},
                            {"bytes_after", row.bytes_after},
                            {"objects_before", row.objects_before},
                            {"objects_after", row.objects_after}});
    }
  }
  return dump("diff", std::move(json));
}

}  // namespace geist::snap

// What the reports of text.h share: the question in its parts, units, and the lines above the table.
#pragma once

#include <string>
#include <vector>

#include "profile/graph.h"
#include "profile/measure.h"
#include "profile/text.h"

namespace geist::profile {

// A graph, and how its values are written.
struct Answer {
  Shape shape;  // has the names that differ from the profile's
  Graph graph;
  ValueType type;
  std::string unit;  // of the output

  std::string value(i64 number) const { return scaled_label(number, type.unit, unit); }
  std::string share(i64 number) const { return percentage(number, graph.total); }
};

// Sample type, filters and graph. `graph_options` has what the report is about; the rest comes from
// `options`.
Result<Answer> ask(const Profile& profile, const ReportOptions& options, GraphOptions graph_options,
                   std::vector<std::string>* notes);

// One unit for the whole table, chosen for its smallest and largest value.
void choose_unit(Answer& answer);

// "File: …" to "Showing nodes accounting for …", each with its line end.
std::string emit_labels(const Profile& profile, const ReportOptions& options, const Answer& answer,
                        double node_fraction);

}  // namespace geist::profile

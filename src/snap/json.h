// Answers as JSON (geist-snap/1); fields are only added.
#pragma once

#include <string>

#include "snap/answers.h"
#include "snap/hold_tree.h"

namespace geist::snap {

std::string json_of_summary(const Snapshot& snapshot, const std::string& go, double pause_ms);
std::string json_of(const std::vector<TypeRow>& rows);
std::string json_of(const std::vector<TreeRow>& rows);
std::string json_of(const std::vector<PathRow>& rows);
std::string json_of(const SharingAnswer& answer);
std::string json_of(const std::vector<PinRow>& rows);
std::string json_of(const std::vector<GoroutineRow>& rows);
std::string json_of(const RingAnswer& answer);
std::string json_of(const DiffAnswer& answer);

}  // namespace geist::snap

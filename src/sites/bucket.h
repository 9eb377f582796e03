// Why a growslice call is not probed, or what it is instead. Names and help texts are in
// site_buckets.inc.
#pragma once

#include <string_view>

#include "base/ints.h"

namespace geist::sites {

enum class SiteBucket : u8 {
#define GEIST_BUCKET(name, text, help) k##name,
#include "sites/buckets.inc"
#undef GEIST_BUCKET
};

std::string_view bucket_name(SiteBucket bucket);
std::string_view bucket_help(SiteBucket bucket);

// Why a probed site cannot be healed. Names and help texts in heal_refusals.inc.
enum class HealRefusal : u8 {
#define GEIST_HEAL_REFUSAL(name, text, help) k##name,
#include "sites/heal_refusals.inc"
#undef GEIST_HEAL_REFUSAL
};
std::string_view refusal_name(HealRefusal refusal);
std::string_view refusal_help(HealRefusal refusal);

}  // namespace geist::sites

#include "sites/bucket.h"

namespace geist::sites {

std::string_view bucket_name(SiteBucket bucket) {
  switch (bucket) {
#define GEIST_BUCKET(name, text, help) \
  case SiteBucket::k##name:            \
    return text;
#include "sites/buckets.inc"
#undef GEIST_BUCKET
  }
  return "";
}

std::string_view bucket_help(SiteBucket bucket) {
  switch (bucket) {
#define GEIST_BUCKET(name, text, help) \
  case SiteBucket::k##name:            \
    return help;
#include "sites/buckets.inc"
#undef GEIST_BUCKET
  }
  return "";
}

std::string_view refusal_name(HealRefusal refusal) {
  switch (refusal) {
#define GEIST_HEAL_REFUSAL(name, text, help) \
  case HealRefusal::k##name:                 \
    return text;
#include "sites/heal_refusals.inc"
#undef GEIST_HEAL_REFUSAL
  }
  return "";
}

std::string_view refusal_help(HealRefusal refusal) {
  switch (refusal) {
#define GEIST_HEAL_REFUSAL(name, text, help) \
  case HealRefusal::k##name:                 \
    return help;
#include "sites/heal_refusals.inc"
#undef GEIST_HEAL_REFUSAL
  }
  return "";
}

}  // namespace geist::sites

// What writes a profile.proto (github.com/google/pprof, proto/profile.proto): messages (wire.h), the
// table of strings, and gzip, which `go tool pprof` unpacks.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "profile/wire.h"

namespace geist::profile {

// Fields of the messages, by their names in profile.proto.
namespace field {
enum Profile : u32 {
  kSampleType = 1,
  kSample = 2,
  kMapping = 3,
  kLocation = 4,
  kFunction = 5,
  kString = 6,
  kDropFrames = 7,
  kKeepFrames = 8,
  kTime = 9,
  kDuration = 10,
  kPeriodType = 11,
  kPeriod = 12,
  kComment = 13,
  kDefaultSampleType = 14,
  kDocUrl = 15,
};
enum ValueType : u32 { kType = 1, kUnit = 2 };
enum Sample : u32 { kLocationIds = 1, kValues = 2, kLabel = 3 };
enum Label : u32 { kKey = 1, kText = 2, kNumber = 3, kNumberUnit = 4 };
enum Mapping : u32 {
  kMappingId = 1,
  kStart = 2,
  kLimit = 3,
  kOffset = 4,
  kFile = 5,
  kBuildId = 6,
  kHasFunctions = 7,
  kHasInlineFrames = 10,  // 8 and 9: file names, line numbers
};
enum Location : u32 { kLocationId = 1, kMappingOf = 2, kAddress = 3, kLine = 4, kIsFolded = 5 };
enum Line : u32 { kFunctionOf = 1, kLineNumber = 2, kColumn = 3 };
enum Function : u32 {
  kFunctionId = 1,
  kName = 2,
  kSystemName = 3,
  kFileName = 4,
  kStartLine = 5,
};
}  // namespace field

// Strings by the order of their first use; the first is "", as the format wants.
class StringTable {
 public:
  StringTable() = default;
  StringTable(StringTable&&) = default;
  u64 id(std::string_view text);
  // Appends all of them to a Profile message.
  void write(Message* profile) const;

 private:
  std::unordered_map<std::string, u64> ids_ = {{"", 0}};
  std::vector<const std::string*> list_ = {&ids_.begin()->first};
};

Message value_type(StringTable& strings, std::string_view type, std::string_view unit);

std::string gzip(std::string_view bytes);

}  // namespace geist::profile

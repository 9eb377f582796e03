// Profiles made by hand, field by field, so that tests say what is in them and what is wrong with them.
#pragma once

#include <string>
#include <vector>

#include "profile/profile.h"
#include "profile/writer.h"

namespace geist::profile {

struct ExampleSample {
  std::vector<u64> locations;  // ids, the leaf first
  std::vector<i64> values;
  std::string labels = {};  // encoded fields
};

// Functions and locations have the same ids: location i is line 10 * i of function i.
class ExampleProfile {
 public:
  ExampleProfile() {
    for (auto [type, unit] : {std::pair("objects", "count"), std::pair("space", "bytes")})
      types_.add(field::kSampleType, value_type(strings_, type, unit));
  }

  // A function and a location in it.
  ExampleProfile& add_function(u64 id, std::string_view name) {
    add_bare_function(id, name);
    return add_location(id, {id});
  }
  ExampleProfile& add_bare_function(u64 id, std::string_view name) {
    Message function;
    function.add(field::kFunctionId, id);
    function.add(field::kName, strings_.id(name));
    function.add(field::kSystemName, strings_.id(name));
    function.add(field::kFileName, strings_.id("/src/" + std::string(name) + ".go"));
    tables_.add(field::kFunction, function);
    return *this;
  }
  // `functions`: the innermost first.
  ExampleProfile& add_location(u64 id, const std::vector<u64>& functions) {
    Message location;
    location.add(field::kLocationId, id);
    for (u64 function : functions) {
      Message line;
      line.add(field::kFunctionOf, function);
      line.add(field::kLineNumber, 10 * function);
      location.add(field::kLine, line);
    }
    tables_.add(field::kLocation, location);
    return *this;
  }
  ExampleProfile& add_sample(const ExampleSample& from) {
    Message locations, values, sample;
    for (u64 id : from.locations) locations.put_number(id);
    for (i64 value : from.values) values.put_number(static_cast<u64>(value));
    sample.add(field::kLocationIds, locations);
    sample.add(field::kValues, values);
    sample.append(from.labels);
    samples_.add(field::kSample, sample);
    return *this;
  }
  std::string text_label(std::string_view key, std::string_view text) {
    Message label, out;
    label.add(field::kKey, strings_.id(key));
    label.add(field::kText, strings_.id(text));
    out.add(field::kLabel, label);
    return out.take();
  }
  std::string number_label(std::string_view key, i64 number, std::string_view unit) {
    Message label, out;
    label.add(field::kKey, strings_.id(key));
    label.add(field::kNumber, static_cast<u64>(number));
    label.add(field::kNumberUnit, strings_.id(unit));
    out.add(field::kLabel, label);
    return out.take();
  }
  ExampleProfile& drop_frames(std::string_view expression) {
    tables_.add(field::kDropFrames, strings_.id(expression));
    return *this;
  }
  // Fields of the profile as they are.
  ExampleProfile& append(const Message& fields) {
    tables_.append(fields);
    return *this;
  }

  std::string bytes() const {
    Message out;
    out.append(types_);
    out.append(samples_);
    out.append(tables_);
    strings_.write(&out);
    return out.take();
  }

 private:
  StringTable strings_;
  Message types_, samples_, tables_;
};

inline Result<Profile> read_text(std::string_view bytes) {
  return Profile::read({reinterpret_cast<const u8*>(bytes.data()), bytes.size()}, "p");
}

}  // namespace geist::profile

// What went wrong keeps its kind and its next step on the way up; a value that is not there is not
// read.
#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace geist {
namespace {

Result<std::unique_ptr<int>> make(int value) {
  if (value < 0)
    return Error("negative", ErrorKind::kNotFound).with_hint("Say how many there are.");
  return std::make_unique<int>(value);
}

Status add(int value, int* sum) {
  GEIST_TRY(made, make(value));
  *sum += *made;
  return Done{};
}

Status add_all(const std::vector<int>& values, int* sum) {
  for (int value : values) GEIST_TRY_STATUS(add(value, sum));
  return Done{};
}

TEST(Result, PassesValuesOn) {
  int sum = 0;
  EXPECT_TRUE(add_all({1, 2, 3}, &sum).ok());
  EXPECT_EQ(sum, 6);
  Result<std::unique_ptr<int>> made = make(7);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(*std::move(made).value(), 7);
}

TEST(Result, TheFirstErrorEndsTheWork) {
  int sum = 0;
  Status status = add_all({1, -1, 3}, &sum);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(sum, 1);
  const Error error = status.take_error().in("line 2").in("counts.txt");
  EXPECT_EQ(error.message(), "counts.txt: line 2: negative");
  EXPECT_EQ(error.hint(), "Say how many there are.");
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
}

TEST(ResultDeathTest, AValueThatIsNotThereIsNotRead) {
  EXPECT_DEATH((void)make(-1).value(), "");
  EXPECT_DEATH((void)make(1).error(), "");
}

}  // namespace
}  // namespace geist

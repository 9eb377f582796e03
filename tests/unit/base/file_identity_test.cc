// Two files that cannot be looked at are not the same one.
#include "base/file_identity.h"

#include <gtest/gtest.h>

namespace geist {
namespace {

TEST(FileIdentity, AFileIsItselfAndNoOther) {
  const std::optional<FileIdentity> self = find_file_identity("/proc/self/exe");
  ASSERT_TRUE(self);
  EXPECT_EQ(self, find_file_identity("/proc/self/exe"));
  EXPECT_NE(self, find_file_identity("/proc/self/status"));
}

TEST(FileIdentity, WhatCannotBeLookedAtHasNone) {
  EXPECT_FALSE(find_file_identity("/proc/self/no such file"));
  EXPECT_FALSE(find_file_identity(""));
}

}  // namespace
}  // namespace geist

// Which words of an element are watched: those that the append has changed before.
#include "detect/append/chunks.h"

#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>
#include <memory>

namespace geist::detect::append {
namespace {

// An event of a site that is about to write over these words.
std::unique_ptr<abi::Event> event_over(u32 site, std::initializer_list<u64> words,
                                       u64 elem_size = 32) {
  auto event = std::make_unique<abi::Event>();
  event->site = site;
  event->append.elem_size = elem_size;
  event->old_size = static_cast<u32>(words.size() * 8);
  if (words.size() != 0) std::memcpy(event->old_bytes, std::data(words), event->old_size);
  return event;
}

TEST(WordHabits, AreTheWordsThatDifferBetweenTwoEvents) {
  WordHabits habits;
  EXPECT_TRUE(habits.varying(3).empty());
  habits.note(*event_over(3, {1, 2, 3, 4}));
  EXPECT_TRUE(habits.varying(3).empty());
  habits.note(*event_over(3, {1, 2, 30, 4}));
  EXPECT_EQ(habits.varying(3), std::vector<u64>{16});
  // What was seen once stays; another element of the same event counts alike.
  habits.note(*event_over(3, {1, 2, 30, 4, 1, 2, 3, 4}));
  habits.note(*event_over(3, {1, 2, 30, 4, 9, 2, 3, 4}));
  EXPECT_EQ(habits.varying(3), (std::vector<u64>{0, 16}));
  EXPECT_TRUE(habits.varying(4).empty());
}

TEST(WordHabits, AreOfOneElementSize) {
  WordHabits habits;
  habits.note(*event_over(1, {1, 2}, 16));
  habits.note(*event_over(1, {1, 3}, 16));
  EXPECT_EQ(habits.varying(1), std::vector<u64>{8});
  habits.note(*event_over(1, {1, 4}, 8));  // a generic append for another type
  EXPECT_TRUE(habits.varying(1).empty());
  habits.note(*event_over(2, {1, 2}, 1));
  habits.note(*event_over(2, {5, 6}, 1));
  EXPECT_TRUE(habits.varying(2).empty()) << "bytes have no words";
}

TEST(WordHabits, AreNotWithoutBound) {
  WordHabits habits;
  auto first = event_over(1, {}, 256), second = event_over(1, {}, 256);
  first->old_size = second->old_size = 256;
  std::memset(second->old_bytes, 7, 256);
  habits.note(*first);
  habits.note(*second);
  EXPECT_EQ(habits.varying(1).size(), 8u);
}

}  // namespace
}  // namespace geist::detect::append

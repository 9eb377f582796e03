// A case of a made-up detector: it wants the words it was given, and writes down what it is told.
#pragma once

#include <utility>
#include <vector>

#include "judge/registers.h"

namespace geist::judge {

class FakeCase : public Case {
 public:
  struct Wish {
    std::optional<int> rank;
    std::vector<TargetAddr> words;
    Range written;
  };
  FakeCase(u64 number, u16 detector, Wish wish)
      : FakeCase(Opening{number, 0, make_event(detector, number)}, std::move(wish)) {}
  FakeCase(Opening opening, Wish wish) : Case(std::move(opening)), wish_(std::move(wish)) {}

  Range written() const override { return wish_.written; }
  std::optional<int> rank() override { return wish_.rank; }
  bool watch(Registers& registers) override {
    for (TargetAddr word : wish_.words) {
      if (registers.add(*this, word, 8, false)) words.push_back(word);
    }
    return !words.empty();
  }
  bool goes_on_with(const Case&) override { return goes_on; }
  bool give_up_word(Registers& registers) override {
    if (words.size() < 2) return false;
    registers.remove(*this, words.back());
    words.pop_back();
    return true;
  }
  bool give_way(Registers& registers, const Range&) override {
    return stays && give_up_word(registers);
  }
  bool is_idle() const override { return idle; }
  void on_watch_end(bool early, u64) override {
    words.clear();
    ended_early = early;
  }
  void on_access(const Access& access) override { accesses.push_back(access.word); }
  bool after_samples(const Unseen&) override { return false; }
  void on_unseen() override {}
  void look_again() override {}
  bool is_seen_through() const override { return false; }
  bool is_over() const override { return over; }
  void settle(const Gate&) override {}

  std::vector<TargetAddr> words;     // that it has
  std::vector<TargetAddr> accesses;  // that it saw
  std::optional<bool> ended_early;
  bool idle = false, over = false;
  bool goes_on = false;  // with whatever comes next
  bool stays = false;    // with what nobody writes over

 private:
  static std::unique_ptr<abi::Event> make_event(u16 detector, u64 site) {
    auto event = std::make_unique<abi::Event>();
    event->detector = detector;
    event->site = static_cast<u32>(site);
    return event;
  }
  Wish wish_;
};

}  // namespace geist::judge

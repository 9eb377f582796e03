// Shows the program that the tool is there while the tool is busy with something long: without a
// heartbeat the runtime disarms itself for good (abi/ring.h).
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/start_thread.h"
#include "process/shared_ring.h"

namespace geist::process {

// As long as this lives there is a heartbeat. Where there are no more threads the program helps
// itself: it goes on unwatched, and the report says so.
class SignsOfLife {
 public:
  explicit SignsOfLife(SharedRing& ring) {
    thread_ = start_thread([this, &ring] {
      std::unique_lock lock(mutex_);
      for (; !is_over_; changed_.wait_for(lock, std::chrono::milliseconds(20))) ring.beat();
    });
  }
  SignsOfLife(const SignsOfLife&) = delete;
  SignsOfLife& operator=(const SignsOfLife&) = delete;
  ~SignsOfLife() {
    {
      std::unique_lock lock(mutex_);
      is_over_ = true;
    }
    changed_.notify_one();
    if (thread_) thread_->join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_over_ = false;
  std::optional<std::thread> thread_;
};

}  // namespace geist::process

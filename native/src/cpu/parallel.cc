#include "parallel.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "denormals.h"

namespace deskhand::cpu {

namespace {

class Pool {
 public:
  Pool() : helpers_(std::max(1u, std::thread::hardware_concurrency()) - 1) {
    for (size_t i = 0; i < helpers_; ++i) {
      // Detached: they sleep until the process ends, and hold nothing that would have to be given back.
      std::thread([this, i] { work(i + 1); }).detach();
    }
  }

  void run(size_t count, const std::function<void(size_t, size_t)>& body) {
    std::lock_guard turn(turn_);
    {
      std::lock_guard lock(mutex_);
      count_ = count;
      body_ = &body;
      running_ = helpers_;
      ++round_;
    }
    start_.notify_all();
    piece(0, count, body);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return running_ == 0; });
    body_ = nullptr;
  }

 private:
  void piece(size_t index, size_t count, const std::function<void(size_t, size_t)>& body) const {
    size_t pieces = helpers_ + 1;
    size_t begin = count * index / pieces;
    size_t end = count * (index + 1) / pieces;
    if (begin < end) {
      body(begin, end);
    }
  }

  void work(size_t index) {
    FlushDenormals flush;
    size_t seen = 0;
    for (;;) {
      std::unique_lock lock(mutex_);
      start_.wait(lock, [&] { return round_ != seen; });
      seen = round_;
      auto count = count_;
      const auto* body = body_;
      lock.unlock();
      piece(index, count, *body);
      lock.lock();
      if (--running_ == 0) {
        done_.notify_one();
      }
    }
  }

  const size_t helpers_;
  std::mutex turn_;
  std::mutex mutex_;
  std::condition_variable start_;
  std::condition_variable done_;
  size_t round_ = 0;
  size_t count_ = 0;
  size_t running_ = 0;
  const std::function<void(size_t, size_t)>* body_ = nullptr;
};

} // namespace

void parallel_for(size_t count, const std::function<void(size_t, size_t)>& body) {
  // Never destroyed: helpers may still sleep in it while the process exits.
  static Pool& pool = *new Pool();
  pool.run(count, body);
}

} // namespace deskhand::cpu

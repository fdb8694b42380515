#pragma once

#include <cstddef>
#include <functional>

namespace deskhand::cpu {

// Runs body(begin, end) over [0, count) in as many pieces as there are processors, on threads kept for it; the caller does its
// share and returns when all are done. One call at a time: MLX's CPU stream is one thread.
void parallel_for(size_t count, const std::function<void(size_t, size_t)>& body);

} // namespace deskhand::cpu

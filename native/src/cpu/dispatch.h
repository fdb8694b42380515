// How a primitive's loop gets onto MLX's CPU stream.
#pragma once

#include <utility>

#include "mlx/backend/cpu/encoder.h"

#include "denormals.h"

namespace deskhand::cpu {

// Runs `body()` when the stream comes to it.
template <typename Body>
void dispatch(mlx::core::Stream stream, Body body) {
  mlx::core::cpu::get_command_encoder(stream).dispatch([body = std::move(body)]() mutable {
    FlushDenormals flush;
    body();
  });
}

} // namespace deskhand::cpu

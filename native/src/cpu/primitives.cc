#include "primitives.h"

namespace deskhand::cpu {

const Primitives* primitives_for(std::initializer_list<mx::array> arrays) {
  static const Primitives all{gelu_tanh, gelu, silu_multiply, attention, linear, quantized_linear, gather_linear, gather_quantized_linear, gated_delta};
  if (mx::default_device() != mx::Device(mx::Device::cpu)) {
    return nullptr;
  }
  for (const auto& array : arrays) {
    if (array.dtype() != mx::float32 || array.size() == 0) {
      return nullptr;
    }
  }
  return &all;
}

} // namespace deskhand::cpu

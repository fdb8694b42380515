// The gated delta rule (arXiv:2412.06464) step by step. The rows of a head's state do not depend on each other, so they are shared
// among processors, and each processor's rows stay in its cache through all steps.
#include <algorithm>

#include "dispatch.h"
#include "kernels.h"
#include "parallel.h"
#include "primitives.h"

namespace deskhand::cpu {

namespace {

// State elements that one thread updates faster than another wakes, over all steps.
constexpr size_t kWorthSharing = 32768;

struct Shape {
  size_t steps, key_heads, value_heads, key_dims, value_dims;
};

struct Pointers {
  const float *q, *k, *v, *decay, *beta;
  float *y, *state;
};

// All steps of rows [begin, end) of one head of one sequence.
void run_rows(const Shape& shape, const Pointers& p, size_t batch, size_t head, size_t begin, size_t end) {
  const size_t key_head = head / (shape.value_heads / shape.key_heads);
  float* state = p.state + ((batch * shape.value_heads + head) * shape.value_dims + begin) * shape.key_dims;
  for (size_t t = 0; t < shape.steps; ++t) {
    const size_t step = batch * shape.steps + t;
    const size_t key = (step * shape.key_heads + key_head) * shape.key_dims;
    const size_t gate = step * shape.value_heads + head;
    const size_t value = gate * shape.value_dims + begin;
    kernels().gated_delta_step(state, end - begin, shape.key_dims, p.q + key, p.k + key, p.v + value, p.decay[gate], p.beta[gate], p.y + value);
  }
}

// Inputs are q, k [B, T, Hk, Dk], v [B, T, Hv, Dv], decay and beta [B, T, Hv], state [B, Hv, Dv, Dk]; outputs are y and the state.
class GatedDelta : public mx::Primitive {
 public:
  explicit GatedDelta(mx::Stream stream) : mx::Primitive(stream) {}

  void eval_cpu(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    for (auto& output : outputs) {
      output.set_data(mx::allocator::malloc(output.nbytes()));
    }
    const auto &k = inputs[1], &v = inputs[2];
    Shape shape{static_cast<size_t>(k.shape(1)), static_cast<size_t>(k.shape(2)), static_cast<size_t>(v.shape(2)), static_cast<size_t>(k.shape(3)), static_cast<size_t>(v.shape(3))};
    Pointers pointers{inputs[0].data<float>(), k.data<float>(), v.data<float>(), inputs[3].data<float>(), inputs[4].data<float>(), outputs[0].data<float>(), outputs[1].data<float>()};
    dispatch(stream(), [shape, pointers, before = inputs[5].data<float>(), size = inputs[5].size()] {
      std::copy(before, before + size, pointers.state);
      auto rows = [&](size_t begin, size_t end) {
        for (size_t next; begin < end; begin = next) {
          const size_t head = begin / shape.value_dims, first = begin % shape.value_dims;
          next = std::min(end, (head + 1) * shape.value_dims);
          run_rows(shape, pointers, head / shape.value_heads, head % shape.value_heads, first, first + next - begin);
        }
      };
      const size_t count = size / shape.key_dims;
      if (size * shape.steps < kWorthSharing) {
        rows(0, count);
      } else {
        parallel_for(count, rows);
      }
    });
  }

  void eval_gpu(const std::vector<mx::array>&, std::vector<mx::array>&) override {
    throw std::runtime_error("this primitive runs on the CPU only");
  }

  const char* name() const override {
    return "GatedDelta";
  }
};

} // namespace

std::vector<mx::array> gated_delta(const mx::array& q, const mx::array& k, const mx::array& v, const mx::array& decay, const mx::array& beta, const mx::array& state) {
  std::vector<mx::array> inputs{q, k, v, decay, beta, state};
  for (auto& input : inputs) {
    input = mx::contiguous(input);
  }
  auto stream = mx::default_stream(mx::default_device());
  return mx::array::make_arrays({v.shape(), state.shape()}, {mx::float32, mx::float32}, std::make_shared<GatedDelta>(stream), inputs);
}

} // namespace deskhand::cpu

#include "dispatch.h"
#include "kernels.h"
#include "parallel.h"
#include "primitives.h"

namespace deskhand::cpu {

namespace {

// Smaller than this, waking a thread costs more than it saves.
constexpr size_t kPerThread = 16384;

using Loop = void (*)(const float* const* inputs, float* output, size_t n);

// Applies a loop to arrays of one shape, element by element.
class Elementwise : public mx::UnaryPrimitive {
 public:
  Elementwise(mx::Stream stream, const char* name, Loop loop) : mx::UnaryPrimitive(stream), name_(name), loop_(loop) {}

  void eval_cpu(const std::vector<mx::array>& inputs, mx::array& out) override {
    out.set_data(mx::allocator::malloc(out.nbytes()));
    std::vector<const float*> from;
    for (const auto& input : inputs) {
      from.push_back(input.data<float>());
    }
    dispatch(stream(), [loop = loop_, from = std::move(from), to = out.data<float>(), size = out.size()] {
      auto run = [&](size_t begin, size_t end) {
        const float* shifted[2] = {from[0] + begin, from.back() + begin};
        loop(shifted, to + begin, end - begin);
      };
      if (size < 2 * kPerThread) {
        run(0, size);
      } else {
        parallel_for(size, run);
      }
    });
  }

  void eval_gpu(const std::vector<mx::array>&, mx::array&) override {
    throw std::runtime_error("this primitive runs on the CPU only");
  }

  const char* name() const override {
    return name_;
  }

 private:
  const char* name_;
  Loop loop_;
};

mx::array elementwise(const char* name, Loop loop, std::vector<mx::array> inputs) {
  for (auto& input : inputs) {
    input = mx::contiguous(input);
  }
  auto shape = inputs[0].shape();
  auto stream = mx::default_stream(mx::default_device());
  return mx::array(std::move(shape), mx::float32, std::make_shared<Elementwise>(stream, name, loop), std::move(inputs));
}

} // namespace

mx::array gelu_tanh(const mx::array& x) {
  return elementwise("GeluTanh", [](const float* const* in, float* out, size_t n) { kernels().gelu_tanh(in[0], out, n); }, {x});
}

mx::array gelu(const mx::array& x) {
  return elementwise("Gelu", [](const float* const* in, float* out, size_t n) { kernels().gelu(in[0], out, n); }, {x});
}

mx::array silu_multiply(const mx::array& a, const mx::array& b) {
  return elementwise("SiluMultiply", [](const float* const* in, float* out, size_t n) { kernels().silu_multiply(in[0], in[1], out, n); }, {a, b});
}

} // namespace deskhand::cpu

// Products with weights [out, in], which are read as they are stored: float32, bfloat16, float16, or quantised to 4 or 8 bits. One
// row of activations is bound by memory, so every weight is read once, where it lies. Many rows are bound by arithmetic, so
// weights are widened a block at a time for BLAS. Stacked matrices [E, out, in] are multiplied by the rows that ask for each.
#include "blas.h"
#include "dispatch.h"
#include "kernels.h"
#include "parallel.h"
#include "primitives.h"

namespace deskhand::cpu {

namespace {

// Weights in a block to be widened: 1 M floats stay in the second- or third-level cache.
constexpr size_t kBlockWeights = 1 << 20;

// Weights of a matrix that one thread multiplies faster than another wakes.
constexpr size_t kWorthSharing = 32768;

// The stored weights of one matrix: dot products with one row, and rows widened to float32.
struct Matrix {
  size_t rows, k;
  virtual ~Matrix() = default;
  // Rearranges a row of activations for `multiply`; most layouts take it as it is.
  virtual const float* prepare(const float* x, std::vector<float>& buffer) const {
    return x;
  }
  // y[i] = w[i] · x for rows [begin, end)
  virtual void multiply(size_t begin, size_t end, const float* x, float* y) const = 0;
  // Rows [begin, end) as float32, in place where they are that already.
  virtual const float* widen(size_t begin, size_t end, std::vector<float>& buffer) const = 0;
  // Goes to one of the stacked matrices.
  virtual void select(size_t index) = 0;

  Matrix(size_t rows, size_t k) : rows(rows), k(k) {}
};

// Widens rows on all processors.
template <typename F>
const float* widened(size_t begin, size_t end, size_t k, std::vector<float>& buffer, F row) {
  buffer.resize((end - begin) * k);
  parallel_for(end - begin, [&](size_t from, size_t to) {
    for (size_t i = from; i < to; ++i) {
      row(begin + i, buffer.data() + i * k);
    }
  });
  return buffer.data();
}

struct FloatMatrix : Matrix {
  const char *first, *data;
  mx::Dtype dtype;

  explicit FloatMatrix(const mx::array& w) : Matrix(w.shape(-2), w.shape(-1)), first(w.data<char>()), data(first), dtype(w.dtype()) {}

  void select(size_t index) override {
    data = first + index * rows * k * mx::size_of(dtype);
  }
  const float* floats(size_t row) const {
    return reinterpret_cast<const float*>(data) + row * k;
  }

  const uint16_t* halves(size_t row) const {
    return reinterpret_cast<const uint16_t*>(data) + row * k;
  }
  void multiply(size_t begin, size_t end, const float* x, float* y) const override {
    if (dtype == mx::float32) {
      kernels().rows_f32(floats(begin), end - begin, k, x, y);
    } else {
      (dtype == mx::bfloat16 ? kernels().rows_bf16 : kernels().rows_f16)(halves(begin), end - begin, k, x, y);
    }
  }
  const float* widen(size_t begin, size_t end, std::vector<float>& buffer) const override {
    if (dtype == mx::float32) {
      return floats(begin);
    }
    auto widen_row = dtype == mx::bfloat16 ? kernels().widen_bf16 : kernels().widen_f16;
    return widened(begin, end, k, buffer, [&](size_t row, float* to) { widen_row(halves(row), to, k); });
  }
};

struct PackedMatrix : Matrix {
  const uint8_t *first, *data;
  const float *first_scales, *first_biases, *scales, *biases;
  size_t group, bits;

  PackedMatrix(const mx::array& w, const mx::array& scales, const mx::array& biases, int group, int bits)
      : Matrix(w.shape(-2), static_cast<size_t>(scales.shape(-1)) * group), first(reinterpret_cast<const uint8_t*>(w.data<uint32_t>())), first_scales(scales.data<float>()), first_biases(biases.data<float>()), group(group), bits(bits) {
    select(0);
  }

  void select(size_t index) override {
    data = first + index * rows * k * bits / 8;
    scales = first_scales + index * rows * groups();
    biases = first_biases + index * rows * groups();
  }

  const uint8_t* row(size_t i) const {
    return data + i * k * bits / 8;
  }
  size_t groups() const {
    return k / group;
  }
  // The row (split into even and odd elements for 4 bits), then the sum of each group.
  const float* prepare(const float* x, std::vector<float>& buffer) const override {
    buffer.assign(k + groups(), 0.0f);
    for (size_t j = 0; j < k; ++j) {
      buffer[bits == 8 ? j : j % 2 * (k / 2) + j / 2] = x[j];
      buffer[k + j / group] += x[j];
    }
    return buffer.data();
  }
  void multiply(size_t begin, size_t end, const float* x, float* y) const override {
    (bits == 4 ? kernels().rows_q4 : kernels().rows_q8)(row(begin), scales + begin * groups(), biases + begin * groups(), end - begin, k, group, x, x + k, y);
  }
  const float* widen(size_t begin, size_t end, std::vector<float>& buffer) const override {
    auto widen_row = bits == 4 ? kernels().widen_q4 : kernels().widen_q8;
    return widened(begin, end, k, buffer, [&](size_t i, float* to) { widen_row(row(i), scales + i * groups(), biases + i * groups(), k, group, to); });
  }
};

void one_row(const Matrix& w, const float* x, const float* bias, float* y) {
  std::vector<float> buffer;
  x = w.prepare(x, buffer);
  auto piece = [&](size_t begin, size_t end) {
    w.multiply(begin, end, x, y + begin);
    for (size_t i = begin; bias != nullptr && i < end; ++i) {
      y[i] += bias[i];
    }
  };
  if (w.rows * w.k < kWorthSharing) {
    piece(0, w.rows);
  } else {
    parallel_for(w.rows, piece);
  }
}

void many_rows(const Matrix& w, const float* x, size_t count, const float* bias, float* y) {
  for (size_t i = 0; bias != nullptr && i < count; ++i) {
    std::copy(bias, bias + w.rows, y + i * w.rows);
  }
  std::vector<float> buffer;
  const size_t step = std::max<size_t>(1, kBlockWeights / w.k);
  for (size_t begin = 0; begin < w.rows; begin += step) {
    const size_t end = std::min(begin + step, w.rows);
    const float* block = w.widen(begin, end, buffer);
    multiply_transposed(count, end - begin, w.k, x, w.k, block, w.k, bias == nullptr ? 0.0f : 1.0f, y + begin, w.rows);
  }
}

// The weights of an operation: w, and for quantised ones scales and biases, at `inputs[at]` and after it.
std::shared_ptr<Matrix> matrix_at(const std::vector<mx::array>& inputs, size_t at, int group, int bits) {
  if (bits == 0) {
    return std::make_shared<FloatMatrix>(inputs[at]);
  }
  return std::make_shared<PackedMatrix>(inputs[at], inputs[at + 1], inputs[at + 2], group, bits);
}

// x [..., in] → [..., out]; inputs are x, the weights' arrays and, last, the bias if there is one.
class Linear : public mx::UnaryPrimitive {
 public:
  Linear(mx::Stream stream, bool biased, int group, int bits) : mx::UnaryPrimitive(stream), biased_(biased), group_(group), bits_(bits) {}

  void eval_cpu(const std::vector<mx::array>& inputs, mx::array& out) override {
    out.set_data(mx::allocator::malloc(out.nbytes()));
    auto w = matrix_at(inputs, 1, group_, bits_);
    const float* bias = biased_ ? inputs.back().data<float>() : nullptr;
    dispatch(stream(), [w, x = inputs[0].data<float>(), count = inputs[0].size() / w->k, bias, y = out.data<float>()] {
      if (count == 1) {
        one_row(*w, x, bias, y);
      } else {
        many_rows(*w, x, count, bias, y);
      }
    });
  }

  void eval_gpu(const std::vector<mx::array>&, mx::array&) override {
    throw std::runtime_error("this primitive runs on the CPU only");
  }

  const char* name() const override {
    return "Linear";
  }

 private:
  bool biased_;
  int group_, bits_;
};

// Rows that multiply one by one faster than the matrix is widened.
constexpr size_t kFewRows = 4;

// Row i of x [N, in] times the stacked matrix number indices[i]: [N, out]. Inputs are x, the indices and the weights' arrays.
// Neighbours with the same index go together.
class GatheredLinear : public mx::UnaryPrimitive {
 public:
  GatheredLinear(mx::Stream stream, int group, int bits) : mx::UnaryPrimitive(stream), group_(group), bits_(bits) {}

  void eval_cpu(const std::vector<mx::array>& inputs, mx::array& out) override {
    out.set_data(mx::allocator::malloc(out.nbytes()));
    auto w = matrix_at(inputs, 2, group_, bits_);
    dispatch(stream(), [w, x = inputs[0].data<float>(), indices = inputs[1].data<uint32_t>(), count = inputs[1].size(), y = out.data<float>()] {
      for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && indices[end] == indices[begin]; ++end) {
        }
        w->select(indices[begin]);
        if (end - begin < kFewRows) {
          for (size_t i = begin; i < end; ++i) {
            one_row(*w, x + i * w->k, nullptr, y + i * w->rows);
          }
        } else {
          many_rows(*w, x + begin * w->k, end - begin, nullptr, y + begin * w->rows);
        }
      }
    });
  }

  void eval_gpu(const std::vector<mx::array>&, mx::array&) override {
    throw std::runtime_error("this primitive runs on the CPU only");
  }

  const char* name() const override {
    return "GatheredLinear";
  }

 private:
  int group_, bits_;
};

// Weights are evaluated and row-major already: no node for them.
void make_contiguous(std::vector<mx::array>& inputs) {
  for (auto& input : inputs) {
    if (input.status() != mx::array::Status::available || !input.flags().row_contiguous) {
      input = mx::contiguous(input);
    }
  }
}

mx::array gathered_product(std::vector<mx::array> inputs, int group, int bits) {
  mx::Shape shape{inputs[0].shape(0), inputs[2].shape(1)};
  make_contiguous(inputs);
  auto stream = mx::default_stream(mx::default_device());
  return mx::array(std::move(shape), mx::float32, std::make_shared<GatheredLinear>(stream, group, bits), std::move(inputs));
}

mx::array product(std::vector<mx::array> inputs, const std::optional<mx::array>& bias, int group, int bits) {
  auto shape = inputs[0].shape();
  shape.back() = inputs[1].shape(0);
  if (bias) {
    inputs.push_back(*bias);
  }
  make_contiguous(inputs);
  auto stream = mx::default_stream(mx::default_device());
  return mx::array(std::move(shape), mx::float32, std::make_shared<Linear>(stream, bias.has_value(), group, bits), std::move(inputs));
}

} // namespace

mx::array linear(const mx::array& x, const mx::array& w, const std::optional<mx::array>& bias) {
  return product({x, w}, bias, 0, 0);
}

mx::array quantized_linear(const mx::array& x, const mx::array& w, const mx::array& scales, const mx::array& biases, const std::optional<mx::array>& bias, int group, int bits) {
  return product({x, w, scales, biases}, bias, group, bits);
}

mx::array gather_linear(const mx::array& x, const mx::array& w, const mx::array& indices) {
  return gathered_product({x, indices, w}, 0, 0);
}

mx::array gather_quantized_linear(const mx::array& x, const mx::array& w, const mx::array& scales, const mx::array& biases, const mx::array& indices, int group, int bits) {
  return gathered_product({x, indices, w, scales, biases}, group, bits);
}

} // namespace deskhand::cpu

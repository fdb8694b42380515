// mlx/ops.h: elementwise, shape, reduction and product operations. All of them only build the graph.
#include "ops.h"

#include "binding.h"

namespace deskhand {

namespace {

using Unary = mx::array (*)(const mx::array&, mx::StreamOrDevice);
using Binary = mx::array (*)(const mx::array&, const mx::array&, mx::StreamOrDevice);

template <Unary F>
mx::array unary(Args& args) {
  return F(args.tensor(0), {});
}

template <Binary F>
mx::array binary(Args& args) {
  return F(args.tensor(0), args.tensor(1), {});
}

using AxesReduction = mx::array (*)(const mx::array&, const std::vector<int>&, bool, mx::StreamOrDevice);

// (x, axes, keepDims)
template <AxesReduction F>
mx::array reduction(Args& args) {
  return F(args.tensor(0), args.integers(1), args.boolean(2), {});
}

using AxisReduction = mx::array (*)(const mx::array&, int, bool, mx::StreamOrDevice);

// (x, axis, keepDims)
template <AxisReduction F>
mx::array axis_reduction(Args& args) {
  return F(args.tensor(0), static_cast<int>(args.integer(1)), args.boolean(2), {});
}

int axis(Args& args, size_t i) {
  return static_cast<int>(args.integer(i));
}

void register_elementwise(Napi::Env env, Napi::Object exports) {
  define(env, exports, "negative", unary<mx::negative>);
  define(env, exports, "exp", unary<mx::exp>);
  define(env, exports, "log", unary<mx::log>);
  define(env, exports, "sqrt", unary<mx::sqrt>);
  define(env, exports, "rsqrt", unary<mx::rsqrt>);
  define(env, exports, "square", unary<mx::square>);
  define(env, exports, "sin", unary<mx::sin>);
  define(env, exports, "cos", unary<mx::cos>);
  define(env, exports, "tanh", unary<mx::tanh>);
  define(env, exports, "erf", unary<mx::erf>);
  define(env, exports, "sigmoid", unary<mx::sigmoid>);
  define(env, exports, "abs", unary<mx::abs>);
  define(env, exports, "logicalNot", unary<mx::logical_not>);

  define(env, exports, "add", binary<mx::add>);
  define(env, exports, "subtract", binary<mx::subtract>);
  define(env, exports, "multiply", binary<mx::multiply>);
  define(env, exports, "divide", binary<mx::divide>);
  define(env, exports, "power", binary<mx::power>);
  define(env, exports, "maximum", binary<mx::maximum>);
  define(env, exports, "minimum", binary<mx::minimum>);
  // log(exp(a) + exp(b))
  define(env, exports, "logaddexp", binary<mx::logaddexp>);
  define(env, exports, "equal", binary<mx::equal>);
  define(env, exports, "less", binary<mx::less>);
  define(env, exports, "lessEqual", binary<mx::less_equal>);
  define(env, exports, "greater", binary<mx::greater>);
  define(env, exports, "greaterEqual", binary<mx::greater_equal>);
  define(env, exports, "logicalAnd", binary<mx::logical_and>);
  define(env, exports, "logicalOr", binary<mx::logical_or>);
  define(env, exports, "where", [](Args& args) { return mx::where(args.tensor(0), args.tensor(1), args.tensor(2)); });
  define(env, exports, "astype", [](Args& args) { return mx::astype(args.tensor(0), args.dtype(1)); });
}

void register_creation(Napi::Env env, Napi::Object exports) {
  define(env, exports, "zeros", [](Args& args) { return mx::zeros(args.shape(0), args.dtype(1)); });
  // (shape, value, dtype)
  define(env, exports, "full", [](Args& args) { return mx::full(args.shape(0), mx::array(args.number(1), args.dtype(2))); });
  // (start, stop, step, dtype)
  define(env, exports, "arange", [](Args& args) { return mx::arange(args.number(0), args.number(1), args.number(2), args.dtype(3)); });
}

void register_shape(Napi::Env env, Napi::Object exports) {
  define(env, exports, "reshape", [](Args& args) { return mx::reshape(args.tensor(0), args.shape(1)); });
  define(env, exports, "transpose", [](Args& args) { return mx::transpose(args.tensor(0), args.integers(1)); });
  define(env, exports, "swapAxes", [](Args& args) { return mx::swapaxes(args.tensor(0), axis(args, 1), axis(args, 2)); });
  define(env, exports, "expandDims", [](Args& args) { return mx::expand_dims(args.tensor(0), axis(args, 1)); });
  define(env, exports, "squeeze", [](Args& args) { return mx::squeeze(args.tensor(0), axis(args, 1)); });
  define(env, exports, "broadcastTo", [](Args& args) { return mx::broadcast_to(args.tensor(0), args.shape(1)); });
  define(env, exports, "contiguous", [](Args& args) { return mx::contiguous(args.tensor(0)); });
  // (x, start, stop, strides), one entry a dimension
  define(env, exports, "slice", [](Args& args) { return mx::slice(args.tensor(0), args.shape(1), args.shape(2), args.shape(3)); });
  // (x, update, start, stop)
  define(env, exports, "sliceUpdate", [](Args& args) { return mx::slice_update(args.tensor(0), args.tensor(1), args.shape(2), args.shape(3)); });
  define(env, exports, "concatenate", [](Args& args) { return mx::concatenate(args.tensors(0), axis(args, 1)); });
  define(env, exports, "stack", [](Args& args) { return mx::stack(args.tensors(0), axis(args, 1)); });
  // (x, indices, axis): pieces between the indices
  define(env, exports, "split", [](Args& args) { return handles(args, mx::split(args.tensor(0), args.shape(1), axis(args, 2))); });
  define(env, exports, "repeat", [](Args& args) { return mx::repeat(args.tensor(0), static_cast<int>(args.integer(1)), axis(args, 2)); });
  define(env, exports, "take", [](Args& args) { return mx::take(args.tensor(0), args.tensor(1), axis(args, 2)); });
  define(env, exports, "takeAlongAxis", [](Args& args) { return mx::take_along_axis(args.tensor(0), args.tensor(1), axis(args, 2)); });
  define(env, exports, "putAlongAxis", [](Args& args) { return mx::put_along_axis(args.tensor(0), args.tensor(1), args.tensor(2), axis(args, 3)); });
}

void register_reductions(Napi::Env env, Napi::Object exports) {
  define(env, exports, "sum", reduction<mx::sum>);
  define(env, exports, "mean", reduction<mx::mean>);
  define(env, exports, "max", reduction<mx::max>);
  define(env, exports, "min", reduction<mx::min>);
  define(env, exports, "logsumexp", reduction<mx::logsumexp>);
  define(env, exports, "argmax", axis_reduction<mx::argmax>);
  define(env, exports, "argsort", [](Args& args) { return mx::argsort(args.tensor(0), axis(args, 1)); });
  define(env, exports, "argpartition", [](Args& args) { return mx::argpartition(args.tensor(0), static_cast<int>(args.integer(1)), axis(args, 2)); });
  // (x, axis): inclusive running sum
  define(env, exports, "cumsum", [](Args& args) { return mx::cumsum(args.tensor(0), axis(args, 1), false, true); });
  // (x, axes, precise): precise accumulates in float32
  define(env, exports, "softmax", [](Args& args) { return mx::softmax(args.tensor(0), args.integers(1), args.boolean(2)); });
}

void register_products(Napi::Env env, Napi::Object exports) {
  define(env, exports, "matmul", binary<mx::matmul>);
  // (c, a, b): c + a @ b
  define(env, exports, "addmm", [](Args& args) { return mx::addmm(args.tensor(0), args.tensor(1), args.tensor(2)); });
}

} // namespace

void register_ops(Napi::Env env, Napi::Object exports) {
  register_elementwise(env, exports);
  register_creation(env, exports);
  register_shape(env, exports);
  register_reductions(env, exports);
  register_products(env, exports);
}

} // namespace deskhand

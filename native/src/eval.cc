// mlx/transforms.h, memory.h and device.h: running the graph, and what it costs.
//
// Streams belong to the thread that made them, so the graph is dispatched here, on the JavaScript thread; only the waiting is
// done on a libuv thread. It waits for a fence, a tensor of its own that is evaluated with the others and that no graph is built
// on: an array's status is not guarded against two threads.
#include "binding.h"
#include "ops.h"

namespace deskhand {

namespace {

class WaitWorker : public Napi::AsyncWorker {
 public:
  WaitWorker(Napi::Env env, mx::array fence) : Napi::AsyncWorker(env, "deskhand:wait"), deferred_(Napi::Promise::Deferred::New(env)), fence_(std::move(fence)) {}

  Napi::Promise promise() const {
    return deferred_.Promise();
  }
  void Execute() override {
    fence_.wait();
  }
  void OnOK() override {
    Instance::of(Env()).report_memory(Env());
    deferred_.Resolve(Env().Undefined());
  }
  void OnError(const Napi::Error& error) override {
    deferred_.Reject(Napi::Error::New(Env(), std::string("wait: ") + error.Message()).Value());
  }

 private:
  Napi::Promise::Deferred deferred_;
  mx::array fence_;
};

// (tensors): starts computing them; the result is the fence to wait for
mx::array async_eval(Args& args) {
  auto arrays = args.tensors(0);
  auto fence = mx::zeros({}, mx::uint8);
  arrays.push_back(fence);
  mx::async_eval(std::move(arrays));
  return fence;
}

// (fence): settles when everything dispatched with it has been computed
Napi::Value wait(Args& args) {
  auto* worker = new WaitWorker(args.env(), args.tensor(0));
  auto promise = worker->promise();
  worker->Queue();
  return promise;
}

template <size_t (*F)()>
Napi::Value bytes(Args& args) {
  return Napi::Number::New(args.env(), static_cast<double>(F()));
}

} // namespace

void register_eval(Napi::Env env, Napi::Object exports) {
  define(env, exports, "eval", [](Args& args) -> Napi::Value {
    mx::eval(args.tensors(0));
    args.instance().report_memory(args.env());
    return args.env().Undefined();
  });
  define(env, exports, "asyncEval", async_eval);
  define(env, exports, "wait", wait);

  define(env, exports, "activeMemory", bytes<mx::get_active_memory>);
  define(env, exports, "peakMemory", bytes<mx::get_peak_memory>);
  define(env, exports, "cacheMemory", bytes<mx::get_cache_memory>);
  // What V8 counts as held outside its heap, MLX's share as last reported included.
  define(env, exports, "externalMemory", [](Args& args) -> Napi::Value {
    args.instance().report_memory(args.env());
    return Napi::Number::New(args.env(), static_cast<double>(Napi::MemoryManagement::AdjustExternalMemory(args.env(), 0)));
  });
  define(env, exports, "clearCache", [](Args& args) -> Napi::Value {
    mx::clear_cache();
    return args.env().Undefined();
  });
  define(env, exports, "gpuAvailable", [](Args& args) -> Napi::Value { return Napi::Boolean::New(args.env(), mx::is_available(mx::Device::gpu)); });
  define(env, exports, "setDefaultDevice", [](Args& args) -> Napi::Value {
    auto name = args.string(0);
    if (name != "cpu" && name != "gpu") {
      throw std::invalid_argument("expected \"cpu\" or \"gpu\" but received \"" + name + "\"");
    }
    mx::set_default_device(name == "gpu" ? mx::Device(mx::Device::gpu) : mx::Device(mx::Device::cpu));
    return args.env().Undefined();
  });
}

} // namespace deskhand

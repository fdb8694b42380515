// mlx/transforms.h, memory.h and device.h: running the graph, and what it costs.
//
// Streams belong to the thread that made them, so the graph is dispatched here, on the JavaScript thread; only the waiting is
// done on a libuv thread, and that touches nothing but the event of the array it waits for.
#include "binding.h"
#include "ops.h"

namespace deskhand {

namespace {

class WaitWorker : public Napi::AsyncWorker {
 public:
  WaitWorker(Napi::Env env, mx::Event event) : Napi::AsyncWorker(env, "deskhand:wait"), deferred_(Napi::Promise::Deferred::New(env)), event_(std::move(event)) {}

  Napi::Promise promise() const {
    return deferred_.Promise();
  }
  void Execute() override {
    event_.wait();
    event_.check_error();
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
  mx::Event event_;
};

Napi::Value resolved(Napi::Env env) {
  auto deferred = Napi::Promise::Deferred::New(env);
  deferred.Resolve(env.Undefined());
  return deferred.Promise();
}

// (tensor): settles when the tensor, given to asyncEval before, has its value
Napi::Value wait(Args& args) {
  auto& array = args.tensor(0);
  if (array.status() == mx::array::Status::unscheduled) {
    throw std::invalid_argument("expected a tensor that was given to asyncEval but received one that was not");
  }
  auto event = array.event();
  if (!event.valid() || event.is_signaled()) {
    if (event.valid()) {
      event.check_error();
    }
    return resolved(args.env());
  }
  auto* worker = new WaitWorker(args.env(), event);
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
  define(env, exports, "asyncEval", [](Args& args) -> Napi::Value {
    mx::async_eval(args.tensors(0));
    return args.env().Undefined();
  });
  define(env, exports, "wait", wait);

  define(env, exports, "activeMemory", bytes<mx::get_active_memory>);
  define(env, exports, "peakMemory", bytes<mx::get_peak_memory>);
  define(env, exports, "cacheMemory", bytes<mx::get_cache_memory>);
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

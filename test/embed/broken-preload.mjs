// Loaded before the product: after so many runs of a thread its encoder fails, whatever it is asked, as on a GPU that is lost.
import ort from "onnxruntime-node";

let left = Number(process.env.ENCODER_RUNS);
const { run } = ort.InferenceSession.prototype;
ort.InferenceSession.prototype.run = function (...asked) {
  return left-- > 0 ? run.apply(this, asked) : Promise.reject(new Error("CUDA error: the device was lost"));
};

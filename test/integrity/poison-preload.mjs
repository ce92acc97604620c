// Loaded into a detector before the product: in native code, a text with a chosen token ends the process or never returns.
import ort from "onnxruntime-node";

const [fatal, endless] = [process.env.POISON_FATAL, process.env.POISON_ENDLESS];
const { run } = ort.InferenceSession.prototype;
ort.InferenceSession.prototype.run = function (feeds, ...more) {
  const ids = feeds.input_ids.data;
  // What abort() does; process.abort() is not for worker threads.
  if (fatal !== undefined && ids.includes(BigInt(fatal))) process.kill(process.pid, "SIGABRT");
  if (endless !== undefined && ids.includes(BigInt(endless))) return new Promise(() => undefined);
  return run.call(this, feeds, ...more);
};
